// The turning-movement diagram: ends around a circle, movements as bands whose width is the count.
import type { Schemas } from "../api/client";

type EndPlace = Schemas["EndPlace"];
type MovementCell = Schemas["MovementCell"];
export type Spot = [number, number];

export interface Band {
  cell: MovementCell;
  width: number;
  path: string;
  head: string;
  label: Spot;
}
export interface Arm {
  end: EndPlace;
  at: Spot;
  label: Spot;
  anchor: "start" | "middle" | "end";
}
export interface Diagram {
  arms: Arm[];
  bands: Band[];
}

const RADIUS = 100;
const WIDEST = 16;
const THINNEST = 1.5;
const LANE = 19;
const MEDIAN = 4;
const ORDER = ["u", "left", "through", "right", "", "unknown"];

/** Returns the point on the circle at an angle clockwise from up; y counts downwards. */
export function onCircle(angle_deg: number, radius: number): Spot {
  const angle = (angle_deg * Math.PI) / 180;
  return [radius * Math.sin(angle), -radius * Math.cos(angle)];
}

/** Returns how wide a band of a count is beside the largest. */
export function bandWidth(count: number, largest: number): number {
  if (count <= 0 || largest <= 0) return THINNEST;
  return Math.max(THINNEST, (WIDEST * count) / largest);
}

function beside(at: Spot, right: Spot, distance: number): Spot {
  return [at[0] + right[0] * distance, at[1] + right[1] * distance];
}

/** Returns each movement's place among those that share its end, innermost first. */
function lanes(cells: readonly MovementCell[], key: "from_id" | "to_id"): Map<MovementCell, number> {
  const places = new Map<MovementCell, number>();
  const taken = new Map<string, number>();
  const ordered = [...cells].sort((a, b) => ORDER.indexOf(a.turn) - ORDER.indexOf(b.turn));
  for (const cell of ordered) {
    const lane = taken.get(cell[key]) ?? 0;
    places.set(cell, MEDIAN + LANE * (lane + 0.5));
    taken.set(cell[key], lane + 1);
  }
  return places;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function text(...spots: Spot[]): string {
  return spots.map((spot) => spot.map(round).join(",")).join(" ");
}

/** Draws the diagram in a frame of 444 by 316 around (0, 0); traffic keeps right unless told. */
export function diagramOf(
  ends: readonly EndPlace[],
  cells: readonly MovementCell[],
  keepsRight = true,
): Diagram {
  const side = keepsRight ? 1 : -1;
  const byId = new Map(ends.map((end) => [end.id, end]));
  const shown = cells.filter((cell) => byId.has(cell.from_id) && byId.has(cell.to_id));
  const largest = Math.max(0, ...shown.map((cell) => cell.total));
  const entries = lanes(shown, "from_id");
  const exits = lanes(shown, "to_id");
  const bands = shown.map((cell): Band => {
    const from = onCircle(byId.get(cell.from_id)?.angle_deg ?? 0, 1);
    const to = onCircle(byId.get(cell.to_id)?.angle_deg ?? 0, 1);
    const into = side * (entries.get(cell) ?? 0);
    const out = side * (exits.get(cell) ?? 0);
    const start = beside([from[0] * RADIUS, from[1] * RADIUS], [from[1], -from[0]], into);
    const stop = beside([to[0] * RADIUS, to[1] * RADIUS], [-to[1], to[0]], out);
    const bend = cell.from_id === cell.to_id ? 0.35 : 0.55;
    const first = beside(start, from, -RADIUS * bend);
    const second = beside(stop, to, -RADIUS * bend);
    const width = bandWidth(cell.total, largest);
    const half = width / 2 + 3.5;
    const across: Spot = [-to[1], to[0]];
    return {
      cell,
      width,
      path: `M${text(start)} C${text(first, second, stop)}`,
      head: text(beside(stop, across, half), beside(stop, to, 9), beside(stop, across, -half)),
      label: beside(start, from, 10),
    };
  });
  const arms = ends.map((end): Arm => {
    const [x] = onCircle(end.angle_deg, 1);
    const anchor = x > 0.35 ? "start" : x < -0.35 ? "end" : "middle";
    return { end, at: onCircle(end.angle_deg, RADIUS), label: onCircle(end.angle_deg, 138), anchor };
  });
  return { arms, bands };
}
