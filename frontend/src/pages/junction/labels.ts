// What places, directions and series of a junction are called.
import type { Schemas } from "../../api/client";
import { said, t } from "../../i18n/words.svelte";

type JunctionPage = Schemas["JunctionPage"];

/** Name of a gate or zone, or its id. */
export function placeName(junction: JunctionPage, id: string): string {
  const shape = [...junction.gates, ...junction.zones].find((place) => place.id === id);
  return shape?.name || id || t("word.unknown");
}

/** Name of a series: a gate with its direction, a movement, or a queue. */
export function seriesName(
  junction: JunctionPage,
  series: { place_id?: string; direction?: string; from_id?: string; to_id?: string },
): string {
  if (series.from_id || series.to_id) {
    return `${placeName(junction, series.from_id ?? "")} → ${placeName(junction, series.to_id ?? "")}`;
  }
  if (!series.place_id) return t("turning.unmatched");
  const side = series.direction ? ` · ${said("direction", series.direction)}` : "";
  return placeName(junction, series.place_id) + side;
}

/** Name of a movement by its id. */
export function movementName(junction: JunctionPage, id: string): string {
  const found = junction.movements.find((movement) => movement.movement_id === id);
  return found
    ? seriesName(junction, { from_id: found.from_id, to_id: found.to_id })
    : id || t("conflicts.elsewhere");
}
