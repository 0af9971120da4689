"""Whether a picture is fit for counting: fixed, uncut, moving in time, and with something to see.

Judged on a few low-scale luma pictures a second, over seconds, never on one frame:

- scene cut: the structure of the whole picture is another one from one sample to the next;
- moving camera: most parts of the picture that have structure shift against the reference by the
  same way (phase correlation of tiles, Kuglin and Hines 1975), or the picture no longer resembles
  what it showed some seconds before anywhere. A camera that is turned once and then rests has
  moved for the few seconds that it took: where it looks since is for ``video.anchorage`` to say;
- driving camera: nearly everything flows from one point (``video.driven``);
- frozen: not one grey level changes for seconds;
- obscured: hardly any contrast or hardly any light for seconds.
"""

from collections import deque
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from calmstreet.units import NS_PER_S, s_from_ns
from calmstreet.video.driven import DRIVEN_S, drives

__all__ = ["PictureVerdict", "PictureWatch"]

Floats = NDArray[np.float32]

_WIDTH_PX = 160
_TILES = (3, 4)
_MIN_CONTRAST = 4.0
_MIN_RESPONSE = 0.08
_MIN_EDGES = 2.0
_FEWEST_TILES = 4
_MOVING_TILES_SHARE = 0.5
_CUT_LIKENESS = 0.3
_LOST_LIKENESS = 0.25
_FEWEST_CUTS = 2
_SOME_MOTION_SHARE = 0.05
_TURNED_SHARE = 0.03
_GOING_ON_SHARE = 0.004
_DRIFT_S = 2.0
_STILL_PX = 0.3
_NEAR_PX = 1.0
_DRIVEN_SHARE = 0.25
_FEWEST_PAIRS = 4
_PAIR_EVERY = 2
_FROZEN_S = 3.0
_OBSCURED_S = 2.0
_LONGEST_STEP_NS = 2 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureVerdict:
    """What was found so far. ``reason`` is "" while the pictures are fit for counting.

    ``countable`` is False for a moving camera or edited film; frozen and obscured times only
    reduce what was watched (``frozen_s``, ``obscured_s``). ``moving_share`` of the watched time in
    which the camera moved, ``cuts`` scene cuts, ``lost_share`` of the time in which the picture
    resembled its beginning nowhere, ``driven_share`` of the pairs of pictures that show a drive.
    """

    countable: bool
    reason: str
    watched_s: float
    cuts: int
    moving_share: float
    lost_share: float
    driven_share: float
    frozen_s: float
    obscured_s: float


class PictureWatch:
    """Watches one camera's low-scale luma for what makes counting impossible.

    A picture is looked at every ``sample_every_s``. The camera moves when half of the tiles or more
    shift alike and that adds up, over two seconds, to more than ``shift_share`` of the picture's
    width a second (a mast that sways comes back), or to 3 % of it against the first picture and
    still goes on; the largest of the steps is left out, so that one push is no motion. A cut
    is a picture of whose best quarter of tiles none resembles the sample before.
    ``moving_limit_share`` of the watched time in motion, ``lost_limit_share`` of it without
    likeness to the last reference (renewed every ``reference_s``; only beside a cut or some motion,
    as a lorry may park before the camera), or two cuts and ``cuts_per_minute`` make it uncountable.
    """

    def __init__(
        self,
        *,
        sample_every_s: float = 0.4,
        shift_share: float = 0.01,
        moving_limit_share: float = 0.2,
        lost_limit_share: float = 0.5,
        cuts_per_minute: float = 1.5,
        reference_s: float = 8.0,
    ) -> None:
        self._every_ns = round(sample_every_s * NS_PER_S)
        self._shift_share = shift_share
        self._moving_limit_share = moving_limit_share
        self._lost_limit_share = lost_limit_share
        self._cuts_per_minute = cuts_per_minute
        self._reference_ns = round(reference_s * NS_PER_S)
        self._last: _Sample | None = None
        self._start: _Sample | None = None
        self._reference: _Sample | None = None
        self._way: deque[NDArray[np.float64]] = deque(maxlen=round(_DRIFT_S / sample_every_s))
        self._off: deque[NDArray[np.float64]] = deque(maxlen=round(_DRIFT_S / sample_every_s) + 1)
        self._watched_ns = 0
        self._moving_ns = 0
        self._lost_ns = 0
        self._cuts = 0
        self._samples = self._pairs = self._driven = 0
        self._awaits_pair = False
        self._frozen = _Spell(_FROZEN_S)
        self._obscured = _Spell(_OBSCURED_S)

    def update(self, t_ns: int, small_luma: NDArray[np.uint8]) -> None:
        """Look at one picture, uint8 (h, w); most calls return at once."""
        last = self._last
        if last is not None and 0 <= t_ns - last.t_ns < self._every_ns:
            if self._awaits_pair:
                self._pair(last, t_ns, small_luma)
            return
        self._samples += 1
        self._awaits_pair = self._samples % _PAIR_EVERY == 0
        now = _Sample(t_ns, _prepared(small_luma))
        if last is not None and t_ns > last.t_ns and now.luma.shape == last.luma.shape:
            self._compare(now, last)
        self._last = now
        self._start = self._start or now
        reference = self._reference
        if reference is None or not 0 <= t_ns - reference.t_ns < self._reference_ns:
            self._reference = now

    def verdict(self) -> PictureVerdict:
        """Return what was found so far."""
        watched_ns = max(self._watched_ns, 1)
        moving, lost = self._moving_ns / watched_ns, self._lost_ns / watched_ns
        minutes = s_from_ns(watched_ns) / 60.0
        reason = ""
        if moving >= self._moving_limit_share:
            reason = f"moving camera or edited film: it moves for {moving:.0%} of the time"
        elif self._cuts >= _FEWEST_CUTS and self._cuts >= self._cuts_per_minute * minutes:
            reason = f"moving camera or edited film: {self._cuts} scene cuts"
        elif self._pairs >= _FEWEST_PAIRS and self._driven >= _DRIVEN_SHARE * self._pairs:
            share = self._driven / self._pairs
            reason = f"moving camera or edited film: it drives for {share:.0%} of the time"
        elif lost >= self._lost_limit_share and (self._cuts or moving >= _SOME_MOTION_SHARE):
            reason = f"moving camera or edited film: the view changes for {lost:.0%} of the time"
        return PictureVerdict(
            countable=not reason,
            reason=reason,
            watched_s=s_from_ns(self._watched_ns),
            cuts=self._cuts,
            moving_share=moving,
            lost_share=lost,
            driven_share=self._driven / max(self._pairs, 1),
            frozen_s=self._frozen.total_s(),
            obscured_s=self._obscured.total_s(),
        )

    def _pair(self, last: "_Sample", t_ns: int, small_luma: NDArray[np.uint8]) -> None:
        """Ask whether the camera drove from the last sample to a picture shortly after it."""
        apart_s = s_from_ns(t_ns - last.t_ns)
        if apart_s < DRIVEN_S[0]:
            return
        self._awaits_pair = False
        after = _prepared(small_luma).astype(np.uint8)
        if apart_s <= DRIVEN_S[1] and after.shape == last.luma.shape:
            self._pairs += 1
            self._driven += drives(last.luma.astype(np.uint8), after, apart_s=apart_s)

    def _compare(self, now: "_Sample", last: "_Sample") -> None:
        step_ns = min(now.t_ns - last.t_ns, _LONGEST_STEP_NS)
        self._watched_ns += step_ns
        self._obscured.add(step_ns, now.contrast < _MIN_CONTRAST)
        self._frozen.add(step_ns, not cv2.absdiff(now.luma, last.luma).any())
        if now.contrast < _MIN_CONTRAST or last.contrast < _MIN_CONTRAST:
            return
        way, share = _shift(now, last, _STILL_PX)
        self._way.append(way if share >= _MOVING_TILES_SHARE else np.zeros(2))
        drift = _lasting_px(list(self._way)) / _WIDTH_PX
        if drift > self._shift_share * _DRIFT_S or self._off_the_start(now):
            self._moving_ns += step_ns
        elif share < _MOVING_TILES_SHARE and _likeness(now, last) < _CUT_LIKENESS:
            self._cuts += 1
        if self._reference is not None and not _stays(now, self._reference, _NEAR_PX):
            lost = _likeness(now, self._reference) < _LOST_LIKENESS
            self._lost_ns += step_ns if lost else 0

    def _off_the_start(self, now: "_Sample") -> bool:
        """Return whether the view is turned away from where it began and goes on turning."""
        if self._start is None or self._start.luma.shape != now.luma.shape:
            return False
        way, share = _shift(now, self._start, _NEAR_PX)
        if share < _MOVING_TILES_SHARE:
            return False
        self._off.append(way)
        goes_on = _lasting_px(np.diff(list(self._off), axis=0)) > _GOING_ON_SHARE * _WIDTH_PX
        return goes_on and float(np.hypot(*way)) > _TURNED_SHARE * _WIDTH_PX


class _Sample:
    """One picture that is looked at, with what several comparisons need of it."""

    def __init__(self, t_ns: int, luma: NDArray[np.float32]) -> None:
        self.t_ns = t_ns
        self.luma = luma

    @cached_property
    def contrast(self) -> float:
        return float(self.luma.std())

    @cached_property
    def tiles(self) -> list[tuple[NDArray[np.float32], float]]:
        """Return each tile with its contrast."""
        return [(tile, _spread(tile)[1]) for tile in _tiles(self.luma)]

    @cached_property
    def steepness(self) -> NDArray[np.float32]:
        """Return by how many levels the picture changes per pixel, in x or y, the lesser."""
        luma = self.luma
        across = _by_tile(cv2.absdiff(luma[:, 1:], luma[:, :-1]))
        return np.minimum(across, _by_tile(cv2.absdiff(luma[1:], luma[:-1])))

    @cached_property
    def edges(self) -> list[tuple[NDArray[np.float32], float]]:
        """Return the edges of each tile about their mean, with their spread."""
        found = []
        for tile in _tiles(_edges(self.luma)):
            mean, spread = _spread(tile)
            found.append((np.ravel(tile - np.float32(mean)), spread))
        return found


class _Spell:
    """Adds up a state that only counts once it has lasted ``least_s``."""

    def __init__(self, least_s: float) -> None:
        self._least_ns = round(least_s * NS_PER_S)
        self._run_ns = 0
        self._total_ns = 0

    def add(self, step_ns: int, holds: bool) -> None:
        if not holds:
            self._run_ns = 0
            return
        before = self._run_ns
        self._run_ns += step_ns
        if self._run_ns >= self._least_ns:
            self._total_ns += step_ns if before >= self._least_ns else self._run_ns

    def total_s(self) -> float:
        return s_from_ns(self._total_ns)


def _lasting_px(steps: ArrayLike) -> float:
    """Return how far steps (n, 2) lead together, the largest left out: one push is no motion.

    >>> _lasting_px([(0, 0), (9, 0), (0, 0)]), _lasting_px([(3, 0), (3, 0), (3, 0)])
    (0.0, 9.0)
    """
    each = np.asarray(steps, np.float64).reshape(-1, 2)
    if len(each) < 2:
        return 0.0
    rest = np.delete(each, int(np.hypot(*each.T).argmax()), axis=0)
    return float(np.hypot(*rest.sum(axis=0))) * len(each) / len(rest)


def _prepared(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    height = max(8, round(luma.shape[0] * _WIDTH_PX / luma.shape[1]))
    small = cv2.resize(luma, (_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    return cast(Floats, small.astype(np.float32))


def _tiles(picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    rows, columns = _TILES
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    return [
        picture[r * height : (r + 1) * height, c * width : (c + 1) * width]
        for r in range(rows)
        for c in range(columns)
    ]


def _by_tile(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Return the mean of each tile, (rows, columns)."""
    rows, columns = _TILES
    means = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    return cast(Floats, means)


def _stays(now: _Sample, then: _Sample, limit_px: float) -> bool:
    """Return whether most tiles differ by less than a shift of ``limit_px`` would make them."""
    if now.luma.shape != then.luma.shape:
        return False
    apart = _by_tile(cv2.absdiff(now.luma, then.luma))
    alike = np.count_nonzero(apart < limit_px * then.steepness)
    return bool(alike > _MOVING_TILES_SHARE * apart.size)


def _shift(now: _Sample, then: _Sample, limit_px: float) -> tuple[NDArray[np.float64], float]:
    """Return ``_common_shift``, or none of all tiles where the comparison shows it at less cost."""
    return (np.zeros(2), 1.0) if _stays(now, then, limit_px) else _common_shift(now, then)


def _likeness(a: _Sample, b: _Sample) -> float:
    """Return the upper quartile over structured tiles of the correlation of edges, -1..1.

    A bus that fills half of the view leaves the other tiles as they were; a cut leaves none.
    1 where hardly any tile has structure: then nothing can be said.
    """
    values = []
    for (x, spread_x), (y, spread_y) in zip(a.edges, b.edges, strict=True):
        if max(spread_x, spread_y) > _MIN_EDGES:
            product = float(x @ y) / len(x)
            values.append(product / max(spread_x * spread_y, 1e-6))
    return float(np.quantile(values, 0.75)) if len(values) >= _FEWEST_TILES else 1.0


def _spread(tile: NDArray[np.float32]) -> tuple[float, float]:
    """Return mean and standard deviation."""
    mean, deviation = cv2.meanStdDev(tile)
    return float(mean[0, 0]), float(deviation[0, 0])


def _edges(a: NDArray[np.float32]) -> NDArray[np.float32]:
    return cast(Floats, cv2.Laplacian(cv2.GaussianBlur(a, (0, 0), 1.0), cv2.CV_32F))


@cache
def _window(width: int, height: int) -> NDArray[np.float32]:
    return cast(Floats, cv2.createHanningWindow((width, height), cv2.CV_32F))


def _common_shift(a: _Sample, b: _Sample) -> tuple[NDArray[np.float64], float]:
    """Return (the shift x, y in px that most tiles share, share of all tiles that do)."""
    shifts = []
    for (x, contrast_x), (y, contrast_y) in zip(a.tiles, b.tiles, strict=True):
        if min(contrast_x, contrast_y) < _MIN_CONTRAST:
            continue
        window = _window(x.shape[1], x.shape[0])
        shift, response = cv2.phaseCorrelate(x.copy(), y.copy(), window)  # it writes to its inputs
        if response > _MIN_RESPONSE:
            shifts.append(shift)
    if not shifts:
        return np.zeros(2), 0.0
    each = np.array(shifts)
    common = np.median(each, axis=0)
    near = np.hypot(*(each - common).T) <= 1.0 + 0.25 * np.hypot(*common)
    return common, float(near.sum()) / (_TILES[0] * _TILES[1])
