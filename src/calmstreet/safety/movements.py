"""From where to where: entry, exit and turn of each road user.

A journey runs from the first to the last zone or gate that was touched. Who touches only one is
either an entry or an exit, never a movement, unless the same approach was left for good and
entered again: that is a U-turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calmstreet.model.flow import UNMATCHED, Flow, MovementTurn
from calmstreet.model.site import Movement, Site

__all__ = [
    "Ends",
    "Touch",
    "ends_of",
    "movements_of",
    "places_of",
    "terminals_of",
    "turn_of",
    "turns_of",
]


@dataclass(slots=True, kw_only=True)
class Touch:
    """How one road user met one zone or gate; times in UTC ns.

    ``since_ns`` begin of the latest visit; ``visits`` grows when the user had been clear away in
    between; ``born_inside`` and ``inside`` at the first and the last row.
    """

    id: str
    first_ns: int = 0
    last_ns: int = 0
    since_ns: int = 0
    visits: int = 0
    away: bool = True
    born_inside: bool = False
    inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Entry and exit of one journey and the time of arrival at the exit."""

    entry_id: str
    exit_id: str
    done_ns: int


def movements_of(site: Site) -> tuple[Movement, ...]:
    """Return the site's movements; without any, every ordered pair of approaches.

    >>> from calmstreet.model.site import Zone
    >>> zones = tuple(Zone(id=i, camera_id="c", kind="approach") for i in "ns")
    >>> [m.id for m in movements_of(Site(id="x", zones=zones))]
    ['n-n', 'n-s', 's-n', 's-s']
    """
    if site.movements:
        return site.movements
    approaches = [zone.id for zone in site.zones if zone.kind == "approach"]
    return tuple(
        Movement(id=f"{a}-{b}", from_id=a, to_id=b) for a in approaches for b in approaches
    )


def terminals_of(site: Site) -> tuple[str, ...]:
    """Return the ids of zones and gates at which a movement may begin or end, in site order.

    >>> terminals_of(Site(id="x", movements=(Movement(id="m", from_id="a", to_id="b"),)))
    ('a', 'b')
    """
    named = [name for m in movements_of(site) for name in (m.from_id, m.to_id)]
    return tuple(dict.fromkeys(named))


def places_of(site: Site, movement_id: str) -> tuple[str, ...]:
    """Return the zones or gates on which a movement rests; for an unknown one all terminals.

    >>> site = Site(id="x", movements=(Movement(id="m", from_id="a", to_id="b"),))
    >>> places_of(site, "m"), places_of(site, "unknown")
    (('a', 'b'), ('a', 'b'))
    """
    for movement in movements_of(site):
        if movement.id == movement_id:
            return movement.from_id, movement.to_id
    return terminals_of(site)


def ends_of(touches: Sequence[Touch], *, start_ns: int, end_ns: int) -> Ends:
    """Return entry and exit of a road user seen from ``start_ns`` to ``end_ns``.

    >>> n, s = Touch(id="n", first_ns=1, last_ns=4, visits=1), Touch(
    ...     id="s", first_ns=7, since_ns=7, last_ns=9, visits=1)
    >>> ends_of([n, s], start_ns=0, end_ns=9)
    Ends(entry_id='n', exit_id='s', done_ns=7)
    >>> ends_of([n], start_ns=0, end_ns=9)
    Ends(entry_id='n', exit_id='unknown', done_ns=9)
    """
    met = [touch for touch in touches if touch.visits]
    if not met:
        return Ends(entry_id=UNMATCHED, exit_id=UNMATCHED, done_ns=end_ns)
    first = min(met, key=lambda touch: touch.first_ns)
    last = max(met, key=lambda touch: touch.last_ns)
    if first is not last or last.visits > 1:
        return Ends(entry_id=first.id, exit_id=last.id, done_ns=last.since_ns)
    if _is_exit(last, start_ns, end_ns):
        return Ends(entry_id=UNMATCHED, exit_id=last.id, done_ns=last.since_ns)
    return Ends(entry_id=first.id, exit_id=UNMATCHED, done_ns=end_ns)


def _is_exit(touch: Touch, start_ns: int, end_ns: int) -> bool:
    """Tell whether the only place that was met is where the journey ended."""
    if touch.born_inside != touch.inside:
        return touch.inside
    return touch.first_ns - start_ns > end_ns - touch.last_ns


def turn_of(entry_heading: ArrayLike, exit_heading: ArrayLike) -> str:
    """Return left, through, right or u from two headings (x, y) with y up.

    Up to 45 degrees is through, up to 135 a turn, beyond that a U-turn; "" when unknown.

    >>> turn_of((0, 1), (-1, 0)), turn_of((0, 1), (0.2, 1)), turn_of((0, 1), (0, -1))
    ('left', 'through', 'u')
    """
    (ax, ay), (bx, by) = np.asarray(entry_heading, float), np.asarray(exit_heading, float)
    angle_deg = float(np.degrees(np.arctan2(ax * by - ay * bx, ax * bx + ay * by)))
    if not np.isfinite(angle_deg) or (ax == 0 and ay == 0) or (bx == 0 and by == 0):
        return ""
    if abs(angle_deg) <= 45:
        return "through"
    if abs(angle_deg) > 135:
        return "u"
    return "left" if angle_deg > 0 else "right"


def turns_of(site: Site, flows: Sequence[Flow]) -> tuple[MovementTurn, ...]:
    """Return every movement with its turn: as given, else from mean entry and exit headings.

    On a picture without a plane the headings are those of the picture: perspective squeezes
    angles, so that a flat view may take a turn for through. ``source`` says which it was.
    """
    return tuple(_turn(movement, flows) for movement in movements_of(site))


def _turn(movement: Movement, flows: Sequence[Flow]) -> MovementTurn:
    turn, source, seen = movement.turn, "given" if movement.turn else "", 0
    if not turn and movement.from_id == movement.to_id:
        turn, source = "u", "same approach"
    if not turn:
        turn, source, seen = _measured(movement.id, flows)
    return MovementTurn(
        id=movement.id,
        from_id=movement.from_id,
        to_id=movement.to_id,
        turn=turn,
        source=source,
        journeys=seen,
    )


def _measured(movement_id: str, flows: Sequence[Flow]) -> tuple[str, str, int]:
    """Return turn, source and number of headings; metres are preferred to the picture."""
    for metric in (True, False):
        entry, leave, seen = np.zeros(2), np.zeros(2), 0
        for flow in flows:
            mine = flow.journeys
            rows = (mine.movement_id == movement_id) & mine.counted & (mine.metric == metric)
            rows &= np.isfinite(mine.entry_heading[:, 0]) & np.isfinite(mine.exit_heading[:, 0])
            entry = entry + mine.entry_heading[rows].sum(axis=0)
            leave = leave + mine.exit_heading[rows].sum(axis=0)
            seen += int(rows.sum())
        if seen and (turn := turn_of(entry, leave)):
            return turn, "metres" if metric else "picture", seen
    return "", "", 0
