"""A gate under which the camera moved is out of use: counts, headways, movements, exposure."""

from dataclasses import replace

import numpy as np
import pytest
from tests.builders import START_NS, a_site, a_track, steps_of, together

from calmstreet.geometry.turning import turn_matrix
from calmstreet.model.bins import Bins
from calmstreet.model.flow import Flow, Withdrawn
from calmstreet.model.kinds import Kind
from calmstreet.model.shifts import Shifts, no_shifts
from calmstreet.model.site import Gate, Site, Zone
from calmstreet.safety.bins import CAMERA_MOVED, minute_bins, peak_hour_of
from calmstreet.safety.flow import FlowCounter
from calmstreet.safety.withdrawn import withdrawn_by
from calmstreet.units import ns_from_s

LONG = Gate(id="long", camera_id="c", points_px=((0.0, 270.0), (960.0, 270.0)))
SHORT = Gate(id="short", camera_id="c", points_px=((460.0, 200.0), (520.0, 200.0)))
ZONE = Zone(
    id="zone",
    camera_id="c",
    kind="approach",
    polygon_px=((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)),
)
SITE = Site(id="x", gates=(LONG, SHORT), zones=(ZONE,))


def a_shift(right_px: float, *, start_s: float = 10.0, end_s: float = 20.0) -> Shifts:
    matrix = np.array([[1.0, 0, right_px], [0, 1, 0], [0, 0, 1]])
    return Shifts(
        start_ns=np.array([ns_from_s(start_s)]), end_ns=np.array([ns_from_s(end_s)]), matrix=matrix
    )


@pytest.mark.parametrize(
    ("right_px", "gone"),
    [(1.0, set()), (1.5, {"short"}), (2.5, {"short", "zone"}), (20.0, {"long", "short", "zone"})],
)
def test_without_a_plane_two_percent_of_the_length_decide(right_px: float, gone: set[str]) -> None:
    found = withdrawn_by(a_shift(right_px), SITE)
    assert set(found.place_id.tolist()) == gone
    assert all(
        found.spells_of(name).tolist() == [[10_000_000_000, 20_000_000_000]] for name in gone
    )


def test_nobody_knows_where_takes_everything() -> None:
    shifts = replace(a_shift(0.0), matrix=np.full((1, 3, 3), np.nan))
    assert set(withdrawn_by(shifts, SITE).place_id.tolist()) == {"long", "short", "zone"}
    assert len(withdrawn_by(no_shifts(), SITE)) == 0


def test_a_zoom_moves_what_is_far_from_the_middle() -> None:
    matrix = turn_matrix((0, 0, 0, 0.01), focal_px=820, centre_px=(480, 270))
    aside = Gate(id="aside", camera_id="c", points_px=((900.0, 200.0), (900.0, 340.0)))
    shifts = replace(a_shift(0.0), matrix=matrix[None])
    middle = replace(LONG, points_px=((430.0, 270.0), (530.0, 270.0)))
    found = withdrawn_by(shifts, Site(id="x", gates=(middle, aside)))
    assert found.place_id.tolist() == ["aside"]


class _Flat:
    """Stands for a plane of so many metres per pixel; unknown above row 100."""

    def __init__(self, m_per_px: float) -> None:
        self.m_per_px = m_per_px

    def to_m(self, points: np.ndarray) -> np.ndarray:
        return np.where(points[:, 1:] > 100, points * self.m_per_px, np.nan)


@pytest.mark.parametrize(("m_per_px", "gone"), [(0.05, []), (0.2, ["long", "short"])])
def test_with_a_plane_metres_decide(m_per_px: float, gone: list[str]) -> None:
    site = replace(SITE, zones=())
    found = withdrawn_by(a_shift(2.0), site, plane=_Flat(m_per_px))  # type: ignore[arg-type]
    assert found.place_id.tolist() == gone


WEST = ((0.0, 100.0), (120.0, 100.0), (120.0, 300.0), (0.0, 300.0))
EAST = ((520.0, 100.0), (640.0, 100.0), (640.0, 300.0), (520.0, 300.0))
PLACES = a_site(
    gates={"a": ((250.0, 300.0), (250.0, 100.0)), "b": ((400.0, 300.0), (400.0, 100.0))},
    approaches={"west": WEST, "east": EAST},
)
SPEED_MPS = 10.0


def flow_of(withdrawn: Withdrawn | None) -> Flow:
    """Count a car every 20 s for two minutes, each in view for some seconds."""
    counter = FlowCounter(
        site=PLACES, camera_id="north", run_id=1, width_px=640, height_px=360, withdrawn=withdrawn
    )
    cars = [
        a_track(via=((5, 200), (635, 200)), speed_mps=SPEED_MPS, start_s=20.0 * k, serial=k + 1)
        for k in range(6)
    ]
    counter.update(steps_of(120.0), together(*cars))
    return counter.finish()


def gone(place: str, start_s: float, end_s: float) -> Withdrawn:
    return Withdrawn(
        place_id=np.array([place]),
        start_ns=np.array([START_NS + ns_from_s(start_s)]),
        end_ns=np.array([START_NS + ns_from_s(end_s)]),
    )


def counted_at(flow: Flow, gate: str) -> int:
    passes = flow.crossings
    return int((passes.counted & (passes.gate_id == gate)).sum())


def test_a_gate_out_of_use_loses_its_counts_and_keeps_its_rows() -> None:
    before, after = flow_of(None), flow_of(gone("b", 35.0, 75.0))
    assert (counted_at(before, "a"), counted_at(before, "b")) == (6, 6)
    assert (counted_at(after, "a"), counted_at(after, "b")) == (6, 4)
    assert len(after.crossings) == len(before.crossings) == 12
    assert after.journeys.counted.all()
    headways = after.crossings.headway_s[after.crossings.gate_id == "b"]
    assert np.isfinite(headways).sum() == 2
    gates = after.minutes.gate_ids
    covered = after.minutes.occupied_s.sum(axis=0) / before.minutes.occupied_s.sum(axis=0)
    assert covered[gates.index("a")] == 1
    assert covered[gates.index("b")] == pytest.approx(4 / 6, abs=0.01)


def test_exposure_stops_at_that_gate_only() -> None:
    flow = flow_of(gone("b", 35.0, 75.0))
    bins = minute_bins([flow], site=PLACES, observed_kinds=[Kind.CAR], light_of=lambda _: "day")

    def exposed_s(what: str) -> list[float]:
        mine = (bins.what == what) & (bins.kind == Kind.CAR) & (bins.exposure_s + bins.count > 0)
        return [round(float(s), 3) for s in bins.exposure_s[mine]]

    assert exposed_s("gate:a:to_right") == [60.0, 60.0]
    assert exposed_s("gate:b:to_right") == [35.0, 45.0]
    flags = {str(f) for f in bins.flags[bins.what == "gate:b:to_right"]}
    assert flags == {f"day;{CAMERA_MOVED};partial", "day;partial"}
    assert not any(CAMERA_MOVED in str(f) for f in bins.flags[bins.what == "gate:a:to_right"])


def test_movements_of_a_zone_out_of_use_go_with_it() -> None:
    flow = flow_of(gone("east", 35.0, 75.0))
    assert counted_at(flow, "b") == 6
    left_out = flow.journeys.reason[~flow.journeys.counted].tolist()
    assert left_out == ["camera moved", "camera moved"]
    bins = minute_bins([flow], site=PLACES, observed_kinds=[Kind.CAR], light_of=lambda _: "day")
    mine = (bins.what == "movement:west:east") & (bins.kind == Kind.CAR)
    assert bins.count[mine].sum() == 4
    assert bins.exposure_s[mine][:2].tolist() == [35.0, 45.0]


def test_blocks_do_not_matter() -> None:
    whole, holes = flow_of(gone("b", 35.0, 75.0)), gone("b", 35.0, 75.0)
    counter = FlowCounter(
        site=PLACES, camera_id="north", run_id=1, width_px=640, height_px=360, withdrawn=holes
    )
    cars = [
        a_track(via=((5, 200), (635, 200)), speed_mps=SPEED_MPS, start_s=20.0 * k, serial=k + 1)
        for k in range(6)
    ]
    rows, steps = together(*cars), steps_of(120.0)
    for block in np.array_split(steps, 37):
        counter.update(block, rows[np.isin(rows.t_ns, block)])
    parted = counter.finish()
    assert np.array_equal(parted.crossings.counted, whole.crossings.counted)
    assert np.array_equal(parted.minutes.occupied_s, whole.minutes.occupied_s)


def test_a_peak_hour_is_as_complete_as_its_least_watched_gate() -> None:
    quarters = Bins(
        camera_id="north",
        site_version="",
        width_s=900.0,
        what=np.repeat(["gate:a:to_left", "gate:b:to_left"], 4),
        kind=np.full(8, Kind.CAR),
        start_ns=np.tile(np.arange(4) * 900 * 10**9, 2),
        count=np.full(8, 5.0),
        exposure_s=np.array([900.0] * 4 + [900.0, 900.0, 100.0, 0.0]),
        flags=np.full(8, "day"),
    )
    assert peak_hour_of(quarters, whats=["gate:a:to_left"]).volume == 20
    both = peak_hour_of(quarters, whats=["gate:a:to_left", "gate:b:to_left"])
    assert not both.known
    assert both.watched_min == 30
