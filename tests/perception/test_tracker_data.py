"""The tracker on public detections and on true tracks that were spoiled on purpose."""

import numpy as np
import pytest
from tests.perception.mot import Boxes, follow, read_mot, rows_of, score, steps_of
from tests.perception.spoiled import read_traf, read_urban, room_px, spoil, street, thinned
from tests.shared_data import shared_data

from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import TrackPoints

# The values of TUD-Campus_test.txt against the truth, as the data's own page states them.
REFERENCE_MOTA, REFERENCE_IDF1 = 0.526462, 0.557659


def measured(points: TrackPoints) -> TrackPoints:
    """Return the rows that somebody saw."""
    return points[(points.flags & Flag.COASTED) == 0]


@pytest.mark.real
def test_the_measure_agrees_with_the_reference() -> None:
    truth = read_mot(shared_data("tracking/TUD-Campus_gt.txt"))
    result = score(truth, read_mot(shared_data("tracking/TUD-Campus_test.txt")))
    assert result.mota == pytest.approx(REFERENCE_MOTA, abs=1e-6)
    assert result.idf1 == pytest.approx(REFERENCE_IDF1, abs=1e-6)
    assert (result.false_positives, result.misses, result.switches) == (13, 150, 7)


@pytest.mark.real
def test_tud_campus_is_not_below_the_reference() -> None:
    truth = read_mot(shared_data("tracking/TUD-Campus_gt.txt"))
    found = read_mot(shared_data("tracking/SORT_TUD-Campus_det.txt"))
    points = follow(steps_of(found, fps=25), width_px=640, height_px=480)
    for rows in (points, measured(points)):
        result = score(truth, rows_of(rows, fps=25))
        assert result.mota >= REFERENCE_MOTA
        assert result.idf1 >= REFERENCE_IDF1 + 0.1
        assert result.switches <= 7


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "fps", "width_px", "height_px", "least", "most"),
    [("PETS09-S2L1", 7.0, 768, 576, 19, 60), ("KITTI-17", 10.0, 1242, 375, 8, 25)],
)
def test_public_detections_give_a_sane_number_of_users(
    name: str, fps: float, width_px: int, height_px: int, least: int, most: int
) -> None:
    found = read_mot(shared_data(f"tracking/SORT_{name}_det.txt"))
    points = follow(steps_of(found, fps=fps), width_px=width_px, height_px=height_px)
    assert least <= len(np.unique(points.track_id)) <= most
    assert len(measured(points)) > 0.9 * len(found.frame)


def _scored(truth: Boxes, *, fps: float, seed: int) -> tuple[float, float, float]:
    width_px, height_px = room_px(truth)
    found = steps_of(spoil(truth, seed=seed, recall=0.8), fps=fps, kind=Kind.CAR)
    points = follow(found, width_px=width_px, height_px=height_px)
    result = score(truth, rows_of(points, fps=fps))
    return result.mota, result.idf1, result.ids / len(np.unique(truth.who))


@pytest.mark.real
@pytest.mark.parametrize("every", [3, 6])
@pytest.mark.parametrize("name", ["rouen", "rene", "TRAF21"])
def test_spoiled_truth_is_found_again(name: str, every: int) -> None:
    if name == "TRAF21":
        truth = read_traf(shared_data("tracking/TRAF21_gt.txt"))
    else:
        truth = read_urban(shared_data(f"tracking/urbantracker_{name}_gt.sqlite"))
    mota, idf1, share = _scored(thinned(truth, every), fps=30 / every, seed=5)
    assert mota >= 0.75
    assert idf1 >= 0.85
    assert share <= 1.35


@pytest.mark.parametrize("fps", [5.0, 10.0, 25.0])
def test_a_made_up_street_is_found_again(fps: float) -> None:
    truth = street(fps=fps, seed=5, duration_s=20.0)
    mota, idf1, share = _scored(truth, fps=fps, seed=6)
    assert mota >= 0.88
    assert idf1 >= 0.93
    assert share <= 1.1
