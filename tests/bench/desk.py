"""What a page of the desk costs on a large store, beside the bare query for the same rows."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from tests.bench.measure import Row, row, take_turns
from tests.web.desks import (
    DAY_NS,
    MONDAY_NS,
    SITE,
    Person,
    a_flow,
    a_run,
    add_person,
    an_event,
    app_of,
    signed_in,
    the_result,
)

from calmstreet.clock import FakeClock
from calmstreet.config.node import NodeFile, NodeFolders
from calmstreet.config.site import parse_site
from calmstreet.model.bins import Bins
from calmstreet.model.kinds import Kind
from calmstreet.model.site import Site
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.queue import EventFilter, Queue
from calmstreet.store.seen import Seen
from calmstreet.units import NS_PER_S
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node

__all__ = ["a_city", "bench_desk"]

LONGEST_S = 0.3
KINDS = (Kind.UNKNOWN, Kind.PEDESTRIAN, Kind.BICYCLE, Kind.CAR, Kind.TRUCK)
SERIES = (
    *(f"gate:g{n}:{side}" for n in range(4) for side in ("to_left", "to_right")),
    *(f"movement:{ends}" for ends in ("n:s", "s:n", "n:n", "unknown:unknown")),
)


def _site(cameras: int) -> Site:
    rows = "".join(
        f'[[camera]]\nid = "c{n}"\n[[gate]]\nid = "stop{n}"\ncamera = "c{n}"\n'
        "points_px = [[150, 250], [500, 250]]\n"
        for n in range(cameras)
    )
    head = SITE.split("[[camera]]")[0]
    return parse_site(head + rows)


def _bins(camera_id: str, version: str, start_ns: int, width_s: float) -> Bins:
    slices = round(86_400 / width_s)
    n = len(SERIES) * len(KINDS) * slices
    starts = start_ns + np.arange(slices) * round(width_s * NS_PER_S)
    return Bins(
        camera_id=camera_id,
        site_version=version,
        width_s=width_s,
        what=np.repeat(np.array(SERIES), len(KINDS) * slices),
        kind=np.tile(np.repeat(np.array(KINDS, np.uint8), slices), len(SERIES)),
        start_ns=np.tile(starts, len(SERIES) * len(KINDS)),
        count=np.random.default_rng(3).poisson(5 * width_s / 900, n).astype(np.float32),
        exposure_s=np.full(n, width_s, np.float32),
        flags=np.full(n, "day"),
    )


def a_city(place: Path, *, cameras: int = 20, days: int = 30, events: int = 50_000) -> Node:
    """Return a node whose one result holds days of bins of many cameras and many events."""
    site = _site(cameras)
    each = events // (cameras * days)
    with Catalogue.open(
        place / "results" / "city", create=True, clock=FakeClock(start_ns=MONDAY_NS)
    ) as kept:
        kept.save_site(site)
        for n in range(cameras):
            for day in range(days):
                start_ns = MONDAY_NS + day * DAY_NS
                run = a_run(site, f"c{n}", start_ns)
                run_id = kept.new_run(run)
                kept.save_flow(a_flow(site, replace(run, run_id=run_id), run_id))
                for width_s in (900.0, 3600.0, 86_400.0):
                    kept.save_bins(run_id, _bins(f"c{n}", site.site_version, start_ns, width_s))
                kept.save_events(
                    run_id,
                    [
                        an_event(f"c{n}", run_id, start_ns + k * 60 * NS_PER_S, severity=k % 5)
                        for k in range(each)
                    ],
                )
                kept.publish([run_id])
    return Node(
        folders=NodeFolders(results=place / "results", desk=place / "desk"),
        settings=NodeFile.model_validate({"limits": {"requests_per_minute": 100_000}}),
        clock=FakeClock(start_ns=MONDAY_NS + 40 * DAY_NS),
    )


def bench_desk(*, rounds: int = 5, **size: int) -> Iterator[Row]:
    """Ask each page in turns with the bare query; 300 ms are the bar on a city's store."""
    with tempfile.TemporaryDirectory() as place:
        node = a_city(Path(place), **size)
        boss = Person(role="administrator")
        add_person(node, boss)
        knocker = signed_in(node, app_of(node), boss)
        for name, (target, bare) in _pages(node).items():
            cost = take_turns(
                {"page": partial(_answered, knocker, target), "bare": bare}, rounds=rounds
            )
            seconds, ratio = cost["page"].median_s, cost["page"].over(cost["bare"])
            note = f"{ratio:.1f} times the bare query"
            most = None if size else 1000 * LONGEST_S
            yield row(f"desk {name}", seconds * 1000, "ms of CPU", most=most, note=note)


def _answered(knocker: Knocker, target: str) -> None:
    answer = knocker.ask("GET", target)
    if answer.status != 200:
        raise AssertionError(f"{target} answered {answer.status}: {answer.body[:200]!r}")


def _pages(node: Node) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return target and bare query of each page."""
    result = the_result(node)
    top = f"/api/results/{result.result_id}"
    mine = f"{top}/cameras/c0"
    start_ms, day_ms = MONDAY_NS // 10**6, 86_400_000

    def bins(days: int, width_s: int) -> Callable[[], object]:
        def ask() -> object:
            with Seen.open(result.folder, cameras=None) as seen:
                return seen.bins(
                    "c0",
                    start_ns=MONDAY_NS,
                    end_ns=MONDAY_NS + days * DAY_NS,
                    width_ns=width_s * NS_PER_S,
                )

        return ask

    def events() -> object:
        with Seen.open(result.folder, cameras=None) as seen:
            queue = Queue(seen=seen)
            return queue.tallies(EventFilter()), queue.page(EventFilter(), limit=50)

    def cameras() -> object:
        with Seen.open(result.folder, cameras=None) as seen:
            return seen.camera_rows()

    week = f"start_ms={start_ms}&end_ms={start_ms + 7 * day_ms}"
    later = f"after_start_ms={start_ms + 14 * day_ms}&after_end_ms={start_ms + 28 * day_ms}"
    both = f"before_result={result.result_id}&after_result={result.result_id}&camera_id=c0"
    return {
        "results": ("/api/results", cameras),
        "junction": (f"{mine}/junction", bins(30, 86_400)),
        "counts, 7 days of quarters": (f"{mine}/counts?{week}", bins(7, 900)),
        "counts, 30 days of hours": (f"{mine}/counts", bins(30, 3600)),
        "turns, 30 days": (f"{mine}/turns", bins(30, 3600)),
        "queues, 30 days": (f"{mine}/queues", bins(30, 3600)),
        "headways, 30 days": (f"{mine}/headways", cameras),
        "speeds, 30 days": (f"{mine}/speeds", cameras),
        "conflicts, 30 days": (f"{mine}/conflicts", events),
        "comparison, 14 days each": (
            f"/api/compare?{both}&before_start_ms={start_ms}"
            f"&before_end_ms={start_ms + 14 * day_ms}&{later}",
            bins(28, 3600),
        ),
        "queue of events": ("/api/events?state=all", events),
        "map of one camera": (f"{top}/map?camera_id=c0", events),
        "map of the city": (f"{top}/map", events),
        "site": (f"{top}/site", cameras),
    }
