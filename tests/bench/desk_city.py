"""A city's store for the bench of the desk: days of bins of many cameras, many events.

Every camera is calibrated and has gates, zones and movements; the first of them also has every
single passage, speed and interacting pair of a busy junction.
"""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from tests.web.desks import (
    DAY_NS,
    MONDAY_NS,
    PLANE,
    SITE,
    a_flow,
    a_run,
    an_event,
    approaches,
    keep_evidence,
)
from tests.web.pairs import pairs_at

from calmstreet.clock import FakeClock
from calmstreet.config.node import NodeFile, NodeFolders
from calmstreet.config.site import parse_site
from calmstreet.model.bins import Bins
from calmstreet.model.flow import Crossings, Flow, Journeys
from calmstreet.model.kinds import Kind
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.model.speeds import GateSpeeds, no_zone_times
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.conflicts import ConflictRun
from calmstreet.units import NS_PER_S
from calmstreet.web.node import Node

__all__ = ["a_city", "node_at"]

KINDS = (Kind.UNKNOWN, Kind.PEDESTRIAN, Kind.BICYCLE, Kind.CAR, Kind.TRUCK)
GATES = 4
PAIRS_A_DAY = 300
_MOVEMENTS = """[[movement]]
id = "{c}-n-s"
from = "{c}-n"
to = "{c}-s"
[[movement]]
id = "{c}-s-n"
from = "{c}-s"
to = "{c}-n"
"""
_GATE = """[[gate]]
id = "{c}-g{n}"
camera = "{c}"
points_px = [[150, {y}], [500, {y}]]
"""


def _site(cameras: int) -> Site:
    names = [f"c{n}" for n in range(cameras)]
    rows = [f'[[camera]]\nid = "{name}"{PLANE}' for name in names]
    rows += [approaches(c, f"{c}-n", f"{c}-s") + _MOVEMENTS.format(c=c) for c in names]
    rows += [_GATE.format(c=c, n=n, y=180 + 20 * n) for c in names for n in range(GATES)]
    return parse_site(SITE.split("[[camera]]")[0] + "".join(rows))


def _series(c: str) -> tuple[str, ...]:
    sides = (f"gate:{c}-g{n}:{side}" for n in range(GATES) for side in ("to_left", "to_right"))
    ends = ((f"{c}-n", f"{c}-s"), (f"{c}-s", f"{c}-n"), (f"{c}-n", f"{c}-n"), ("unknown",) * 2)
    return (*sides, *(f"movement:{a}:{b}" for a, b in ends))


def _bins(camera_id: str, version: str, start_ns: int, width_s: float) -> Bins:
    slices, series = round(86_400 / width_s), _series(camera_id)
    n = len(series) * len(KINDS) * slices
    quarters = np.random.default_rng(3).poisson(5.0, len(series) * len(KINDS) * 96)
    starts = start_ns + np.arange(slices) * round(width_s * NS_PER_S)
    return Bins(
        camera_id=camera_id,
        site_version=version,
        width_s=width_s,
        what=np.repeat(np.array(series), len(KINDS) * slices),
        kind=np.tile(np.repeat(np.array(KINDS, np.uint8), slices), len(series)),
        start_ns=np.tile(starts, len(series) * len(KINDS)),
        count=quarters.reshape(n, -1).sum(axis=1).astype(np.float32),
        exposure_s=np.full(n, width_s, np.float32),
        flags=np.full(n, "day"),
    )


def _busy(site: Site, run: Run, passages: int) -> tuple[Flow, GateSpeeds]:
    """Return a run with so many passages, each with its speed and a journey."""
    few, n = a_flow(site, run, run.run_id), passages
    rng = np.random.default_rng(run.run_id)
    t_ns = run.start_ns + np.sort(rng.integers(0, DAY_NS - NS_PER_S, n))
    ids = (run.run_id << 32) + np.arange(1, n + 1)
    gate_id = np.array([f"{run.camera_id}-g{k}" for k in rng.integers(0, GATES, n)])
    kind = rng.choice(np.array(KINDS, np.uint8), n)
    direction = np.where(rng.random(n) < 0.5, "to_left", "to_right")
    headway_s, speed_mps = rng.exponential(8.0, n), rng.normal(12.0, 2.0, n)
    turn = np.arange(n) % len(few.journeys.track_id)
    again = {field.name: getattr(few.journeys, field.name)[turn] for field in fields(Journeys)}
    movement = np.where(rng.random(n) < 0.5, f"{run.camera_id}-n-s", f"{run.camera_id}-s-n")
    return (
        replace(
            few,
            minutes=replace(
                few.minutes,
                gate_ids=tuple(f"{run.camera_id}-g{k}" for k in range(GATES)),
                occupied_s=np.repeat(few.minutes.occupied_s, GATES, axis=1),
            ),
            crossings=Crossings(
                gate_id=gate_id, t_ns=t_ns, track_id=ids, kind=kind, direction=direction,
                headway_s=headway_s, gap_s=headway_s - 0.5, speed_mps=speed_mps,
                length_m=np.full(n, 4.4), counted=np.ones(n, bool),
            ),
            journeys=Journeys(
                **again | {
                    "track_id": ids, "kind": kind, "start_ns": t_ns - NS_PER_S,
                    "end_ns": t_ns + NS_PER_S, "done_ns": t_ns, "movement_id": movement,
                }
            ),
        ),
        GateSpeeds(
            camera_id=run.camera_id, run_id=run.run_id, gate_id=gate_id, t_ns=t_ns, track_id=ids,
            kind=kind, direction=direction, headway_s=headway_s, speed_mps=speed_mps,
            sigma_random_mps=np.full(n, 0.3), sigma_site_mps=np.full(n, 0.2),
            half95_mps=np.full(n, 0.7), n=np.full(n, 9), length_m=np.full(n, 9.0),
            method=np.full(n, "linear"), reason=np.full(n, ""),
        ),
    )  # fmt: skip


def _keep_day(kept: Catalogue, site: Site, run: Run, *, events: int, passages: int) -> None:
    run_id = kept.new_run(run)
    run = replace(run, run_id=run_id)
    if passages:
        flow, speeds = _busy(site, run, passages)
        kept.save_flow(flow)
        times = no_zone_times(camera_id=run.camera_id, run_id=run_id)
        kept.save_speeds(run_id, speeds, times)
        step_ns = DAY_NS // PAIRS_A_DAY
        pairs = pairs_at(
            run.camera_id, run_id, run.start_ns + step_ns * np.arange(PAIRS_A_DAY),
            level=[max(k % 20 - 15, 0) for k in range(PAIRS_A_DAY)],
            watched_ns=(run.start_ns, run.end_ns),
        )  # fmt: skip
        kept.save_conflicts(run_id, pairs, ConflictRun())
    else:
        kept.save_flow(a_flow(site, run, run_id))
    for width_s in (900.0, 3600.0, 86_400.0):
        kept.save_bins(run_id, _bins(run.camera_id, site.site_version, run.start_ns, width_s))
    starts = [run.start_ns + k * 60 * NS_PER_S for k in range(events)]
    found = [an_event(run.camera_id, run_id, t, severity=k % 5) for k, t in enumerate(starts)]
    kept.save_events(run_id, found)
    if passages and found and run.start_ns == MONDAY_NS:
        keep_evidence(kept, found[0], run_id, site)
    kept.publish([run_id])


def a_city(
    place: Path,
    *,
    cameras: int = 20,
    days: int = 30,
    events: int = 50_000,
    passages: int = 5000,
) -> Node:
    """Return a node with one result; ``passages`` are those of the first camera in a day."""
    site = _site(cameras)
    each = events // (cameras * days)
    with Catalogue.open(
        place / "results" / "city", create=True, clock=FakeClock(start_ns=MONDAY_NS)
    ) as kept:
        kept.save_site(site)
        for n in range(cameras):
            for day in range(days):
                run = a_run(site, f"c{n}", MONDAY_NS + day * DAY_NS)
                _keep_day(kept, site, run, events=each, passages=0 if n else passages)
    return node_at(place)


def node_at(place: Path) -> Node:
    """Return the node of a city that was made before."""
    return Node(
        folders=NodeFolders(results=place / "results", desk=place / "desk"),
        settings=NodeFile.model_validate({"limits": {"requests_per_minute": 100_000}}),
        clock=FakeClock(start_ns=MONDAY_NS + 40 * DAY_NS),
    )
