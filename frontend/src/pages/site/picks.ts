// What was picked while calibrating: from the table of a plane, and to what the API asks for.
import type { Schemas } from "../../api/client";
import type { Picked } from "../../compute/points_file";
import type { Point } from "../../compute/shapes";

export type Pair = Picked;
export interface Length {
  a_px: Point;
  b_px: Point;
  length_m: number | null;
}
export interface Picking {
  frame: "metres" | "lonlat";
  pairs: Pair[];
  lengths: Length[];
  k1: number;
}

/** Reads the pairs out of the table of a plane, scaled to the size of the picture. */
export function planeOf(plane: Record<string, unknown> | undefined, size: readonly [number, number]): Picking {
  const from = plane?.size_px as Point | undefined;
  const scale = from ? size[0] / from[0] : 1;
  const scaled = ([x, y]: Point): Point => [x * scale, y * scale];
  const lonlat = plane?.points_lonlat as Point[] | undefined;
  const ground = lonlat ?? (plane?.points_m as Point[] | undefined) ?? [];
  const px = (plane?.points_px as Point[] | undefined) ?? [];
  const lengths = (plane?.check_lengths as { a_px: Point; b_px: Point; length_m: number }[] | undefined) ?? [];
  return {
    frame: lonlat ? "lonlat" : "metres",
    pairs: px.map((at, i) => ({ px: scaled(at), ground: ground[i] ?? null })),
    lengths: lengths.map((row) => ({ a_px: scaled(row.a_px), b_px: scaled(row.b_px), length_m: row.length_m })),
    k1: typeof plane?.k1 === "number" ? plane.k1 : 0,
  };
}

/** Returns what is complete of the picks, as the API asks for it. */
export function picksOf(picking: Picking, size: readonly [number, number]): Schemas["Picks"] {
  const whole = picking.pairs.filter((pair) => pair.px && pair.ground);
  const ground = whole.map((pair) => pair.ground as Point);
  return {
    width_px: size[0],
    height_px: size[1],
    points_px: whole.map((pair) => pair.px as Point),
    ...(picking.frame === "metres" ? { points_m: ground } : { points_lonlat: ground }),
    check_lengths: picking.lengths
      .filter((row) => row.length_m !== null)
      .map((row) => ({ a_px: row.a_px, b_px: row.b_px, length_m: row.length_m as number })),
    k1: picking.k1,
  };
}
