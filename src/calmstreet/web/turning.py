"""The turning-movement diagram: how many went from where to where."""

import math
from collections.abc import Sequence
from datetime import time
from typing import NamedTuple

from calmstreet.model.flow import UNMATCHED
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.site import Movement
from calmstreet.safety.bins import movement_what
from calmstreet.safety.movements import movements_of, terminals_of, turn_of
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import EndPlace, MovementCell, TurningPage
from calmstreet.web.counting import STORED_S, stored_width_s
from calmstreet.web.numbers import rate_per_hour
from calmstreet.web.spans import View

__all__ = ["movement_cells", "turning_page"]

Vector = tuple[float, float]
_NS = 1_000_000_000


class Total(NamedTuple):
    """How many of one kind made one movement in how many seconds."""

    kind: int
    n: float
    watched_s: float


def turning_page(view: View) -> TurningPage:
    """Return movements with counts by class, hourly rates with intervals, and turns."""
    rows = _totals(view)
    headings, metric = _headings(view)
    movements = movements_of(view.site)
    cells = [
        _cell(rows.get(movement_what(one.from_id, one.to_id), ()), one, headings)
        for one in movements
    ]
    unknown = _by_kind(rows.get(movement_what(UNMATCHED, UNMATCHED), ()))
    exposures = [_exposure_s(totals) for totals in rows.values()]
    return TurningPage(
        period=view.period,
        exposure_s=round(min(exposures, default=0.0), 1),
        ends=_ends(view, movements, headings),
        movements=cells,
        unknown=sum(unknown.values()),
        unknown_by_kind=unknown,
        metric=metric,
    )


def movement_cells(view: View) -> list[MovementCell]:
    """Return how many made each movement, with the turns that the site names."""
    rows = _totals(view)
    return [
        _cell(rows.get(movement_what(one.from_id, one.to_id), ()), one, {})
        for one in movements_of(view.site)
    ]


def _totals(view: View) -> dict[str, list[Total]]:
    found = view.seen.bin_totals(
        view.camera_id,
        start_ns=view.start_ns,
        end_ns=view.end_ns,
        width_ns=_width_s(view) * _NS,
        prefix="movement:",
    )
    rows: dict[str, list[Total]] = {}
    for what, kind, n, watched_s in found:
        rows.setdefault(what, []).append(Total(kind=kind, n=n, watched_s=watched_s))
    return rows


def _width_s(view: View) -> int:
    """Return the width of the bins to sum: days where the span is long and of whole local days."""
    width_s = stored_width_s(view, STORED_S[0])
    open_end = view.end_ns > view.row.end_ns
    whole = _is_midnight(view.start_ns, view.tz) and (
        open_end or _is_midnight(view.end_ns, view.tz)
    )
    return STORED_S[-1] if whole and width_s > STORED_S[0] else width_s


def _is_midnight(t_ns: int, tz: str) -> bool:
    return t_ns % _NS == 0 and local_datetime(t_ns, tz).time() == time()


def _headings(view: View) -> tuple[dict[str, tuple[Vector, Vector]], bool]:
    """Return mean headings (entry, exit) by movement, and whether they are those on the ground."""
    rows = view.seen.headings(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    known = {
        str(row[0]): ((float(row[1]), float(row[2])), (float(row[3]), float(row[4])))
        for row in rows
        if None not in row[1:5]
    }
    return known, bool(rows) and all(row[5] for row in rows)


def _by_kind(rows: Sequence[Total]) -> dict[str, int]:
    return {KIND_NAMES[total.kind]: round(total.n) for total in rows if total.n > 0}


def _exposure_s(rows: Sequence[Total]) -> float:
    """Return the seconds watched for a series: those of any one kind, which all have the same."""
    return max((total.watched_s for total in rows), default=0.0)


def _cell(
    rows: Sequence[Total], movement: Movement, headings: dict[str, tuple[Vector, Vector]]
) -> MovementCell:
    by_kind = _by_kind(rows)
    total = sum(by_kind.values())
    rate, low, high = rate_per_hour(total, _exposure_s(rows))
    turn = movement.turn
    if not turn and movement.from_id == movement.to_id:
        turn = "u"
    if not turn and movement.id in headings:
        entry, leave = headings[movement.id]
        turn = turn_of(entry, leave)
    return MovementCell(
        movement_id=movement.id,
        from_id=movement.from_id,
        to_id=movement.to_id,
        turn=turn,
        forbidden=movement.forbidden,
        total=total,
        by_kind=by_kind,
        per_hour=rate,
        per_hour_low=low,
        per_hour_high=high,
    )


def _ends(
    view: View, movements: tuple[Movement, ...], headings: dict[str, tuple[Vector, Vector]]
) -> list[EndPlace]:
    """Return the ends of movements around the diagram, where traffic comes from or goes to."""
    names = {zone.id: zone.name for zone in view.site.zones}
    names |= {gate.id: gate.name for gate in view.site.gates}
    out: dict[str, Vector] = {}
    for movement in movements:
        if movement.id in headings:
            entry, leave = headings[movement.id]
            _add(out, movement.from_id, (-entry[0], -entry[1]))
            _add(out, movement.to_id, leave)
    ends = terminals_of(view.site)
    return [
        EndPlace(
            id=end,
            name=names.get(end, "") or end,
            angle_deg=_angle_deg(out[end]) if end in out else round(360 * place / len(ends), 1),
        )
        for place, end in enumerate(ends)
    ]


def _add(sums: dict[str, Vector], end: str, way: Vector) -> None:
    x, y = sums.get(end, (0.0, 0.0))
    sums[end] = (x + way[0], y + way[1])


def _angle_deg(way: Vector) -> float:
    """Return the angle of a way (right, up) clockwise from up.

    >>> _angle_deg((1.0, 0.0))
    90.0
    """
    return round(math.degrees(math.atan2(way[0], way[1])) % 360, 1)
