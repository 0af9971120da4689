"""The filter and smoother against a plain one-by-one implementation, and their habits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from calmstreet.geometry.motion import (
    correct,
    first_state,
    predict,
    smoothed,
    smoothed_tracks,
)

Array = NDArray[np.float64]


def textbook(t_s: Array, xy_m: Array, cov_m2: Array, q: float) -> tuple[Array, Array]:
    """Return the states (n, 4) and covariances of Rauch, Tung and Striebel, matrix by matrix."""
    seen = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    means, covs, aheads, growns, moves = [], [], [], [], []
    for k in range(len(t_s)):
        noise = np.array([[cov_m2[k, 0], cov_m2[k, 1]], [cov_m2[k, 1], cov_m2[k, 2]]])
        if k == 0:
            mean, cov = np.r_[xy_m[0], 0, 0], np.diag([0, 0, 400.0, 400.0])
            cov[:2, :2] = noise
            means.append(mean)
            covs.append(cov)
            continue
        dt = t_s[k] - t_s[k - 1]
        move = np.eye(4)
        move[0, 2] = move[1, 3] = dt
        drive = q * np.kron(np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]]), np.eye(2))
        ahead, grown = move @ means[-1], move @ covs[-1] @ move.T + drive
        total = seen @ grown @ seen.T + noise
        gain = grown @ seen.T @ np.linalg.inv(total)
        means.append(ahead + gain @ (xy_m[k] - seen @ ahead))
        covs.append(grown - gain @ seen @ grown)
        aheads.append(ahead)
        growns.append(grown)
        moves.append(move)
    for k in range(len(t_s) - 2, -1, -1):
        back = covs[k] @ moves[k].T @ np.linalg.inv(growns[k])
        means[k] = means[k] + back @ (means[k + 1] - aheads[k])
        covs[k] = covs[k] + back @ (covs[k + 1] - growns[k]) @ back.T
    return np.array(means), np.array(covs)


def a_walk(n: int, seed: int) -> tuple[Array, Array, Array]:
    chance = np.random.default_rng(seed)
    t_s = np.cumsum(chance.uniform(0.02, 0.4, n))
    spread = chance.uniform(0.05, 0.5, (n, 2))
    tilt = chance.uniform(-0.8, 0.8, n) * spread[:, 0] * spread[:, 1]
    cov_m2 = np.stack([spread[:, 0] ** 2, tilt, spread[:, 1] ** 2], axis=1)
    xy_m = np.stack([12 * t_s, 3 * np.sin(t_s)], axis=1) + chance.normal(0, 1, (n, 2)) * spread
    return t_s, xy_m, cov_m2


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 25), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1.0, 2.0]))
def test_the_smoother_is_that_of_the_textbook(n: int, seed: int, q: float) -> None:
    t_s, xy_m, cov_m2 = a_walk(n, seed)
    t_s = np.round(t_s, 9)
    means, covs = textbook(t_s, xy_m, cov_m2, q)
    path = smoothed(t_s, xy_m, cov_m2, q)
    np.testing.assert_allclose(path.xy_m, means[:, :2], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(path.velocity_mps, means[:, 2:], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(path.cov, covs, rtol=1e-5, atol=1e-6)


def test_many_tracks_at_once_are_the_same_as_one_by_one() -> None:
    walks = [a_walk(n, seed) for n, seed in ((5, 1), (30, 2), (1, 3), (12, 4))]
    ids = np.repeat([7, 3, 9, 4], [len(t) for t, _, _ in walks])
    t_ns = np.concatenate([np.round(t * 1e9) for t, _, _ in walks]).astype(np.int64)
    xy_m, cov_m2 = (np.concatenate([walk[k] for walk in walks]) for k in (1, 2))
    together = smoothed_tracks(ids, t_ns=t_ns, xy_m=xy_m, cov_m2=cov_m2, q=np.ones(len(ids)))
    alone = [smoothed(t, xy, cov, 1.0) for t, xy, cov in walks]
    assert (together.xy_m == np.concatenate([path.xy_m for path in alone])).all()
    assert (together.cov == np.concatenate([path.cov for path in alone])).all()


def test_repeated_times_are_dropped_and_change_nothing() -> None:
    t_s, xy_m, cov_m2 = a_walk(15, 5)
    twice = np.repeat(np.arange(15), np.where(np.arange(15) % 4 == 2, 2, 1))
    path = smoothed(t_s[twice], xy_m[twice], cov_m2[twice], 1.0)
    first = np.r_[True, np.diff(twice) > 0]
    assert np.isnan(path.xy_m[~first]).all()
    assert (path.xy_m[first] == smoothed(t_s, xy_m, cov_m2, 1.0).xy_m).all()


def test_a_gap_begins_anew() -> None:
    t_s, xy_m, cov_m2 = a_walk(20, 6)
    t_s[10:] += 3.0
    path = smoothed(t_s, xy_m, cov_m2, 1.0)
    head = smoothed(t_s[:10], xy_m[:10], cov_m2[:10], 1.0)
    tail = smoothed(t_s[10:], xy_m[10:], cov_m2[10:], 1.0)
    np.testing.assert_array_equal(path.xy_m, np.concatenate([head.xy_m, tail.xy_m]))


def test_unknown_places_are_bridged_but_begin_nothing() -> None:
    t_s = np.linspace(0.0, 1.1, 12)
    xy_m = np.stack([10 * t_s, 0 * t_s], axis=1)
    xy_m[[0, 1, 6]] = np.nan
    path = smoothed(t_s, xy_m, np.full((12, 3), [1e-4, 0, 1e-4]), 1.0)
    assert np.isnan(path.xy_m[:2]).all()
    assert abs(path.xy_m[6, 0] - 6.0) < 0.02
    assert path.cov[6, 0, 0] > path.cov[5, 0, 0]


def test_no_rows_and_only_unknown_rows() -> None:
    nothing = smoothed(np.empty(0), np.empty((0, 2)), np.empty((0, 3)), 1.0)
    assert nothing.xy_m.shape == (0, 2)
    unknown = smoothed(np.linspace(0.0, 2.0, 3), np.full((3, 2), np.nan), np.ones((3, 3)), 1.0)
    assert np.isnan(unknown.xy_m).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_causal_step_does_not_care_who_else_is_there(n: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    state, cov = first_state(chance.normal(0, 20, (n, 2)), np.full((n, 3), [0.1, 0.02, 0.2]))
    dt_s, q = chance.uniform(0.03, 0.5, n), np.ones(n)
    xy_m, noise = chance.normal(0, 20, (n, 2)), np.full((n, 3), [0.3, 0.05, 0.1])
    ahead, grown = predict(state, cov, dt_s=dt_s, q=q)
    new, narrow = correct(ahead, grown, xy_m=xy_m, cov_m2=noise)
    for k in range(n):
        one = slice(k, k + 1)
        a, g = predict(state[one], cov[one], dt_s=dt_s[one], q=q[one])
        b, c = correct(a, g, xy_m=xy_m[one], cov_m2=noise[one])
        assert (b == new[one]).all()
        assert (c == narrow[one]).all()


def test_a_place_that_was_not_seen_corrects_nothing() -> None:
    state, cov = first_state(np.ones((2, 2)), np.full((2, 3), [0.1, 0.0, 0.1]))
    xy_m = np.array([[np.nan, 1.0], [3.0, 3.0]])
    new, narrow = correct(state, cov, xy_m=xy_m, cov_m2=np.full((2, 3), [0.1, 0.0, 0.1]))
    assert (new[0] == state[0]).all()
    assert (narrow[0] == cov[0]).all()
    assert new[1, 0] == 2.0
