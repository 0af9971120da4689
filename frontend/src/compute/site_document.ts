// The tables of a SITE.toml while somebody draws: every change gives a new document.
import type { Point } from "./shapes";

export interface GateTable {
  id: string;
  name?: string;
  camera?: string;
  points_px?: Point[];
  points_m?: Point[];
  signal?: string;
  control?: string;
  direction?: string;
  [key: string]: unknown;
}
export interface ZoneTable {
  id: string;
  name?: string;
  camera?: string;
  kind: string;
  polygon_px?: Point[];
  polygon_m?: Point[];
  speed_limit_kmh?: number;
  [key: string]: unknown;
}
export interface MovementTable {
  id: string;
  from: string;
  to: string;
  turn?: string;
  forbidden?: boolean;
}
export interface MaskTable {
  camera?: string;
  polygon_px: Point[];
}
export type Box = [number, number, number, number];
export interface SignalTable {
  id: string;
  camera?: string;
  lamps_px?: Partial<Record<"red" | "amber" | "green", Box>>;
}
export interface CameraTable {
  id: string;
  plane?: Record<string, unknown>;
  [key: string]: unknown;
}
export interface SiteDocument {
  site: { id: string; name?: string; tz?: string; speed_limit_kmh?: number; origin_lonlat?: Point; [key: string]: unknown };
  camera?: CameraTable[];
  gate?: GateTable[];
  zone?: ZoneTable[];
  movement?: MovementTable[];
  mask?: MaskTable[];
  signal?: SignalTable[];
  rules?: Record<string, unknown>;
}
export type DrawnTable = "gate" | "zone" | "mask" | "signal";

export const ZONE_KINDS = [
  "approach",
  "lane",
  "carriageway",
  "crossing",
  "footway",
  "no-stopping",
  "bus-stop",
  "solid-line",
  "bus-lane",
  "motorway",
  "roadworks",
  "junction",
] as const;

/** Returns PREFIX-1, PREFIX-2 …, the first that no gate, zone, movement or signal has. */
export function freeId(site: SiteDocument, prefix: string): string {
  const taken = new Set(
    [site.gate, site.zone, site.movement, site.signal].flatMap((rows) => (rows ?? []).map((row) => row.id)),
  );
  let n = 1;
  while (taken.has(`${prefix}-${n}`)) n += 1;
  return `${prefix}-${n}`;
}

/** Says whether a row belongs to a camera; with one camera none need name it. */
export function isOf(site: SiteDocument, row: { camera?: string }, cameraId: string): boolean {
  return (row.camera ?? site.camera?.[0]?.id ?? cameraId) === cameraId;
}

/** Adds a row to one of the tables. */
export function withRow<T extends DrawnTable | "movement">(
  site: SiteDocument,
  table: T,
  row: NonNullable<SiteDocument[T]>[number],
): SiteDocument {
  return { ...site, [table]: [...(site[table] ?? []), row] };
}

/** Replaces some keys of a row; a key set to undefined or "" goes. */
export function withChange<T extends DrawnTable | "movement">(
  site: SiteDocument,
  table: T,
  index: number,
  change: Partial<NonNullable<SiteDocument[T]>[number]>,
): SiteDocument {
  const rows = (site[table] ?? []).map((row, i) => {
    if (i !== index) return row;
    const merged = Object.entries({ ...row, ...change });
    return Object.fromEntries(merged.filter(([, value]) => value !== undefined && value !== ""));
  });
  return { ...site, [table]: rows };
}

/** Gives a gate or zone another id, in the movements too. */
export function withId(site: SiteDocument, table: "gate" | "zone", index: number, id: string): SiteDocument {
  const old = site[table]?.[index]?.id;
  const renamed = withChange(site, table, index, { id });
  const follow = (end: string): string => (end === old ? id : end);
  const movement = site.movement?.map((row) => ({ ...row, from: follow(row.from), to: follow(row.to) }));
  return movement ? { ...renamed, movement } : renamed;
}

/** Takes a row away, and with a gate or zone the movements that begin or end there. */
export function withoutRow(
  site: SiteDocument,
  table: DrawnTable | "movement",
  index: number,
): SiteDocument {
  const gone = site[table]?.[index] as { id?: string } | undefined;
  const left = { ...site, [table]: (site[table] ?? []).filter((_, i) => i !== index) };
  if ((table !== "gate" && table !== "zone") || !left.movement) return left;
  return {
    ...left,
    movement: left.movement.filter((row) => row.from !== gone?.id && row.to !== gone?.id),
  };
}

/** Turns a gate around: its sides change places. */
export function reversed(site: SiteDocument, index: number): SiteDocument {
  const gate = site.gate?.[index];
  if (!gate) return site;
  return withChange(site, "gate", index, {
    ...(gate.points_px ? { points_px: [...gate.points_px].reverse() } : {}),
    ...(gate.points_m ? { points_m: [...gate.points_m].reverse() } : {}),
  });
}

/** Puts a measured plane into the table of a camera. */
export function withPlane(
  site: SiteDocument,
  cameraId: string,
  plane: Record<string, unknown>,
): SiteDocument {
  const cameras = site.camera?.length ? site.camera : [{ id: cameraId }];
  return { ...site, camera: cameras.map((row) => (row.id === cameraId ? { ...row, plane } : row)) };
}
