"""Where the camera looks, against the street on which its gates were drawn.

- Sway: a mast nods in the wind. Once a sample is off, pictures are registered as often as the
  swing is fast, every one at first, until the camera has been at rest for some seconds; boxes can
  then be sent to the street's own pixels.
- A lasting shift (somebody bumped the camera, a motor turned it) is kept with its start.
- Lost: the street is found nowhere for a while although the picture shows something.

The street is the calibration picture when there is one, else the first seconds of the run. Light
that changes pulls at landmarks before it hides them (a shadow wanders), so as soon as some are no
longer alike a newer street is taken every half a minute, seen from where the camera rests; when
the first street is alike again, it leads.
"""

from dataclasses import dataclass, replace
from math import exp

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.turning import boxes_through, turn_moves
from calmstreet.model.shifts import Shifts
from calmstreet.units import NS_PER_S
from calmstreet.video.landmarks import Landmarks, Sighting
from calmstreet.video.resting import Resting

__all__ = ["Anchorage", "Registration"]

_EVERY_NS = (round(0.47 * NS_PER_S), round(0.67 * NS_PER_S))
_EARLY_NS = round(0.45 * NS_PER_S)
_STREET_NS = 5 * NS_PER_S
_FEWEST_STREET = 8
_RENEW_NS = 30 * NS_PER_S
_FEW_ALIKE_SHARE = 0.85
_FIRST_ALIKE_SHARE = 0.7
_OFF_PX = 0.5
_HELD_PX = 0.3  # by how much a picture between two samples of a sway may lie off
_NOISE_PX = 0.1
_GUST_PX_PER_S = 10.0
_GUST_S = 1.0
_MIN_CONTRAST = 4.0
_FOLLOWS = 0.1
_PROBES = ((0.15, 0.2), (0.85, 0.2), (0.5, 0.5), (0.15, 0.9), (0.85, 0.9))

Array = NDArray[np.float64]
Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """How one picture lies on the reference picture.

    ``matrix`` (3, 3) sends its pixels to those of the reference; ``still`` True where that is the
    identity; ``moved`` True while the camera rests elsewhere or nobody knows where it looks.
    """

    matrix: Array
    still: bool
    moved: bool

    def registered(self, box_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return boxes float32 (n, 4) of this picture in pixels of the reference."""
        return box_px if self.still else boxes_through(box_px, self.matrix)

    def as_seen(self, box_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return boxes float32 (n, 4) in pixels of the reference where this picture shows them."""
        return box_px if self.still else boxes_through(box_px, np.linalg.inv(self.matrix))


class Anchorage:
    """Registers one camera's pictures, given as low-scale luma, to a reference street.

    ``width_px`` of the camera's pictures. ``reference`` uint8 (h, w) luma of the picture on which
    the gates were drawn, None: the run's own first seconds. ``hidden_px`` polygons in camera
    pixels that are no street (masks). ``focal_px`` of the camera if known.
    """

    def __init__(
        self,
        *,
        width_px: int,
        reference: NDArray[np.uint8] | None = None,
        hidden_px: tuple[Polygon, ...] = (),
        focal_px: float | None = None,
    ) -> None:
        self._width_px, self._hidden_px, self._focal_px = width_px, hidden_px, focal_px
        self._reference = reference
        self._shape: tuple[int, int] = (0, 0)
        self._begun_ns: int | None = None
        self._last_ns = 0
        self._sampled_ns = 0
        self._early: list[tuple[int, NDArray[np.uint8]]] = []
        self._anchors: list[tuple[Landmarks, Array]] = []
        self._made_ns = self._tried_ns = 0
        self._street = np.empty((0, 0), np.float32)
        self._turn = np.zeros(4)
        self._sway_px_per_s = _GUST_PX_PER_S
        self._missing = False
        self._lies: Registration | None = None
        self._resting: Resting
        self.compared: bool | None = None
        self.sightings = 0

    @property
    def sway_px(self) -> float:
        """Return how far the picture swung about where it rested, in camera pixels."""
        return self._resting.swing_px * self._scale if self._begun_ns is not None else 0.0

    def shifts(self) -> Shifts:
        """Return the lasting shifts so far; one that lasts ends with the last picture."""
        spells = self._resting.spells if self._begun_ns is not None else []
        nowhere = np.full((3, 3), np.nan)
        rows = [
            (
                spell.start_ns,
                self._last_ns if spell.end_ns is None else spell.end_ns,
                nowhere if spell.turn is None else self._matrix(spell.turn),
            )
            for spell in spells
        ]
        return Shifts(
            start_ns=np.array([row[0] for row in rows], np.int64),
            end_ns=np.array([row[1] for row in rows], np.int64),
            matrix=np.array([row[2] for row in rows], np.float64).reshape(-1, 3, 3),
        )

    def update(self, t_ns: int, small: NDArray[np.uint8]) -> Registration:
        """Take the next analysed picture, low-scale luma (h, w); return how it lies."""
        if self._begun_ns is None:
            self._begin(t_ns, small)
        self._last_ns = t_ns
        if not self._anchors:
            self._gather(t_ns, small)
        elif self._is_due(t_ns):
            self._sample(t_ns, small)
            self._sampled_ns, self._lies = t_ns, None
        if self._lies is None:
            resting = self._resting
            turn = self._turn if resting.stirred else resting.rest
            still = not turn.any()
            matrix = np.eye(3) if still else self._matrix(turn)
            self._lies = Registration(matrix=matrix, still=still, moved=resting.moved)
        return self._lies

    def _is_due(self, t_ns: int) -> bool:
        wait_ns = _EVERY_NS[self.sightings % 2]
        if self._resting.stirred and not self._missing:
            wait_ns = min(wait_ns, round(_HELD_PX / self._sway_px_per_s * NS_PER_S))
        return t_ns - self._sampled_ns >= wait_ns

    @property
    def _scale(self) -> float:
        return self._width_px / self._shape[1]

    def _matrix(self, turn: Array) -> Array:
        """Return the homography from camera pixels as seen to those of the reference."""
        scale = np.diag([self._scale, self._scale, 1.0])
        away = self._anchors[0][0].matrix(turn)
        found = scale @ np.linalg.inv(away) @ np.linalg.inv(scale)
        return np.asarray(found / found[2, 2])

    # The street

    def _begin(self, t_ns: int, small: NDArray[np.uint8]) -> None:
        height, width = small.shape
        self._begun_ns, self._shape = t_ns, (height, width)
        probes = np.array(_PROBES) * np.array([width, height])
        focal_px = self._focal_px and self._focal_px / self._scale
        moves = turn_moves(
            probes, focal_px=focal_px or 0.9 * width, centre_px=(width / 2, height / 2)
        )
        self._resting = Resting(
            start_ns=t_ns,
            reach=lambda turn: float(np.hypot(*(moves @ turn).T).max()),
            off_px=_OFF_PX,
        )
        if self._reference is not None:
            self._compare(t_ns, small, self._reference)

    def _compare(self, t_ns: int, small: NDArray[np.uint8], reference: NDArray[np.uint8]) -> None:
        """Look for the calibration picture's street in the first picture of the run."""
        size = (self._shape[1], self._shape[0])
        street = cv2.resize(reference, size, interpolation=cv2.INTER_AREA)
        landmarks = self._landmarks(np.asarray(street, np.float32))
        found = landmarks.search(small)
        self.compared = found.sure
        if found.sure:
            self._anchors = [(landmarks, np.zeros(4))]
            self._street, self._made_ns = small.astype(np.float32), t_ns
            self._turn = found.turn
            self._resting.begin_at(t_ns, found.turn)

    def _landmarks(self, street: NDArray[np.float32]) -> Landmarks:
        hidden = None
        if self._hidden_px:
            hidden = np.zeros(self._shape, np.uint8)
            for polygon in self._hidden_px:
                corners = np.rint(np.asarray(polygon, np.float64) / self._scale).astype(np.int32)
                cv2.fillPoly(hidden, [corners], 255)
        focal_px = self._focal_px and self._focal_px / self._scale
        return Landmarks(street, hidden=hidden, focal_px=focal_px)

    def _gather(self, t_ns: int, small: NDArray[np.uint8]) -> None:
        """Gather the first seconds of a run until their median can stand for the street."""
        assert self._begun_ns is not None
        if self._early and t_ns - self._early[-1][0] < _EARLY_NS:
            return
        self._early.append((t_ns, small.copy()))
        if t_ns - self._begun_ns < _STREET_NS or len(self._early) < _FEWEST_STREET:
            return
        stack = np.stack([picture for _, picture in self._early])
        stack.partition(len(stack) // 2, axis=0)
        self._street = stack[len(stack) // 2].astype(np.float32)
        self._anchors, self._made_ns = [(self._landmarks(self._street), np.zeros(4))], t_ns
        self._early.clear()

    # Each sample

    def _sample(self, t_ns: int, small: NDArray[np.uint8]) -> None:
        self.sightings += 1
        found = self._located(t_ns, small)
        self._missing = found is None
        if found is None:
            if float(cv2.meanStdDev(small)[1][0, 0]) >= _MIN_CONTRAST:
                self._resting.miss(t_ns)
            return
        stirred = self._resting.stirred
        self._resting.take(t_ns, found.turn)
        self._pace(t_ns, found.turn if stirred else None)
        self._turn = found.turn
        if not self._resting.stirred:
            self._follow_light(t_ns, small, found)

    def _pace(self, t_ns: int, turn: Array | None) -> None:
        """Follow how fast the picture swings, in low-scale px/s: the fastest of the last second.

        None: it did not swing until now, so the worst is expected.
        """
        if turn is None:
            self._sway_px_per_s = _GUST_PX_PER_S
            return
        gap_s = (t_ns - self._sampled_ns) / NS_PER_S
        moved_px = self._resting.reach(turn - self._turn)
        latest = max(moved_px - _NOISE_PX, 0.0) / max(gap_s, 1e-3)
        self._sway_px_per_s = max(latest, self._sway_px_per_s * exp(-gap_s / _GUST_S), 1e-3)

    def _located(self, t_ns: int, small: NDArray[np.uint8]) -> Sighting | None:
        """Return how the picture is turned, by the newest street; now and then by the first."""
        ordered = self._anchors[::-1]
        if len(ordered) > 1 and t_ns - self._tried_ns > _RENEW_NS:
            self._tried_ns = t_ns
            found = self._anchors[0][0].locate(small, near=self._turn)
            if found.sure and found.agree >= _FIRST_ALIKE_SHARE * found.seen:
                del self._anchors[1:]
                return found
        for landmarks, base in ordered:
            found = landmarks.locate(small, near=self._turn - base)
            if found.sure:
                return replace(found, turn=found.turn + base)
        for landmarks, base in ordered:
            found = landmarks.search(small)
            if found.sure:
                return replace(found, turn=found.turn + base)
        return None

    def _follow_light(self, t_ns: int, small: NDArray[np.uint8], found: Sighting) -> None:
        """Learn the street; take it for landmarks once some of the first street's are not alike."""
        cv2.accumulateWeighted(small, self._street, _FOLLOWS)
        few = len(self._anchors) > 1 or found.agree < _FEW_ALIKE_SHARE * found.seen
        if few and t_ns - self._made_ns > _RENEW_NS:
            newer = (self._landmarks(self._street), self._resting.rest.copy())
            self._anchors, self._made_ns = [self._anchors[0], newer], t_ns
            self._tried_ns = t_ns
