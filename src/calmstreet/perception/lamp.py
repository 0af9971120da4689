"""Signal heads in the picture: which lamps are lit, and since when a head shows what.

Of each lamp some pixels are picked: its core, and its surroundings left, right and in the corners
of its box, where the housing is. A lit lamp stands out from the housing and has its colour about
it; a lorry before the head does not stand out from itself. Both together are the lamp's *light*
in grey levels. What is bright is learned: the light of each lamp when it was lit and when it was
not, so that day, night and the camera's exposure need no thresholds of their own; a head that was
never seen is judged by its brightest and its darkest lamp. Where colours were not kept (or a
camera sees grey at night) brightness alone decides.

Lamps that flicker, lorries and lamps that swap are ``lamp_state``'s.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.frame import Frame
from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Signal
from calmstreet.perception.lamp_state import AMBER, GREEN, RED, Change, HeadState
from calmstreet.units import NS_PER_S

__all__ = ["LampReader"]

Floats = NDArray[np.float32]
_BITS = {"red": RED, "amber": AMBER, "green": GREEN}
_OWN = {"red": (-0.5, -0.5, 1.0), "amber": (-1.0, 0.5, 0.5), "green": (0.25, 0.75, -1.0)}
_CORE, _AROUND = 0.62, 1.25
_LEAST_LIGHT = 14.0
_COLOURLESS_SHARE = 0.15
_LIT_FROM, _LIT_UNTIL = 0.42, 0.25
_CLEARLY = 2.0
_LEARN_S = 0.07
_UNLEARNED_SHARE = 0.7
_RISE_S, _FALL_S, _OFF_S, _PEAK_S = 0.5, 4.0, 2.0, 60.0


def _pattern() -> tuple[NDArray[np.float32], int]:
    """Return places (k, 2) in a lamp's box of half-size 1, the core's first, and their number."""
    at = np.linspace(-_CORE, _CORE, 5)
    core = [(x, y) for y in at for x in at if np.hypot(x, y) <= _CORE * 1.05]
    sides = [(x, y) for y in (-0.6, -0.2, 0.2, 0.6) for x in (-_AROUND, _AROUND)]
    corners = [(x, y) for y in (-0.92, 0.92) for x in (-0.97, 0.97)]
    return np.array([*core, *sides, *corners], np.float32), len(core)


_PLACES, _CORE_COUNT = _pattern()


class LampReader:
    """Reads the lamps of heads in pictures ``width_px`` by ``height_px``.

    ``signals`` without ``lamps_px`` are passed over. ``update`` takes every frame in order of time.
    """

    def __init__(self, signals: Sequence[Signal], *, width_px: int, height_px: int) -> None:
        self._signals = tuple(signal for signal in signals if signal.lamps_px)
        self._size = (width_px, height_px)
        lamps = [
            (number, colour, box)
            for number, signal in enumerate(self._signals)
            for colour, box in sorted(signal.lamps_px.items())
        ]
        self._head = np.array([number for number, _, _ in lamps], np.intp)
        self._bits = [_BITS[colour] for _, colour, _ in lamps]
        self._own = np.array([_OWN[colour] for _, colour, _ in lamps], np.float32).reshape(-1, 3)
        self._boxes = np.array([box for _, _, box in lamps], np.float32).reshape(-1, 4)
        self._first = np.flatnonzero(np.diff(self._head, prepend=-1))
        self._several = np.bincount(self._head, minlength=len(self._signals))[self._head] > 1
        self._states = [HeadState() for _ in self._signals]
        self._on = np.full(len(lamps), np.nan, np.float32)
        self._off = np.full(len(lamps), np.nan, np.float32)
        self._peak = np.zeros(len(self._signals), np.float32)
        self._lit = np.zeros(len(lamps), bool)
        self._last_ns: int | None = None
        self._seen_px: Floats | None = None
        self._picked = self._pixels(self._boxes)
        self._told: list[tuple[str, Change]] = []

    def __bool__(self) -> bool:
        """Return whether there is a lamp to read."""
        return bool(self._signals)

    def update(
        self, frame: Frame, *, as_seen: Callable[[Floats], Floats] | None = None
    ) -> list[tuple[str, Change]]:
        """Take the next frame; return (head, change) of what is certain by now, back-dated.

        ``as_seen`` sends boxes (n, 4) of the reference to where this picture shows them; None
        where it lies as the reference does. A repeated frame says nothing new.
        """
        if frame.repeated or not self._signals:
            return []
        picked = self._picked if as_seen is None else self._pixels(as_seen(self._boxes))
        light = self._light(frame, *picked)
        share, lit = self._judge(light)
        told = self._tell(frame.t_ns, lit, share)
        self._learn(frame.t_ns, light, lit)
        self._told += told
        return told

    @property
    def settled_ns(self) -> int:
        """Return the instant before which the states of all heads are told for good.

        What ``update`` tells later begins then or afterwards; 0 before the first frame.
        """
        return min((state.settled_ns for state in self._states), default=0)

    def finish(self) -> SignalChanges:
        """Return all changes of the watch, in order of time."""
        for signal, state in zip(self._signals, self._states, strict=True):
            self._told += [(signal.id, change) for change in state.finish()]
        ordered = sorted(self._told, key=lambda row: (row[1].t_ns, row[0]))
        return SignalChanges(
            t_ns=np.array([change.t_ns for _, change in ordered], np.int64),
            signal_id=np.array([head for head, _ in ordered], np.str_),
            state=np.array([int(change.state) for _, change in ordered], np.uint8),
            confidence=np.array([change.confidence for _, change in ordered], np.float32),
        )

    def _pixels(
        self, boxes: Floats
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Return x and y of the pixels to pick, (lamps * k,), and which lamps (n,) lie outside."""
        middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
        half = (boxes[:, None, 2:] - boxes[:, None, :2]) / 2
        places = middle + half * _PLACES
        seen = ((middle[:, 0] >= 0) & (middle[:, 0] < self._size)).all(axis=1)
        outside = ~np.asarray(seen, np.bool_)
        limit = np.array(self._size, np.float32) - 1
        inside = np.clip(np.nan_to_num(places), 0, limit).astype(np.intp)
        return inside[..., 0].ravel(), inside[..., 1].ravel(), outside

    def _light(
        self, frame: Frame, x: NDArray[np.intp], y: NDArray[np.intp], outside: NDArray[np.bool_]
    ) -> Floats:
        """Return the light of each lamp (n,) in grey levels, 0 where it does not stand out."""
        bgr = frame.colours(x, y).reshape(len(self._boxes), -1, 3)
        value = np.maximum(np.maximum(bgr[..., 0], bgr[..., 1]), bgr[..., 2])
        around = np.partition(value[:, _CORE_COUNT:], 3, axis=1)[:, 3]
        stands_out = value[:, :_CORE_COUNT].mean(axis=1, dtype=np.float32) - around
        mean = bgr.mean(axis=1, dtype=np.float32)
        colour = np.einsum("nc,nc->n", mean, self._own)
        stands_out = np.maximum(stands_out, 0)
        light = np.sqrt(stands_out * np.maximum(colour, _COLOURLESS_SHARE * stands_out))
        light[outside] = 0
        return np.asarray(light, np.float32)

    def _judge(self, light: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the share (n,) of the way from dark to lit of each lamp, and which are lit."""
        head, first = self._head, self._first
        most = np.maximum.reduceat(light, first)
        self._peak = np.maximum(self._peak, most)
        on = np.where(np.isnan(self._on), _UNLEARNED_SHARE * self._peak[head], self._on)
        on = np.maximum(on, _LEAST_LIGHT)
        least = np.where(self._several, np.minimum.reduceat(light, first)[head], 0)
        off = np.where(np.isnan(self._off), least, self._off)
        off = np.minimum(off, 0.6 * on)
        share = (light - off) / (on - off)
        other = np.where(light < most[head], light, 0)
        clear = light > _CLEARLY * np.maximum.reduceat(other, first)[head]
        limit = np.where(self._lit | (clear & self._several), _LIT_UNTIL, _LIT_FROM)
        return share, (share > limit) & (light > _LEAST_LIGHT / 2)

    def _tell(self, t_ns: int, lit: NDArray[np.bool_], share: Floats) -> list[tuple[str, Change]]:
        """Tell every head what it shows."""
        shown = [0] * len(self._signals)
        low, high = [1.0] * len(shown), [0.0] * len(shown)
        for head, bit, is_lit, part in zip(
            self._head.tolist(), self._bits, lit.tolist(), share.tolist(), strict=True
        ):
            if is_lit:
                shown[head] |= bit
                low[head] = min(low[head], part)
            else:
                high[head] = max(high[head], part)
        return [
            (signal.id, change)
            for number, signal in enumerate(self._signals)
            for change in self._states[number].take(
                t_ns, shown[number], low[number] - max(high[number], 0.0)
            )
        ]

    def _learn(self, t_ns: int, light: Floats, lit: NDArray[np.bool_]) -> None:
        """Follow how bright each lamp is, lit and not, while its head's state is known."""
        gap_s = 0.0 if self._last_ns is None else (t_ns - self._last_ns) / NS_PER_S
        self._lit = lit
        if 0 < gap_s < _LEARN_S:
            return
        self._last_ns = t_ns
        known = np.array([state.state is not None for state in self._states])[self._head]
        for level, which, rise_s, fall_s in (
            (self._on, lit & known, _RISE_S, _FALL_S),
            (self._off, ~lit & known, _OFF_S, _OFF_S),
        ):
            far = light - level
            step = 1 - np.exp(-gap_s / np.where(far > 0, rise_s, fall_s))
            moved = np.where(np.isnan(level), light, level + step * far)
            level[which] = moved[which]
        self._peak *= np.float32(np.exp(-gap_s / _PEAK_S))
