// Points, lines and areas on the picture; y counts downwards.

export type Point = [number, number];

/** Returns the middle of a line, along its length, and its direction there as a unit vector. */
export function middleOf(points: readonly Point[]): { at: Point; along: Point } | undefined {
  const lengths = points.slice(1).map((point, i) => distance(points[i] as Point, point));
  const half = lengths.reduce((sum, length) => sum + length, 0) / 2;
  let walked = 0;
  for (const [i, length] of lengths.entries()) {
    if (walked + length >= half && length > 0) {
      const a = points[i] as Point;
      const b = points[i + 1] as Point;
      const share = (half - walked) / length;
      const along: Point = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
      return { at: [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share], along };
    }
    walked += length;
  }
  return undefined;
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

/** Returns the unit vectors to the left and right of somebody who looks along a line. */
export function sidesOf(along: Point): { left: Point; right: Point } {
  return { left: [along[1], -along[0]], right: [-along[1], along[0]] };
}

/** Returns the mean of the corners. */
export function centreOf(points: readonly Point[]): Point {
  const n = Math.max(1, points.length);
  const sum = points.reduce((to, point): Point => [to[0] + point[0], to[1] + point[1]], [0, 0] as Point);
  return [sum[0] / n, sum[1] / n];
}

/** Writes points as the attribute of a polyline or polygon. */
export function pointsText(points: readonly (readonly number[])[]): string {
  return points.map(([x, y]) => `${round(x ?? 0, 2)},${round(y ?? 0, 2)}`).join(" ");
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** Returns a path with gaps where a point is not known. */
export function brokenPath(points: readonly (readonly [number, number] | null)[]): string {
  let down = false;
  const steps: string[] = [];
  for (const point of points) {
    if (point) steps.push(`${down ? "L" : "M"}${round(point[0], 2)},${round(point[1], 2)}`);
    down = point !== null;
  }
  return steps.join(" ");
}

/** Keeps a point inside a picture. */
export function within(point: Point, width: number, height: number): Point {
  return [Math.min(width, Math.max(0, point[0])), Math.min(height, Math.max(0, point[1]))];
}

/** Returns the corner of a footprint of length and width around its centre; heading from east. */
export function footprint(x: number, y: number, heading_rad: number, length: number, width: number): Point[] {
  const [c, s] = [Math.cos(heading_rad), Math.sin(heading_rad)];
  const corners: Point[] = [
    [length / 2, width / 2],
    [length / 2, -width / 2],
    [-length / 2, -width / 2],
    [-length / 2, width / 2],
  ];
  return corners.map(([a, b]) => [x + a * c - b * s, y + a * s + b * c]);
}
