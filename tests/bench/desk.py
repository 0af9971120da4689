"""What a page of the desk costs on a large store, beside the bare query for the same rows."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.bench.desk_city import a_city
from tests.bench.measure import Row, row, take_turns
from tests.web.desks import DAY_NS, MONDAY_NS, Person, add_person, app_of, signed_in, the_result

from calmstreet.store.pairs import Pairs
from calmstreet.store.queue import EventFilter, Queue
from calmstreet.store.seen import Seen
from calmstreet.units import NS_PER_S
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node
from calmstreet.web.serving import settle_memory

__all__ = ["bench_desk", "pages_of"]

LONGEST_S = 0.3


def bench_desk(*, rounds: int = 5, **size: int) -> Iterator[Row]:
    """Ask each page in turns with the bare query; 300 ms are the bar on a city's store."""
    with tempfile.TemporaryDirectory() as place:
        node = a_city(Path(place), **size)
        boss = Person(role="administrator")
        add_person(node, boss)
        knocker = signed_in(node, app_of(node), boss)
        settle_memory()
        for name, (target, bare) in pages_of(node).items():
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


def pages_of(node: Node) -> dict[str, tuple[str, Callable[[], object]]]:
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

    def pairs() -> object:
        end_ns = MONDAY_NS + 30 * DAY_NS
        with Seen.open(result.folder, cameras=None) as seen:
            found = Pairs(seen=seen, camera_id="c0", start_ns=MONDAY_NS, end_ns=end_ns)
            return found.conflicts(), found.by_slice(width_ns=900 * NS_PER_S, without=())

    def passages(table: str, *names: str) -> Callable[[], object]:
        def ask() -> object:
            end_ns = MONDAY_NS + 30 * DAY_NS
            with Seen.open(result.folder, cameras=None) as seen:
                return seen.passages(table, names, "c0", start_ns=MONDAY_NS, end_ns=end_ns)

        return ask

    def cameras() -> object:
        with Seen.open(result.folder, cameras=None) as seen:
            return seen.camera_rows()

    with Seen.open(result.folder, cameras=None) as seen:
        oldest = EventFilter(camera_id="c0", end_ns=MONDAY_NS + NS_PER_S)
        first = Queue(seen=seen).page(oldest, limit=1)[0].event.event_id
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
        "headways, 30 days": (f"{mine}/headways", passages("crossings", "gate_id", "headway_s")),
        "speeds, 30 days": (f"{mine}/speeds", passages("speeds", "gate_id", "speed_mps")),
        "conflicts, 30 days": (f"{mine}/conflicts", pairs),
        "comparison, 14 days each": (
            f"/api/compare?{both}&before_start_ms={start_ms}"
            f"&before_end_ms={start_ms + 14 * day_ms}&{later}",
            bins(28, 3600),
        ),
        "queue of events": ("/api/events?state=all", events),
        "map of one camera": (f"{top}/map?camera_id=c0", events),
        "map of the city": (f"{top}/map", events),
        "event": (f"{top}/events/{first}", events),
        "site": (f"{top}/site", cameras),
    }
