// MapLibre, fetched when a map is first wanted, with its worker as a file of our own.
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type * as MapLibre from "maplibre-gl";
import "./maps.css";

let known: Promise<typeof MapLibre> | undefined;

/** Returns MapLibre, ready for use. */
export function loadMaps(): Promise<typeof MapLibre> {
  known ??= import("maplibre-gl").then(async (maps) => {
    maps.setWorkerUrl(workerUrl);
    const { Protocol } = await import("pmtiles");
    maps.addProtocol("pmtiles", new Protocol().tile);
    return maps;
  });
  return known;
}

/** Returns whether this browser can draw maps on its graphics card or in software. */
export function canDrawMaps(): boolean {
  try {
    return document.createElement("canvas").getContext("webgl2") !== null;
  } catch {
    return false;
  }
}

/** Returns the source of tiles: a template with {z}/{x}/{y}, or a PMTiles file; vectors where it has layers. */
export function tileSource(address: string, layers: readonly string[] = []): MapLibre.RasterSourceSpecification | MapLibre.VectorSourceSpecification {
  const whole = new URL(address, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  if (layers.length) return { type: "vector", url: `pmtiles://${whole}` };
  return whole.split("?")[0]?.endsWith(".pmtiles")
    ? { type: "raster", url: `pmtiles://${whole}`, tileSize: 256 }
    : { type: "raster", tiles: [whole], tileSize: 256 };
}

// What layers are called by those who make vector tiles (OpenMapTiles, Protomaps, Shortbread), from below to above.
const DRAWN: readonly { names: RegExp; form: "Polygon" | "LineString"; colour: string; opacity: number; width?: number }[] = [
  { names: /^(landuse|landcover|park|land|sites)$/, form: "Polygon", colour: "good", opacity: 0.08 },
  { names: /^(water|ocean|water_polygons)$/, form: "Polygon", colour: "series-6", opacity: 0.35 },
  { names: /^(water|waterway|water_lines)$/, form: "LineString", colour: "series-6", opacity: 0.5, width: 1.5 },
  { names: /^(building|buildings)$/, form: "Polygon", colour: "soft", opacity: 0.18 },
  { names: /^(roads?|transportation|streets)$/, form: "LineString", colour: "line-strong", opacity: 0.7, width: 3 },
  { names: /^(boundary|boundaries|admin)$/, form: "LineString", colour: "soft", opacity: 0.5, width: 1 },
];

/** Returns the layers that draw the tiles: pictures as they are, of vectors the ground, water, houses and streets. */
export function tileLayers(layers: readonly string[], colour: (name: string) => string): MapLibre.LayerSpecification[] {
  if (!layers.length) return [{ id: "tiles", type: "raster", source: "tiles" }];
  return DRAWN.flatMap(({ names, form, colour: name, opacity, width }, place) =>
    layers.filter((layer) => names.test(layer)).map((layer): MapLibre.LayerSpecification => {
      const shared = { id: `tiles-${place}-${layer}`, source: "tiles", "source-layer": layer, filter: ["==", ["geometry-type"], form] as MapLibre.FilterSpecification };
      return form === "Polygon"
        ? { ...shared, type: "fill", paint: { "fill-color": colour(name), "fill-opacity": opacity } }
        : { ...shared, type: "line", paint: { "line-color": colour(name), "line-opacity": opacity, "line-width": width ?? 1 } };
    }),
  );
}
