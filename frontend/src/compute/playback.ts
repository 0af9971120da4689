// Where road users are at a moment, between the samples of their tracks.
import type { Schemas } from "../api/client";
import type { Point } from "./shapes";

type TrackPath = Schemas["TrackPath"];

/** Returns the index of the last time that is not after t, or -1 before the first. */
export function lastBefore(times: readonly number[], t: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Returns a value between samples; null outside them and in gaps of more than a second. */
export function valueAt(times: readonly number[], values: readonly (number | null)[], t: number): number | null {
  const i = lastBefore(times, t);
  if (i < 0) return null;
  const a = values[i] ?? null;
  const [from, to] = [times[i] as number, times[i + 1]];
  if (to === undefined) return t - from <= 0.2 ? a : null;
  if (to - from > 1) return t === from ? a : null;
  const b = values[i + 1] ?? null;
  if (a === null || b === null) return a;
  return a + ((b - a) * (t - from)) / (to - from);
}

/** Returns whether places are in metres (north up) or in pixels of the picture (y down). */
export function frameOf(tracks: readonly TrackPath[]): "metres" | "pixels" {
  return tracks.some((track) => track.x_m.some((x) => x !== null)) ? "metres" : "pixels";
}

/** Returns the places of a track in the frame of a drawing whose y counts downwards. */
export function placesOf(track: TrackPath, frame: "metres" | "pixels"): (Point | null)[] {
  if (frame === "pixels") return track.foot_px.map((foot) => (foot ? ([foot[0], foot[1]] as Point) : null));
  return track.x_m.map((x, i) => {
    const y = track.y_m[i] ?? null;
    return x === null || y === null ? null : ([x, -y] as Point);
  });
}

/** Returns the place at a moment. */
export function placeAt(track: TrackPath, places: readonly (Point | null)[], t: number): Point | null {
  const x = valueAt(track.t_s, places.map((place) => place?.[0] ?? null), t);
  const y = valueAt(track.t_s, places.map((place) => place?.[1] ?? null), t);
  return x === null || y === null ? null : [x, y];
}

/** Returns the way somebody goes at a moment in radians in the drawing, from where they were and will be. */
export function courseAt(track: TrackPath, places: readonly (Point | null)[], t: number): number | null {
  const at = lastBefore(track.t_s, t);
  for (const reach of [2, 5, 10, 25]) {
    const a = places[Math.max(0, at - reach)] ?? null;
    const b = places[Math.min(places.length - 1, at + reach)] ?? null;
    if (a && b && Math.hypot(b[0] - a[0], b[1] - a[1]) > 0.5) return Math.atan2(b[1] - a[1], b[0] - a[0]);
  }
  return null;
}

/** Returns first and last second of all tracks. */
export function spanOf(tracks: readonly TrackPath[], end_s: number): [number, number] {
  const times = tracks.flatMap((track) => [track.t_s[0], track.t_s.at(-1)]).filter((t) => t !== undefined);
  return times.length ? [Math.min(0, ...times), Math.max(end_s, ...times)] : [0, Math.max(1, end_s)];
}
