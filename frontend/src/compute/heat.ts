// Events by movement and hour of the day, as numbers and as a rate.
import type { Schemas } from "../api/client";

type ConflictCell = Schemas["ConflictCell"];
export interface HeatRow {
  movement_id: string;
  n: (number | null)[];
  total: number;
}

/** Returns one row of 24 hours for each movement; hours that nobody watched are null. */
export function heatRows(
  cells: readonly ConflictCell[],
  hours_exposure_s: readonly number[],
  levelMin = 0,
): HeatRow[] {
  const rows = new Map<string, HeatRow>();
  for (const cell of cells) {
    if (cell.level < levelMin) continue;
    let row = rows.get(cell.movement_id);
    if (!row) {
      const n = Array.from({ length: 24 }, (_, hour) => ((hours_exposure_s[hour] ?? 0) > 0 ? 0 : null));
      row = { movement_id: cell.movement_id, n, total: 0 };
      rows.set(cell.movement_id, row);
    }
    row.n[cell.hour] = (row.n[cell.hour] ?? 0) + cell.n;
    row.total += cell.n;
  }
  return [...rows.values()].sort((a, b) => b.total - a.total);
}

/** Returns one of five steps of a shade, 0 for none. */
export function shade(n: number | null, largest: number): number {
  if (n === null || n <= 0 || largest <= 0) return 0;
  return Math.max(1, Math.min(4, Math.ceil((n / largest) * 4)));
}
