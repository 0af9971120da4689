// Numbers, times and sizes as people of a language write them.
import { type Language, type TextKey, textOf } from "./catalogue";

// Browsers carry no Kazakh and Uzbek data. Both write numbers as Russian does; names of months
// and days, the order of a date and units come from the catalogues.
const LOCALES: Record<Language, string> = { en: "en-GB", ru: "ru-RU", kk: "ru-RU", uz: "ru-RU" };
export const UNKNOWN = "–";

const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `n${language}${JSON.stringify(options)}`;
  const found = kept.get(key) ?? new Intl.NumberFormat(LOCALES[language], options);
  kept.set(key, found);
  return found as Intl.NumberFormat;
}

/** A number with at most so many digits after the decimal sign; what is not known is a dash. */
export function number(language: Language, value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return numbers(language, { maximumFractionDigits: digits }).format(value);
}

/** A number with exactly so many digits after the decimal sign. */
export function fixed(language: Language, value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const both = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return numbers(language, both).format(value);
}

/** A share of one as percent. */
export function percent(language: Language, share: number | null | undefined, digits = 0): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return UNKNOWN;
  return numbers(language, { style: "percent", maximumFractionDigits: digits }).format(share);
}

const BYTES = ["B", "kB", "MB", "GB", "TB"] as const;

/** A size on disk. */
export function bytes(language: Language, size: number | null | undefined): string {
  if (size === null || size === undefined || !Number.isFinite(size)) return UNKNOWN;
  let step = 0;
  let value = size;
  while (value >= 1000 && step < BYTES.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = step > 0 && value < 10 ? 1 : 0;
  return `${number(language, value, digits)}\u00a0${textOf(language, `unit.${BYTES[step] ?? "B"}`)}`;
}

/** A value with the unit of the field, such as 47,3 km/h. */
export function quantity(
  language: Language,
  value: number | null | undefined,
  unit: string,
  digits = 1,
): string {
  const said = fixed(language, value, digits);
  return said === UNKNOWN || !unit ? said : `${said}\u00a0${unit}`;
}

/** A duration in hours, minutes and seconds, the two largest that matter. */
export function duration(
  language: Language,
  seconds: number | null | undefined,
  units: { h: string; min: string; s: string },
): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return UNKNOWN;
  const whole = Math.round(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const say = (n: number, unit: string): string => `${number(language, n)}\u00a0${unit}`;
  if (h > 0) return min ? `${say(h, units.h)} ${say(min, units.min)}` : say(h, units.h);
  if (min > 0) return s ? `${say(min, units.min)} ${say(s, units.s)}` : say(min, units.min);
  return say(s, units.s);
}

/** Seconds since a beginning, as h:mm:ss. */
export function offset(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return `+${h}:${two(min)}:${two(s)}`;
}

interface Wall {
  year: number;
  month: number;
  day: number;
  time: string;
}

/** What clock and calendar show at an instant in a time zone. */
function wallClock(ms: number, tz: string, seconds: boolean): Wall {
  const key = `w${tz}`;
  const found = kept.get(key) ?? new Intl.DateTimeFormat("en-GB", {
    timeZone: tz,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  kept.set(key, found);
  const parts = (found as Intl.DateTimeFormat).formatToParts(ms);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
  const time_ = `${of("hour")}:${of("minute")}${seconds ? `:${of("second")}` : ""}`;
  return { year: Number(of("year")), month: Number(of("month")), day: Number(of("day")), time: time_ };
}

function dayOf(language: Language, wall: Wall): string {
  const month = textOf(language, `month.${wall.month}` as TextKey);
  return textOf(language, "date.pattern", { d: wall.day, month, y: wall.year });
}

/** Date and time of day of an instant in a time zone. */
export function dateTime(
  language: Language,
  ms: number | null | undefined,
  tz: string,
  seconds = false,
): string {
  if (ms === null || ms === undefined) return UNKNOWN;
  const wall = wallClock(ms, tz, seconds);
  return `${dayOf(language, wall)}, ${wall.time}`;
}

/** Day of the week and date of an instant in a time zone. */
export function date(language: Language, ms: number | null | undefined, tz: string): string {
  if (ms === null || ms === undefined) return UNKNOWN;
  const wall = wallClock(ms, tz, false);
  const day = (new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay() + 6) % 7;
  return `${weekday(language, day)}, ${dayOf(language, wall)}`;
}

/** Time of day of an instant in a time zone. */
export function time(ms: number, tz: string, seconds = false): string {
  return wallClock(ms, tz, seconds).time;
}

/** Name of a day of the week, 0 for Monday. */
export function weekday(language: Language, day: number): string {
  return textOf(language, `weekday.${day}` as TextKey);
}
