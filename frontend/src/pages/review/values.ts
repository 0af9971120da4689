// The numbers of an event in words.
import { fix, pct, said, withUnit } from "../../i18n/words.svelte";

const FIRST = ["min_ttc_s", "ttc_s", "pet_s", "t2_s", "speed_kmh", "speed_mps", "drac_mps2", "into_red_s", "still_s", "length_m"];
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/_mps2$/, "m/s²"],
  [/_mps$/, "m/s"],
  [/_kmh$/, "km/h"],
  [/_rad$/, "rad"],
  [/_deg$/, "°"],
  [/_share$/, ""],
  [/_m$/, "m"],
  [/_s$/, "s"],
];

const ENDING = /_(mps2|mps|kmh|rad|deg|share|m|s)$/;

/** Returns the unit that the name of a value ends in. */
export function unitOf(name: string): string {
  return UNITS.find(([ending]) => ending.test(name))?.[1] ?? "";
}

/** Returns the name of a value for people: from the catalogue, or the name without its unit. */
export function nameOf(name: string): string {
  const known = said("value", name);
  if (known !== name) return known;
  const bare = name.replace(ENDING, "");
  const told = said("value", bare);
  return told === bare ? bare.replaceAll("_", " ") : told;
}

/** Returns whether the catalogue has a name for a value. */
export function isNamed(name: string): boolean {
  return nameOf(name) !== name.replace(ENDING, "").replaceAll("_", " ");
}

/** Returns the one or two numbers that say most about an event. */
export function headline(values: Readonly<Record<string, number | null>>): string {
  const names = Object.keys(values).filter((name) => !name.startsWith("sigma") && values[name] !== null);
  const known = FIRST.filter((name) => names.includes(name));
  const shown = (known.length ? known : names).slice(0, 2);
  return shown.map((name) => `${nameOf(name)} ${withUnit(values[name], said("unit", unitOf(name)))}`).join(" · ");
}

/** Returns a number with its standard error. */
export function withSigma(value: number | null, sigma: number | null, unit: string): string {
  if (unit === "share") return sigma === null ? pct(value, 1) : `${pct(value, 1)} ± ${pct(sigma, 1)}`;
  const number = withUnit(value, said("unit", unit), 2);
  return sigma === null || value === null ? number : `${fix(value, 2)} ± ${withUnit(sigma, said("unit", unit), 2)}`;
}
