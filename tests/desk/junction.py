"""A junction with four arms for the pages to show: traffic as SUMO would write it, and its site."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

__all__ = ["site_text", "write_traffic"]

STEP_S = 0.2
LANE_M = 1.75
REACH_M = 60.0
CORNER_M = 9.0
SITE = """
[site]
id = "abay-dostyk"
name = "Abay / Dostyk"
tz = "Asia/Almaty"
speed_limit_kmh = 40
origin_lonlat = [76.9572, 43.2384]
[[camera]]
id = "north"
[camera.plane]
size_px = [1280, 720]
{plane}
[[gate]]
id = "in-n"
name = "Dostyk north"
points_m = [[-3.5, 20], [3.5, 20]]
[[gate]]
id = "in-e"
name = "Abay east"
points_m = [[20, 3.5], [20, -3.5]]
[[gate]]
id = "in-s"
name = "Dostyk south"
points_m = [[3.5, -20], [-3.5, -20]]
[[gate]]
id = "in-w"
name = "Abay west"
points_m = [[-20, -3.5], [-20, 3.5]]
[[zone]]
id = "zebra"
kind = "crossing"
control = "zebra"
polygon_m = [[12, -4.5], [16, -4.5], [16, 4.5], [12, 4.5]]
[[zone]]
id = "box"
kind = "junction"
polygon_m = [[-9, -9], [9, -9], [9, 9], [-9, 9]]
"""
ARMS = "nesw"
SHARES = {1: 0.22, 2: 0.56, 3: 0.22}
KINDS = (("car", 0.78), ("van", 0.08), ("bus", 0.04), ("truck", 0.05), ("bicycle", 0.05))

Spot = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A course of somebody: places (n, 2) every ``STEP_S`` from ``start_s``."""

    name: str
    kind: str
    start_s: float
    speed_mps: float
    places: list[Spot]


def site_text() -> str:
    """Return the site with a movement for every pair of arms; one turn is forbidden."""
    places = [(x, y) for x in (-18.0, 0.0, 18.0) for y in (-14.0, 4.0, 26.0)]
    pixels = [_pixel(place) for place in places]
    plane = f"points_px = {[list(p) for p in pixels]}\npoints_m = {[list(p) for p in places]}"
    rows = []
    for a in ARMS:
        for b in ARMS:
            if a != b:
                forbidden = "forbidden = true\n" if (a, b) == ("w", "n") else ""
                rows.append(
                    f'[[movement]]\nid = "{a}-{b}"\nfrom = "in-{a}"\nto = "in-{b}"\n{forbidden}'
                )
    return SITE.replace("{plane}", plane) + "".join(rows)


def _pixel(place: Spot) -> Spot:
    """Return where a camera 15 m over a roof in the south sees a place on the ground."""
    east, north = place[0], place[1] + 48.0
    tilt, height_m, focal_px = math.radians(17.0), 15.0, 1050.0
    deep = north * math.cos(tilt) + height_m * math.sin(tilt)
    down = height_m * math.cos(tilt) - north * math.sin(tilt)
    return round(640 + focal_px * east / deep, 1), round(360 + focal_px * down / deep, 1)


def write_traffic(path: Path, *, hours: float, per_hour: int, seed: int) -> None:
    """Write ``hours`` of traffic as CSV of SUMO's floating car data."""
    ways = sorted(_ways(hours, per_hour, np.random.default_rng(seed)), key=lambda w: w.start_s)
    rows = [row for way in ways for row in _rows(way) if row[0] < hours * 3600]
    seen = {row[0] for row in rows}
    steps = (round(k * STEP_S, 3) for k in range(round(hours * 3600 / STEP_S)))
    nobody = [(t_s, "", "", 0.0, 0.0, 0.0, 0.0) for t_s in steps if t_s not in seen]
    rows = sorted(rows + nobody)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("t_s", "id", "kind", "x_m", "y_m", "angle_deg", "speed_mps"))
        table.writerows(rows)


def _ways(hours: float, per_hour: int, dice: np.random.Generator) -> Iterator[_Way]:
    names = [name for name, _ in KINDS]
    shares = [share for _, share in KINDS]
    for i in range(int(hours * per_hour)):
        start_s = float(dice.uniform(0, hours * 3600 - 40))
        if dice.random() < 0.12:
            yield _pedestrian(f"p{i}", start_s, dice)
            continue
        arm = int(dice.choice(4, p=[0.2, 0.3, 0.2, 0.3]))
        turn = int(dice.choice(list(SHARES), p=list(SHARES.values())))
        speed = float(np.clip(dice.normal(10.2, 1.8), 5.0, 17.0)) * (1.0 if turn == 2 else 0.7)
        kind = str(dice.choice(names, p=shares))
        yield _Way(
            name=f"v{i}",
            kind=kind,
            start_s=start_s,
            speed_mps=speed * (0.5 if kind == "bicycle" else 1.0),
            places=_course(arm, (arm + turn) % 4),
        )


def _pedestrian(name: str, start_s: float, dice: np.random.Generator) -> _Way:
    """Return somebody who crosses the zebra of the eastern arm."""
    x = float(dice.uniform(12.8, 15.2))
    ends = [(x, -8.0), (x, 8.0)]
    return _Way(
        name=name,
        kind="pedestrian",
        start_s=start_s,
        speed_mps=float(dice.uniform(1.1, 1.7)),
        places=ends if dice.random() < 0.5 else ends[::-1],
    )


def _turned(spot: Spot, quarters: int) -> Spot:
    x, y = spot
    for _ in range(quarters % 4):
        x, y = y, -x
    return x, y


def _course(arm: int, to: int) -> list[Spot]:
    """Return the way from one arm (0 north, clockwise) into another, on the right-hand side."""
    start, gate_in = _turned((-LANE_M, REACH_M), arm), _turned((-LANE_M, CORNER_M), arm)
    gate_out, end = _turned((LANE_M, CORNER_M), to), _turned((LANE_M, REACH_M), to)
    bend = [_bezier(gate_in, (0.0, 0.0), gate_out, t / 8) for t in range(1, 8)]
    return [start, gate_in, *bend, gate_out, end]


def _bezier(a: Spot, b: Spot, c: Spot, t: float) -> Spot:
    u = 1 - t
    return (
        u * u * a[0] + 2 * u * t * b[0] + t * t * c[0],
        u * u * a[1] + 2 * u * t * b[1] + t * t * c[1],
    )


def _rows(way: _Way) -> Iterator[tuple[float, str, str, float, float, float, float]]:
    """Yield one row per step along a polyline at constant speed."""
    lengths = [math.dist(a, b) for a, b in pairwise(way.places)]
    first = math.ceil(way.start_s / STEP_S)
    for k in range(first, first + int(sum(lengths) / way.speed_mps / STEP_S)):
        t_s = round(k * STEP_S, 3)
        x, y, angle = _along(way.places, lengths, (t_s - way.start_s) * way.speed_mps)
        speed = round(way.speed_mps, 3)
        yield t_s, way.name, way.kind, round(x, 3), round(y, 3), round(angle, 2), speed


def _along(
    places: Sequence[Spot], lengths: Sequence[float], walked: float
) -> tuple[float, float, float]:
    """Return place and compass angle after a distance along a polyline."""
    for (a, b), length in zip(pairwise(places), lengths, strict=True):
        if walked <= length:
            share = walked / length if length else 0.0
            angle = math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360
            return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, angle
        walked -= length
    return *places[-1], 0.0
