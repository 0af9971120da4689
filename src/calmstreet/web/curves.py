"""Measures of an event against time: speeds, time to collision, separation, time advantage."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints, box_ttc, make_footprints, separation_m
from calmstreet.model.points import TrackPoints
from calmstreet.store.evidence import Evidence
from calmstreet.web.answers_review import Curve
from calmstreet.web.numbers import plain, plains

__all__ = ["curves_of"]

Array = NDArray[np.float64]
_LONGEST_S = 20.0
_SLOWEST_MPS = 0.5


def curves_of(evidence: Evidence, thresholds: Mapping[str, float]) -> list[Curve]:
    """Return the speed of each road user of the event, then the measures of the first pair.

    The time to collision holds for constant velocity; where the rule went by a learned path its
    own value stands among the numbers of the event.
    """
    event, points = evidence.event, evidence.points
    rows = [points[points.track_id == track_id] for track_id in event.track_ids]
    found = [_speed(mine, event.start_ns, thresholds) for mine in rows if len(mine)]
    if len(rows) >= 2 and len(rows[0]) and len(rows[1]):
        found += _pair(evidence, rows[0], rows[1], thresholds)
    return found


def _seconds(t_ns: NDArray[np.int64], start_ns: int) -> list[float]:
    times: list[float] = ((t_ns - start_ns) / 1e9).round(3).tolist()
    return times


def _speed(rows: TrackPoints, start_ns: int, thresholds: Mapping[str, float]) -> Curve:
    limit = thresholds.get("limit_mps", thresholds.get("speed_mps", float("nan")))
    return Curve(
        name="speed_kmh",
        unit="km/h",
        track_ids=[str(rows.track_id[0])],
        t_s=_seconds(rows.t_ns, start_ns),
        values=plains(np.hypot(*rows.velocity_mps.astype(np.float64).T) * 3.6, 2),
        threshold=plain(limit * 3.6, 2),
        below_is_worse=False,
    )


def _pair(
    evidence: Evidence, one: TrackPoints, two: TrackPoints, thresholds: Mapping[str, float]
) -> Iterator[Curve]:
    common, at_one, at_two = np.intersect1d(one.t_ns, two.t_ns, return_indices=True)
    if not len(common):
        return
    first, second = one[at_one], two[at_two]
    a, b = _boxes(first), _boxes(second)
    with np.errstate(invalid="ignore", divide="ignore"):
        ttc_s, _ = box_ttc(a, b)
        apart_m = separation_m(a, b)
        ahead_s = _advantage_s(first, second, evidence.event.place_m)
    rows = (
        ("ttc_s", "s", np.where(ttc_s <= _LONGEST_S, ttc_s, np.nan), _threshold(thresholds, "ttc")),
        ("time_advantage_s", "s", ahead_s, _threshold(thresholds, "pet")),
        ("separation_m", "m", apart_m, float("nan")),
    )
    ids = [str(first.track_id[0]), str(second.track_id[0])]
    for name, unit, values, threshold in rows:
        if np.isfinite(values).any():
            yield Curve(
                name=name,
                unit=unit,
                track_ids=ids,
                t_s=_seconds(common, evidence.event.start_ns),
                values=plains(values),
                threshold=plain(threshold),
                below_is_worse=True,
            )


def _boxes(rows: TrackPoints) -> Footprints:
    return make_footprints(
        rows.xy_m,
        heading_rad=rows.heading_rad,
        length_m=rows.length_m,
        width_m=rows.width_m,
        velocity_mps=rows.velocity_mps,
    )


def _threshold(thresholds: Mapping[str, float], measure: str) -> float:
    return next(
        (value for name, value in thresholds.items() if measure in name.split("_")), float("nan")
    )


def _advantage_s(one: TrackPoints, two: TrackPoints, place_m: tuple[float, float]) -> Array:
    """Return by how much one of two reaches the place of the event before the other, s (n,)."""
    arrivals = [_arrival_s(rows, np.asarray(place_m, np.float64)) for rows in (one, two)]
    apart = np.abs(arrivals[0] - arrivals[1])
    return np.where(apart <= _LONGEST_S, apart, np.nan)


def _arrival_s(rows: TrackPoints, place_m: Array) -> Array:
    """Return when a road user reaches a place at its speed, NaN unless it heads there."""
    off = place_m - rows.xy_m.astype(np.float64)
    velocity = rows.velocity_mps.astype(np.float64)
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    ahead = (off * velocity).sum(axis=1) / np.where(speed > 0, speed, np.nan)
    return np.where((speed >= _SLOWEST_MPS) & (ahead >= 0), ahead / speed, np.nan)
