import { describe, expect, it } from "vitest";
import { added, byKind, gapsOf, placesOf, stacked, totalOf, watchedShare } from "./counts";

const row = (what: string, kind: string, counts: (number | null)[]) => ({
  what,
  kind,
  counts,
  place_id: what,
  direction: "" as const,
  from_id: "",
  to_id: "",
  total: counts.reduce<number>((sum, n) => sum + (n ?? 0), 0),
});

describe("counts by class", () => {
  const series = [row("a", "car", [3, null, 1]), row("a", "pedestrian", [1, null, 0]), row("a", "total", [4, null, 1]), row("b", "car", [9, 9, 9])];

  it("leave out the row of the total and other places", () => {
    const kinds = byKind(series, "a");
    expect([...kinds.keys()]).toEqual(["pedestrian", "car"]);
    expect(totalOf(kinds, 3)).toEqual([4, null, 1]);
  });
  it("keep gaps as gaps when they are stacked", () => {
    const tops = stacked(byKind(series, "a"));
    expect(tops.get("pedestrian")).toEqual([1, null, 0]);
    expect(tops.get("car")).toEqual([4, null, 1]);
  });
  it("sum places once, by their total where it is given", () => {
    expect(placesOf(series)).toEqual([{ what: "b", total: 27 }, { what: "a", total: 5 }]);
  });
  it("add what is known", () => {
    expect(added([1, null, null], [2, 3, null])).toEqual([3, 3, null]);
  });
});

describe("what nobody watched", () => {
  it("is found as spans", () => {
    expect(gapsOf([900, 0, 0, 10, 0])).toEqual([[1, 2], [4, 4]]);
    expect(gapsOf([1])).toEqual([]);
  });
  it("is a share of the slice", () => {
    expect(watchedShare(450, 900)).toBe(0.5);
    expect(watchedShare(901, 900)).toBe(1);
    expect(watchedShare(1, 0)).toBe(0);
  });
});
