"""The turning-movement diagram: how many went from where to where."""

import math

import numpy as np

from calmstreet.model.flow import UNMATCHED
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.site import Movement
from calmstreet.safety.movements import movements_of, terminals_of, turn_of
from calmstreet.store.seen import BinRows
from calmstreet.web.answers_junction import EndPlace, MovementCell, TurningPage
from calmstreet.web.counting import STORED_S, stored_width_s
from calmstreet.web.numbers import rate_per_hour
from calmstreet.web.spans import View

__all__ = ["turning_page"]

Vector = tuple[float, float]
_NS = 1_000_000_000


def turning_page(view: View) -> TurningPage:
    """Return movements with counts by class, hourly rates with intervals, and turns."""
    rows = view.seen.bins(
        view.camera_id,
        start_ns=view.start_ns,
        end_ns=view.end_ns,
        width_ns=stored_width_s(view, STORED_S[0]) * _NS,
        prefix="movement:",
    )
    headings, metric = _headings(view)
    movements = movements_of(view.site)
    cells = [_cell(rows, movement, headings) for movement in movements]
    unknown = _by_kind(rows, UNMATCHED, UNMATCHED)
    exposures = [_exposure_s(rows, what) for what in np.unique(rows.what).tolist()]
    return TurningPage(
        period=view.period,
        exposure_s=round(min(exposures, default=0.0), 1),
        ends=_ends(view, movements, headings),
        movements=cells,
        unknown=sum(unknown.values()),
        unknown_by_kind=unknown,
        metric=metric,
    )


def _headings(view: View) -> tuple[dict[str, tuple[Vector, Vector]], bool]:
    """Return mean headings (entry, exit) by movement, and whether they are those on the ground."""
    rows = view.seen.headings(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    known = {
        str(row[0]): ((float(row[1]), float(row[2])), (float(row[3]), float(row[4])))
        for row in rows
        if None not in row[1:5]
    }
    return known, bool(rows) and all(row[5] for row in rows)


def _by_kind(rows: BinRows, from_id: str, to_id: str) -> dict[str, int]:
    mine = rows.what == f"movement:{from_id}:{to_id}"
    return {
        KIND_NAMES[kind]: round(float(rows.count[mine & (rows.kind == kind)].sum()))
        for kind in np.unique(rows.kind[mine & (rows.count > 0)]).tolist()
    }


def _exposure_s(rows: BinRows, what: str) -> float:
    """Return the seconds watched for a series: those of any one kind, which all have the same."""
    mine = rows.what == what
    if not mine.any():
        return 0.0
    starts, place = np.unique(rows.start_ns[mine], return_inverse=True)
    longest = np.zeros(len(starts))
    np.maximum.at(longest, place, rows.exposure_s[mine])
    return float(longest.sum())


def _cell(
    rows: BinRows, movement: Movement, headings: dict[str, tuple[Vector, Vector]]
) -> MovementCell:
    by_kind = _by_kind(rows, movement.from_id, movement.to_id)
    total = sum(by_kind.values())
    watched_s = _exposure_s(rows, f"movement:{movement.from_id}:{movement.to_id}")
    rate, low, high = rate_per_hour(total, watched_s)
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
