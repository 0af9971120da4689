"""Smoothed rows: cutting them into spans hardly shows, and they are nearer to the truth."""

import numpy as np
import pytest
from tests.perception.on_the_ground import drive, exact_plane, grounded

from calmstreet.geometry.plane import Plane
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.perception.smoothing import smoothed_rows
from calmstreet.pipeline.smoothing import smoothed_spans


@pytest.fixture(scope="module")
def plane() -> Plane:
    return exact_plane()


@pytest.fixture(scope="module")
def rows(plane: Plane) -> TrackPoints:
    points, _ = drive(plane, velocity_mps=(0.0, 1.5), duration_s=16.0, noise_px=1.5)
    return grounded(plane, points)


def test_cutting_into_spans_hardly_shows(plane: Plane, rows: TrackPoints) -> None:
    whole = smoothed_rows(rows, plane)
    blocks = (rows[k : k + 7] for k in range(0, len(rows), 7))
    cut = concat_points(list(smoothed_spans(blocks, plane, span_s=4.0, margin_s=4.0)))
    assert cut.t_ns.tolist() == rows.t_ns.tolist()
    np.testing.assert_allclose(cut.xy_m, whole.xy_m, atol=0.1)
    np.testing.assert_allclose(cut.velocity_mps, whole.velocity_mps, atol=0.05)


def test_smoothed_places_are_nearer_to_the_truth(plane: Plane, rows: TrackPoints) -> None:
    true_m = drive(plane, velocity_mps=(0.0, 1.5), duration_s=16.0)[1]
    smooth = smoothed_rows(rows, plane)
    far = [float(np.hypot(*(p.xy_m - true_m).T).mean()) for p in (smooth, rows)]
    assert far[0] < 0.8 * far[1]
    assert np.abs(smooth.velocity_mps[:, 1] - 1.5).mean() < 0.15
    assert smooth.box_px.tobytes() == rows.box_px.tobytes()


def test_parked_users_keep_what_they_have(plane: Plane, rows: TrackPoints) -> None:
    flags = np.full(len(rows), Flag.PARKED, np.uint8)
    parked = TrackPoints(
        **{name: getattr(rows, name) for name in rows.__slots__ if name != "flags"}, flags=flags
    )
    np.testing.assert_array_equal(smoothed_rows(parked, plane).xy_m, rows.xy_m)
