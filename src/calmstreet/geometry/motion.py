"""Motion over the ground: a constant-velocity Kalman filter and its smoother, many tracks at once.

State: x, y in metres, vx, vy in m/s (R. E. Kalman, 1960), driven by white acceleration of spectral
density q (Bar-Shalom, Li and Kirubarajan, 2001, section 6.2), so that two steps of 0.1 s say the
same as one of 0.2 s. The noise of every place is its own, in metres. The filter is causal and
works elementwise: how the rows are cut into blocks does not change a bit. The smoother (Bierman's
backward form of Rauch, Tung and Striebel, 1965: it needs no inverse of a covariance) looks back
from the end of a track and is for whole tracks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.units import NS_PER_S

__all__ = [
    "MAX_GAP_S",
    "SmoothedPath",
    "agitation_of",
    "correct",
    "first_state",
    "predict",
    "smoothed",
    "smoothed_tracks",
]

Array = NDArray[np.float64]

MAX_GAP_S = 0.5
"""A longer silence splits a track into segments that know nothing of each other."""

_FIRST_SPEED_MPS = 20.0  # one sigma of a speed that nobody has seen yet
_AGITATION = np.ones(256)  # m^2/s^3
_AGITATION[Kind.PEDESTRIAN] = 0.5
_AGITATION[[Kind.BICYCLE, Kind.MOTORCYCLE]] = 2.0


class SmoothedPath(NamedTuple):
    """``xy_m`` (n, 2), ``velocity_mps`` (n, 2) and ``cov`` (n, 4, 4) of x, y, vx, vy.

    NaN in rows whose time does not rise.
    """

    xy_m: Array
    velocity_mps: Array
    cov: Array


def agitation_of(kind: NDArray[np.uint8]) -> Array:
    """Return the spectral density of acceleration (n,), m^2/s^3, of kinds (n,).

    >>> agitation_of(np.array([Kind.CAR, Kind.PEDESTRIAN, Kind.BICYCLE], np.uint8)).tolist()
    [1.0, 0.5, 2.0]
    """
    return _AGITATION[kind]


def first_state(xy_m: Array, cov_m2: Array) -> tuple[Array, Array]:
    """Return state (n, 4) and covariance (n, 4, 4) of users first seen at ``xy_m`` (n, 2).

    ``cov_m2`` (n, 3) is xx, xy, yy. The velocity is 0 with a sigma of 20 m/s: as good as unknown.

    >>> first_state(np.array([[1.0, 2.0]]), np.array([[0.1, 0.0, 0.1]]))[0].tolist()
    [[1.0, 2.0, 0.0, 0.0]]
    """
    state = np.zeros((len(xy_m), 4))
    state[:, :2] = xy_m
    cov = np.zeros((len(xy_m), 4, 4))
    cov[:, :2, :2] = _matrix(cov_m2)
    cov[:, [2, 3], [2, 3]] = _FIRST_SPEED_MPS**2
    return state, cov


def _matrix(cov_m2: Array) -> Array:
    """Return (n, 2, 2) of xx, xy, yy."""
    return np.stack([cov_m2[:, :2], cov_m2[:, 1:]], axis=1)


def predict(state: Array, cov: Array, *, dt_s: Array, q: Array) -> tuple[Array, Array]:
    """Return state (n, 4) and covariance (n, 4, 4) ``dt_s`` (n,) seconds later.

    ``q`` (n,) is the spectral density of acceleration, m^2/s^3.

    >>> state, cov = np.array([[0.0, 0.0, 2.0, 1.0]]), np.zeros((1, 4, 4))
    >>> predict(state, cov, dt_s=np.array([0.5]), q=np.array([1.0]))[0].tolist()
    [[1.0, 0.5, 2.0, 1.0]]
    """
    dt = dt_s[:, None]
    moved = state.copy()
    moved[:, :2] += state[:, 2:] * dt
    dt = dt[:, :, None]
    place, cross, speed = cov[:, :2, :2], cov[:, :2, 2:], cov[:, 2:, 2:]
    noise = q[:, None, None] * np.eye(2)
    grown = np.empty_like(cov)
    grown[:, :2, :2] = (
        place + dt * (cross + cross.transpose(0, 2, 1) + dt * speed) + noise * (dt**3 / 3.0)
    )
    grown[:, :2, 2:] = cross + dt * speed + noise * (dt**2 / 2.0)
    grown[:, 2:, :2] = grown[:, :2, 2:].transpose(0, 2, 1)
    grown[:, 2:, 2:] = speed + noise * dt
    return moved, grown


def correct(state: Array, cov: Array, *, xy_m: Array, cov_m2: Array) -> tuple[Array, Array]:
    """Return state (n, 4) and covariance (n, 4, 4) after the places ``xy_m`` (n, 2) were seen.

    ``cov_m2`` (n, 3) is their noise xx, xy, yy. Rows with NaN in either stay as they are.

    >>> state, cov = first_state(np.zeros((1, 2)), np.ones((1, 3)) * [1, 0, 1])
    >>> correct(state, cov, xy_m=np.array([[2.0, 0.0]]), cov_m2=np.array([[1.0, 0, 1]]))[0].tolist()
    [[1.0, 0.0, 0.0, 0.0]]
    """
    surprise, weight = _surprise(state, cov, xy_m, cov_m2)
    across = cov[:, :, :2]
    gain = across[:, :, :1] * weight[:, :1, :] + across[:, :, 1:] * weight[:, 1:, :]
    new_state = state + gain[:, :, 0] * surprise[:, :1] + gain[:, :, 1] * surprise[:, 1:]
    taken = (
        gain[:, :, :1] * across.transpose(0, 2, 1)[:, :1, :]
        + gain[:, :, 1:] * across.transpose(0, 2, 1)[:, 1:, :]
    )
    new_cov = cov - 0.5 * (taken + taken.transpose(0, 2, 1))
    return new_state, new_cov


def _known(xy_m: Array, cov_m2: Array) -> NDArray[np.bool_]:
    """Return bool (n,): which rows have a place and a noise."""
    return np.asarray(np.isfinite(xy_m).all(axis=1) & np.isfinite(cov_m2).all(axis=1), bool)


def _surprise(state: Array, cov: Array, xy_m: Array, cov_m2: Array) -> tuple[Array, Array]:
    """Return seen minus expected (n, 2) and the inverse of its covariance; 0 where unseen."""
    seen = _known(xy_m, cov_m2)
    a = np.where(seen, cov[:, 0, 0] + cov_m2[:, 0], 1.0)
    b = np.where(seen, cov[:, 0, 1] + cov_m2[:, 1], 0.0)
    d = np.where(seen, cov[:, 1, 1] + cov_m2[:, 2], 1.0)
    scale = seen / (a * d - b * b)
    weight = np.stack(
        [np.stack([d * scale, -b * scale], axis=1), np.stack([-b * scale, a * scale], axis=1)],
        axis=1,
    )
    surprise = np.where(seen[:, None], xy_m - state[:, :2], 0.0)
    return surprise, weight


def smoothed(t_s: Array, xy_m: Array, cov_m2: Array, q: float) -> SmoothedPath:
    """Return the smoothed path of one track: times (n,), places (n, 2), noise (n, 3).

    Rows whose time does not rise are dropped (NaN); a gap of more than MAX_GAP_S begins anew;
    rows with NaN places are bridged.

    >>> t = np.arange(20) * 0.1
    >>> path = smoothed(t, np.stack([10 * t, 0 * t], axis=1), np.full((20, 3), [0.01, 0, 0.01]), 1)
    >>> float(path.velocity_mps[10, 0].round(3))
    10.0
    """
    t_ns = np.round(np.asarray(t_s, np.float64) * NS_PER_S).astype(np.int64)
    tracks = np.zeros(len(t_ns), np.int64)
    return smoothed_tracks(
        tracks, t_ns=t_ns, xy_m=xy_m, cov_m2=cov_m2, q=np.full(len(t_ns), float(q))
    )


def smoothed_tracks(
    track_id: NDArray[np.int64], *, t_ns: NDArray[np.int64], xy_m: Array, cov_m2: Array, q: Array
) -> SmoothedPath:
    """Return the smoothed paths of many tracks, their rows lying together in order of time.

    ``track_id``, ``t_ns`` and ``q`` (n,), ``xy_m`` (n, 2), ``cov_m2`` (n, 3); see ``smoothed``.

    >>> t = np.array([0, 100_000_000, 100_000_000], np.int64)
    >>> path = smoothed_tracks(np.ones(3, np.int64), t_ns=t, xy_m=np.zeros((3, 2)),
    ...                        cov_m2=np.full((3, 3), [1.0, 0, 1]), q=np.ones(3))
    >>> np.isnan(path.xy_m[:, 0]).tolist()
    [False, False, True]
    """
    ids = np.asarray(track_id, np.int64)
    places = np.asarray(xy_m, np.float64).reshape(-1, 2)
    noise = np.asarray(cov_m2, np.float64).reshape(-1, 3)
    kept = _rising(ids, np.asarray(t_ns, np.int64), places, noise)
    n = len(ids)
    path = SmoothedPath(
        np.full((n, 2), np.nan), np.full((n, 2), np.nan), np.full((n, 4, 4), np.nan)
    )
    if not len(kept):
        return path
    times = np.asarray(t_ns, np.int64)[kept]
    steps = np.diff(times) / NS_PER_S
    fresh = np.r_[True, (np.diff(ids[kept]) != 0) | (steps > MAX_GAP_S)]
    state, cov = _pass(
        fresh, np.r_[0.0, steps], places[kept], noise[kept], np.asarray(q, np.float64)[kept]
    )
    path.xy_m[kept], path.velocity_mps[kept], path.cov[kept] = state[:, :2], state[:, 2:], cov
    return path


def _rising(
    ids: NDArray[np.int64], t_ns: NDArray[np.int64], xy_m: Array, cov_m2: Array
) -> NDArray[np.intp]:
    """Return the rows later than all before them in their track, from its first seen place on."""
    seen = _known(xy_m, cov_m2)
    kept, last, track, begun = [], 0, None, False
    for row, (one, now) in enumerate(zip(ids.tolist(), t_ns.tolist(), strict=True)):
        same = one == track
        if same and begun and now <= last:
            continue
        if same and begun and now - last > MAX_GAP_S * NS_PER_S and not seen[row]:
            continue
        if not (same and begun) and not seen[row]:
            track, begun = one, False
            continue
        kept.append(row)
        last, track, begun = now, one, True
    return np.array(kept, np.intp)


def _pass(
    fresh: NDArray[np.bool_], dt_s: Array, xy_m: Array, cov_m2: Array, q: Array
) -> tuple[Array, Array]:
    """Filter and smooth segments in lockstep, the longest first; ``fresh`` begins a segment."""
    starts = np.flatnonzero(fresh)
    lengths = np.diff(np.r_[starts, len(fresh)])
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    rows = [starts[: np.searchsorted(-lengths, -k, side="left")] + k for k in range(lengths[0])]
    state, cov = np.zeros((len(fresh), 4)), np.zeros((len(fresh), 4, 4))
    weights, surprises = np.zeros((len(fresh), 2, 2)), np.zeros((len(fresh), 2))
    state[rows[0]], cov[rows[0]] = first_state(xy_m[rows[0]], cov_m2[rows[0]])
    prior = cov.copy()
    for here in rows[1:]:
        ahead, grown = predict(state[here - 1], cov[here - 1], dt_s=dt_s[here], q=q[here])
        surprises[here], weights[here] = _surprise(ahead, grown, xy_m[here], cov_m2[here])
        prior[here] = grown
        state[here], cov[here] = correct(ahead, grown, xy_m=xy_m[here], cov_m2=cov_m2[here])
    return _back(rows, dt_s, prior, weights, surprises, state, cov)


def _back(
    rows: list[NDArray[np.intp]],
    dt_s: Array,
    prior: Array,
    weights: Array,
    surprises: Array,
    state: Array,
    cov: Array,
) -> tuple[Array, Array]:
    """Return the smoothed states: the adjoint ``pull`` and its covariance run backwards."""
    pull, tight = np.zeros_like(state), np.zeros_like(cov)
    new_state, new_cov = state.copy(), cov.copy()
    for k in range(len(rows) - 1, -1, -1):
        here = rows[k]
        new_state[here] -= np.einsum("nij,nj->ni", cov[here], pull[here])
        new_cov[here] -= np.einsum("nij,njk,nkl->nil", cov[here], tight[here], cov[here])
        if k == 0:
            break
        keep = np.tile(np.eye(4), (len(here), 1, 1))
        keep[:, :, :2] -= np.einsum("nij,njk->nik", prior[here][:, :, :2], weights[here])
        carried = np.einsum("nji,nj->ni", keep, pull[here])
        carried[:, :2] -= np.einsum("nij,nj->ni", weights[here], surprises[here])
        bound = np.einsum("nji,njk,nkl->nil", keep, tight[here], keep)
        bound[:, :2, :2] += weights[here]
        step = np.tile(np.eye(4), (len(here), 1, 1))
        step[:, 0, 2] = step[:, 1, 3] = dt_s[here]
        pull[here - 1] = np.einsum("nji,nj->ni", step, carried)
        tight[here - 1] = np.einsum("nji,njk,nkl->nil", step, bound, step)
    return new_state, new_cov
