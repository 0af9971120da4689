"""Where heads and plates can be, how coarse the mosaic over them, how small a stored picture.

Shares are of a box's height or width. Adults: a head is 0.13 of the height (0.24 of 1.75 m), with
hair, helmet or a child's proportions up to 1/6. Plates: 112 mm on a car of 1.5 m is 0.075; the
two-line plate of 170 mm is 0.113, on a low or a two-wheeled vehicle 0.125.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind

__all__ = [
    "CELLS_PX",
    "FLOOR_NET_PX",
    "HEAD_LIMIT_PX",
    "HEAD_SHARE",
    "NET_SIDE_PX",
    "PLATE_LIMIT_PX",
    "PLATE_SHARE",
    "Zones",
    "cell_at_least",
    "join_zones",
    "longest_stored_side_px",
    "stored_size_px",
    "zones_of",
    "zones_whole",
]

NET_SIDE_PX = 416
FLOOR_NET_PX = 25
"""The detector's floor: an object less high than this in the net's input is often missed."""
HEAD_SHARE = 1 / 6
PLATE_SHARE = 1 / 8
HEAD_LIMIT_PX = 8
PLATE_LIMIT_PX = 5

CELLS_PX: tuple[int, ...] = (6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Sizes of mosaic cells. Few, so that cells lie on the same grid from picture to picture."""

_CELLS_PER_HEAD = 1.25
_CELLS_PER_WHOLE = 3.0
_PLATE_CELL_OF_HEIGHT = 0.1
_PLATE_CELL_OF_WIDTH = 0.07
_GLASS_HEAD_SHARE = 0.16
_VEHICLES = (Kind.CAR, Kind.VAN, Kind.BUS, Kind.TRUCK)


class Zones(NamedTuple):
    """Rectangles to mosaic: ``rect_px`` float32 (n, 4) l, t, r, b and ``cell_px`` int (n,)."""

    rect_px: NDArray[np.float32]
    cell_px: NDArray[np.int64]


def longest_stored_side_px(net_side_px: float = NET_SIDE_PX) -> int:
    """Return how long the longer side of a stored picture may be.

    ``net_side_px`` is how long that side is in the net's eyes: more than NET_SIDE_PX where the net
    looks at parts of the picture. An object at the floor is FLOOR_NET_PX of it high, so with
    NET_SIDE_PX it is FLOOR_NET_PX / NET_SIDE_PX * S
    in a picture of longer side S, its head HEAD_SHARE and its plate PLATE_SHARE of that. Both stay
    under their limits while S < limit * NET_SIDE_PX / (FLOOR_NET_PX * share): 798 for heads, 665
    for plates.

    >>> longest_stored_side_px(), longest_stored_side_px(2 * NET_SIDE_PX)
    (665, 1331)
    """
    sides = (
        limit * net_side_px / (FLOOR_NET_PX * share)
        for limit, share in ((HEAD_LIMIT_PX, HEAD_SHARE), (PLATE_LIMIT_PX, PLATE_SHARE))
    )
    return int(np.nextafter(min(sides), 0.0))


def stored_size_px(
    width_px: int,
    height_px: int,
    max_width_px: int = 640,
    net_side_px: float = NET_SIDE_PX,
) -> tuple[int, int]:
    """Return the even size (width, height) in which a picture of the camera may be stored.

    Never larger than the camera's picture, never wider than ``max_width_px``, and never with a
    side longer than ``longest_stored_side_px``.

    >>> stored_size_px(1920, 1080)
    (640, 360)
    >>> stored_size_px(1080, 1920)
    (374, 664)
    """
    longest = longest_stored_side_px(net_side_px)
    scale = min(1.0, max_width_px / width_px, longest / max(width_px, height_px))
    width = max(2, int(width_px * scale) // 2 * 2)
    height = max(2, int(round(height_px * width / width_px, 6)) // 2 * 2)
    return width, height


def cell_at_least(size_px: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return for each size the smallest cell of CELLS_PX that is not smaller.

    >>> cell_at_least(np.array([0.0, 8.0, 9.0, 999.0], np.float32)).tolist()
    [6, 8, 12, 256]
    """
    cells = np.array(CELLS_PX)
    return cells[np.minimum(np.searchsorted(cells, size_px), len(cells) - 1)]


def join_zones(parts: list[Zones]) -> Zones:
    """Return all zones of all parts.

    >>> len(join_zones([]).cell_px)
    0
    """
    return Zones(
        np.concatenate([np.empty((0, 4), np.float32), *(part.rect_px for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.cell_px for part in parts)]),
    )


def _grown(
    box_px: NDArray[np.float32], sides: float, up: float, down: float
) -> NDArray[np.float32]:
    """Return boxes grown by shares of their width (sides) and height (up, down; down < 0 cuts)."""
    width, height = box_px[:, 2] - box_px[:, 0], box_px[:, 3] - box_px[:, 1]
    grown = np.stack(
        [
            box_px[:, 0] - sides * width,
            box_px[:, 1] - up * height,
            box_px[:, 2] + sides * width,
            box_px[:, 3] + down * height,
        ],
        axis=1,
    )
    return grown.astype(np.float32)


def _plate_cell_px(box_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the height of the vehicle's plate, or more."""
    size = np.maximum(
        _PLATE_CELL_OF_HEIGHT * (box_px[:, 3] - box_px[:, 1]),
        _PLATE_CELL_OF_WIDTH * (box_px[:, 2] - box_px[:, 0]),
    )
    return np.asarray(size, np.float32)


def zones_whole(box_px: NDArray[np.float32]) -> Zones:
    """Return the whole boxes with a margin, coarse enough even where one is a head or a plate.

    >>> zones_whole(np.array([[0, 0, 100, 100]], np.float32)).cell_px.tolist()
    [48]
    """
    shorter = np.minimum(box_px[:, 3] - box_px[:, 1], box_px[:, 2] - box_px[:, 0])
    size = np.maximum(_plate_cell_px(box_px), shorter / np.float32(_CELLS_PER_WHOLE))
    return Zones(_grown(box_px, 0.08, 0.1, 0.08), cell_at_least(size))


def _heads(box_px: NDArray[np.float32], up: float) -> Zones:
    """Return head zones: the top third, or 3/4 of the width where only a bust is to be seen."""
    width, height = box_px[:, 2] - box_px[:, 0], box_px[:, 3] - box_px[:, 1]
    zone = _grown(box_px, 0.2, up, 0.05)
    zone[:, 3] = np.minimum(zone[:, 3], box_px[:, 1] + np.maximum(0.35 * height, 0.75 * width))
    head = np.maximum(HEAD_SHARE * height, 0.4 * width)
    return Zones(zone, cell_at_least(head / _CELLS_PER_HEAD))


def _plates(box_px: NDArray[np.float32]) -> Zones:
    """Return the lower 60 % with a margin."""
    band = _grown(box_px, 0.08, -0.4, 0.08)
    return Zones(band, cell_at_least(_plate_cell_px(box_px)))


def _glass(box_px: NDArray[np.float32]) -> Zones:
    """Return the upper half of vehicles so near that a face behind the glass has 8 px or more."""
    height = box_px[:, 3] - box_px[:, 1]
    near = _GLASS_HEAD_SHARE * height >= HEAD_LIMIT_PX
    head = _GLASS_HEAD_SHARE * height[near]
    return Zones(_grown(box_px[near], 0.04, 0.05, -0.4), cell_at_least(head / _CELLS_PER_HEAD))


def zones_of(
    box_px: NDArray[np.float32], kind: NDArray[np.uint8], *, strict: bool = False
) -> Zones:
    """Return what to mosaic on road users, boxes float32 (n, 4) and Kinds uint8 (n,).

    Pedestrians: the head zone. Two-wheelers: the same reaching up over the box by 0.7 of its
    height, because a net's bicycle does not hold its rider, and a motorcycle's plate band.
    Vehicles: the plate band, and the glass when near. ``unknown`` or ``strict``: the whole box.

    >>> zones = zones_of(np.array([[10, 0, 40, 90]], np.float32), np.array([1], np.uint8))
    >>> zones.rect_px.round().tolist(), zones.cell_px.tolist()
    ([[4.0, -14.0, 46.0, 32.0]], [12])
    """
    person = kind == Kind.PEDESTRIAN
    rider = np.isin(kind, (Kind.BICYCLE, Kind.MOTORCYCLE))
    vehicle = np.isin(kind, _VEHICLES)
    plated = vehicle | (kind == Kind.MOTORCYCLE)
    whole = np.full(len(kind), strict) | ~(person | rider | vehicle)
    return join_zones(
        [
            zones_whole(box_px[whole]),
            _heads(box_px[person], 0.15),
            _heads(box_px[rider], 0.7),
            _plates(box_px[plated]),
            _glass(box_px[vehicle]),
        ]
    )
