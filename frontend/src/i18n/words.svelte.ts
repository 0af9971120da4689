// The language of the pages: kept by the browser, reactive everywhere.
import { type Args, find, LANGUAGES, type Language, nearestLanguage, type TextKey, textOf } from "./catalogue";
import * as format from "./format";

const KEY = "calmstreet-language";

class Words {
  language: Language = $state("en");

  constructor() {
    const stored = localStorage.getItem(KEY);
    const known = LANGUAGES.find((language) => language === stored);
    this.speak(known ?? nearestLanguage(navigator.languages), known !== undefined);
  }

  /** Whether somebody chose the language, not the browser. */
  chosen = false;

  speak(language: Language, chosen = true): void {
    this.language = language;
    this.chosen = chosen;
    document.documentElement.lang = language;
    if (chosen) localStorage.setItem(KEY, language);
  }
}

export const words = new Words();

/** The text of a key in the language of the pages. */
export function t(key: TextKey, args: Args = {}): string {
  return textOf(words.language, key, args);
}

/** The text of a code of the API, or the code where no catalogue knows it. */
export function said(group: string, code: string, args: Args = {}): string {
  const text = find(words.language, group, code);
  if (text === undefined) return code;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in args ? String(args[name]) : whole,
  );
}

/** A sentence of the server in the language of the pages, as far as it has it; else in English. */
export const inWords = (sentence: string, told: Record<string, string>): { text: string; lang: string } =>
  told[words.language] === undefined ? { text: sentence, lang: "en" } : { text: told[words.language] ?? sentence, lang: words.language };

type Known = number | null | undefined;
export const num = (value: Known, digits = 0): string => format.number(words.language, value, digits);
export const fix = (value: Known, digits = 1): string => format.fixed(words.language, value, digits);
/** An interval such as 41,2–47,9; a dash where it is not known. */
export const between = (low: Known, high: Known, digits = 1): string =>
  low === null || low === undefined || high === null || high === undefined
    ? format.UNKNOWN
    : `${fix(low, digits)}–${fix(high, digits)}`;
export const pct = (share: Known, digits = 0): string =>
  format.percent(words.language, share, digits);
export const size = (value: Known): string => format.bytes(words.language, value);
export const withUnit = (value: Known, unit: string, digits = 1): string =>
  format.quantity(words.language, value, unit, digits);
export const span = (seconds: Known): string =>
  format.duration(words.language, seconds, { h: t("unit.h"), min: t("unit.min"), s: t("unit.s") });
export const day = (ms: Known, tz: string): string => format.date(words.language, ms, tz);
export const clock = (ms: Known, tz: string, seconds = false): string =>
  format.dateTime(words.language, ms, tz, seconds);
export const timeOfDay = (ms: number, tz: string, seconds = false): string =>
  format.time(ms, tz, seconds);
export const weekdayName = (index: number): string => format.weekday(words.language, index);
