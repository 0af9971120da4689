"""Post-encroachment time of two users from where they really went.

Every place that one box covered at one time and the other at another time counts: the PET is the
least time between the first leaving a place and the second reaching it. Users who come along the
same lane have none; who joins a lane has that of the moment at which the second enters the way of
the first. Between rows both are taken to move evenly.

For one who turns across the other's way (``turning_pet_s``) the first has left when the middle of
its rear has passed the conflict point, see ``safety.conflict_point``.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints, separation_m
from calmstreet.safety.conflict_point import passages_of_point
from calmstreet.safety.movers import Movers
from calmstreet.safety.streams import Streams

__all__ = ["T2_NS", "Encroachment", "encroachment_of", "expected_arrival"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_ALIGNED_COS = np.cos(np.radians(15.0))
_FINE = 20
_FAR_STEP_M = 3.0
_MOST_ROWS = 400
T2_NS = 5_000_000_000
"""For how long before the first leaves T2 is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encroachment:
    """``pet_s`` on the conflict area, ``place_pet_s`` at the very place.

    ``point_pet_s`` at the point where the ways of the centres cross: rear of the first to front
    of the second; ``turning_pet_s`` from the first's rear leaving that point to the second's
    entry into the area (both NaN where the centres' ways do not cross or the users merge);
    ``came_cos`` cosine between their headings some seconds before; ``first_is_a``; ``exit_ns``,
    ``entry_ns`` when the first left and the second came (UTC ns).

    ``merging``: from there on they go the same way; ``contact``: both were there at once;
    velocities at those moments; ``t2_s`` least expected arrival of the second until the first
    had left; ``sigma_...`` one standard deviation, NaN = unknown.
    """

    pet_s: float
    place_pet_s: float
    point_pet_s: float
    turning_pet_s: float
    came_cos: float
    first_is_a: bool
    exit_ns: int
    entry_ns: int
    x_m: float
    y_m: float
    cos_angle: float
    merging: bool
    contact: bool
    velocity_a_mps: tuple[float, float]
    velocity_b_mps: tuple[float, float]
    t2_s: float
    sigma_pet_s: float
    sigma_t2_s: float


def encroachment_of(a: Movers, b: Movers, *, streams: Streams | None = None) -> Encroachment | None:
    """Return how the ways of two users (rows of each in order of time) met; None if they did not.

    Also None for users who came along the same lane. With ``streams`` the second's entry is that
    into the conflict area of the first's whole stream.
    """
    a, b = _thinned(a), _thinned(b)
    lag_s = (b.t_ns[None, :] - a.t_ns[:, None]) / 1e9
    over, cos = _overlaps(a.boxes(), b.boxes())
    slant = over & (cos < _ALIGNED_COS)
    if not slant.any():
        return None
    i, j = _least(np.where(slant, np.abs(lag_s), np.inf))
    first_is_a = bool(lag_s[i, j] >= 0)
    first, second = (a, b) if first_is_a else (b, a)
    if not first_is_a:
        over, cos, lag_s, i, j = over.T, cos.T, -lag_s.T, j, i
    entry = _entry(over, lag_s, j)
    last = int(np.flatnonzero(over[:, entry])[-1])
    if cos[last, entry] >= _ALIGNED_COS:
        return None
    merging = _stays(over, cos, j, second)
    if merging:
        i, j = last, entry
    exit_ns, entry_ns = _refined(first, second, i, j, at_entry=merging)
    area_ns = entry_ns
    if streams is not None and not merging and entry_ns > exit_ns:
        area_ns = streams.entry_ns(first, second, exit_ns=exit_ns, entry_ns=entry_ns)
    return _told(first, second, (exit_ns, entry_ns, area_ns), first_is_a, float(cos[i, j]), merging)


def _at_point(first: Movers, second: Movers, times_ns: tuple[int, int, int]) -> tuple[float, float]:
    """Return the PET at the conflict point, and from the exit there to the entry into the area."""
    exit_ns, entry_ns, area_ns = times_ns
    passed = passages_of_point(first, second, exit_ns=exit_ns, entry_ns=entry_ns)
    if passed is None:
        return float("nan"), float("nan")
    return (passed.entry_ns - passed.exit_ns) / 1e9, (area_ns - passed.exit_ns) / 1e9


def _thinned(rows: Movers) -> Movers:
    """Return at most ``_MOST_ROWS`` rows, evenly."""
    every = -(-len(rows) // _MOST_ROWS)
    return rows[::every] if every > 1 else rows


def _overlaps(a: Footprints, b: Footprints) -> tuple[NDArray[np.bool_], Array]:
    """Return for every row of a and of b whether the boxes overlap, and cos of their angle."""
    one = np.repeat(np.arange(len(a)), len(b))
    two = np.tile(np.arange(len(b)), len(a))
    cos = a.cos_heading[one] * b.cos_heading[two] + a.sin_heading[one] * b.sin_heading[two]
    over = np.zeros(len(one), np.bool_)
    reach = 0.5 * (_diagonal(a)[one] + _diagonal(b)[two])
    far2 = (a.x_m[one] - b.x_m[two]) ** 2 + (a.y_m[one] - b.y_m[two]) ** 2
    near = np.flatnonzero(far2 <= reach * reach)
    over[near] = separation_m(a[one[near]], b[two[near]]) <= 0
    return over.reshape(len(a), len(b)), cos.reshape(len(a), len(b))


def _diagonal(boxes: Footprints) -> Array:
    return np.sqrt(boxes.length_m**2 + boxes.width_m**2)


def _least(cost: Array) -> tuple[int, int]:
    i, j = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return int(i), int(j)


def _entry(over: NDArray[np.bool_], lag_s: Array, j: int) -> int:
    """Return the row at which the second came onto the way of the first, back from row j."""
    after = np.asarray((over & (lag_s >= 0)).any(axis=0))
    outside = np.flatnonzero(~after[:j])
    return int(outside[-1]) + 1 if len(outside) else 0


def _stays(over: NDArray[np.bool_], cos: Array, j: int, second: Movers) -> bool:
    """Return True when the second goes on along the way of the first for its own length."""
    aligned = (over & (cos >= _ALIGNED_COS)).any(axis=0)
    aligned[:j] = False
    rows = np.flatnonzero(aligned)
    if len(rows) < 2:
        return False
    dx, dy = np.diff(second.x_m[rows]), np.diff(second.y_m[rows])
    return bool(np.sqrt(dx * dx + dy * dy).sum() >= second.length_m[rows[0]])


def _refined(first: Movers, second: Movers, i: int, j: int, *, at_entry: bool) -> tuple[int, int]:
    """Return when the first left and the second came, between the rows around (i, j)."""
    left, came = _between(first, i), _between(second, j)
    over, _ = _overlaps(left.boxes(), came.boxes())
    lag = (came.t_ns[None, :] - left.t_ns[:, None]) / 1e9
    if not over.any():
        return int(first.t_ns[i]), int(second.t_ns[j])
    if at_entry:
        column = int(np.flatnonzero(over.any(axis=0))[0])
        row = int(np.flatnonzero(over[:, column])[-1])
    else:
        row, column = _least(np.where(over, np.abs(lag), np.inf))
    return int(left.t_ns[row]), int(came.t_ns[column])


def _between(rows: Movers, at: int) -> Movers:
    """Return the rows before, at and after ``at`` with even steps between them."""
    pieces = []
    for k in (at - 1, at):
        if k < 0 or k + 1 >= len(rows):
            continue
        dx, dy = rows.x_m[k + 1] - rows.x_m[k], rows.y_m[k + 1] - rows.y_m[k]
        if dx * dx + dy * dy <= _FAR_STEP_M**2:
            pieces.append(_divided(rows[k : k + 2]))
    if not pieces:
        return rows[at : at + 1]
    merged = {
        part.name: np.concatenate([getattr(piece, part.name) for piece in pieces])
        for part in fields(Movers)
    }
    return Movers(**merged)


def _divided(two: Movers) -> Movers:
    share = np.linspace(0.0, 1.0, _FINE + 1)
    columns = {}
    for part in fields(Movers):
        begin, end = getattr(two, part.name)
        if part.name == "t_ns":
            columns[part.name] = begin + np.rint(share * float(end - begin)).astype(np.int64)
        elif part.name in ("track_id", "kind", "path", "choices", "given"):
            columns[part.name] = np.full(len(share), begin)
        else:
            columns[part.name] = begin + share * (end - begin)
    return Movers(**columns)


def _told(
    first: Movers,
    second: Movers,
    times_ns: tuple[int, int, int],
    first_is_a: bool,
    cos_angle: float,
    merging: bool,
) -> Encroachment:
    exit_ns, entry_ns, area_ns = times_ns
    place_pet = (entry_ns - exit_ns) / 1e9
    pet = (max(area_ns, min(exit_ns, entry_ns)) - exit_ns) / 1e9
    at_exit, at_entry = _nearest(first, exit_ns), _nearest(second, entry_ns)
    v_first = (float(first.vx_mps[at_exit]), float(first.vy_mps[at_exit]))
    v_second = (float(second.vx_mps[at_entry]), float(second.vy_mps[at_entry]))
    nothing = (float("nan"), float("nan"))
    point_pet, turning_pet = nothing if merging else _at_point(first, second, times_ns)
    came = first.cos_heading[0] * second.cos_heading[0]
    came += first.sin_heading[0] * second.sin_heading[0]
    t2, sigma_t2 = expected_arrival(second, exit_ns=exit_ns, entry_ns=entry_ns)
    place_s = [_place_sigma_s(first, at_exit), _place_sigma_s(second, at_entry)]
    return Encroachment(
        pet_s=pet,
        place_pet_s=place_pet,
        point_pet_s=point_pet,
        turning_pet_s=turning_pet,
        came_cos=float(came),
        first_is_a=first_is_a,
        exit_ns=exit_ns,
        entry_ns=entry_ns,
        x_m=float(0.5 * (first.x_m[at_exit] + second.x_m[at_entry])),
        y_m=float(0.5 * (first.y_m[at_exit] + second.y_m[at_entry])),
        cos_angle=cos_angle,
        merging=merging,
        contact=abs(place_pet) < 0.02,
        velocity_a_mps=v_first if first_is_a else v_second,
        velocity_b_mps=v_second if first_is_a else v_first,
        t2_s=t2,
        sigma_pet_s=float(np.sqrt(place_s[0] ** 2 + place_s[1] ** 2)),
        sigma_t2_s=sigma_t2,
    )


def _nearest(rows: Movers, t_ns: int) -> int:
    return int(np.argmin(np.abs(rows.t_ns - t_ns)))


def _place_sigma_s(rows: Movers, at: int) -> float:
    """Return the time by which the box's end may be early or late: place and size over speed."""
    size_m = 0.5 * rows.length_m[at] * rows.size_share[at]
    speed = max(float(rows.speed_mps[at]), 0.2)
    return float(np.sqrt(rows.var_m2[at] + size_m * size_m) / speed)


def expected_arrival(second: Movers, *, exit_ns: int, entry_ns: int) -> tuple[float, float]:
    """Return T2 (s) and its standard deviation, both NaN when the second was not seen then.

    The least way left to the common place over speed, of the last five seconds until the first
    had left it; ``second`` are the rows in order of time from ``T2_NS`` before that on.
    """
    dx, dy = np.diff(second.x_m), np.diff(second.y_m)
    gone = np.concatenate([[0.0], np.cumsum(np.sqrt(dx * dx + dy * dy))])
    end_ns = min(exit_ns, entry_ns)
    until = np.flatnonzero((second.t_ns <= end_ns) & (second.t_ns > end_ns - T2_NS))
    if not len(until):
        return float("nan"), float("nan")
    left = np.interp(entry_ns, second.t_ns, gone) - gone[until]
    t2 = left / np.maximum(second.speed_mps[until], 0.2)
    best = int(until[int(np.argmin(t2))])
    return float(t2.min()), _place_sigma_s(second, best)
