"""The speed of a road user at a line on the ground with its error, or why there is none.

The speed is the slope of the distance along the way over time (``geometry.regression``), at the
instant of the crossing, from at least 15 m and 1 s (people on foot and on two wheels: 2 s) of
places that were really measured. Its uncertainty is

    U^2 = fit^2 + u_box^2 + (v u_scale)^2 + (v u_contact)^2 + (v u_time)^2.

``fit`` is random: each road user has its own, it shrinks in means. It holds the tremor of the
boxes and that of the time stamps, because both are in the residuals. ``u_box`` is what they do not
show: where the eyes see the foot of a tall body (bus, truck) drifts while it comes or goes, in box
after box alike. The two ends of the fit count with 1.5 times the noise of one box each, over the
time between them. The rest belongs to the site: every road user of a camera shares it, and no
number of them makes it smaller.

- ``u_scale``: the map between picture and ground. The fit is repeated under every draw of the
  calibration; the standard deviation of its results is the share.
- ``u_contact``: what is tracked may be up to z over the ground, which makes speeds too high by
  b = z / (h - z) at most, h the height of the camera. Nobody knows where between 0 and b, and the
  bias is one-sided and not corrected; the standard uncertainty of such an error is its root mean
  square about zero, b / sqrt(3) for a rectangular distribution over 0..b (JCGM 100:2008, 4.3.7
  and F.2.4.5). It is more than b / sqrt(12), which is for a corrected mean.
- ``u_time``: the rate of the clock that stamps the frames, which no residual shows. 1 % until the
  site has been verified.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.motion import MAX_GAP_S
from calmstreet.geometry.plane import CONTACT_Z_M, Plane, mapped
from calmstreet.geometry.regression import LEAST_ROWS, SlopeFit, fit_slope
from calmstreet.geometry.way import Way, way_through
from calmstreet.model.kinds import HEIGHT_M, PEOPLE, Flag, Kind
from calmstreet.units import NS_PER_S

__all__ = [
    "CLOCK_SHARE",
    "LEAST_M",
    "MOST_M_PER_PX",
    "REASONS",
    "Course",
    "SiteError",
    "SpeedAtLine",
    "least_s",
    "measure_speed",
]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

REASONS: tuple[str, ...] = (
    "untrusted-plane",
    "camera-moved",
    "slow-rate",
    "coarse",
    "gap",
    "border",
    "overlapped",
    "short",
)
"""Why a speed is withheld, in the order in which it is asked."""

LEAST_M = 15.0
MOST_M_PER_PX = 0.15
LEAST_FPS = 10.0
CLOCK_SHARE = 0.01
_RATE_SLACK = 0.9  # files asked for 10 pictures per second give 9.9 to 10
_REACH_M = 20.0
_REACH_GROWTH = (1.0, 1.4, 2.0)
_OUTSIDE_S = 0.25
_PACE_RATIO = 3.0
_STRAY = 1.5
_UNKNOWN_CONTACT_SHARE = 0.03  # as from 6 m, where nobody knows how high the camera hangs
_TALL_M = 2.5
_DRIFT_SIGMAS = 1.5
_K95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """The rows of one track in order of time.

    ``t_ns`` (n,); ``xy_m`` (n, 2) places as measured, not smoothed over time, NaN where none;
    ``cov_m2`` (n, 3) their noise; ``smooth_m``, ``velocity_mps`` (n, 2) of
    ``geometry.motion.smoothed_tracks``; ``flags`` (n,) of Flag; ``usable`` (n,) which places the
    tracker vouches for; ``m_per_px`` (n,) along the way, NaN where there are no pixels; ``kind``.
    """

    t_ns: NDArray[np.int64]
    xy_m: Array
    cov_m2: Array
    smooth_m: Array
    velocity_mps: Array
    flags: NDArray[np.uint8]
    usable: Mask
    m_per_px: Array
    kind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteError:
    """Shares of a speed that all road users of a camera have in common, one sigma each."""

    scale: float
    contact: float
    time: float

    @property
    def total(self) -> float:
        """Return the root of the sum of squares.

        >>> round(SiteError(scale=0.02, contact=0.02, time=0.01).total, 6)
        0.03
        """
        return float(np.sqrt(self.scale**2 + self.contact**2 + self.time**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedAtLine:
    """A speed with its error, or a ``reason`` of REASONS and NaN.

    ``sigma_random_mps`` of the fit, ``sigma_site_mps`` common to the camera, ``half95_mps`` half
    of the 95 % interval of both; ``n`` places over ``length_m`` and ``duration_s``; ``method``
    "linear" or "quadratic"; ``accel_mps2``; ``rho`` the likely autocorrelation of the places.
    """

    reason: str = ""
    speed_mps: float = float("nan")
    sigma_random_mps: float = float("nan")
    sigma_site_mps: float = float("nan")
    half95_mps: float = float("nan")
    accel_mps2: float = float("nan")
    rho: float = float("nan")
    n: int = 0
    length_m: float = float("nan")
    duration_s: float = float("nan")
    method: str = ""


def least_s(kind: int) -> float:
    """Return for how long a road user must be measured, in seconds.

    >>> least_s(Kind.CAR), least_s(Kind.BICYCLE)
    (1.0, 2.0)
    """
    return 2.0 if kind in PEOPLE else 1.0


def measure_speed(
    course: Course,
    *,
    at_ns: int,
    plane: Plane | None,
    moved: bool = False,
    contact_z_m: float = CONTACT_Z_M,
    clock_share: float = CLOCK_SHARE,
) -> SpeedAtLine:
    """Return the speed at the instant ``at_ns``, or why there is none.

    Without a plane (places that came in metres) there is no scale and no contact to be wrong.
    ``moved`` says that the camera does not stand where it was calibrated.
    """
    if plane is not None and not plane.trusted:
        return SpeedAtLine(reason="untrusted-plane")
    if moved:
        return SpeedAtLine(reason="camera-moved")
    if _too_slow(course.t_ns, at_ns):
        return SpeedAtLine(reason="slow-rate")
    rows, reason = _rows_at(course, at_ns)
    if reason:
        return SpeedAtLine(reason=reason)
    t_s = (course.t_ns[rows] - at_ns) / NS_PER_S
    way = _way_of(course, rows)
    sigma_m = _even_sigma(t_s, _sigma_along(course.cov_m2[rows], way.along))
    accel = 0.5 if course.kind == Kind.PEDESTRIAN else 1.0
    fit = fit_slope(t_s, way.s_m, sigma_m, at_s=0.0, accel_sigma_mps2=accel)
    site = SiteError(
        scale=_scale_share(plane, way.on_m, fit) if plane is not None else 0.0,
        contact=_contact_share(plane, contact_z_m) if plane is not None else 0.0,
        time=clock_share,
    )
    duration_s = float(t_s[-1] - t_s[0])
    box_mps = 0.0
    if plane is not None and HEIGHT_M[course.kind] >= _TALL_M:
        box_mps = _DRIFT_SIGMAS * float(np.hypot(sigma_m[0], sigma_m[-1])) / duration_s
    return _with_budget(fit, site, way=way, duration_s=duration_s, box_mps=box_mps)


def _with_budget(
    fit: SlopeFit, site: SiteError, *, way: Way, duration_s: float, box_mps: float
) -> SpeedAtLine:
    speed = abs(fit.speed_mps)
    sigma_site = speed * site.total
    if not np.isfinite(sigma_site):
        return SpeedAtLine(reason="untrusted-plane")
    return SpeedAtLine(
        speed_mps=speed,
        sigma_random_mps=float(np.hypot(fit.sigma_mps, box_mps)),
        sigma_site_mps=sigma_site,
        half95_mps=float(np.hypot(fit.half95_mps, _K95 * np.hypot(sigma_site, box_mps))),
        accel_mps2=fit.accel_mps2,
        rho=fit.rho,
        n=fit.n,
        length_m=float(way.s_m.max() - way.s_m.min()),
        duration_s=duration_s,
        method="quadratic" if fit.quadratic else "linear",
    )


def _too_slow(t_ns: NDArray[np.int64], at_ns: int) -> bool:
    """Return True below 10 analysed pictures per second (less a tenth) around the crossing.

    Steps are taken in pairs: of 25 pictures per second every second and every third is analysed
    in turn.
    """
    stamps = np.unique(t_ns[np.abs(t_ns - at_ns) <= 2 * NS_PER_S])
    apart = 2 if len(stamps) > 2 else 1
    steps = (stamps[apart:] - stamps[:-apart]) / apart
    return bool(len(steps)) and float(np.median(steps)) > NS_PER_S / (LEAST_FPS * _RATE_SLACK)


def _rows_at(course: Course, at_ns: int) -> tuple[NDArray[np.intp], str]:
    """Return the rows to fit, or what stands in the way: the first fault whose absence helps."""
    placed = np.isfinite(course.xy_m).all(axis=1) & np.isfinite(course.smooth_m).all(axis=1)
    placed &= np.isfinite(course.cov_m2).all(axis=1)
    fine = ~(course.m_per_px > MOST_M_PER_PX)
    border, overlapped = ((course.flags & flag) != 0 for flag in (Flag.BORDER, Flag.OVERLAPPED))
    good = placed & course.usable & fine & ~border & ~overlapped
    rows = _window(course, good, at_ns)
    if rows is not None:
        return rows, ""
    near = np.isfinite(course.smooth_m).all(axis=1)
    free = near & (course.usable | border | overlapped)
    tries = {
        "coarse": free & ~border & ~overlapped,
        "border": free & fine & ~overlapped,
        "overlapped": free & fine & ~border,
    }
    if _coarse_at(course, at_ns):
        return np.empty(0, np.intp), "coarse"
    if _window(course, good, at_ns, gap_s=np.inf) is not None:
        return np.empty(0, np.intp), "gap"
    reason = next((r for r, mask in tries.items() if _window(course, mask, at_ns) is not None), "")
    return np.empty(0, np.intp), reason or "short"


def _coarse_at(course: Course, at_ns: int) -> bool:
    """Return True where a pixel at the line is too long."""
    known = np.isfinite(course.m_per_px)
    if not known.any():
        return False
    nearest = np.abs(course.t_ns[known] - at_ns).argmin()
    return bool(course.m_per_px[known][nearest] > MOST_M_PER_PX)


def _window(
    course: Course, good: Mask, at_ns: int, *, gap_s: float = MAX_GAP_S
) -> NDArray[np.intp] | None:
    """Return the good rows around the crossing, or None where they do not reach far enough."""
    rows = np.flatnonzero(good)
    rows = rows[np.r_[True, np.diff(np.maximum.accumulate(course.t_ns[rows])) > 0][: len(rows)]]
    rows = _unbroken(course.t_ns, rows, at_ns, gap_s)
    if len(rows) < LEAST_ROWS:
        return None
    steps = np.diff(course.smooth_m[rows], axis=0)
    s_m = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    t_s = (course.t_ns[rows] - at_ns) / NS_PER_S
    pace_mps = float(np.interp(0.0, t_s, np.hypot(*course.velocity_mps[rows].T)))
    rows, t_s, s_m = _steady(course, rows, t_s, s_m, pace_mps)
    if len(rows) < LEAST_ROWS:
        return None
    here_m = float(np.interp(0.0, t_s, s_m))
    wanted_m = max(_REACH_M, 1.2 * least_s(course.kind) * pace_mps)
    for growth in _REACH_GROWTH:
        span_m = min(wanted_m * growth, float(s_m[-1]))
        begin_m = min(max(here_m - span_m / 2, 0.0), float(s_m[-1]) - span_m)
        picked = (s_m >= begin_m - 1e-9) & (s_m <= begin_m + span_m + 1e-9)
        if _enough(s_m[picked], t_s[picked], course.kind):
            return rows[picked]
    return None


def _steady(
    course: Course, rows: NDArray[np.intp], t_s: Array, s_m: Array, pace_mps: float
) -> tuple[NDArray[np.intp], Array, Array]:
    """Return the rows around the crossing up to where the user all but stands or has just started.

    One acceleration describes no stop; rows beyond one say nothing of the speed at the line.
    """
    speed = np.hypot(*course.velocity_mps[rows].T)
    odd = (speed < pace_mps / _PACE_RATIO) | (speed > pace_mps * _PACE_RATIO)
    before, after = np.flatnonzero(odd & (t_s <= 0)), np.flatnonzero(odd & (t_s > 0))
    kept = slice(before[-1] + 1 if len(before) else 0, after[0] if len(after) else len(rows))
    return rows[kept], t_s[kept], s_m[kept] - (s_m[kept][0] if len(s_m[kept]) else 0.0)


def _enough(s_m: Array, t_s: Array, kind: int) -> bool:
    return (
        len(s_m) >= LEAST_ROWS
        and float(s_m[-1] - s_m[0]) >= LEAST_M
        and float(t_s[-1] - t_s[0]) >= least_s(kind)
    )


def _unbroken(
    t_ns: NDArray[np.int64], rows: NDArray[np.intp], at_ns: int, gap_s: float
) -> NDArray[np.intp]:
    """Return the piece without a gap that the crossing lies in, or next to within 0.25 s."""
    cuts = np.flatnonzero(np.diff(t_ns[rows]) > gap_s * NS_PER_S) + 1
    slack = _OUTSIDE_S * NS_PER_S
    for piece in np.split(rows, cuts):
        if len(piece) and t_ns[piece[0]] - slack <= at_ns <= t_ns[piece[-1]] + slack:
            return piece
    return rows[:0]


def _way_of(course: Course, rows: NDArray[np.intp]) -> Way:
    trace = course.cov_m2[rows, 0] + course.cov_m2[rows, 2]
    sigma_m = np.sqrt(np.maximum(trace / 2, 1e-12))
    return way_through(course.xy_m[rows], course.smooth_m[rows], sigma_m)


def _sigma_along(cov_m2: Array, along: Array) -> Array:
    """Return the noise (n,) in the direction of the way."""
    east, north = along.T
    var = cov_m2[:, 0] * east**2 + 2 * cov_m2[:, 1] * east * north + cov_m2[:, 2] * north**2
    return np.asarray(np.sqrt(np.maximum(var, 1e-12)))


def _even_sigma(t_s: Array, sigma_m: Array) -> Array:
    """Return the noise (n,) as it changes smoothly over time.

    The noise of a place is read off where the place seems to be: one that strayed far away would
    weigh less than one that strayed near, and speeds would come out too low. Rows that were given
    much more noise than their neighbours on purpose keep it.
    """
    curve = np.polynomial.Polynomial.fit(t_s, np.log(sigma_m), 2)(t_s)
    even = np.exp(np.asarray(curve, np.float64))
    return np.asarray(np.where(sigma_m > _STRAY * even, sigma_m, even))


def _scale_share(plane: Plane, on_m: Array, fit: SlopeFit) -> float:
    """Return the standard deviation of the speed over the draws of the calibration, as a share."""
    px = mapped(np.asarray(np.linalg.inv(plane.matrix), np.float64), on_m)
    ways = mapped(plane.draws, px)
    steps = np.diff(ways, axis=1)
    reach = np.cumsum(np.hypot(steps[..., 0], steps[..., 1]), axis=1)
    speeds = np.einsum("dn,n->d", reach, fit.weights[1:])
    known = speeds[np.isfinite(speeds)]
    if len(known) < 0.98 * len(speeds) or not known.mean() > 0:
        return float("inf")
    return float(known.std() / known.mean())


def _contact_share(plane: Plane, z_m: float) -> float:
    """Return the standard uncertainty of the contact point as a share; 0 for z = 0."""
    if z_m == 0:
        return 0.0
    most = float(plane.contact_share(np.zeros((1, 2)), z_m)[0])
    return _UNKNOWN_CONTACT_SHARE if np.isnan(most) else most / float(np.sqrt(3.0))
