import { describe, expect, it } from "vitest";
import { hashOf, placeOf } from "./address";
import { courseAt, frameOf, lastBefore, placeAt, placesOf, spanOf, valueAt } from "./playback";
import { deedOf } from "./review_keys";

const track = (x: (number | null)[], y: (number | null)[]) => ({
  track_id: "1",
  label: "",
  kind: "car",
  involved: true,
  t_s: x.map((_, i) => i * 0.5),
  x_m: x,
  y_m: y,
  foot_px: x.map((v) => (v === null ? null : ([v * 10, 5] as [number, number]))),
  speed_kmh: x.map(() => null),
  sigma_m: x.map(() => null),
  heading_deg: x.map(() => null),
  length_m: 4.5,
  width_m: 1.8,
});

describe("playing tracks", () => {
  it("finds the sample before a moment", () => {
    expect([-1, 0, 0.6, 9].map((t) => lastBefore([0, 0.5, 1], t))).toEqual([-1, 0, 1, 2]);
  });
  it("goes between samples, never over gaps", () => {
    expect(valueAt([0, 1], [0, 10], 0.25)).toBe(2.5);
    expect(valueAt([0, 5], [0, 10], 2)).toBeNull();
    expect(valueAt([0, 1], [0, 10], 3)).toBeNull();
    expect(valueAt([0, 1], [null, 10], 0.5)).toBeNull();
  });
  it("shows north up, and the picture where nobody measured the street", () => {
    const metric = track([0, 5, 10], [0, 1, 2]);
    expect(frameOf([metric])).toBe("metres");
    expect(placesOf(metric, "metres")[2]).toEqual([10, -2]);
    const bare = { ...metric, x_m: [null, null, null], y_m: [null, null, null] };
    expect(frameOf([bare])).toBe("pixels");
    expect(placesOf(bare, "pixels")[1]).toEqual([50, 5]);
  });
  it("knows place and course", () => {
    const one = track([0, 5, 10], [0, 0, 0]);
    const places = placesOf(one, "metres");
    expect(placeAt(one, places, 0.25)?.[0]).toBe(2.5);
    expect(courseAt(one, places, 0.5)).toBeCloseTo(0);
    expect(courseAt(track([0, 0.1], [0, 0]), [[0, 0], [0.1, 0]], 0)).toBeNull();
  });
  it("lasts as long as its tracks", () => {
    expect(spanOf([track([0, 1, 2], [0, 0, 0])], 0.4)).toEqual([0, 1]);
    expect(spanOf([], 2)).toEqual([0, 2]);
  });
});

describe("keys of the review", () => {
  const press = (key: string, code = "", more = {}) => ({ key, code, ctrlKey: false, altKey: false, metaKey: false, ...more });

  it("work on keyboards of every alphabet", () => {
    expect(deedOf(press("a"), false)).toBe("accept");
    expect(deedOf(press("A"), false)).toBe("accept");
    expect(deedOf(press("ф", "KeyA"), false)).toBe("accept");
    expect(deedOf(press("о", "KeyJ"), false)).toBe("next");
  });
  it("leave those who write in peace", () => {
    expect(deedOf(press("a"), true)).toBeUndefined();
    expect(deedOf(press("Escape"), true)).toBe("close");
    expect(deedOf(press("r", "KeyR", { ctrlKey: true }), false)).toBeUndefined();
  });
});

describe("addresses of pages", () => {
  it("go there and back", () => {
    const hash = hashOf("review", ["a b", "0f"], { state: "all", kind: "", offset: 0 });
    expect(hash).toBe("#/review/a%20b/0f?state=all&offset=0");
    expect(placeOf(hash)).toEqual({ page: "review", ids: ["a b", "0f"], query: { state: "all", offset: "0" } });
    expect(placeOf("")).toEqual({ page: "", ids: [], query: {} });
  });
});
