"""Decoding: doubles are taken out, best first, whatever the order they come in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calmstreet.model.kinds import Kind
from calmstreet.perception.decode import (
    Candidates,
    cell_count,
    decode_nanodet,
    decode_yolox_raw,
    iou_matrix,
    select,
)

BOXES = arrays(
    np.float32,
    st.tuples(st.integers(0, 25), st.just(4)),
    elements=st.floats(0, 100, width=32),
)


def candidates(corners: np.ndarray[tuple[int, ...], np.dtype[np.float32]], seed: int) -> Candidates:
    low = np.minimum(corners[:, :2], corners[:, 2:])
    high = np.maximum(corners[:, :2], corners[:, 2:])
    random = np.random.default_rng(seed)
    count = len(corners)
    return Candidates(
        box_px=np.concatenate([low, high], axis=1),
        score=random.permutation(np.linspace(0.2, 0.9, count)).astype(np.float32),
        kind=random.integers(1, 8, count).astype(np.uint8),
    )


@given(corners=BOXES, seed=st.integers(0, 9))
def test_no_doubles_are_left_and_each_loss_has_a_better_double(
    corners: np.ndarray[tuple[int, ...], np.dtype[np.float32]], seed: int
) -> None:
    given_boxes = candidates(corners, seed)
    kept = select(given_boxes)
    overlap = np.triu(iou_matrix(kept.box_px), 1)
    assert (overlap <= 0.8).all()
    assert (overlap[kept.kind[:, None] == kept.kind[None, :]] <= 0.5).all()
    assert (np.diff(kept.score) <= 0).all()
    lost = ~np.isin(given_boxes.score, kept.score)
    everything = iou_matrix(given_boxes.box_px)
    for row in np.flatnonzero(lost):
        assert everything[row, given_boxes.score > given_boxes.score[row]].max() > 0.5


@given(corners=BOXES, seed=st.integers(0, 9))
def test_order_of_candidates_does_not_matter(
    corners: np.ndarray[tuple[int, ...], np.dtype[np.float32]], seed: int
) -> None:
    first = candidates(corners, seed)
    shuffled = first.rows(np.random.default_rng(seed).permutation(len(first)))
    assert np.array_equal(select(first).box_px, select(shuffled).box_px)


def test_two_users_side_by_side_stay_two() -> None:
    rider = Candidates(
        box_px=np.array([[0, 0, 10, 30], [0, 10, 12, 34]], np.float32),
        score=np.array([0.6, 0.5], np.float32),
        kind=np.array([Kind.PEDESTRIAN, Kind.BICYCLE], np.uint8),
    )
    assert len(select(rider)) == 2


@pytest.mark.parametrize(("level", "stride_px", "cells"), [(0, 8, 96), (1, 16, 24), (2, 32, 6)])
def test_nanodet_reads_sides_as_means_of_distances(level: int, stride_px: int, cells: int) -> None:
    counts = [96, 24, 6]
    scores = [np.zeros((1, count, 80), np.float32) for count in counts]
    sides = [np.zeros((1, count, 44), np.float32) for count in counts]
    cell = cells - 1
    scores[level][0, cell, 2] = 0.7
    scores[level][0, cell, 6] = 0.9
    # Left: half at 1 and half at 2 strides; top, right, bottom: all at 1 stride.
    sharp = sides[level][0, cell].reshape(4, 11)
    sharp[:] = -50
    sharp[0, [1, 2]] = 50
    sharp[1:, 1] = 50
    found = decode_nanodet([*scores, *sides], 96)
    x_px, y_px = 96 - stride_px / 2, 64 - stride_px / 2
    wanted = [x_px - 1.5 * stride_px, y_px - stride_px, x_px + stride_px, y_px + stride_px]
    assert np.allclose(found.box_px, [wanted], atol=1e-4)
    assert found.kind.tolist() == [Kind.CAR]
    assert np.allclose(found.score, 0.7)


@given(
    width_cells=st.integers(1, 20),
    height_cells=st.integers(1, 20),
    share=st.floats(0, 1, exclude_max=True),
)
def test_raw_yolox_knows_the_cell_of_every_row(
    width_cells: int, height_cells: int, share: float
) -> None:
    width_px, height_px = 32 * width_cells, 32 * height_cells
    expected = [
        (column * stride, row * stride, stride)
        for stride in (8, 16, 32)
        for row in range(height_px // stride)
        for column in range(width_px // stride)
    ]
    assert len(expected) == cell_count(width_px, height_px)
    cell = int(share * len(expected))
    table = np.zeros((1, len(expected), 85), np.float32)
    table[0, cell, [4, 5]] = 1.0
    x_px, y_px, size_px = expected[cell]
    half_px = size_px / 2
    wanted = [x_px - half_px, y_px - half_px, x_px + half_px, y_px + half_px]
    assert np.allclose(decode_yolox_raw([table], width_px).box_px, [wanted])
