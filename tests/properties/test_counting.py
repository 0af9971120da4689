"""Counting over a stored run: however it is cut, whenever it is watched, nobody comes or goes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.whole.line import gate, watched
from tests.whole.road import SITE, Block, a_film, a_site

from calmstreet.model.flow import Flow
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.pipeline import counting
from calmstreet.pipeline.collected import collect
from calmstreet.safety.flow import FlowCounter
from calmstreet.store.catalogue import Catalogue

BLOCKS = (
    Block(at_s=3.0),
    Block(at_s=5.0, speed_px_s=-60.0, foot_px=65.0, grey=225),
    Block(at_s=6.5),
    Block(at_s=7.0, speed_px_s=-80.0, foot_px=65.0, grey=225),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One stored run: its folder, run, site and everything seen."""

    out: Path
    run: Run
    site: Site
    steps: "np.typing.NDArray[np.int64]"
    points: TrackPoints
    flow: Flow


def an_analysis(film: Path, folder: Path) -> Stored:
    site = a_site(folder / "SITE.toml")
    watched(film, "--site", site, "--out", folder / "out", "--video", "none")
    with Catalogue.open(folder / "out") as catalogue:
        (run,) = catalogue.runs()
        blocks = list(counting.step_blocks(catalogue, run))
        return Stored(
            out=folder / "out",
            run=run,
            site=collect(catalogue).site,
            steps=np.concatenate([steps for steps, _ in blocks]),
            points=concat_points([points for _, points in blocks]),
            flow=catalogue.flow(run.run_id),
        )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("stored")
    return an_analysis(a_film(folder / "v.mp4", BLOCKS, duration_s=10.0), folder)


def same(a: Flow, b: Flow) -> bool:
    """Return whether two flows are equal to the last bit."""
    tables = (
        (getattr(a, table), getattr(b, table)) for table in ("crossings", "journeys", "minutes")
    )
    return all(
        np.array_equal(
            getattr(x, name), getattr(y, name), equal_nan=getattr(x, name).dtype.kind == "f"
        )
        for x, y in tables
        for name in x.__dataclass_fields__
        if isinstance(getattr(x, name), np.ndarray)
    ) and np.array_equal(a.watched_ns, b.watched_ns)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_cutting_into_blocks_counts_the_same(stored: Stored, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(1, len(stored.steps) - 1), max_size=12, unique=True))
    counter = FlowCounter(
        site=stored.site.of_camera(stored.run.camera_id),
        camera_id=stored.run.camera_id,
        run_id=stored.run.run_id,
        width_px=stored.run.width_px,
        height_px=stored.run.height_px,
    )
    for steps in np.split(stored.steps, sorted(cuts)):
        counter.update(steps, stored.points[np.isin(stored.points.t_ns, steps)])
    assert same(counter.finish(), stored.flow)


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_blocks_read_from_the_store_count_the_same(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(counting, "ROWS_PER_BLOCK", rows)
    with Catalogue.open(stored.out) as catalogue:
        blocks = list(counting.step_blocks(catalogue, stored.run))
        again = counting.count_run(catalogue, stored.run, stored.site)
    assert np.array_equal(np.concatenate([steps for steps, _ in blocks]), stored.steps)
    assert same(again, stored.flow)
    assert stored.flow.crossings.counted.sum() == 4


def test_two_analyses_give_the_same_bits(stored: Stored, tmp_path: Path) -> None:
    again = an_analysis(stored.out.parent / "v.mp4", tmp_path)
    assert again.run.run_id == stored.run.run_id
    assert again.steps.tobytes() == stored.steps.tobytes()
    for name in ("t_ns", "track_id", "kind", "score", "flags", "box_px"):
        mine, theirs = getattr(again.points, name), getattr(stored.points, name)
        assert mine.tobytes() == theirs.tobytes(), name
    assert same(again.flow, stored.flow)


AREA = (90.0, 230.0)
"""Left and right edge of the area between two gates."""


def inside(block: Block, t_s: float) -> bool:
    x = 160 + (t_s - block.at_s) * block.speed_px_s
    return AREA[0] < x < AREA[1]


@pytest.mark.parametrize(("begin_s", "end_s"), [(0.0, 7.0), (3.0, 10.0), (2.6, 5.0), (5.1, 7.3)])
def test_in_minus_out_is_the_change_of_who_is_there(
    tmp_path: Path, begin_s: float, end_s: float
) -> None:
    text = SITE[: SITE.index("[[gate]]")]
    for name, x in zip(("west", "east"), AREA, strict=True):
        text += f'[[gate]]\nid = "{name}"\npoints_px = [[{x}, 179], [{x}, 20]]\n'
    site = a_site(tmp_path / "S.toml", text)
    film = a_film(tmp_path / "v.mp4", BLOCKS, duration_s=end_s - begin_s, from_s=begin_s)
    summary = watched(film, "--site", site, "--out", tmp_path / "out", "--video", "none")
    west, east = gate(summary, "west"), gate(summary, "east")
    there = [sum(inside(block, t_s) for block in BLOCKS) for t_s in (begin_s, end_s)]
    come_in, gone_out = west[1] + east[0], west[0] + east[1]
    assert come_in - gone_out == there[1] - there[0]
