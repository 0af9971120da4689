"""From which lamps of a head are lit, frame by frame, to states that began at known instants.

Lamps of LEDs flicker against the frame rate, lorries pass before a head, and old and new lamp swap
between two frames. So nothing is told at once: a lamp that is dark for a moment between two lit
frames was lit (``HOLD_S``), another state counts when it has lasted (``CONFIRM_S``, or ``UNSURE_S``
where it stands out little), and a state that comes back after less than ``BRIDGE_S`` in which no
other was seen never went, for no programme leaves a state and shows it again that soon. What is
told bears the instant of the first frame that showed it, or, where flicker hid the swap, of the
middle between the last old and the first new one.

Amber or red that goes and comes (``FLASHES`` times, never lit for ``STEADY_S``) is flashing, also
where steady red begins to flash; flashing green is green that ends. So amber and red are told when
they have been steady for that long. ``settled_ns`` says up to which instant all is told.
"""

from collections import deque
from dataclasses import dataclass

from calmstreet.model.signals import SignalState
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["AMBER", "GREEN", "RED", "Change", "HeadState"]

RED, AMBER, GREEN = 1, 2, 4
"""Bits of the lamps that are lit."""

HOLD_S = 0.25
CONFIRM_S = 0.2
AGAIN_S = 0.1
UNSURE_SHARE, UNSURE_S = 0.45, 2.4
UNKNOWN_S = 0.5
BRIDGE_S = 3.0
STEADY_S = 1.3
FLASHES = 3
FLASHING_S = 5.0
LONGEST_FLASH_GAP_S = 1.2
NOTHING_SHARE, CONFLICT_SHARE = 0.3, 0.1
_HOLD_NS = ns_from_s(HOLD_S)
_STATES = {
    RED: SignalState.RED,
    RED | AMBER: SignalState.RED_AMBER,
    AMBER: SignalState.AMBER,
    GREEN: SignalState.GREEN,
}
_FLASHERS = (SignalState.AMBER, SignalState.RED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A head began to show ``state`` at ``t_ns``; ``confidence`` 0..1."""

    t_ns: int
    state: SignalState
    confidence: float


@dataclass(slots=True, kw_only=True)
class _Spell:
    """Frames in a row that show the same; ``state`` None where that is no state."""

    state: SignalState | None
    since_ns: int
    frames: int = 0
    conflicts: int = 0
    sure: float = 0.0


class HeadState:
    """The states of one head: ``take`` every frame in order of time, ``finish`` at the end.

    >>> head = HeadState()
    >>> told = [c for k in range(99) for c in head.take(k * 40_000_000, GREEN if k < 30 else RED)]
    >>> [(c.t_ns // 40_000_000, c.state.name) for c in told]
    [(0, 'GREEN'), (30, 'RED')]
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[int, int, float]] = deque()
        self._lit_ns: dict[int, int] = {}
        self._spell: _Spell | None = None
        self._state: SignalState | None = None
        self._onset_ns = 0
        self._seen_ns = 0
        self._lost_ns: int | None = None
        self._conflict = False
        self._untold: Change | None = None
        self._flashes = 0
        self._blinks_ns: int | None = None
        self._flashing = False
        self._last_ns = 0

    @property
    def state(self) -> SignalState | None:
        """Return the state that is believed now, None before anything was seen and while lost."""
        return None if self._lost_ns is not None else self._state

    @property
    def settled_ns(self) -> int:
        """Return the instant before which all is told: later changes begin then or afterwards.

        0 before anything was taken.
        """
        spell = self._spell
        if spell is None:
            return self._frames[0][0] if self._frames else 0
        if self._state is SignalState.DARK:
            return self._last_ns if spell.state is None else spell.since_ns
        if self._state is None:
            return spell.since_ns if self._lost_ns is None else self._lost_ns
        waits = [self._seen_ns]
        waits += [] if self._untold is None else [self._untold.t_ns]
        waits += [] if self._blinks_ns is None else [self._blinks_ns]
        waits += [spell.since_ns] if self._flashing else []
        return min(waits)

    def take(self, t_ns: int, lit: int, sure: float = 1.0) -> list[Change]:
        """Take which lamps are lit in the next frame; return what is certain by now."""
        self._frames.append((t_ns, lit, sure))
        told: list[Change] = []
        while t_ns - self._frames[0][0] > _HOLD_NS:
            told += self._next()
        return told

    def finish(self) -> list[Change]:
        """Return what is left to tell at the end of a watch."""
        told = []
        last_ns = self._frames[-1][0] if self._frames else 0
        while self._frames:
            told += self._next()
        told += self._tell(self._untold)
        lost = self._lost_ns is not None and self._state is not SignalState.DARK
        if lost and last_ns - (self._lost_ns or 0) > UNKNOWN_S * NS_PER_S:
            told.append(self._lost())
        return told

    def _next(self) -> list[Change]:
        """Take the oldest frame that waits, its moments of flicker filled."""
        t_ns, lit, sure = self._frames.popleft()
        for lamp in (RED, AMBER, GREEN):
            if lit & lamp:
                self._lit_ns[lamp] = t_ns
            elif self._returns(lamp, t_ns):
                lit |= lamp
        return self._step(t_ns, lit, sure)

    def _returns(self, lamp: int, t_ns: int) -> bool:
        """Return whether a lamp that is dark now is so for a moment only."""
        until_ns = self._lit_ns.get(lamp, t_ns - 2 * _HOLD_NS) + _HOLD_NS
        return until_ns >= t_ns and any(
            lit & lamp and later_ns <= until_ns for later_ns, lit, _ in self._frames
        )

    def _step(self, t_ns: int, lit: int, sure: float) -> list[Change]:
        state, self._last_ns = _STATES.get(lit), t_ns
        if self._spell is None or self._spell.state is not state:
            self._spell = _Spell(state=state, since_ns=t_ns)
        spell = self._spell
        spell.frames += 1
        spell.sure += sure
        if state is None or state is not self._state:
            self._conflict = bool(lit) if self._lost_ns is None else self._conflict or bool(lit)
            self._lost_ns = t_ns if self._lost_ns is None else self._lost_ns
        elif self._lost_ns is None:
            self._seen_ns = t_ns
        lasted_ns = t_ns - spell.since_ns
        known = spell.state is self._state or spell.state is SignalState.AMBER
        enough_s = AGAIN_S if known else CONFIRM_S
        if state is not self._state and spell.sure < UNSURE_SHARE * spell.frames:
            enough_s = UNSURE_S
        enough_ns = ns_from_s(enough_s)
        if state is None or spell.frames < 2 or lasted_ns < enough_ns * 0.95:
            return self._wait(t_ns)
        if state is self._state:
            return self._again(t_ns, spell)
        return self._begin(spell)

    def _wait(self, t_ns: int) -> list[Change]:
        """Nothing certain is seen: a state that stays away for long is lost."""
        if self._lost_ns is None or t_ns - self._lost_ns <= BRIDGE_S * NS_PER_S:
            return []
        if self._state is SignalState.DARK:
            return []
        told = self._tell(self._untold)
        lost = self._lost()
        self._state, self._onset_ns = SignalState.DARK, lost.t_ns
        return [*told, lost]

    def _lost(self) -> Change:
        assert self._lost_ns is not None
        sure = CONFLICT_SHARE if self._conflict else NOTHING_SHARE
        return Change(t_ns=self._lost_ns, state=SignalState.DARK, confidence=sure)

    def _again(self, t_ns: int, spell: _Spell) -> list[Change]:
        """The state goes on, perhaps after a gap; amber or red with gaps may be flashing."""
        if self._lost_ns is not None:
            self._blink(self._lost_ns, spell.since_ns)
            self._lost_ns, self._seen_ns = None, t_ns
        if self._state not in _FLASHERS:
            return []
        if t_ns - spell.since_ns > STEADY_S * NS_PER_S:
            return self._steady(spell)
        begun_ns = self._onset_ns if self._untold else self._blinks_ns
        if self._flashing or self._flashes < FLASHES or begun_ns is None:
            return []
        if t_ns - begun_ns <= FLASHING_S * NS_PER_S:
            return []
        sure = self._untold.confidence if self._untold else spell.sure / spell.frames
        self._untold, self._flashing, self._blinks_ns = None, True, None
        return [Change(t_ns=begun_ns, state=SignalState.FLASHING, confidence=sure)]

    def _blink(self, lost_ns: int, again_ns: int) -> None:
        """Note that the state was away for a moment: short enough, it may be flashing."""
        if again_ns - lost_ns > LONGEST_FLASH_GAP_S * NS_PER_S:
            self._flashes, self._blinks_ns = 0, None
            return
        self._flashes += 1
        if self._untold is None and not self._flashing and self._blinks_ns is None:
            self._blinks_ns = lost_ns

    def _steady(self, spell: _Spell) -> list[Change]:
        """The lamp has been lit for so long that it does not flash (any more)."""
        assert self._state is not None
        self._flashes, self._blinks_ns = 0, None
        if not self._flashing:
            return self._tell(self._untold)
        self._flashing = False
        sure = max(spell.sure / spell.frames, NOTHING_SHARE)
        return [Change(t_ns=spell.since_ns, state=self._state, confidence=sure)]

    def _begin(self, spell: _Spell) -> list[Change]:
        """Another state has lasted long enough to be one."""
        assert spell.state is not None
        told = self._tell(self._untold)
        onset_ns, lost_ns = spell.since_ns, self._lost_ns
        if lost_ns is not None and onset_ns - lost_ns > UNKNOWN_S * NS_PER_S:
            told += [] if self._state is SignalState.DARK else [self._lost()]
        elif lost_ns is not None and lost_ns < onset_ns and self._state is not None:
            onset_ns = (self._seen_ns + onset_ns) // 2
        self._state, self._onset_ns, self._lost_ns = spell.state, onset_ns, None
        self._seen_ns, self._flashes = onset_ns, 0
        self._blinks_ns, self._flashing = None, False
        change = Change(
            t_ns=onset_ns,
            state=spell.state,
            confidence=max(spell.sure / spell.frames, NOTHING_SHARE),
        )
        if spell.state in _FLASHERS:
            self._untold = change
            return told
        return [*told, change]

    def _tell(self, change: Change | None) -> list[Change]:
        self._untold = None
        return [] if change is None else [change]
