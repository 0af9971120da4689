"""How long to wait before a camera is called again."""

import random

__all__ = ["Patience"]

_FIRST_S = 1.0
_SOON_CAP_S = 8.0
_LATE_CAP_S = 30.0
_LONG_OUTAGE_S = 600.0
_REFUSED_S = 30.0
_REFUSED_CAP_S = 300.0
_JITTER_SHARE = 0.2


class Patience:
    """Waits of 1, 2, 4, 8 s, after ten minutes of absence 16 and 30 s, each with some jitter.

    A camera that refuses us is asked after 30, 60 ... 300 s only: many lock out whoever tries
    several wrong passwords in a row.
    """

    def __init__(self, *, seed: int | None = None) -> None:
        self._random = random.Random(seed)
        self._tries = 0
        self._refusals = 0

    def forget(self) -> None:
        """The camera works: begin anew."""
        self._tries = self._refusals = 0

    def next_s(self, reason: str, *, outage_s: float) -> float:
        """Return how long to wait after a failure with this reason.

        >>> patience = Patience(seed=1)
        >>> [round(patience.next_s("silent", outage_s=5.0) / 0.9) for _ in range(5)]
        [1, 2, 4, 8, 8]
        >>> 24 <= patience.next_s("refused", outage_s=5.0) <= 30
        True
        """
        if reason == "refused":
            wanted_s = min(_REFUSED_CAP_S, _REFUSED_S * (1 << self._refusals))
            self._refusals = min(self._refusals + 1, 10)
        else:
            cap_s = _SOON_CAP_S if outage_s < _LONG_OUTAGE_S else _LATE_CAP_S
            wanted_s = min(cap_s, _FIRST_S * (1 << self._tries))
            self._tries = min(self._tries + 1, 10)
        return wanted_s * (1.0 - _JITTER_SHARE * self._random.random())
