"""Small pieces of a street that stay where they are, and how far a picture is turned against them.

The picture is cut into cells; the piece of each cell with most structure is a landmark. All of
them together are aligned with another picture by Gauss-Newton steps on the four numbers of a turn
(Lucas and Kanade 1981; Baker and Matthews 2004): each landmark speaks only in the directions in
which its own structure can tell, after its mean and contrast were made alike (shadow, cloud,
exposure); those that do not resemble (a vehicle stands there) or pull elsewhere are left out.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.turning import points_through, turn_matrix, turn_moves

__all__ = ["Landmarks", "Sighting"]

_CELLS = (6, 8)
_HALF_PX = 7
_MIN_STRUCTURE = 2.0
_MIN_LIKENESS = 0.5
_AWAY_PX = 0.6
_SOFT_PX = 0.15
_FOCAL_SHARE = 0.9
_STEPS = 8
_SETTLED_PX = 0.1
_REWEIGHTED = 4
_RIDGE = 1e-6
_COARSE_PX = 160
_FEWEST = 6
_LEAST_SHARE = 0.25

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """How a picture is turned against the landmarks.

    ``turn`` (4,) pan, tilt, roll (rad) and zoom of the picture's points; ``agree`` how many
    landmarks say so, of ``seen`` that lie in the picture; ``sigma_px`` standard error in low-scale
    pixels of where a point in the middle of the picture is.
    """

    turn: Array
    agree: int
    seen: int
    sigma_px: float

    @property
    def sure(self) -> bool:
        """Return whether enough landmarks agree to be believed."""
        return self.agree >= _FEWEST and self.agree >= _LEAST_SHARE * self.seen


class Landmarks:
    """The landmarks of one empty street, float32 or uint8 (h, w), low-scale luma.

    Nothing is chosen where ``hidden`` uint8 (h, w) > 0. ``focal_px`` in low-scale pixels; unless
    known it is taken as nine tenths of the width, which only shapes what happens at the border.
    """

    def __init__(
        self,
        street: NDArray[Any],
        *,
        hidden: NDArray[np.uint8] | None = None,
        focal_px: float | None = None,
    ) -> None:
        height, width = street.shape
        self.shape = (height, width)
        self._focal_px = focal_px or _FOCAL_SHARE * width
        self._centre_px = np.array([width / 2, height / 2])
        luma = street.astype(np.float32)
        across, down = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
        places = _chosen(luma, across, down, hidden)
        span = np.arange(-_HALF_PX, _HALF_PX + 1)
        x = (places[:, 0, None, None] + span[None, None, :]).repeat(len(span), 1)
        y = (places[:, 1, None, None] + span[None, :, None]).repeat(len(span), 2)
        n, size = len(places), len(span) ** 2
        self._x = x.reshape(n, size).astype(np.float32)
        self._y = y.reshape(n, size).astype(np.float32)
        piece = luma[y, x].reshape(n, size)
        self._piece = piece - piece.mean(axis=1, keepdims=True)
        self._power = np.einsum("ij,ij->i", self._piece, self._piece)
        slope = np.stack([across[y, x], down[y, x]], axis=1).reshape(n, 2, size) / np.float32(8)
        slope -= slope.mean(axis=2, keepdims=True)
        self._slope = slope
        info = np.einsum("iaj,ibj->iab", slope, slope).astype(np.float64)
        self._strength = np.trace(info, axis1=1, axis2=2)
        moves = turn_moves(places, focal_px=self._focal_px, centre_px=self._centre_px)
        inward = np.einsum("iab,ibk->iak", info, moves)
        self._moves, self._inward = moves, inward.reshape(2 * n, 4)
        self._square = np.einsum("iak,iam->ikm", moves, inward).reshape(n, 16)
        self._places = places.astype(np.float64)
        self._edges = _edges(street)

    def __len__(self) -> int:
        return len(self._places)

    def matrix(self, turn: Array) -> Array:
        """Return the homography (3, 3) from the street's to the picture's low-scale pixels."""
        return turn_matrix(turn, focal_px=self._focal_px, centre_px=self._centre_px)

    def locate(self, small: NDArray[Any], *, near: Array) -> Sighting:
        """Return how a picture (h, w) is turned; ``near`` (4,) is where to begin."""
        picture = np.asarray(small)
        turn, step_px = near.copy(), np.inf
        agree, seen, sigma_px = 0, 0, np.inf
        for _ in range(_STEPS if len(self) else 0):
            change, agree, seen, sigma_px = self._step(picture, turn)
            turn += change
            step_px = self._focal_px * float(np.abs(change).max())
            if agree < _FEWEST or step_px < _SETTLED_PX:
                break
        return Sighting(turn=turn, agree=agree, seen=seen, sigma_px=sigma_px)

    def search(self, small: NDArray[Any]) -> Sighting:
        """Return how a picture is turned that may be turned far: first by its edges as a whole."""
        edges = _edges(small)
        window = np.asarray(cv2.createHanningWindow(edges.shape[::-1], cv2.CV_32F))
        (dx, dy), _ = cv2.phaseCorrelate(self._edges.copy(), edges, window)
        scale = self.shape[1] / edges.shape[1]
        near = np.array([dx, dy, 0, 0]) * scale / self._focal_px
        return self.locate(small, near=near)

    def _step(self, picture: NDArray[Any], turn: Array) -> tuple[Array, int, int, float]:
        """Return the change of the turn, how many landmarks agree and are seen, sigma in px."""
        away = points_through(self._places, self.matrix(turn)) - self._places
        here, inside = self._pieces(picture, away.astype(np.float32))
        product = np.einsum("ij,ij->i", here, self._piece)
        power = np.einsum("ij,ij->i", here, here)
        likeness = product / np.sqrt(np.maximum(power * self._power, 1e-6))
        usable = inside & (likeness > _MIN_LIKENESS)
        if usable.sum() < _FEWEST:
            return np.zeros(4), int(usable.sum()), int(inside.sum()), np.inf
        gain = np.where(usable, product / np.maximum(self._power, 1e-6), 1.0)
        rest = self._piece - here / gain[:, None].astype(np.float32)
        pull = np.einsum("iaj,ij->ia", self._slope, rest).astype(np.float64)
        change, agree, sigma_px = self._agreed(pull, usable)
        return change, agree, int(inside.sum()), sigma_px

    def _pieces(
        self, picture: NDArray[Any], away: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the pieces of a picture at the landmarks' moved places, and which lie inside."""
        x, y = self._x + away[:, :1], self._y + away[:, 1:]
        found = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        height, width = self.shape
        inside = (x[:, 0] >= 0) & (y[:, 0] >= 0) & (x[:, -1] < width) & (y[:, -1] < height)
        here = np.asarray(found, np.float32)
        return here - here.mean(axis=1, keepdims=True), inside

    def _agreed(self, pull: Array, usable: NDArray[np.bool_]) -> tuple[Array, int, float]:
        """Return the turn that most landmarks pull to, by weights that shrink with disagreement."""
        weight = usable.astype(np.float64)
        aims = np.einsum("iak,ia->ik", self._moves, pull)
        change = np.zeros(4)
        off = np.zeros(len(weight))
        for _ in range(_REWEIGHTED):
            square = (weight @ self._square).reshape(4, 4)
            diagonal = np.einsum("ii->i", square)
            diagonal += _RIDGE * diagonal.sum()
            change = np.linalg.solve(square, weight @ aims)
            rest = pull.ravel() - self._inward @ change
            off = np.hypot(rest[::2], rest[1::2]) / self._strength
            weight = usable / (1 + (off / _SOFT_PX) ** 2)
        agree = usable & (off < _AWAY_PX)
        n = int(agree.sum())
        spread = float(np.sqrt((off[agree] ** 2).mean())) if n else np.inf
        return change, n, spread / np.sqrt(max(n - 4, 1))


def _edges(luma: NDArray[Any]) -> NDArray[np.float32]:
    """Return a coarse picture of edges, signs left in."""
    height = max(8, round(luma.shape[0] * _COARSE_PX / luma.shape[1]))
    coarse = cv2.resize(luma, (_COARSE_PX, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.Laplacian(coarse, cv2.CV_32F, ksize=3), np.float32)


def _chosen(
    luma: NDArray[np.float32],
    across: NDArray[Any],
    down: NDArray[Any],
    hidden: NDArray[np.uint8] | None,
) -> NDArray[np.int64]:
    """Return the place (n, 2) with most structure in each cell, clear of border and hidden."""
    side = 2 * _HALF_PX + 1
    corner = cv2.cornerMinEigenVal(luma, side)
    energy = cv2.boxFilter(across * across + down * down, -1, (side, side)) / 64
    score = np.asarray(corner / max(float(corner.max()), 1e-9), np.float32)
    score += np.float32(0.02) * energy / max(float(energy.max()), 1e-9)
    score[energy < _MIN_STRUCTURE] = 0
    if hidden is not None:
        score[cv2.dilate(hidden, np.ones((side, side), np.uint8)) > 0] = 0
    edge = _HALF_PX + 3
    score[:edge], score[-edge:], score[:, :edge], score[:, -edge:] = 0, 0, 0, 0
    rows, columns = (
        np.linspace(0, length, cells + 1).astype(int)
        for length, cells in zip(score.shape, _CELLS, strict=True)
    )
    places = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            cell = score[top:bottom, left:right]
            y, x = np.unravel_index(int(cell.argmax()), cell.shape)
            if cell[y, x] > 0:
                places.append((left + x, top + y))
    return np.array(places, np.int64).reshape(-1, 2)
