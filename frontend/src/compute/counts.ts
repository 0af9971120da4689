// Counts by class over slices of time: what was not watched stays a gap.
import type { Schemas } from "../api/client";

type CountSeries = Schemas["CountSeries"];
export type Slices = (number | null)[];

export const KINDS = [
  "pedestrian",
  "bicycle",
  "motorcycle",
  "car",
  "van",
  "bus",
  "truck",
  "unknown",
] as const;
const TOTAL = "total";

/** Adds slices; a slice is known where one of the two is. */
export function added(a: Slices, b: Slices): Slices {
  return a.map((value, i) => {
    const other = b[i] ?? null;
    return value === null ? other : other === null ? value : value + other;
  });
}

/** Returns the counts of each class at one place; a row of the total makes no class. */
export function byKind(series: readonly CountSeries[], what: string): Map<string, Slices> {
  const kinds = new Map<string, Slices>();
  for (const row of series) {
    if (row.what !== what || row.kind === TOTAL || row.kind === "parked") continue;
    const before = kinds.get(row.kind);
    kinds.set(row.kind, before ? added(before, row.counts) : [...row.counts]);
  }
  return new Map(
    [...kinds].sort(([a], [b]) => KINDS.indexOf(a as never) - KINDS.indexOf(b as never)),
  );
}

/** Returns the sum of all classes in each slice. */
export function totalOf(kinds: ReadonlyMap<string, Slices>, length: number): Slices {
  let total: Slices = new Array<number | null>(length).fill(null);
  for (const counts of kinds.values()) total = added(total, counts);
  return total;
}

/** Returns for each class the sum of itself and those below it, for bars upon bars. */
export function stacked(kinds: ReadonlyMap<string, Slices>): Map<string, Slices> {
  const tops = new Map<string, Slices>();
  let below: Slices | undefined;
  for (const [kind, counts] of kinds) {
    below = below ? added(counts, below) : counts;
    tops.set(kind, below);
  }
  return tops;
}

/** Returns the places that were counted with their totals, those with most first. */
export function placesOf(series: readonly CountSeries[]): { what: string; total: number }[] {
  const totals = new Map<string, number>();
  const given = new Set(series.filter((row) => row.kind === TOTAL).map((row) => row.what));
  for (const row of series) {
    const counts = given.has(row.what) ? row.kind === TOTAL : true;
    totals.set(row.what, (totals.get(row.what) ?? 0) + (counts ? (row.total ?? 0) : 0));
  }
  return [...totals].map(([what, total]) => ({ what, total })).sort((a, b) => b.total - a.total);
}

/** Returns spans of slices that nobody watched: first and last index of each. */
export function gapsOf(exposure_s: readonly number[]): [number, number][] {
  const gaps: [number, number][] = [];
  exposure_s.forEach((seconds, i) => {
    if (seconds > 0) return;
    const last = gaps.at(-1);
    if (last && last[1] === i - 1) last[1] = i;
    else gaps.push([i, i]);
  });
  return gaps;
}

/** Returns the share of a slice that was watched, between 0 and 1. */
export function watchedShare(exposure_s: number, width_s: number): number {
  return width_s > 0 ? Math.min(1, Math.max(0, exposure_s / width_s)) : 0;
}
