// Files of picked points: CSV as `calmstreet calibrate` reads it, and OTVision's .otrfpts.
import type { Point } from "./shapes";
import { lonlatOfUtm } from "./utm";

export interface Picked {
  px: Point | null;
  ground: Point | null;
}
export interface PointsFile {
  frame: "metres" | "lonlat";
  points: Picked[];
}

/** Reads a file of points; undefined when it is none. */
export function readPoints(name: string, content: string): PointsFile | undefined {
  return name.toLowerCase().endsWith(".otrfpts") || content.trimStart().startsWith("{")
    ? readOtrfpts(content)
    : readCsv(content);
}

function readOtrfpts(content: string): PointsFile | undefined {
  let rows: unknown;
  try {
    rows = JSON.parse(content);
  } catch {
    return undefined;
  }
  if (!rows || typeof rows !== "object") return undefined;
  const points: Picked[] = [];
  for (const row of Object.values(rows as Record<string, Record<string, unknown>>)) {
    const [x, y] = [Number(row.x_px), Number(row.y_px)];
    const [east, north] = [Number(row.lon_utm), Number(row.lat_utm)];
    const zone = Number(row.zone_utm);
    if (![x, y, east, north, zone].every(Number.isFinite)) return undefined;
    points.push({ px: [x, y], ground: lonlatOfUtm(east, north, zone, row.hemisphere !== "S") });
  }
  return points.length ? { frame: "lonlat", points } : undefined;
}

function readCsv(content: string): PointsFile | undefined {
  const lines = content.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"));
  const separator = lines[0]?.includes(";") ? ";" : ",";
  const names = (lines[0] ?? "").split(separator).map((name) => name.trim().toLowerCase());
  const at = (name: string): number => names.indexOf(name);
  const frame = at("lon") >= 0 ? "lonlat" : "metres";
  const columns = [at("x_px"), at("y_px"), ...(frame === "lonlat" ? [at("lon"), at("lat")] : [at("x_m"), at("y_m")])];
  if (columns.includes(-1)) return undefined;
  const points: Picked[] = [];
  for (const line of lines.slice(1)) {
    const cells = line.split(separator);
    const [x, y, a, b] = columns.map((column) => Number(cells[column]?.replace(",", ".")));
    if (![x, y, a, b].every(Number.isFinite)) return undefined;
    points.push({ px: [x as number, y as number], ground: [a as number, b as number] });
  }
  return points.length ? { frame, points } : undefined;
}
