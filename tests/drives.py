"""Road users on the ground: rows in metres along timed places, and a site drawn in metres."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.builders import START_NS, S, together

from calmstreet.config.site import parse_site
from calmstreet.model.event import Event
from calmstreet.model.kinds import KIND_NAMES, LENGTH_M, WIDTH_M, Kind, SizeSource
from calmstreet.model.points import TrackPoints, make_points, track_id_of
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site
from calmstreet.safety.rule import RuleWatch
from calmstreet.safety.rules import BUILT_IN, chosen_rules

Timed = tuple[float, float, float]
LANE = """
[[zone]]
id = "lane"
kind = "lane"
direction_deg = 90
polygon_m = [[-100, -3], [100, -3], [100, 0], [-100, 0]]
"""
SITE = """
[site]
id = "junction"
speed_limit_kmh = 50
"""


def a_drive(
    via: Sequence[Timed],
    *,
    serial: int = 1,
    kind: Kind = Kind.CAR,
    fps: float = 10.0,
    heading_rad: float | None = None,
    with_boxes: bool = False,
) -> TrackPoints:
    """Return a road user that is with its centre at (x, y) at each time (t_s, x, y), even between.

    ``with_boxes`` adds boxes at 20 px per metre seen from straight above, y down.
    """
    times, x, y = np.array(via, float).T
    number = np.arange(np.ceil(times[0] * fps - 1e-9), np.floor(times[-1] * fps + 1e-9) + 1)
    at = number / fps
    xy = np.stack([np.interp(at, times, x), np.interp(at, times, y)], axis=1)
    leg = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    lasted = np.diff(times)[leg]
    velocity = np.stack([np.diff(x)[leg] / lasted, np.diff(y)[leg] / lasted], axis=1)
    n = len(at)
    columns: dict[str, Any] = {}
    if with_boxes:
        columns["box_px"] = boxes_from_above(xy)
    return make_points(
        camera_id="camera",
        run_id=1,
        t_ns=START_NS + np.rint(at * S).astype(np.int64),
        track_id=np.full(n, track_id_of(1, serial)),
        kind=np.full(n, kind),
        score=np.ones(n),
        xy_m=xy,
        velocity_mps=velocity,
        heading_rad=headings(velocity, heading_rad),
        length_m=np.full(n, LENGTH_M[kind]),
        width_m=np.full(n, WIDTH_M[kind]),
        size_source=np.full(n, SizeSource.GIVEN),
        cov_m2=np.zeros((n, 3)),
        **columns,
    )


def headings(velocity: NDArray[Any], given: float | None) -> NDArray[Any]:
    """Return the course, while standing the last one known (or the next)."""
    if given is not None:
        return np.full(len(velocity), given)
    moving = np.flatnonzero((velocity**2).sum(axis=1) > 1e-6)
    if not len(moving):
        return np.zeros(len(velocity))
    last = np.maximum(np.searchsorted(moving, np.arange(len(velocity)), side="right") - 1, 0)
    source = moving[last]
    return np.asarray(np.arctan2(velocity[source, 1], velocity[source, 0]))


def boxes_from_above(xy: NDArray[Any]) -> NDArray[Any]:
    """Return boxes of 2 x 1.5 m whose foot lies at the place, 20 px per metre, y down."""
    x, y = 20 * xy[:, 0], -20 * xy[:, 1]
    return np.stack([x - 20, y - 30, x + 20, y], axis=1)


def as_a_camera_sees(points: TrackPoints, sigma_m: float = 0.1) -> TrackPoints:
    """Return rows with boxes, whose lengths are a guess and whose places have a doubt."""
    return replace(
        points,
        box_px=boxes_from_above(points.xy_m).astype(np.float32),
        cov_m2=np.tile([sigma_m**2, 0.0, sigma_m**2], (len(points), 1)).astype(np.float32),
        size_source=np.full(len(points), SizeSource.CLASS_DEFAULT, np.uint8),
    )


def a_place(tables: str, *, more: str = "") -> Site:
    """Return a site of ``tables`` in metres."""
    return parse_site(SITE + tables + more)


def states(changes: Sequence[tuple[float, str, SignalState]]) -> SignalChanges:
    """Return changes given as (seconds, head, state)."""
    t_s, heads, kinds = zip(*sorted(changes), strict=True)
    return SignalChanges(
        t_ns=START_NS + np.rint(np.array(t_s) * S).astype(np.int64),
        signal_id=np.array(heads, np.str_),
        state=np.array(kinds, np.uint8),
        confidence=np.ones(len(t_s), np.float32),
    )


def watch_over(
    site: Site,
    *,
    signals: SignalChanges | None = None,
    only: Sequence[str] = (),
    metric: bool = True,
) -> RuleWatch:
    """Return the rules named (all without names) at the posts of a site."""
    return RuleWatch.over(
        site,
        camera_id="camera",
        run_id=1,
        factories=chosen_rules(site, only=only or tuple(BUILT_IN)),
        metric=metric,
        signals=signals,
    )


def found_by(
    site: Site,
    points: TrackPoints,
    *,
    signals: SignalChanges | None = None,
    only: Sequence[str] = (),
    cuts: Sequence[int] = (),
    metric: bool = True,
) -> list[Event]:
    """Return what rules find in rows, cut into blocks before the steps of these numbers."""
    watch = watch_over(site, signals=signals, only=only, metric=metric)
    steps = np.unique(points.t_ns)
    for block in np.split(steps, sorted(set(cuts))):
        watch.update(block, points[np.isin(points.t_ns, block)])
    return watch.close()


EVERY_RULE = "".join(f"\n[rules.{name}]\non = true\n" for name in BUILT_IN if name != "collision")
BUSY = """
[[gate]]
id = "line"
points_m = [[0, -3], [0, 0]]
signal = "head"
direction = "to_right"
[[zone]]
id = "box"
kind = "junction"
polygon_m = [[1, -15], [15, -15], [15, 15], [1, 15]]
[[zone]]
id = "lane"
kind = "lane"
direction_deg = 90
polygon_m = [[-100, -3], [100, -3], [100, 0], [-100, 0]]
[[zone]]
id = "zebra"
kind = "crossing"
control = "zebra"
polygon_m = [[-20, -6], [-16, -6], [-16, 6], [-20, 6]]
"""


def busy_place() -> tuple[str, TrackPoints]:
    """Return the text of a site and a street on which several rules find something.

    Its head "head" is meant to turn red after 10 s.
    """
    ways: Sequence[tuple[Sequence[Timed], Kind]] = (
        ([(6.0, -62.25, -1.5), (18.225, 60, -1.5)], Kind.CAR),
        ([(0, 90, -1.5), (9, 0, -1.5)], Kind.CAR),
        ([(0, -90, -2.0), (4, -40, -2.0), (40, -40, -2.0)], Kind.CAR),
        ([(12, -100, -1.0), (20, -30, -1.0)], Kind.CAR),
        ([(0, -18, -9), (14, -18, 9)], Kind.PEDESTRIAN),
        ([(3, 30, -4), (12, 30, 3)], Kind.PEDESTRIAN),
        ([(5.0, -62.25, -0.7), (11.2, -0.25, -0.7), (20.0, -0.25, -0.7)], Kind.CAR),
    )
    rows = [a_drive(way, serial=i, kind=kind) for i, (way, kind) in enumerate(ways, start=1)]
    return SITE + BUSY + EVERY_RULE, together(*rows)


def fcd_of(path: Path, rows: TrackPoints) -> Path:
    """Write rows as SUMO would: front, compass angle, seconds from the first step."""
    names = "timestep_time;vehicle_id;vehicle_x;vehicle_y;vehicle_angle;vehicle_type;vehicle_speed"
    speed = np.sqrt((rows.velocity_mps.astype(float) ** 2).sum(axis=1))
    angle = (90 - np.degrees(rows.heading_rad.astype(float))) % 360
    lines = [names]
    for row, (x, y) in enumerate(rows.front_m().tolist()):
        lines.append(
            f"{(int(rows.t_ns[row]) - START_NS) / S:.3f};{int(rows.track_id[row]) & 0xFFFF};"
            f"{x:.4f};{y:.4f};{angle[row]:.4f};{KIND_NAMES[rows.kind[row]]};{speed[row]:.4f}"
        )
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def kinds_of(events: Sequence[Event]) -> Mapping[str, int]:
    """Return how many events there are of each kind."""
    names = [event.kind for event in events]
    return {name: names.count(name) for name in sorted(set(names))}
