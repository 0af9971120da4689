// Bars over classes of values, and what may be read off them.

export interface Bar {
  from: number;
  to: number;
  n: number;
  share: number;
  /** Count per width of the narrowest class, which makes areas comparable. */
  height: number;
}

/** Returns bars from edges (one more than counts), without empty ones at both ends. */
export function barsOf(edges: readonly number[], counts: readonly number[]): Bar[] {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const widths = counts.map((_, i) => (edges[i + 1] ?? 0) - (edges[i] ?? 0)).filter((width) => width > 0);
  const narrowest = Math.min(...widths);
  const bars = counts.map((count, i) => {
    const [from, to] = [edges[i] ?? 0, edges[i + 1] ?? edges[i] ?? 0];
    const height = to > from ? (count * narrowest) / (to - from) : 0;
    return { from, to, n: count, share: n > 0 ? count / n : 0, height };
  });
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
