"""The homography that fits measured points and known lengths best, for one or many sets at once.

Residuals are metres on the ground, each divided by its standard error: that of the map and that of
the click, carried to the ground by the local slope of the map. The start is OpenCV's
``findHomography``; the rest are Levenberg-Marquardt steps on eight numbers in conditioned
coordinates (Hartley 1997, "In defense of the eight-point algorithm").
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Fit", "Picks", "camera_of", "fit_picks", "perturbed_matrices"]

Floats = NDArray[np.float64]
_STEPS = 40
_WEIGHINGS = 3
_ROBUST_FROM = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picks:
    """What was measured: undistorted pixels, metres of the site's frame, standard errors.

    ``px`` and ``m`` (n, 2), ``sigma_px``, ``sigma_m`` (n,); lengths between ``a_px`` and ``b_px``
    (k, 2) of ``length_m`` (k,) with ``length_sigma_m`` (k,).
    """

    px: Floats
    m: Floats
    sigma_px: float
    sigma_m: Floats
    a_px: Floats
    b_px: Floats
    length_m: Floats
    length_sigma_m: Floats

    def without_point(self, row: int) -> "Picks":
        """Return the picks with one point left out."""
        kept = np.arange(len(self.px)) != row
        return self.with_points(kept)

    def with_points(self, kept: NDArray[np.bool_]) -> "Picks":
        """Return the picks with those points of which ``kept`` (n,) is true."""
        return replace(self, px=self.px[kept], m=self.m[kept], sigma_m=self.sigma_m[kept])

    def without_length(self, row: int) -> "Picks":
        """Return the picks with one length left out."""
        kept = np.arange(len(self.length_m)) != row
        names = ("a_px", "b_px", "length_m", "length_sigma_m")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def times(self, share: float) -> "Picks":
        """Return the picks with all standard errors of points multiplied."""
        return replace(self, sigma_px=self.sigma_px * share, sigma_m=self.sigma_m * share)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Frames:
    """Conditioned coordinates: middle and size of the points in pixels and in metres."""

    middle_px: Floats
    size_px: float
    middle_m: Floats
    size_m: float

    def matrix(self, numbers: Floats) -> Floats:
        """Return homographies (..., 3, 3) px to m of eight conditioned numbers (..., 8)."""
        ones = np.ones((*numbers.shape[:-1], 1))
        inner = np.concatenate([numbers, ones], axis=-1).reshape(*numbers.shape[:-1], 3, 3)
        px = np.diag([1 / self.size_px, 1 / self.size_px, 1.0])
        px[:2, 2] = -self.middle_px / self.size_px
        m = np.diag([self.size_m, self.size_m, 1.0])
        m[:2, 2] = self.middle_m
        return np.asarray(m @ inner @ px)

    def inner(self, picks: Picks) -> Picks:
        """Return the picks in conditioned coordinates."""
        return Picks(
            px=(picks.px - self.middle_px) / self.size_px,
            m=(picks.m - self.middle_m) / self.size_m,
            sigma_px=picks.sigma_px / self.size_px,
            sigma_m=picks.sigma_m / self.size_m,
            a_px=(picks.a_px - self.middle_px) / self.size_px,
            b_px=(picks.b_px - self.middle_px) / self.size_px,
            length_m=picks.length_m / self.size_m,
            length_sigma_m=picks.length_sigma_m / self.size_m,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A homography and how well it fits.

    ``matrix`` (3, 3) has w = 1 at the middle of the points; ``residual_m`` (n, 2) is fitted minus
    measured; ``whitened`` (2n + k,) the residuals in standard errors; ``cov`` (8, 8) that of the
    conditioned ``numbers`` (8,); ``picks`` what was fitted.
    """

    matrix: Floats
    residual_m: Floats
    whitened: Floats
    cov: Floats
    picks: Picks
    frames: _Frames
    numbers: Floats

    @property
    def chi(self) -> float:
        """Return the root of chi squared per degree of freedom; NaN where there is none."""
        free = len(self.whitened) - 8
        return float(np.sqrt((self.whitened**2).sum() / free)) if free > 0 else float("nan")

    def offs(self, picks: Picks) -> Floats:
        """Return how far each point (n,) of any picks lies off, in standard errors of one axis."""
        inner = self.frames.inner(picks)
        place = _places(self.numbers[None], inner.px[None])[0][0]
        white = _weights(self.numbers, inner)[0]
        off = np.einsum("nij,nj->ni", white, place - inner.m)
        return np.asarray(np.hypot(off[:, 0], off[:, 1]))

    def length_checks(self, picks: Picks) -> tuple[Floats, Floats]:
        """Return the fitted lengths (k,) in metres and their standard errors from the points.

        The errors are those of the fit and of the clicks at both ends, not of the tape.
        """
        inner = self.frames.inner(picks)
        ends = [_places(self.numbers[None], px[None]) for px in (inner.a_px, inner.b_px)]
        way = ends[0][0][0] - ends[1][0][0]
        length = np.hypot(way[:, 0], way[:, 1])
        row = np.einsum("ki,kip->kp", way / length[:, None], ends[0][1][0] - ends[1][1][0])
        variance = np.einsum("kp,pq,kq->k", row, self.cov, row)
        no_tape = replace(inner, length_sigma_m=np.zeros_like(inner.length_m))
        clicks = _weights(self.numbers, no_tape)[1]
        return length * self.frames.size_m, np.sqrt(variance + clicks**2) * self.frames.size_m

    def slope(self, px: Floats) -> Floats:
        """Return d metres / d conditioned numbers (n, 2, 8) at undistorted pixels (n, 2)."""
        inner = (px - self.frames.middle_px) / self.frames.size_px
        return np.asarray(_places(self.numbers[None], inner[None])[1][0] * self.frames.size_m)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """A stack of problems (b, ...) in conditioned coordinates with common weights."""

    px: Floats
    m: Floats
    white: Floats
    a_px: Floats
    b_px: Floats
    lengths: Floats
    length_sigma: Floats


def _frames_of(picks: Picks) -> _Frames:
    middle_px, middle_m = picks.px.mean(axis=0), picks.m.mean(axis=0)
    size_px = float(np.sqrt(((picks.px - middle_px) ** 2).sum(axis=1).mean() / 2)) or 1.0
    size_m = float(np.sqrt(((picks.m - middle_m) ** 2).sum(axis=1).mean() / 2)) or 1.0
    return _Frames(middle_px=middle_px, size_px=size_px, middle_m=middle_m, size_m=size_m)


def _places(numbers: Floats, px: Floats) -> tuple[Floats, Floats]:
    """Return places (b, n, 2) and d places / d numbers (b, n, 2, 8)."""
    u, v = px[..., 0], px[..., 1]
    h = numbers[:, None, :]
    w = h[..., 6] * u + h[..., 7] * v + 1
    w = np.where(np.abs(w) < 1e-9, 1e-9, w)
    x = (h[..., 0] * u + h[..., 1] * v + h[..., 2]) / w
    y = (h[..., 3] * u + h[..., 4] * v + h[..., 5]) / w
    ray = np.stack([u / w, v / w, 1 / w], axis=-1)
    slope = np.zeros((*x.shape, 2, 8))
    slope[..., 0, 0:3] = slope[..., 1, 3:6] = ray
    place = np.stack([x, y], axis=-1)
    slope[..., 6:8] = -place[..., None] * ray[..., None, :2]
    return place, slope


def _px_slope(numbers: Floats, px: Floats) -> Floats:
    """Return d place / d pixel (n, 2, 2) for one set of numbers (8,)."""
    place, _ = _places(numbers[None], px[None])
    w = numbers[6] * px[:, 0] + numbers[7] * px[:, 1] + 1
    flat = np.array([[numbers[0], numbers[1]], [numbers[3], numbers[4]]])
    return np.asarray((flat - place[0][:, :, None] * numbers[6:8]) / w[:, None, None])


def _weights(numbers: Floats, picks: Picks) -> tuple[Floats, Floats]:
    """Return whitening matrices of points (n, 2, 2) and standard errors of lengths (k,)."""
    slope = _px_slope(numbers, picks.px) * picks.sigma_px
    cov = np.einsum("nik,njk->nij", slope, slope)
    cov += (picks.sigma_m**2)[:, None, None] * np.eye(2)
    white = np.linalg.inv(np.linalg.cholesky(cov))
    ends = [_places(numbers[None], px[None])[0][0] for px in (picks.a_px, picks.b_px)]
    way = ends[0] - ends[1]
    way = way / np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-12)[:, None]
    variance = picks.length_sigma_m**2
    for px in (picks.a_px, picks.b_px):
        along = np.einsum("ki,kij->kj", way, _px_slope(numbers, px)) * picks.sigma_px
        variance = variance + (along**2).sum(axis=1)
    return white, np.sqrt(variance)


def _residuals(numbers: Floats, task: _Task) -> tuple[Floats, Floats]:
    """Return residuals in standard errors (b, 2n + k) and their slopes (b, 2n + k, 8)."""
    stack = len(numbers)
    place, slope = _places(numbers, task.px)
    off = np.einsum("nij,bnj->bni", task.white, place - task.m).reshape(stack, -1)
    rows = np.einsum("nij,bnjp->bnip", task.white, slope).reshape(stack, -1, 8)
    start, start_slope = _places(numbers, task.a_px)
    end, end_slope = _places(numbers, task.b_px)
    way = start - end
    length = np.maximum(np.hypot(way[..., 0], way[..., 1]), 1e-12)
    unit = way / length[..., None]
    more = np.einsum("bki,bkip->bkp", unit, start_slope - end_slope)
    return (
        np.concatenate([off, (length - task.lengths) / task.length_sigma], axis=1),
        np.concatenate([rows, more / task.length_sigma[:, None]], axis=1),
    )


def _descend(numbers: Floats, task: _Task) -> Floats:
    """Return the numbers (b, 8) at the least sum of squares near ``numbers``."""
    damping = np.full(len(numbers), 1e-9)
    off, rows = _residuals(numbers, task)
    cost = (off**2).sum(axis=1)
    for _ in range(_STEPS):
        normal = np.einsum("bri,brj->bij", rows, rows)
        pull = np.einsum("bri,br->bi", rows, off)
        size = np.einsum("bii->bi", normal)
        ridge = damping[:, None] * size + 1e-14 * size.sum(axis=1, keepdims=True)
        step = np.linalg.solve(normal + ridge[:, :, None] * np.eye(8), pull[..., None])[..., 0]
        trial = numbers - step
        new_off, new_rows = _residuals(trial, task)
        new_cost = (new_off**2).sum(axis=1)
        better = new_cost <= cost
        numbers = np.where(better[:, None], trial, numbers)
        off = np.where(better[:, None], new_off, off)
        rows = np.where(better[:, None, None], new_rows, rows)
        cost = np.where(better, new_cost, cost)
        damping = np.clip(np.where(better, damping * 0.1, damping * 30 + 1e-6), 1e-12, 1e6)
        if np.abs(step).max() < 1e-11:
            break
    return numbers


def _task(numbers: Floats, picks: Picks) -> _Task:
    white, length_sigma = _weights(numbers, picks)
    return _Task(
        px=picks.px[None],
        m=picks.m[None],
        white=white,
        a_px=picks.a_px[None],
        b_px=picks.b_px[None],
        lengths=picks.length_m[None],
        length_sigma=length_sigma,
    )


def _start(picks: Picks, threshold: float) -> Floats | None:
    """Return OpenCV's homography as eight numbers; None where it finds none.

    MAGSAC keeps to samples that turn the same way in both pictures (Chum et al. 2004), so it is
    shown pixels with y upwards, as on the ground; where it finds nothing least squares must do.
    """
    turned = np.array([1.0, -1.0])
    try:
        found = None
        if np.isfinite(threshold) and len(picks.px) >= _ROBUST_FROM:
            method = cv2.USAC_MAGSAC
            found, _ = cv2.findHomography(picks.px * turned, picks.m, method, threshold)
            found = None if found is None else found @ np.diag([1.0, -1.0, 1.0])
        if found is None:
            found, _ = cv2.findHomography(picks.px, picks.m, 0)
    except cv2.error:
        return None
    if found is None or not np.isfinite(found).all() or abs(found[2, 2]) < 1e-12:
        return None
    return np.asarray(found, np.float64).reshape(9)[:8] / float(found[2, 2])


def fit_picks(picks: Picks, *, robust_m: float = float("nan")) -> Fit | None:
    """Return the best homography, or None where the points determine none.

    Args:
        picks: at least four points.
        robust_m: from eight points on, how many metres off the first search (MAGSAC) still takes
            for noise; NaN for plain least squares. Points are left out by the caller, not here.
    """
    frames = _frames_of(picks)
    inner = frames.inner(picks)
    numbers = _start(inner, robust_m / frames.size_m)
    if numbers is None:
        return None
    try:
        for _ in range(_WEIGHINGS):
            task = _task(numbers, inner)
            numbers = _descend(numbers[None], task)[0]
        off, rows = _residuals(numbers[None], _task(numbers, inner))
        cov = np.linalg.pinv(rows[0].T @ rows[0], hermitian=True)
    except np.linalg.LinAlgError:
        return None
    place = _places(numbers[None], inner.px[None])[0][0]
    return Fit(
        matrix=frames.matrix(numbers),
        residual_m=(place - inner.m) * frames.size_m,
        whitened=off[0],
        cov=cov,
        picks=picks,
        frames=frames,
        numbers=numbers,
    )


def perturbed_matrices(fit: Fit, *, count: int, seed: int) -> Floats:
    """Return ``count`` homographies (count, 3, 3) refitted to randomly perturbed picks.

    Pixels, metres and lengths are moved by normal errors of their standard errors (parametric
    bootstrap; Efron and Tibshirani 1993, chapter 6). The same seed gives the same matrices.
    """
    rng = np.random.default_rng(seed)
    frames = fit.frames
    inner = frames.inner(fit.picks)
    task = _task(fit.numbers, inner)

    def moved(values: Floats, sigma: Floats | float) -> Floats:
        return values + rng.standard_normal((count, *values.shape)) * sigma

    draws = replace(
        task,
        px=moved(inner.px, inner.sigma_px),
        m=moved(inner.m, inner.sigma_m[:, None]),
        a_px=moved(inner.a_px, inner.sigma_px),
        b_px=moved(inner.b_px, inner.sigma_px),
        lengths=moved(inner.length_m, inner.length_sigma_m),
    )
    return frames.matrix(_descend(np.tile(fit.numbers, (count, 1)), draws))


def camera_of(
    matrix: Floats, *, centre_px: Floats, focal_px: float = float("nan")
) -> tuple[Floats, Floats]:
    """Return focal length (...,) px and place (..., 3) m of the cameras behind homographies.

    Square pixels and the principal point at ``centre_px`` are assumed; the focal length, unless
    given, follows from the two right angles that ground axes must keep (Zhang 2000, section 3.1).
    NaN where they do not tell, as when the camera looks straight down.
    """
    shift = np.eye(3)
    shift[:2, 2] = -centre_px
    ground = shift @ np.linalg.inv(matrix)
    h1, h2, h3 = ground[..., 0], ground[..., 1], ground[..., 2]
    first = np.stack(
        [
            2 * (h1[..., 0] * h2[..., 0] + h1[..., 1] * h2[..., 1]),
            h1[..., 0] ** 2 + h1[..., 1] ** 2 - h2[..., 0] ** 2 - h2[..., 1] ** 2,
        ],
        axis=-1,
    )
    second = np.stack([2 * h1[..., 2] * h2[..., 2], h1[..., 2] ** 2 - h2[..., 2] ** 2], axis=-1)
    with np.errstate(all="ignore"):
        implied = np.sqrt(-(first**2).sum(axis=-1) / (first * second).sum(axis=-1))
        focal = np.where(np.isfinite(focal_px), focal_px, implied)
        lens = np.stack([1 / focal, 1 / focal, np.ones_like(focal)], axis=-1)
        b1, b2, b3 = h1 * lens, h2 * lens, h3 * lens
        size = (np.linalg.norm(b1, axis=-1) + np.linalg.norm(b2, axis=-1)) / 2
        b1, b2, b3 = (b / size[..., None] for b in (b1, b2, b3))
        up = np.cross(b1, b2)
        place = -np.stack([(b * b3).sum(axis=-1) for b in (b1, b2, up)], axis=-1)
    return focal, place
