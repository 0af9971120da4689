// Texts by key, with {placeholders}. Sentences avoid forms that change with a number.
import en from "../texts/en.json";
import kk from "../texts/kk.json";
import ru from "../texts/ru.json";
import uz from "../texts/uz.json";

export const LANGUAGES = ["en", "ru", "kk", "uz"] as const;
export type Language = (typeof LANGUAGES)[number];
export type Catalogue = typeof en;
type Groups = { [G in keyof Catalogue]: `${G}.${Extract<keyof Catalogue[G], string>}` };
export type TextKey = Groups[keyof Catalogue];
export type Args = Record<string, string | number>;

const CATALOGUES: Record<Language, Record<string, Record<string, string>>> = { en, ru, kk, uz };

/** Returns the text of a key that may not exist, or undefined. */
export function find(language: Language, group: string, key: string): string | undefined {
  return CATALOGUES[language][group]?.[key];
}

/** Puts values into {placeholders}; one without a value stays as it is. */
export function fill(text: string, args: Args = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in args ? String(args[name]) : whole,
  );
}

/** Returns the text of a key in a language. */
export function textOf(language: Language, key: TextKey, args: Args = {}): string {
  const dot = key.indexOf(".");
  const text = find(language, key.slice(0, dot), key.slice(dot + 1));
  return fill(text ?? key, args);
}

/** Returns the names of the placeholders of a text, sorted. */
export function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();
}

/** Returns the language of these pages nearest to what a browser prefers. */
export function nearestLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const short = tag.slice(0, 2).toLowerCase();
    const found = LANGUAGES.find((language) => language === short);
    if (found) return found;
  }
  return "en";
}
