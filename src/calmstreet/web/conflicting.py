"""Events and conflicts of one camera by movement and hour of the day, over the time watched."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from calmstreet.store.queue import EventFilter, Queue
from calmstreet.units import local_datetime
from calmstreet.web.answers_junction import ConflictCell, ConflictPage
from calmstreet.web.numbers import rate_per_hour
from calmstreet.web.spans import View

__all__ = ["conflict_page", "hours_watched_s"]

_HOUR_NS = 3600 * 10**9


def conflict_page(view: View) -> ConflictPage:
    """Return events that were not rejected, by movement, local hour, kind and severity."""
    wanted = EventFilter(
        camera_id=view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns, severity_min=1
    )
    found = Queue(seen=view.seen).by_movement(wanted)
    hours: dict[int, int] = {}
    cells: Counter[tuple[str, int, str, int]] = Counter()
    for movement_id, kind, severity, start_ns, _ in found:
        slot = start_ns // _HOUR_NS
        if slot not in hours:
            hours[slot] = local_datetime(slot * _HOUR_NS, view.tz).hour
        cells[movement_id, hours[slot], kind, severity] += 1
    spells = view.seen.watched(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    exposure_s = float((spells[:, 1] - spells[:, 0]).sum()) / 1e9
    rate, low, high = rate_per_hour(len(found), exposure_s)
    return ConflictPage(
        period=view.period,
        available=view.ground.plane is not None,
        reason="" if view.ground.plane is not None else "no-plane",
        exposure_s=round(exposure_s, 1),
        hours_exposure_s=[round(s, 1) for s in hours_watched_s(spells, view.tz)],
        cells=[
            ConflictCell(movement_id=movement_id, hour=hour, kind=kind, level=level, n=n)
            for (movement_id, hour, kind, level), n in sorted(cells.items())
        ],
        by_kind=dict(Counter(row[1] for row in found)),
        per_hour=rate,
        per_hour_low=low,
        per_hour_high=high,
    )


def hours_watched_s(spells: NDArray[np.int64], tz: str) -> list[float]:
    """Return the seconds watched in each of the 24 local hours of spells (n, 2), UTC ns.

    >>> hours_watched_s(np.array([[0, 5400 * 10**9]]), "UTC")[:3]
    [3600.0, 1800.0, 0.0]
    """
    found = [0.0] * 24
    for start_ns, end_ns in spells.tolist():
        at_ns = start_ns
        while at_ns < end_ns:
            quarter_ns = _HOUR_NS // 4
            until_ns = min((at_ns // quarter_ns + 1) * quarter_ns, end_ns)
            found[local_datetime(at_ns, tz).hour] += (until_ns - at_ns) / 1e9
            at_ns = until_ns
    return found
