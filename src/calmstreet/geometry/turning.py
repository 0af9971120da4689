"""A camera that turns a little about its own place: where a picture's points go, and boxes back.

A camera on a mast that nods, is bumped or driven by a motor turns about a point close to its lens,
so that near and far things move together: the picture goes through one homography, whatever stands
in it (Hartley and Zisserman 2004, 8.4). Four numbers say it: pan to the right seen as points going
to the left is negative ``pan``; tilt, roll in radians and zoom as a share.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["boxes_through", "points_through", "turn_matrix", "turn_moves"]

Array = NDArray[np.float64]


def turn_matrix(turn: ArrayLike, *, focal_px: float, centre_px: ArrayLike) -> Array:
    """Return the homography (3, 3) of a turn (pan, tilt, roll in rad, zoom): old to new pixels.

    >>> turned = turn_matrix((0.01, 0, 0, 0), focal_px=1000, centre_px=(320, 180))
    >>> points_through([[320, 180]], turned).round(3).tolist()
    [[330.0, 180.0]]
    """
    pan, tilt, roll, zoom = (float(part) for part in np.asarray(turn, np.float64))
    x, y = (float(part) for part in np.asarray(centre_px, np.float64))
    lens = np.array([[focal_px, 0, x], [0, focal_px, y], [0, 0, 1.0]])
    back = np.array([[1 / focal_px, 0, -x / focal_px], [0, 1 / focal_px, -y / focal_px], [0, 0, 1]])
    turned = cv2.Rodrigues(np.array([-tilt, pan, roll]))[0]
    matrix = lens @ turned @ np.diag([1 + zoom, 1 + zoom, 1.0]) @ back
    return np.asarray(matrix / matrix[2, 2])


def turn_moves(points_px: ArrayLike, *, focal_px: float, centre_px: ArrayLike) -> Array:
    """Return how points (n, 2) move with a small turn: (n, 2, 4) px per rad or share of zoom.

    >>> turn_moves([[320, 180]], focal_px=1000, centre_px=(320, 180))[0].round(3).tolist()
    [[1000.0, 0.0, -0.0, 0.0], [0.0, 1000.0, 0.0, 0.0]]
    """
    u, v = ((np.asarray(points_px, np.float64) - np.asarray(centre_px, np.float64)) / focal_px).T
    across = np.stack([1 + u * u, u * v, -v, u], axis=1)
    down = np.stack([u * v, 1 + v * v, u, v], axis=1)
    return np.asarray(focal_px * np.stack([across, down], axis=1))


def points_through(points_px: ArrayLike, matrix: ArrayLike) -> Array:
    """Return points (n, 2) sent through a homography (3, 3); inf on the horizon.

    >>> points_through([[1, 2]], [[1, 0, 3], [0, 1, 0], [0, 0, 1]]).tolist()
    [[4.0, 2.0]]
    """
    points, h = np.asarray(points_px, np.float64), np.asarray(matrix, np.float64)
    x, y = points[:, 0], points[:, 1]
    deep = h[2, 0] * x + h[2, 1] * y + h[2, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        right = (h[0, 0] * x + h[0, 1] * y + h[0, 2]) / deep
        down = (h[1, 0] * x + h[1, 1] * y + h[1, 2]) / deep
    return np.stack([right, down], axis=1)


def boxes_through(box_px: NDArray[np.float32], matrix: ArrayLike) -> NDArray[np.float32]:
    """Return boxes float32 (n, 4) l, t, r, b whose four middles of sides went through a homography.

    The sides stay level and upright: for a turn of a degree a box keeps its size to 2 %.

    >>> moved = boxes_through(np.array([[0, 0, 4, 2]], np.float32), np.diag([2.0, 2.0, 1.0]))
    >>> moved.tolist()
    [[0.0, 0.0, 8.0, 4.0]]
    """
    left, top, right, bottom = box_px.astype(np.float64).T
    x, y = (left + right) / 2, (top + bottom) / 2
    level = points_through(
        np.concatenate([np.stack([left, y], 1), np.stack([right, y], 1)]), matrix
    )
    plumb = points_through(
        np.concatenate([np.stack([x, top], 1), np.stack([x, bottom], 1)]), matrix
    )
    n = len(box_px)
    sides = (level[:n, 0], plumb[:n, 1], level[n:, 0], plumb[n:, 1])
    return np.stack(sides, axis=1).astype(np.float32)
