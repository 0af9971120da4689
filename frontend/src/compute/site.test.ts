import { describe, expect, it } from "vitest";
import { picksOf, planeOf } from "../pages/site/picks";
import { readPoints } from "./points_file";
import { brokenPath, centreOf, footprint, middleOf, type Point, sidesOf, within } from "./shapes";
import { freeId, isOf, reversed, type SiteDocument, withChange, withId, withoutRow, withPlane, withRow } from "./site_document";
import { lonlatOfUtm } from "./utm";

const site: SiteDocument = {
  site: { id: "x" },
  camera: [{ id: "north" }],
  gate: [{ id: "gate-1", points_px: [[0, 0], [10, 0]] }],
  zone: [{ id: "n", kind: "approach", polygon_px: [[0, 0], [1, 0], [1, 1]] }],
  movement: [{ id: "m", from: "gate-1", to: "n" }],
};

describe("shapes", () => {
  it("know the sides of a line whose y counts downwards", () => {
    // Looking to the right on the picture, left is up.
    expect(sidesOf([1, 0])).toEqual({ left: [0, -1], right: [-0, 1] });
  });
  it("find the middle along the length", () => {
    expect(middleOf([[0, 0], [10, 0], [10, 30]])).toEqual({ at: [10, 10], along: [0, 1] });
    expect(middleOf([[1, 1]])).toBeUndefined();
    expect(centreOf([[0, 0], [2, 4]])).toEqual([1, 2]);
  });
  it("break paths where a place is not known", () => {
    expect(brokenPath([[0, 0], [1, 1], null, [2, 2], [3, 3]])).toBe("M0,0 L1,1 M2,2 L3,3");
  });
  it("make footprints around their centre", () => {
    const corners = footprint(5, 5, Math.PI / 2, 4, 2);
    expect(centreOf(corners).map(Math.round)).toEqual([5, 5]);
    expect(Math.max(...corners.map((corner) => corner[1]))).toBeCloseTo(7);
    expect(within([-3, 900], 640, 480)).toEqual([0, 480]);
  });
});

describe("the tables of a site", () => {
  it("find a free id among all that share them", () => {
    expect(freeId(site, "gate")).toBe("gate-2");
    expect(freeId(site, "lane")).toBe("lane-1");
  });
  it("are changed without touching the old ones", () => {
    const next = withRow(site, "gate", { id: "gate-2", points_px: [[1, 1], [2, 2]] });
    expect(next.gate).toHaveLength(2);
    expect(site.gate).toHaveLength(1);
    expect(withChange(site, "gate", 0, { name: "Stop" }).gate?.[0]?.name).toBe("Stop");
    expect("name" in (withChange(site, "gate", 0, { name: "" }).gate?.[0] ?? {})).toBe(false);
  });
  it("follow a new id in the movements", () => {
    expect(withId(site, "gate", 0, "stop").movement?.[0]?.from).toBe("stop");
  });
  it("lose the movements of what is removed", () => {
    expect(withoutRow(site, "zone", 0).movement).toEqual([]);
    expect(withoutRow(site, "movement", 0).gate).toHaveLength(1);
  });
  it("turn gates around and take planes", () => {
    expect(reversed(site, 0).gate?.[0]?.points_px).toEqual([[10, 0], [0, 0]]);
    expect(withPlane(site, "north", { k1: 0 }).camera?.[0]?.plane).toEqual({ k1: 0 });
    expect(withPlane({ site: { id: "x" } }, "only", {}).camera).toEqual([{ id: "only", plane: {} }]);
  });
  it("need no camera in their rows when there is one", () => {
    expect(isOf(site, {}, "north")).toBe(true);
    expect(isOf(site, { camera: "south" }, "north")).toBe(false);
  });
});

describe("picked points", () => {
  const size: [number, number] = [960, 540];
  const plane = { points_px: [[10, 20]], points_m: [[1, 2]], size_px: [480, 270], check_lengths: [{ a_px: [0, 0], b_px: [5, 5], length_m: 3 }], k1: -0.1 };

  it("come from a plane, scaled to the picture", () => {
    const picking = planeOf(plane, size);
    expect(picking.pairs).toEqual([{ px: [20, 40], ground: [1, 2] }]);
    expect(picking.lengths[0]?.b_px).toEqual([10, 10]);
    expect(planeOf(undefined, size).pairs).toEqual([]);
  });
  it("are asked about when both places are there", () => {
    const pairs = [{ px: [1, 1] as Point, ground: [2, 2] as Point }, { px: [3, 3] as Point, ground: null }];
    const asked = picksOf({ frame: "lonlat", pairs, lengths: [{ a_px: [0, 0], b_px: [1, 1], length_m: null }], k1: 0 }, size);
    expect(asked.points_px).toEqual([[1, 1]]);
    expect(asked.points_lonlat).toEqual([[2, 2]]);
    expect(asked.check_lengths).toEqual([]);
  });
  it("are read from CSV in metres or degrees, with either separator", () => {
    expect(readPoints("p.csv", "name,x_px,y_px,x_m,y_m\na,1,2,3.5,4\n")).toEqual({ frame: "metres", points: [{ px: [1, 2], ground: [3.5, 4] }] });
    expect(readPoints("p.csv", "x_px;y_px;lon;lat\n1;2;76,95;43,2\n")?.points[0]?.ground).toEqual([76.95, 43.2]);
    expect(readPoints("p.csv", "x,y\n1,2\n")).toBeUndefined();
    expect(readPoints("p.otrfpts", "{oh")).toBeUndefined();
  });
  it("are read from OTVision, in UTM", () => {
    const text = JSON.stringify({ "1": { x_px: 14, y_px: 259, hemisphere: "N", zone_utm: 32, lon_utm: 500_000, lat_utm: 0 } });
    const [point] = readPoints("x.otrfpts", text)?.points ?? [];
    expect(point?.px).toEqual([14, 259]);
    expect(point?.ground?.[0]).toBeCloseTo(9, 9);
    expect(point?.ground?.[1]).toBeCloseTo(0, 9);
  });
});

describe("UTM", () => {
  it("agrees with the scale on the central meridian", () => {
    // Length of the meridian from the equator to 45 degrees on WGS84: 4 984 944.378 m.
    const [lon, lat] = lonlatOfUtm(500_000, 4_984_944.378 * 0.9996, 43);
    expect(lon).toBeCloseTo(75, 9);
    expect(lat).toBeCloseTo(45, 7);
  });
  it("is the same on both sides of the meridian and of the equator", () => {
    const [east, north] = lonlatOfUtm(600_000, 4_000_000, 31);
    const [west] = lonlatOfUtm(400_000, 4_000_000, 31);
    const [, south] = lonlatOfUtm(600_000, 6_000_000, 31, false);
    expect(east - 3).toBeCloseTo(3 - west, 9);
    expect(south).toBeCloseTo(-north, 9);
  });
});
