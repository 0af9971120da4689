"""How tracks live: what counts as a miss, who is confirmed, who is shown, who ends."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import PEOPLE, VEHICLES, Eye, Kind
from calmstreet.perception import votes
from calmstreet.perception.association import overlaps, touching_others
from calmstreet.perception.table import NEVER_NS, TrackTable
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = [
    "TrackerSettings",
    "beams",
    "ended",
    "hidden_share",
    "hold_back",
    "note_misses",
    "ripe",
    "shown",
    "stands",
    "twins",
]

_STANDS_SIZES_PER_S = 0.4
_STANDS_NS = np.array(NS_PER_S)
_BLIND_TENTATIVE_NS = 1_200_000_000
_TWIN_NS = NS_PER_S
_TWIN_SEEN_NS = NS_PER_S // 2
_TWIN_SIZES_PER_S = 0.15
_BEAM_NS = NS_PER_S
_BEAM_SHARE = 0.25
_HIDDEN, _WHOLLY_HIDDEN = np.array(0.3), np.array(0.8)
_NET, _BOTH = int(Eye.NET), int(Eye.BOTH)
_SLOW, _CLOSE, _NEVER = np.array(_STANDS_SIZES_PER_S), np.array(0.6), np.array(NEVER_NS)
_IS_PERSON = np.array([kind in PEOPLE for kind in Kind])
_IS_VEHICLE = np.array([kind in VEHICLES for kind in Kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """Lives in seconds, gates in sizes of the box or as shares of it.

    - ``high_score``: boxes at or above it are matched first and may begin a track;
      ``sure_score`` confirms at once, else two hits; boxes under ``low_score`` are not looked at.
    - ``life_s`` from the last measurement to the end; ``standing_life_s`` the same for who stood
      still when last seen.
    - ``coast_s``: how long rows are given after the first miss, ``hidden_coast_s`` while hidden
      behind another user, both at most ``coast_share`` of the time it had been seen before.
    - ``tentative_s``: how long an unconfirmed track waits for its next hit after a miss.
    - ``motion_birth_s``, ``motion_birth_sizes``: for how long a blob must have been seen and how
      far it must have come.
    - ``reach_sigmas``, ``reach_sizes``: by how much boxes are widened to meet, and the cap.
    - ``like_high``, ``like_young`` (second hit), ``like_lost`` (anywhere on the way since it was
      missed), ``like_low``, ``like_motion``: least likeness of a match.
    - ``noise_sizes``: sigma of a sure box of the net.
    """

    high_score: float = 0.4
    low_score: float = 0.3
    sure_score: float = 0.85
    life_s: float = 2.0
    standing_life_s: float = 5.0
    coast_s: float = 0.5
    hidden_coast_s: float = 0.75
    coast_share: float = 0.35
    tentative_s: float = 0.5
    motion_birth_s: float = 0.6
    motion_birth_sizes: float = 1.0
    reach_sigmas: float = 1.5
    reach_sizes: float = 0.8
    like_high: float = 0.25
    like_young: float = 0.15
    like_lost: float = 0.5
    like_low: float = 0.3
    like_motion: float = 0.2
    noise_sizes: float = 0.03


def stands(table: TrackTable) -> NDArray[np.bool_]:
    """Return who stood still for a second when last seen."""
    still: NDArray[np.bool_] = table.slow_ns <= table.seen_ns - _STANDS_NS
    return still


def run_standing_clock(table: TrackTable, now: NDArray[np.bool_], t_ns: int) -> None:
    """Keep the time since when a track is slow, in place; only a measurement (``now``) tells."""
    rate = table.state[2]
    slow = np.hypot(rate[0], rate[1]) < table.size_px * _SLOW
    clock_ns = table.slow_ns
    np.putmask(clock_ns, now > slow, _NEVER)  # measured and not slow
    slow &= now
    slow &= clock_ns == _NEVER
    np.putmask(clock_ns, slow, t_ns)


def ended(table: TrackTable, t_ns: int, settings: TrackerSettings) -> NDArray[np.bool_]:
    """Return which tracks are over at ``t_ns`` because nobody saw them for too long."""
    late: NDArray[np.bool_] = table.seen_ns < t_ns - _BLIND_TENTATIVE_NS
    if True not in late.tobytes():
        return late
    life_ns = np.where(stands(table), ns_from_s(settings.standing_life_s), 0)
    life_ns = np.maximum(life_ns, ns_from_s(settings.life_s))
    limit_ns = np.where(table.sure, life_ns, _BLIND_TENTATIVE_NS)
    over: NDArray[np.bool_] = t_ns - table.seen_ns > limit_ns
    return over


def given_up(table: TrackTable, t_ns: int, settings: TrackerSettings) -> NDArray[np.bool_]:
    """Return which unconfirmed tracks waited too long for their next hit."""
    new: NDArray[np.bool_] = ~table.sure
    if True not in new.tobytes():
        return new
    waited_ns = t_ns - np.minimum(table.missed_ns, t_ns)
    late: NDArray[np.bool_] = new & (waited_ns >= ns_from_s(settings.tentative_s))
    return late


def note_misses(table: TrackTable, now: NDArray[np.bool_], looked: Eye, t_ns: int) -> None:
    """Start the clock of the first miss of who was not measured ``now``, in place.

    An eye that did not look misses nobody.
    """
    eyes = int(looked)
    if not eyes:
        return
    missed = (table.missed_ns == _NEVER) > now
    if eyes != _BOTH:
        missed &= (table.net_hits > 0) == (eyes == _NET)
    np.putmask(table.missed_ns, missed, t_ns)


def ripe(
    table: TrackTable,
    boxes: NDArray[np.float64],
    limits_px: NDArray[np.float64],
    looks: int,
    settings: TrackerSettings,
) -> NDArray[np.bool_]:
    """Return which unconfirmed tracks have earned to be believed.

    The net, which has looked ``looks`` times: one very sure box, two that add up, or weak ones at
    every second look for 0.15 s.
    Motion: seen for long enough, come far enough, and on a way that is neither a tremble nor one
    leap (from one thing to another).
    """
    new: NDArray[np.bool_] = ~table.sure
    if True not in new.tobytes():
        return new
    age_ns = table.seen_ns - table.birth_ns
    steady = (age_ns >= 150_000_000) & (2 * table.net_hits >= looks - table.looks_before)
    twice = (table.net_hits > 1) & ((table.trust >= 1.2) | steady)
    sure = (table.net_hits > 0) & (table.trust >= settings.sure_score) & (table.net_hits == 1)
    far = votes.shift_px(table.born, boxes, limits_px)
    moving = (
        (age_ns >= ns_from_s(settings.motion_birth_s))
        & (far >= settings.motion_birth_sizes * table.size_px)
        & (far >= 0.5 * table.path_px)
        & (far - table.leap_px >= 0.5 * settings.motion_birth_sizes * table.size_px)
    )
    earned: NDArray[np.bool_] = new & (twice | sure | moving)
    return earned


def shown(
    table: TrackTable,
    hidden: NDArray[np.float64],
    now: NDArray[np.bool_],
    t_ns: int,
    settings: TrackerSettings,
) -> NDArray[np.bool_]:
    """Return which tracks give a row: measured ``now``, or coasted and plausible.

    Plausible: nobody looked since, or the first miss is younger than the limit for open, partly
    hidden (``hidden`` is the share of its box under another) or standing users and than a third
    of the time it had been seen before, so that a flicker leaves no ghost. Who lies wholly behind
    another gives no row: the track waits unseen until it comes out. An unconfirmed track gives a
    row only when it is measured.
    """
    instant = np.array(t_ns)
    missed_ns = instant - np.minimum(table.missed_ns, instant)
    open_ns, hidden_ns = settings.coast_s * NS_PER_S, settings.hidden_coast_s * NS_PER_S
    limit_ns = np.where(hidden > _HIDDEN, hidden_ns, open_ns)
    limit_ns[stands(table)] = settings.standing_life_s * NS_PER_S
    plausible = missed_ns < limit_ns
    plausible &= missed_ns <= (table.seen_ns - table.birth_ns) * settings.coast_share
    plausible &= (hidden < _WHOLLY_HIDDEN) | (table.missed_ns > instant)
    plausible &= table.sure
    plausible |= now
    visible: NDArray[np.bool_] = plausible
    return visible


def hidden_share(
    table: TrackTable, boxes: NDArray[np.float64], *, dark: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the greatest share of each box under one other box, and the rows that are doubles.

    A double moves like the other and lies inside it or covers the same place, and is not one of
    two users whom the net saw apart in the same step. In the ``dark`` beams are doubles, too.
    """
    share = np.zeros(len(table))
    i, j = touching_others(boxes)
    if not len(i):
        return share, i
    area = table.area_px2
    area_i = area[i]
    shared = overlaps(boxes.take(i, axis=1), boxes.take(j, axis=1))
    np.maximum.at(share, i, shared / area_i * table.sure[j])
    lit = beams(table, i, j) if dark else i[:0]
    table.beam[lit] = True
    close = shared > np.minimum(area_i, area[j]) * _CLOSE
    if True not in close.tobytes():
        return share, lit
    return share, np.concatenate((lit, twins(table, i[close], j[close], shared[close])))


def twins(
    table: TrackTable, i: NDArray[np.intp], j: NDArray[np.intp], shared: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the rows ``i`` that look like the double of ``j``, the stronger of the pair."""
    size = table.size_px
    rate = table.rate[:2]
    rate_j = rate.take(j, axis=1)
    apart = np.hypot(*(rate.take(i, axis=1) - rate_j))
    alike = apart < _TWIN_SIZES_PER_S * np.maximum(size[i], size[j]) + 0.15 * np.hypot(*rate_j)
    seen_ns = table.seen_ns
    recent_ns = seen_ns[seen_ns.argmax()] - _TWIN_SEEN_NS
    alike &= (seen_ns[i] >= recent_ns) & (seen_ns[j] >= recent_ns)
    if True not in alike.tobytes():
        return i[:0]
    kind = table.kind
    blob = table.net_hits == 0
    area = size * size
    like_kinds = _IS_VEHICLE[kind[i]] & (kind[i] == kind[j])  # a car before a bus is no double
    inside = (shared > 0.8 * area[i]) & (like_kinds | blob[i])
    around = (shared > 0.8 * area[j]) & blob[i]
    same = (shared > 0.6 * (area[i] + area[j] - shared)) & (seen_ns[i] != seen_ns[j])
    alike &= inside | around | same
    if True not in alike.tobytes():
        return i[:0]
    weaker = _strength(table, i) < _strength(table, j)
    double: NDArray[np.intp] = i[alike & weaker]
    return double


def beams(table: TrackTable, i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows ``i`` that look like the light of the lamps of vehicle ``j``, touching it.

    Only motion ever saw it, it goes ahead of the vehicle as fast as that, and it was not on its
    way for a second before the vehicle was seen: who was there before is somebody.
    """
    pair = (table.net_hits[i] == 0) & table.sure[j] & (table.net_hits[j] > 0)
    pair &= _IS_VEHICLE[table.kind[j]] & (table.birth_ns[i] >= table.birth_ns[j] - _BEAM_NS)
    i, j = i[pair], j[pair]
    if not len(i):
        return i
    rate_j = table.rate[:2].take(j, axis=1)
    speed = np.hypot(*rate_j)
    apart = np.hypot(*(table.rate[:2].take(i, axis=1) - rate_j))
    size = table.size_px
    ahead = ((table.mean[:2].take(i, axis=1) - table.mean[:2].take(j, axis=1)) * rate_j).sum(axis=0)
    lit: NDArray[np.intp] = i[
        (apart < _BEAM_SHARE * (speed + size[j]))
        & (ahead > 0)
        & (speed > _STANDS_SIZES_PER_S * size[j])
    ]
    return lit


def hold_back(
    table: TrackTable, boxes: NDArray[np.float64], doubles: NDArray[np.intp], t_ns: int
) -> None:
    """Let unconfirmed tracks that look like beams begin anew, in place.

    What went ahead of a vehicle has not come any way of its own yet.
    """
    rows = doubles[table.beam[doubles] & ~table.sure[doubles]]
    if len(rows):
        table.birth_ns[rows] = t_ns
        table.born[:, rows] = boxes[:, rows]
        table.path_px[rows] = table.leap_px[rows] = 0.0


def _strength(table: TrackTable, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return a number that is greater for tracks of the net, confirmed and older ones."""
    rank = (table.net_hits > 0) * 2 + table.sure
    order = np.empty(len(table), np.int64)
    order[np.lexsort((-table.serial, -table.birth_ns, rank))] = np.arange(len(table))
    return order[rows]


def run_twin_clock(
    table: TrackTable, doubles: NDArray[np.intp], t_ns: int
) -> NDArray[np.bool_] | None:
    """Keep the time since when a track looks like a double, in place; return who must end.

    Only confirmed ones: an unconfirmed one stays, so that it takes its boxes and stays nobody.
    """
    if not len(doubles):
        table.twin_ns.fill(NEVER_NS)
        return None
    double = np.zeros(len(table), np.bool_)
    double[doubles] = True
    table.twin_ns = votes.run_clock(table.twin_ns, double & table.sure, t_ns)
    over: NDArray[np.bool_] = t_ns - np.minimum(table.twin_ns, t_ns) > _TWIN_NS
    return over
