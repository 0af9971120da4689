// Axes: round steps, and the way from values to places.

/** Returns the smallest of 1, 2, 5 times a power of ten that is not below a step. */
export function niceStep(step: number): number {
  if (!(step > 0) || !Number.isFinite(step)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10;
  return nice * power;
}

/** Returns round values from low to high, both included where they are round. */
export function niceTicks(low: number, high: number, about = 5): number[] {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / about);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Returns the straight way from one span to another. */
export function linear(from: [number, number], to: [number, number]): (value: number) => number {
  const length = from[1] - from[0];
  const slope = length === 0 ? 0 : (to[1] - to[0]) / length;
  return (value) => to[0] + (value - from[0]) * slope;
}

/** Returns the least and greatest of what is known, or undefined where nothing is. */
export function extent(values: Iterable<number | null | undefined>): [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}
