"""Gaps come back, and every second is watched, a gap, or shown as missing."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.rows import a_run, a_site, a_step

from calmstreet.clock import FakeClock
from calmstreet.model.gap import Gap
from calmstreet.store.accounting import _covered_ns, accounted, exposures_s
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import PointWriter
from calmstreet.units import NS_PER_S

SPANS = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)).map(sorted), max_size=8)


def opened(folder: Path) -> Catalogue:
    catalogue = Catalogue.open(folder, create=True, clock=FakeClock(start_ns=7))
    catalogue.save_site(a_site())
    return catalogue


def a_gap(start_s: float, end_s: float, *, reason: str = "silent", affects: str = "all") -> Gap:
    return Gap(
        camera_id="north",
        start_ns=round(start_s * NS_PER_S),
        end_ns=round(end_s * NS_PER_S),
        reason=reason,
        affects=affects,
        note="why",
    )


def test_gaps_come_back_once_and_by_span(tmp_path: Path) -> None:
    gaps = [a_gap(1, 4), a_gap(5, 9, reason="frozen"), a_gap(20, 20, reason="clock-step")]
    with opened(tmp_path) as catalogue:
        for gap in [*gaps, gaps[0], replace(gaps[0], camera_id="new-one")]:
            catalogue.save_gap(gap)
        assert catalogue.gaps("north") == gaps
        assert catalogue.gaps("north", start_ns=8 * NS_PER_S, end_ns=15 * NS_PER_S) == gaps[1:2]
        assert catalogue.gaps("new-one") == [replace(gaps[0], camera_id="new-one")]
        assert catalogue.gaps("nobody") == []


def test_time_is_watched_or_a_gap_or_missing(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        for start_s, end_s in ((0, 10), (8, 12), (20, 30)):
            run = a_run(a_site(), start_ns=start_s * NS_PER_S)
            run_id = catalogue.new_run(replace(run, end_ns=end_s * NS_PER_S))
            if start_s == 0:
                catalogue.publish([run_id])
        catalogue.save_gap(a_gap(11, 15))
        catalogue.save_gap(a_gap(0, 40, affects="speeds", reason="overload"))
        found = accounted(catalogue, "north", start_ns=0, end_ns=40 * NS_PER_S)
        assert (found.stored_s, found.gap_s, found.unaccounted_s) == (22.0, 3.0, 15.0)
        assert found.share == pytest.approx(25 / 40)
        assert accounted(catalogue, "north", start_ns=5, end_ns=5).share == 1.0
        assert accounted(catalogue, "south", start_ns=0, end_ns=NS_PER_S).share == 0.0


def test_an_open_run_reaches_to_its_last_step_on_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        run_id = catalogue.new_run(replace(a_run(a_site()), end_ns=0, state="open"))
        writer = PointWriter(folder=tmp_path, camera_id="north", run_id=run_id)
        for i in range(50):
            t_ns = i * NS_PER_S // 10
            writer.append(t_ns, a_step(t_ns, rows=1, run_id=run_id))
        found = accounted(catalogue, "north", start_ns=0, end_ns=5 * NS_PER_S)
        assert 2.0 <= found.stored_s <= 4.9
        writer.flush()
        found = accounted(catalogue, "north", start_ns=0, end_ns=5 * NS_PER_S)
        assert found.stored_s == 4.9
        writer.leave()


@given(SPANS)
def test_covered_time_is_counted_second_by_second(spans: list[list[int]]) -> None:
    by_hand = {s for start, end in spans for s in range(max(start, -30), min(end, 30))}
    pairs = [(start, end) for start, end in spans]
    assert _covered_ns(pairs, -30, 30) == len(by_hand)


def test_a_run_that_may_not_be_counted_is_no_exposure(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        ends_ns = round(10 * NS_PER_S)
        for start_s, counted in ((0, True), (20, False)):
            run = replace(a_run(a_site(), start_ns=round(start_s * NS_PER_S)), counted=counted)
            catalogue.new_run(replace(run, end_ns=run.start_ns + ends_ns))
        catalogue.save_gap(a_gap(2, 5, reason="left-preset", affects="counts+speeds+conflicts"))
        catalogue.save_gap(a_gap(6, 7, reason="overload", affects="speeds+conflicts"))
        found = exposures_s(catalogue, "north", start_ns=0, end_ns=round(30 * NS_PER_S))
        spent = accounted(catalogue, "north", start_ns=0, end_ns=round(30 * NS_PER_S))
    assert found == {"counts": 7.0, "speeds": 6.0, "conflicts": 6.0}
    assert spent.stored_s == 20.0
