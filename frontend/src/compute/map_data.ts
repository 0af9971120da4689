// What the map shows: layers in degrees, whatever the frame of a result is, and arrows as areas.
import type { Schemas } from "../api/client";
import type { Point } from "./shapes";

type MapPage = Schemas["MapPage"];
type Frame = MapPage["frame"];
type Feature = Schemas["Feature"];
export type Bounds = [number, number, number, number];

const DEGREE_M = 111_320;

/** Returns the way from a frame to degrees that a map can draw; metres lie around (0, 0). */
export function toDegrees(frame: Frame): (point: Point) => Point {
  if (frame === "lonlat") return (point) => point;
  const scale = frame === "metres" ? 1 / DEGREE_M : 0.1 / DEGREE_M;
  return ([x, y]) => [x * scale, y * scale];
}

/** Applies a way to every coordinate of a feature. */
export function moved(feature: Feature, way: (point: Point) => Point): Feature {
  const walk = (value: unknown): unknown =>
    Array.isArray(value)
      ? typeof value[0] === "number"
        ? way(value as Point)
        : value.map(walk)
      : value;
  const coordinates = walk(feature.geometry.coordinates) as Feature["geometry"]["coordinates"];
  return { ...feature, geometry: { ...feature.geometry, coordinates } };
}

/** Returns all points of a feature. */
export function pointsOf(feature: Feature): Point[] {
  const found: Point[] = [];
  const walk = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === "number") found.push(value as Point);
    else value.forEach(walk);
  };
  walk(feature.geometry.coordinates);
  return found;
}

/** Returns the bounds around every feature, or those the page gives, or undefined. */
export function boundsOf(page: MapPage): Bounds | undefined {
  if (page.bounds) return page.bounds as Bounds;
  const layers = [page.cameras, page.gates, page.zones, page.flows, page.events];
  const points = layers.flatMap((layer) => layer.features.flatMap(pointsOf));
  if (points.length === 0) return undefined;
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Returns the number a feature carries under the first of some names. */
export function figureOf(feature: Feature, ...names: string[]): number {
  for (const name of names) {
    const value = feature.properties[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
  }
  return 0;
}

/** Returns the name of a gate or zone, or its id. */
export function placeName(page: MapPage, id: string): string {
  const found = [...page.gates.features, ...page.zones.features].find((feature) => feature.properties.id === id);
  return String(found?.properties.name || id);
}

/** Returns the width of a flow in pixels: its area beside the largest, never invisible. */
export function flowWidth(count: number, largest: number, widest = 14): number {
  if (count <= 0 || largest <= 0) return 1.5;
  return Math.max(1.5, widest * (count / largest));
}

/** Returns a line of two points bent to its right, so that flows there and back lie apart. */
export function bent(line: readonly Point[], share = 0.14): Point[] {
  const [a, b] = line;
  if (line.length !== 2 || !a || !b) return [...line];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const control: Point = [(a[0] + b[0]) / 2 + dy * share * 2, (a[1] + b[1]) / 2 - dx * share * 2];
  return Array.from({ length: 13 }, (_, i): Point => {
    const t = i / 12;
    const [p, q, r] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
    return [p * a[0] + q * control[0] + r * b[0], p * a[1] + q * control[1] + r * b[1]];
  });
}

/** Returns the three corners of an arrow head at the end of a line; sizes in units of the line. */
export function arrowHead(line: readonly Point[], length: number, width: number): Point[] {
  const tip = line.at(-1);
  if (!tip) return [];
  const tail = [...line].reverse().find((point) => Math.hypot(point[0] - tip[0], point[1] - tip[1]) > length / 4);
  if (!tail) return [];
  const reach = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]);
  const along: Point = [(tip[0] - tail[0]) / reach, (tip[1] - tail[1]) / reach];
  const back: Point = [tip[0] - along[0] * length, tip[1] - along[1] * length];
  return [
    [back[0] - along[1] * width, back[1] + along[0] * width],
    tip,
    [back[0] + along[1] * width, back[1] - along[0] * width],
  ];
}
