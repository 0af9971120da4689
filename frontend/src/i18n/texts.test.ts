import { describe, expect, it } from "vitest";
import en from "../texts/en.json";
import kk from "../texts/kk.json";
import ru from "../texts/ru.json";
import uz from "../texts/uz.json";
import { fill, nearestLanguage, placeholders, textOf } from "./catalogue";

type Groups = Record<string, Record<string, string>>;
const flat = (groups: Groups): Map<string, string> =>
  new Map(Object.entries(groups).flatMap(([group, texts]) => Object.entries(texts).map(([key, text]) => [`${group}.${key}`, text] as const)));
const base = flat(en);
// Words that are the same in all languages on purpose: names of measures and units.
const SAME = new Set(["speeds.v85", "speeds.v85_alone", "date.pattern"]);

describe.each(Object.entries({ ru, kk, uz }))("texts in %s", (language, groups) => {
  const texts = flat(groups as Groups);

  it("have the keys of the English ones", () => {
    expect([...texts.keys()].sort()).toEqual([...base.keys()].sort());
  });
  it("have the placeholders of the English ones", () => {
    for (const [key, text] of base) {
      // Notes of reports come without values in the catalogue of reports.
      expect(placeholders(texts.get(key) ?? ""), key).toEqual(placeholders(text));
    }
  });
  it("say something everywhere", () => {
    for (const [key, text] of texts) expect(text.trim(), key).not.toBe("");
  });
  it("are written in the script of the language", () => {
    const script = language === "uz" ? /[a-zʻʼ]/i : /[\u0400-\u04ff]/;
    for (const [key, text] of texts) {
      const words = text.replace(/\{\w+\}|CSV|Excel|PNG|PDF|TTC|PET|DRAC|T2|v85|k1|STOP|WebGL|m\/s.?/g, "").trim();
      if (SAME.has(key) || !/\p{L}{3}/u.test(words)) continue;
      expect(script.test(words), `${key}: ${text}`).toBe(true);
      if (language === "uz") expect(/[\u0400-\u04ff]/.test(words), `${key}: ${text}`).toBe(false);
    }
  });
  it("were not left in English", () => {
    const left = [...texts].filter(([key, text]) => text === base.get(key) && / /.test(text) && !SAME.has(key));
    expect(left).toEqual([]);
  });
});

describe("a text", () => {
  it("takes its values", () => {
    expect(fill("{n} of {of}", { n: 3, of: "7" })).toBe("3 of 7");
    expect(fill("{n} of {of}", { n: 3 })).toBe("3 of {of}");
    expect(textOf("ru", "review.part", { from: 1, to: 2, n: 9 })).toBe("1–2 из 9");
  });
  it("is spoken in the nearest language", () => {
    expect(nearestLanguage(["de-DE", "kk-KZ"])).toBe("kk");
    expect(nearestLanguage(["uz-Latn-UZ"])).toBe("uz");
    expect(nearestLanguage([])).toBe("en");
  });
});
