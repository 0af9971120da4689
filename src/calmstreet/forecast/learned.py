"""One gradient-boosted model over all series for each group of horizons.

LightGBM (Ke and others, 2017) fitted to absolute error on what is left after the profile of the
last weeks. One thread each: groups are fitted beside each other. An extra: the base install answers
with the floor and says what to install.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.forecast.features import Known, features_of
from calmstreet.forecast.lags import LookBack, Reach

__all__ = ["INSTALL", "Learned", "is_installed", "learn"]

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
INSTALL = "this needs LightGBM; install it with: pip install 'calmstreet[forecast]'"
_MOST_ROWS = 400_000
_FEWEST_ROWS = 400
_ROUNDS = 300
_BLOCK_ROWS = 400_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """A fitted model of one group of horizons."""

    booster: Any
    reach: Reach
    known: Known

    def predict(self, look: LookBack, at: Places, *, origin: Places) -> tuple[Floats, Floats]:
        """Return forecasts (s, n) and the share (s, n) of the looked-at past that is missing."""
        count = len(self.known.level)
        block = max(1, _BLOCK_ROWS // count)
        forecast = np.empty((count, len(at)), np.float32)
        missing = np.empty((count, len(at)), np.float32)
        for begin in range(0, len(at), block):
            part = slice(begin, begin + block)
            rows, profile, lost = features_of(
                look, at[part], origin=origin[part], reach=self.reach, known=self.known
            )
            surprise = np.asarray(self.booster.predict(rows), np.float32).reshape(profile.shape)
            forecast[:, part] = profile + surprise * self.known.level[:, None]
            missing[:, part] = lost
        return forecast, missing


def is_installed() -> bool:
    """Say whether LightGBM can be used here; it may be there and lack a library of the system."""
    try:
        import lightgbm
    except (ImportError, OSError):
        return False
    return bool(lightgbm)


def learn(look: LookBack, *, end: int, reach: Reach, known: Known, seed: int = 1) -> Learned | None:
    """Fit one group of horizons to targets before step ``end``; None where there is too little.

    Raises InputError when LightGBM is not installed.
    """
    at, origin = _pairs(end, reach, len(known.level), seed)
    rows, profile, _ = features_of(look, at, origin=origin, reach=reach, known=known)
    goal = ((look.taken(at) - profile) / known.level[:, None]).reshape(-1)
    usable = np.isfinite(goal)
    if usable.sum() < _FEWEST_ROWS:
        return None
    booster = _boosted(rows[usable], goal[usable], seed=seed)
    return Learned(booster=booster, reach=reach, known=known)


def _pairs(end: int, reach: Reach, count: int, seed: int) -> tuple[Places, Places]:
    """Return targets and origins, as many as memory allows, drawn evenly from before ``end``."""
    random = np.random.default_rng(seed)
    targets = np.arange(reach.last, end, dtype=np.int64)
    most = max(50, _MOST_ROWS // count)
    often = min(3, reach.last - reach.first + 1, max(1, most // max(1, len(targets))))
    if len(targets) * often > most:
        targets = np.sort(random.choice(targets, size=min(most, len(targets)), replace=False))
    at = np.tile(targets, often)
    ahead = random.integers(reach.first, reach.last + 1, size=len(at))
    return at, at - ahead


def _boosted(rows: Floats, goal: Floats, *, seed: int) -> Any:
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise InputError(INSTALL) from error
    settings: Mapping[str, Any] = {
        "objective": "regression_l1",
        "learning_rate": 0.06,
        "num_leaves": 48,
        "min_data_in_leaf": 60,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    limit = float(np.quantile(np.abs(goal), 0.999)) + 1e-6
    data = lightgbm.Dataset(rows, label=np.clip(goal, -limit, limit))
    return lightgbm.train(dict(settings), data, num_boost_round=_ROUNDS)
