import { describe, expect, it } from "vitest";
import { addressOf, sentencesOf } from "../api/client";
import { heatRows, shade } from "./heat";
import { barsOf, cumulated } from "./histogram";
import { arrowHead, bent, boundsOf, flowWidth, toDegrees } from "./map_data";
import { extent, linear, niceStep, niceTicks } from "./scale";
import { bandWidth, diagramOf, onCircle } from "./turning";

const end = (id: string, angle_deg: number) => ({ id, name: id, angle_deg });
const cell = (from_id: string, to_id: string, turn: string, total: number) => ({
  movement_id: `${from_id}-${to_id}`,
  from_id,
  to_id,
  turn,
  total,
  forbidden: false,
  by_kind: {},
  per_hour: null,
  per_hour_low: null,
  per_hour_high: null,
});

describe("the turning diagram", () => {
  const ends = [end("n", 0), end("e", 90), end("s", 180)];

  it("puts north up and east to the right", () => {
    expect(onCircle(0, 10)[1]).toBeCloseTo(-10);
    expect(onCircle(90, 10)[0]).toBeCloseTo(10);
  });
  it("lets traffic enter on the right-hand side", () => {
    const { bands } = diagramOf(ends, [cell("n", "s", "through", 5)]);
    const start = /^M(-?[\d.]+),/.exec(bands[0]?.path ?? "")?.[1];
    expect(Number(start)).toBeLessThan(0);
    const left = diagramOf(ends, [cell("n", "s", "through", 5)], false).bands[0]?.path ?? "";
    expect(Number(/^M(-?[\d.]+),/.exec(left)?.[1])).toBeGreaterThan(0);
  });
  it("makes bands as wide as their counts, none invisible", () => {
    const { bands } = diagramOf(ends, [cell("n", "s", "through", 100), cell("n", "e", "left", 50), cell("s", "e", "right", 0)]);
    expect(bands.map((band) => band.width)).toEqual([16, 8, 1.5]);
    expect(bandWidth(3, 0)).toBe(1.5);
  });
  it("leaves out movements whose ends it does not know", () => {
    expect(diagramOf(ends, [cell("n", "x", "left", 1)]).bands).toEqual([]);
  });
  it("keeps movements of one arm apart", () => {
    const { bands } = diagramOf(ends, [cell("n", "s", "through", 1), cell("n", "e", "left", 1)]);
    expect(bands[0]?.label).not.toEqual(bands[1]?.label);
  });
});

describe("scales", () => {
  it("have round steps", () => {
    expect(niceStep(0.13)).toBeCloseTo(0.2);
    expect(niceStep(7)).toBe(10);
    expect(niceStep(0)).toBe(1);
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(3, 3)).toEqual([3]);
  });
  it("are straight, also over nothing", () => {
    expect(linear([0, 10], [100, 0])(5)).toBe(50);
    expect(linear([4, 4], [7, 9])(4)).toBe(7);
  });
  it("know the extent of what is known", () => {
    expect(extent([3, null, NaN, -1])).toEqual([-1, 3]);
    expect(extent([null])).toBeUndefined();
  });
});

describe("a histogram", () => {
  it("drops empty classes at its ends only", () => {
    const bars = barsOf([0, 10, 20, 30, 40], [0, 2, 0, 2]);
    expect(bars.map((bar) => bar.n)).toEqual([2, 0, 2]);
    expect(cumulated(bars)).toEqual([0.5, 0.5, 1]);
    expect(barsOf([0, 1], [0])).toEqual([]);
  });
  it("shows areas: a class twice as wide is half as high", () => {
    expect(barsOf([0, 1, 3], [4, 4]).map((bar) => bar.height)).toEqual([4, 2]);
  });
});

describe("events by movement and hour", () => {
  const exposure = Array.from({ length: 24 }, (_, hour) => (hour === 8 || hour === 9 ? 3600 : 0));
  const events = [{ movement_id: "n-s", hour: 8, kind: "red-light", level: 2, n: 3 }, { movement_id: "n-s", hour: 8, kind: "stop-line", level: 1, n: 1 }];

  it("tell nothing of hours that nobody watched", () => {
    const [row] = heatRows(events, exposure);
    expect(row?.n[8]).toBe(4);
    expect(row?.n[9]).toBe(0);
    expect(row?.n[10]).toBeNull();
    expect(heatRows(events, exposure, 2)[0]?.total).toBe(3);
  });
  it("are shaded in five steps", () => {
    expect([null, 0, 1, 5, 10].map((n) => shade(n, 10))).toEqual([0, 0, 1, 2, 4]);
  });
});

describe("the map", () => {
  const nothing = { type: "FeatureCollection" as const, features: [] };
  const at = (x: number, y: number) => ({ type: "Feature" as const, id: "f", properties: {}, geometry: { type: "Point" as const, coordinates: [x, y] } });
  const page = { frame: "metres" as const, bounds: null, size_px: null, picture_id: null, cameras: nothing, gates: nothing, zones: nothing, flows: nothing, events: nothing };

  it("is as large as what it shows", () => {
    expect(boundsOf(page)).toBeUndefined();
    expect(boundsOf({ ...page, events: { ...nothing, features: [at(1, 2), at(-3, 5)] } })).toEqual([-3, 2, 1, 5]);
  });
  it("leaves degrees alone and makes small degrees of metres", () => {
    expect(toDegrees("lonlat")([76.9, 43.2])).toEqual([76.9, 43.2]);
    expect(toDegrees("metres")([111_320, 0])[0]).toBeCloseTo(1);
  });
  it("draws flows by their share of the largest, with a head", () => {
    expect(flowWidth(50, 100)).toBe(7);
    expect(flowWidth(0, 100)).toBe(1.5);
    expect(arrowHead([[0, 0], [10, 0]], 2, 1)).toEqual([[8, 1], [10, 0], [8, -1]]);
    expect(arrowHead([[0, 0]], 2, 1)).toEqual([]);
  });
  it("bends flows to their right, so that there and back lie apart", () => {
    expect(bent([[0, 0], [10, 0]])[6]?.[1]).toBeCloseTo(-1.4);
    expect(bent([[10, 0], [0, 0]])[6]?.[1]).toBeCloseTo(1.4);
    expect(bent([[0, 0], [1, 1], [2, 0]])).toHaveLength(3);
  });
});

describe("requests", () => {
  it("fill ids into paths and leave out empty filters", () => {
    expect(addressOf("/api/results/{result_id}/map", { path: { result_id: "a/b" }, query: { camera_id: null, start_ms: 0 } })).toBe("/api/results/a%2Fb/map?start_ms=0");
  });
  it("read the sentences of every refusal", () => {
    expect(sentencesOf({ detail: "no" })).toEqual(["no"]);
    expect(sentencesOf({ detail: [{ loc: ["body", "gate", 0], msg: "is short" }] })).toEqual(["gate.0: is short"]);
    expect(sentencesOf({ faults: [{ where: "x", sentence: "does not do" }] })).toEqual(["does not do"]);
    expect(sentencesOf(undefined)).toEqual([]);
  });
});
