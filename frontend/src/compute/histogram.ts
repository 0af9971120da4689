// Bars over classes of values, and what may be read off them.

export interface Bar {
  from: number;
  to: number;
  n: number;
  share: number;
}

/** Returns bars from edges (one more than counts), without empty ones at both ends. */
export function barsOf(edges: readonly number[], counts: readonly number[]): Bar[] {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const bars = counts.map((count, i) => ({
    from: edges[i] ?? 0,
    to: edges[i + 1] ?? edges[i] ?? 0,
    n: count,
    share: n > 0 ? count / n : 0,
  }));
  const first = bars.findIndex((bar) => bar.n > 0);
  if (first < 0) return [];
  let last = bars.length - 1;
  while ((bars[last]?.n ?? 0) === 0) last -= 1;
  return bars.slice(first, last + 1);
}

/** Returns the share of all that lies below each bar's upper edge. */
export function cumulated(bars: readonly Bar[]): number[] {
  let sum = 0;
  return bars.map((bar) => (sum += bar.share));
}
