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

/** Returns the source of raster tiles: a template with {z}/{x}/{y}, or a PMTiles file. */
export function tileSource(address: string): MapLibre.RasterSourceSpecification {
  const whole = new URL(address, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  return whole.split("?")[0]?.endsWith(".pmtiles")
    ? { type: "raster", url: `pmtiles://${whole}`, tileSize: 256 }
    : { type: "raster", tiles: [whole], tileSize: 256 };
}
