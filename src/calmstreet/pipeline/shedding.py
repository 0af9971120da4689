"""What a camera gives up when the machine cannot follow, in a stated order, and gets back later.

Recording goes first, then how often the net looks, then pictures a second, then everything but
keyframes. What was given up is missing exposure of what it touches, never fewer events.
"""

from dataclasses import dataclass

__all__ = ["FEWEST_FPS", "Effort", "Load", "efforts", "spacing_s"]

FEWEST_FPS = 9.0
"""Below so many analysed pictures a second (10 asked for) speeds and conflicts are not watched."""

_LATE_S = 0.5
_CALM_S = 0.3
_BUSY_SHARE = 0.75
_PATIENCE_S = 5.0
_SPACING = ((0.5, 0.2), (0.8, 0.5))
_REST_S = 30.0
_LONGEST_REST_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is done for a camera; ``shed`` names what was given up, "" for nothing."""

    shed: str
    records: bool
    net_every: int
    analysed_fps: float
    keyframes_only: bool = False

    @property
    def affects(self) -> str:
        """Return what of AFFECTS a gap under this effort takes."""
        if not self.shed:
            return ""
        return "speeds+conflicts" if self.analysed_fps < FEWEST_FPS else "pictures"


def efforts(*, net_every: int, analysed_fps: float, has_net: bool, records: bool) -> list[Effort]:
    """Return the efforts in the order in which they are taken, the full one first.

    >>> [e.shed for e in efforts(net_every=2, analysed_fps=10.0, has_net=True, records=True)]
    ['', 'recording', 'net/4', 'net/8', 'fps/7', 'fps/5', 'keyframes']
    """
    found = [Effort(shed="", records=records, net_every=net_every, analysed_fps=analysed_fps)]
    if records:
        found.append(_less(found[-1], "recording", records=False))
    for every in (4, 8) if has_net else ():
        if every > found[-1].net_every:
            found.append(_less(found[-1], f"net/{every}", net_every=every))
    for fps in (7.0, 5.0):
        if fps < found[-1].analysed_fps:
            found.append(_less(found[-1], f"fps/{fps:g}", analysed_fps=fps))
    found.append(_less(found[-1], "keyframes", keyframes_only=True, analysed_fps=1.0))
    return found


def _less(
    effort: Effort,
    shed: str,
    *,
    records: bool | None = None,
    net_every: int | None = None,
    analysed_fps: float | None = None,
    keyframes_only: bool = False,
) -> Effort:
    return Effort(
        shed=shed,
        records=effort.records if records is None else records,
        net_every=net_every or effort.net_every,
        analysed_fps=analysed_fps or effort.analysed_fps,
        keyframes_only=keyframes_only,
    )


def spacing_s(lag_s: float) -> float:
    """Return how far apart looked-at pictures must be while pictures come so late: a soft landing.

    >>> [spacing_s(lag) for lag in (0.1, 0.6, 3.0)]
    [0.0, 0.2, 0.5]
    """
    return max((apart for late, apart in _SPACING if lag_s > late), default=0.0)


class Load:
    """Chooses among efforts by how late pictures are looked at.

    A camera that stays late gives up the next thing after ``_PATIENCE_S``; after half a
    minute of calm it gets one back, and if that was too early the next rest is twice as long.
    """

    def __init__(self, steps: list[Effort]) -> None:
        self._steps = steps
        self._at = 0
        self._late_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._rest_s = _REST_S
        self._returned_s = float("-inf")

    @property
    def effort(self) -> Effort:
        """Return what is done now."""
        return self._steps[self._at]

    def update(self, now_s: float, *, lag_s: float, busy_share: float, dropped: int = 0) -> bool:
        """Take what was measured (monotonic seconds); return whether the effort changed.

        ``lag_s`` from exposure to the end of the look, ``busy_share`` of the time spent working,
        ``dropped`` pictures that were passed over since the last call.
        """
        late = lag_s > _LATE_S or dropped > 0
        calm = lag_s < _CALM_S and busy_share < _BUSY_SHARE and not dropped
        self._late_since_s = _since(self._late_since_s, now_s) if late else None
        self._calm_since_s = _since(self._calm_since_s, now_s) if calm else None
        if self._late_since_s is not None and now_s - self._late_since_s >= _PATIENCE_S:
            return self._give_up(now_s)
        if self._calm_since_s is not None and now_s - self._calm_since_s >= self._rest_s:
            return self._get_back(now_s)
        return False

    def overrun(self, now_s: float) -> bool:
        """Note that pictures were lost for lack of time; return whether the effort changed."""
        soon = self._late_since_s is not None and now_s - self._late_since_s < 1.0
        return False if soon else self._give_up(now_s)

    def without_keyframes(self) -> bool:
        """Give up looking at keyframes only: none come; return whether the effort changed."""
        if len(self._steps) < 2 or not self._steps[-1].keyframes_only:
            return False
        self._steps = self._steps[:-1]
        changed = self._at >= len(self._steps)
        self._at = min(self._at, len(self._steps) - 1)
        return changed

    def _give_up(self, now_s: float) -> bool:
        self._late_since_s = now_s
        if self._at + 1 >= len(self._steps):
            return False
        soon = now_s - self._returned_s < 2 * _REST_S
        self._rest_s = min(self._rest_s * 2, _LONGEST_REST_S) if soon else self._rest_s
        self._at += 1
        return True

    def _get_back(self, now_s: float) -> bool:
        self._calm_since_s = now_s
        if self._at == 0:
            self._rest_s = _REST_S
            return False
        self._at -= 1
        self._returned_s = now_s
        return True


def _since(since_s: float | None, now_s: float) -> float:
    return now_s if since_s is None else since_s
