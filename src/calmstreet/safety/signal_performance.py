"""What signals achieve: control delay, level of service, saturation flow, arrivals on green.

Delay of a road user is its time from first sight to the exit of its movement less the free-flow
time, the 15th percentile of those times (85th percentile of speed). Levels of service are those of
the Highway Capacity Manual for signals: A to 10 s, B 20, C 35, D 55, E 80, F beyond.

Saturation flow is 3600 / h, h the mean headway of the fourth and later road users of a queue as it
discharges (HCM); a queue is as many as pass from the start of green on with headways under 4 s.
Fewer than 8 users in a queue say nothing; fewer than 15 cycles are marked as not enough.

Arrivals on green: the share of those whose undelayed arrival at the line (first sight plus the
free-flow time to the line) falls on green.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.flow import DIRECTIONS, Flow
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site
from calmstreet.safety.ground_plan import PlanGate, ground_plan
from calmstreet.safety.signal_log import SignalLog
from calmstreet.units import NS_PER_S

__all__ = [
    "control_delays_s",
    "hcm_delay_s",
    "level_of_service",
    "saturation_headways_s",
    "signal_performance",
]

_LEVELS = ((10.0, "A"), (20.0, "B"), (35.0, "C"), (55.0, "D"), (80.0, "E"))
_QUEUE_HEADWAY_S = 4.0
_START_LOST = 4
_LEAST_QUEUE = 8
_LEAST_CYCLES = 15
_RUNNING_S = 0.3
_LEAST_USERS = 5


def level_of_service(delay_s: float) -> str:
    """Return the level of a mean control delay, "" when unknown.

    >>> level_of_service(29.80), level_of_service(81), level_of_service(float("nan"))
    ('C', 'F', '')
    """
    if math.isnan(delay_s):
        return ""
    return next((level for limit, level in _LEVELS if delay_s <= limit), "F")


def hcm_delay_s(
    *,
    cycle_s: float,
    green_s: float,
    degree: float,
    saturation_per_h: float,
    period_h: float = 0.25,
    k: float = 0.5,
    i: float = 1.0,
) -> float:
    """Return the control delay of the Highway Capacity Manual, uniform plus incremental.

    ``degree`` is volume over capacity, ``k`` and ``i`` the factors of control and of what comes
    from upstream.

    >>> round(hcm_delay_s(cycle_s=90, green_s=40, degree=0.8, saturation_per_h=1800), 2)
    29.8
    """
    share = green_s / cycle_s
    capacity = saturation_per_h * share
    uniform = 0.5 * cycle_s * (1 - share) ** 2 / (1 - min(1.0, degree) * share)
    over = degree - 1
    root = math.sqrt(over * over + 8 * k * i * degree / (capacity * period_h))
    return uniform + 900 * period_h * (over + root)


def control_delays_s(times_s: ArrayLike) -> NDArray[np.float64]:
    """Return the delay (n,) of each travel time of one movement, never negative.

    >>> control_delays_s([10, 10, 10, 30]).tolist()
    [0.0, 0.0, 0.0, 20.0]
    """
    times = np.asarray(times_s, np.float64)
    if not len(times):
        return times
    free_s = float(np.percentile(times, 15))
    return np.maximum(times - free_s, 0.0)


def saturation_headways_s(passes_s: ArrayLike, greens_s: ArrayLike) -> tuple[list[float], int]:
    """Return the saturated headways of all cycles and the number of cycles that had any.

    ``passes_s`` (n,) times at the line, rising; ``greens_s`` (k, 2) begin and end of each green.

    >>> passes = [2, 5, 7.5, 10, 12, 14, 16, 18]
    >>> saturation_headways_s(passes, [[0, 30]])
    ([2.0, 2.0, 2.0, 2.0], 1)
    """
    times = np.asarray(passes_s, np.float64)
    found: list[float] = []
    cycles = 0
    for begin, end in np.asarray(greens_s, np.float64).reshape(-1, 2):
        mine = times[(times >= begin) & (times < end)]
        if not len(mine) or mine[0] - begin > _QUEUE_HEADWAY_S:
            continue
        headways = np.diff(mine)
        broken = np.flatnonzero(headways >= _QUEUE_HEADWAY_S)
        queued = headways[: int(broken[0])] if len(broken) else headways
        if len(queued) + 1 < _LEAST_QUEUE:
            continue
        found += queued[_START_LOST - 1 :].tolist()
        cycles += 1
    return found, cycles


def signal_performance(
    flow: Flow,
    changes: SignalChanges,
    *,
    site: Site,
    queues: Mapping[str, float] | None = None,
    runners: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return what is known per gate with a signal and per movement; {} without any states.

    ``queues`` are the longest queues by gate in metres, ``runners`` how many the red-light rule
    found there (None: it did not run, and the running rate is unknown). Who only rolls over the
    line on red passes on red and is no runner.
    """
    if not len(changes):
        return {}
    log = SignalLog(changes)
    plan = ground_plan(site, metric=True)
    gates = [gate for gate in plan.gates if gate.signal in log.heads]
    return {
        "gates": [_gate_row(flow, gate, log, queues or {}, runners) for gate in gates],
        "movements": _movement_rows(flow),
    }


def _gate_row(
    flow: Flow,
    gate: PlanGate,
    log: SignalLog,
    queues: Mapping[str, float],
    runners: Mapping[str, int] | None,
) -> dict[str, Any]:
    c = flow.crossings
    mine = c.counted & (c.gate_id == gate.id)
    if gate.forward:
        mine &= c.direction == DIRECTIONS[0 if gate.forward > 0 else 1]
    times, tracks = c.t_ns[mine], c.track_id[mine]
    state, _ = log.at(gate.signal, times)
    into = [log.red_since(gate.signal, int(t)) for t in times.tolist()]
    late = [
        (int(t) - since) / NS_PER_S
        for t, since in zip(times.tolist(), into, strict=True)
        if since is not None
    ]
    on_red = sum(into_s > _RUNNING_S for into_s in late)
    headways, cycles = saturation_headways_s(times / NS_PER_S, _greens(log, gate.signal))
    enough = cycles >= _LEAST_CYCLES
    return {
        "gate": gate.id,
        "signal": gate.signal,
        "passes": len(times),
        "on_amber": int((state == SignalState.AMBER).sum()),
        "on_red": on_red,
        "red_runners": None if runners is None else runners.get(gate.id, 0),
        "red_running_share": (
            runners.get(gate.id, 0) / len(times) if runners is not None and len(times) else None
        ),
        "arrivals_on_green_share": _arrivals(flow, times, tracks, gate.signal, log),
        "saturation_per_h": 3600.0 / float(np.mean(headways)) if headways else None,
        "saturation_cycles": cycles,
        "saturation_enough": enough,
        "longest_queue_m": queues.get(gate.id),
    }


def _greens(log: SignalLog, head: str) -> NDArray[np.float64]:
    t_ns, state = log.changes_of(head)
    green = np.flatnonzero(state == SignalState.GREEN)
    ends = np.append(t_ns, t_ns[-1])[green + 1]
    spans: NDArray[np.float64] = np.stack([t_ns[green], ends], axis=1) / NS_PER_S
    return spans


def _arrivals(
    flow: Flow,
    times: NDArray[np.int64],
    tracks: NDArray[np.int64],
    head: str,
    log: SignalLog,
) -> float | None:
    j = flow.journeys
    begun = dict(zip(j.track_id.tolist(), j.start_ns.tolist(), strict=True))
    starts = np.array([begun.get(track, 0) for track in tracks.tolist()], np.int64)
    if len(times) < _LEAST_USERS:
        return None
    free_ns = np.percentile(times - starts, 15)
    state, _ = log.at(head, (starts + free_ns).astype(np.int64))
    return float(np.mean(state == SignalState.GREEN))


def _movement_rows(flow: Flow) -> list[dict[str, Any]]:
    j = flow.journeys
    rows = []
    for name in sorted({str(m) for m in j.movement_id[j.counted]} - {"unknown"}):
        mine = j.counted & (j.movement_id == name)
        delays = control_delays_s((j.done_ns[mine] - j.start_ns[mine]) / NS_PER_S)
        known = len(delays) >= _LEAST_USERS
        mean = float(delays.mean()) if known else math.nan
        rows.append(
            {
                "movement": name,
                "users": int(mine.sum()),
                "control_delay_s": round(mean, 2) if known else None,
                "level_of_service": level_of_service(mean),
            }
        )
    return rows
