"""Where road users are at the moment of a picture, from what was seen a second around it."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.units import NS_PER_S
from calmstreet.video.standing import iou

__all__ = ["Places", "Sightings", "Step", "Street", "Trust", "join_places", "seen_through"]

_SAME_USER_IOU = 0.3
_SAME_BOX_IOU = 0.6
_GROWTH_PER_S = 0.3
_SHARE_OF_WAY = 0.25
_MOVED_REACH_S = 0.4
_FAST_SIZES_PER_S = 0.5
_SHARES_DRAWN = (0.5, 1.0)
_LEAST_SHRUNK = 0.7
_FURTHEST_SIZES = 1.0
_LARGE_SHARE = 0.1
_CLEAR_SCORE = 0.5
_TRUSTED_S = 60.0
_SECONDS_SEEN_THROUGH = 3
_MIDDLE_SHARE = 0.5
_FOOT_SHARE = 0.1
_MOST_TOLD = 1000


class Places(NamedTuple):
    """Boxes float32 (n, 4) with kinds uint8 (n,), in stored pixels."""

    box_px: NDArray[np.float32]
    kind: NDArray[np.uint8]

    def of(self, chosen: NDArray[np.bool_]) -> "Places":
        """Return the places that ``chosen`` picks."""
        return Places(self.box_px[chosen], self.kind[chosen])


def join_places(parts: list[Places]) -> Places:
    """Return all places of all parts.

    >>> len(join_places([]).kind)
    0
    """
    return Places(
        np.concatenate([np.empty((0, 4), np.float32), *(part.box_px for part in parts)]),
        np.concatenate([np.empty(0, np.uint8), *(part.kind for part in parts)]),
    )


class Step(NamedTuple):
    """What one picture showed: detections, tracks, places that stand, moving blobs.

    ``seen_moves`` bool (n,): something moves in that detection; ``observed`` bool (n,): an eye saw
    that track in this picture. ``seen_weak``, ``tracked_weak``, ``standing_weak`` bool: large, weak
    and still, see ``Trust``. ``alone`` are the detections under no track, filled in by
    ``Sightings.add``.
    """

    t_ns: int
    seen: Places
    seen_moves: NDArray[np.bool_]
    track_id: NDArray[np.int64]
    tracked: Places
    observed: NDArray[np.bool_]
    standing: Places
    blob_px: NDArray[np.float32]
    seen_weak: NDArray[np.bool_]
    tracked_weak: NDArray[np.bool_]
    standing_weak: NDArray[np.bool_]
    alone: NDArray[np.bool_] | None = None


Street = Callable[[NDArray[np.float32]], NDArray[np.bool_]]
"""Tells which boxes (n, 4) are the street itself, bool (n,)."""


class Sightings:
    """The steps of the last seconds, and boxes interpolated between them."""

    def __init__(self, *, reach_s: float) -> None:
        self._reach_ns = round(reach_s * NS_PER_S)
        self._steps: deque[Step] = deque()

    def add(self, step: Step) -> None:
        """Take in the next step."""
        self._steps.append(step._replace(alone=_without_track(step)))

    def forget(self, t_ns: int) -> None:
        """Forget the steps that no picture from ``t_ns`` on can need."""
        while self._steps and self._steps[0].t_ns < t_ns - 2 * self._reach_ns:
            self._steps.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._steps.clear()

    def at(self, t_ns: int, street: Street) -> Places:
        """Return all boxes to cover at ``t_ns``, without the weak ones that ``street`` picks.

        Boxes seen in the picture itself as they are; tracks moved along their way; boxes of no
        track where they were seen: within the reach before or after when nothing moves in them,
        else for as long as a walker takes to leave them.
        """
        reach_ns = self._reach_ns
        wide = [
            _believed(step, street) for step in self._steps if abs(step.t_ns - t_ns) <= 2 * reach_ns
        ]
        near = [step for step in wide if abs(step.t_ns - t_ns) <= reach_ns]
        known = _kinds_of_tracks(wide)
        places = [step.standing for step in near]
        for step in near:
            away_s = abs(step.t_ns - t_ns) / NS_PER_S
            places.append(_named(step, known) if away_s == 0 else _untracked(step, away_s))
        places.append(_along_the_way(wide, t_ns, self._reach_ns / NS_PER_S, known))
        return join_places(places)

    def blobs_at(self, t_ns: int, reach_s: float) -> NDArray[np.float32]:
        """Return the moving blobs (n, 4) of the pictures within ``reach_s``."""
        reach_ns = reach_s * NS_PER_S
        blobs = [step.blob_px for step in self._steps if abs(step.t_ns - t_ns) <= reach_ns]
        return np.concatenate([np.empty((0, 4), np.float32), *blobs])


class Trust:
    """Tells large boxes that the net only guesses, where nothing moves, from road users.

    A body hides what is behind it. A large weak box over a still street is believed, and covered,
    until others were seen to drive through the middle of it, and behind its foot, in three
    different seconds: then it is the street itself, unless a clear box agreed with it in the last
    minute. Asked when a picture leaves, it knows what came after that picture, too.
    """

    def __init__(self) -> None:
        self._clear: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._movers: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._told: dict[bytes, bool] = {}

    def note_movers(self, t_ns: int, box_px: NDArray[np.float32]) -> None:
        """Remember, once a second, where road users (n, 4) were seen who move."""
        if _forget(self._movers, t_ns) or len(self._told) > _MOST_TOLD:
            self._told.clear()
        recent = bool(self._movers) and t_ns - self._movers[-1][0] < NS_PER_S
        if len(box_px) and not recent:
            self._movers.append((t_ns, box_px.copy()))
            self._told.clear()

    def weak(
        self,
        t_ns: int,
        box_px: NDArray[np.float32],
        *,
        picture_px: tuple[int, int],
        score: NDArray[np.float32],
        moves: NDArray[np.bool_],
        remember: bool = False,
    ) -> NDArray[np.bool_]:
        """Return bool (n,), True for large boxes (n, 4) of a low score in which nothing moves.

        ``remember`` lets the clear ones speak for weak ones later.
        """
        inside = np.clip(box_px, 0, np.array([*picture_px, *picture_px], np.float32))
        area = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1])
        large = area >= _LARGE_SHARE * picture_px[0] * picture_px[1]
        weak: NDArray[np.bool_] = large & ~moves & (score < _CLEAR_SCORE)
        if _forget(self._clear, t_ns):
            self._told.clear()
        if remember and (large & ~weak).any():
            self._clear.append((t_ns, box_px[large & ~weak]))
            self._told.clear()
        return weak

    def street(self, box_px: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which of the weak boxes (n, 4) are the street itself, by all that is known now."""
        asked = [box.tobytes() for box in box_px]
        new = [i for i, name in enumerate(asked) if name not in self._told]
        if new:
            told = self._contradicted(box_px[new]).tolist()
            self._told.update(zip([asked[i] for i in new], told, strict=True))
        return np.array([self._told[name] for name in asked], np.bool_)

    def _contradicted(self, box_px: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which boxes (n, 4) a body cannot fill: others were seen where it would be."""
        if len(self._movers) < _SECONDS_SEEN_THROUGH:
            return np.zeros(len(box_px), np.bool_)
        starts = np.cumsum([0, *(len(boxes) for _, boxes in self._movers)][:-1])
        through = seen_through(box_px, np.concatenate([boxes for _, boxes in self._movers]))
        seconds = np.logical_or.reduceat(through, starts, axis=1).sum(axis=1)
        contradicted: NDArray[np.bool_] = seconds >= _SECONDS_SEEN_THROUGH
        if self._clear:
            clear = np.concatenate([boxes for _, boxes in self._clear])
            contradicted &= ~(iou(box_px, clear) >= _SAME_USER_IOU).any(axis=1)
        return contradicted


def _forget(memory: deque[tuple[int, NDArray[np.float32]]], t_ns: int) -> bool:
    """Drop what is older than a minute; return whether there was any."""
    before = len(memory)
    while memory and t_ns - memory[0][0] > _TRUSTED_S * NS_PER_S:
        memory.popleft()
    return len(memory) < before


def seen_through(box_px: NDArray[np.float32], mover_px: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (n, m): a mover (m, 4) seen whole in the middle of a box (n, 4) and behind its foot.

    Who passes before a body stands lower in the picture than it, and who passes behind is hidden.

    >>> seen_through(np.array([[0, 0, 90, 90]], np.float32),
    ...              np.array([[40, 40, 50, 50], [40, 80, 50, 95]], np.float32)).tolist()
    [[True, False]]
    """
    box, mover = box_px[:, None], mover_px[None]
    size = box[..., 2:] - box[..., :2]
    within = (mover[..., :2] >= box[..., :2]) & (mover[..., 2:] <= box[..., 2:])
    off = np.abs((mover[..., :2] + mover[..., 2:]) - (box[..., :2] + box[..., 2:])) / 2
    middle = off <= _MIDDLE_SHARE / 2 * size
    behind = mover[..., 3] < box[..., 3] - _FOOT_SHARE * size[..., 1]
    return np.asarray((within & middle).all(axis=2) & behind, np.bool_)


def _believed(step: Step, street: Street) -> Step:
    """Return the step without the weak boxes that are the street itself."""
    for weak, names in (
        (step.seen_weak, ("seen", "seen_moves", "seen_weak", "alone")),
        (step.tracked_weak, ("tracked", "track_id", "observed", "tracked_weak")),
        (step.standing_weak, ("standing", "standing_weak")),
    ):
        if not weak.any():
            continue
        places: Places = getattr(step, names[0])
        keeps = ~weak
        keeps[weak] = ~street(places.box_px[weak])
        kept = {name: getattr(step, name)[keeps] for name in names[1:]}
        step = step._replace(**{names[0]: places.of(keeps), **kept})
    return step


def _without_track(step: Step) -> NDArray[np.bool_]:
    """Return which detections lie under no track of the same step."""
    covered = (iou(step.seen.box_px, step.tracked.box_px) >= _SAME_USER_IOU).any(axis=1)
    return np.asarray(~covered, np.bool_)


def _untracked(step: Step, away_s: float) -> Places:
    """Return the detections of no track that count so many seconds away."""
    assert step.alone is not None
    here = step.alone & (~step.seen_moves | (away_s <= _MOVED_REACH_S))
    return step.seen.of(here)


def _kinds_of_tracks(near: list[Step]) -> dict[int, list[int]]:
    """Return the kinds that each track had; ``unknown`` only where it never had another."""
    kinds: dict[int, set[int]] = {}
    for step in near:
        for track, kind in zip(step.track_id.tolist(), step.tracked.kind.tolist(), strict=True):
            kinds.setdefault(track, set()).add(kind)
    return {track: sorted(had - {Kind.UNKNOWN} or had) for track, had in kinds.items()}


def _named(step: Step, known: dict[int, list[int]]) -> Places:
    """Return the detections; what only moves has the kinds of the track with the same box."""
    overlap = iou(step.seen.box_px, step.tracked.box_px)
    index, kinds = [], []
    for i, kind in enumerate(step.seen.kind.tolist()):
        mine = [kind]
        if kind == Kind.UNKNOWN and overlap.shape[1] and overlap[i].max() >= _SAME_BOX_IOU:
            mine = known[int(step.track_id[int(overlap[i].argmax())])]
        index += [i] * len(mine)
        kinds += mine
    return Places(step.seen.box_px[np.array(index, np.intp)], np.array(kinds, np.uint8))


def _along_the_way(
    near: list[Step], t_ns: int, reach_s: float, known: dict[int, list[int]]
) -> Places:
    """Return each track's boxes at ``t_ns``, once for every kind that it had near that time.

    Tracks that no eye saw within ``reach_s`` are left out; rows further off only give the motion.
    """
    if not near or not sum(len(step.track_id) for step in near):
        return join_places([])
    ids = np.concatenate([step.track_id for step in near])
    times = np.concatenate([np.full(len(step.track_id), step.t_ns - t_ns) for step in near])
    boxes = np.concatenate([step.tracked.box_px for step in near])
    observed = np.concatenate([step.observed for step in near])
    order = np.lexsort((times, ids))
    ids, times, boxes = ids[order], times[order], boxes[order]
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    ends = np.r_[starts[1:], len(ids)]
    before = np.array(
        [s + np.searchsorted(times[s:e], 0, "right") - 1 for s, e in zip(starts, ends, strict=True)]
    )
    seen_s = np.where(observed[order], np.abs(times) / NS_PER_S, np.inf)
    unseen_s = np.minimum.reduceat(seen_s, starts)
    pairs = [
        (user, kind)
        for user in np.flatnonzero(unseen_s <= reach_s).tolist()
        for kind in known[int(ids[starts[user]])]
    ]
    user, kind = np.array(pairs, np.intp).reshape(-1, 2).T
    drawn = _moved(times / NS_PER_S, boxes, starts, ends, before)
    return Places(
        np.concatenate([box[user[valid[user]]] for box, valid in drawn]),
        np.concatenate([kind[valid[user]] for _, valid in drawn]).astype(np.uint8),
    )


def _moved(
    t_s: NDArray[np.float64],
    boxes: NDArray[np.float32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    before: NDArray[np.int64],
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Return boxes of the tracks at time 0, from rows sorted by track and time.

    Each pair holds a box a track and which tracks it is for. Between two rows a box is
    interpolated. Past the ends it is drawn out along the last motion, the whole way and half of it
    (it may brake), and stays where it was seen unless it was fast. It grows with the way and the
    time to the nearest row. What moved on by more than its size is left to the motion eye.
    """
    low = np.clip(before, starts, ends - 1)
    high = np.clip(before + 1, starts, ends - 1)
    first, last = before < starts, before >= ends - 1
    a = np.where(first, low, np.where(last, np.maximum(low - 1, starts), low))
    b = np.where(first, np.minimum(low + 1, ends - 1), high)
    span = t_s[b] - t_s[a]
    rate = (boxes[b] - boxes[a]) / np.maximum(span, 1e-3)[:, None]
    nearest = np.where(first, a, np.where(last, b, np.where(-t_s[a] <= t_s[b], a, b)))
    exact = t_s[low] == 0
    nearest = np.where(exact, low, nearest)
    seen, away_s = boxes[nearest], np.abs(t_s[nearest])
    size = np.maximum(seen[:, 2:] - seen[:, :2], 1.0)
    fast = (np.abs(rate).reshape(-1, 2, 2).max(axis=1) > _FAST_SIZES_PER_S * size).any(axis=1)
    outside = (first | last) & ~exact
    way = np.abs(rate).max(axis=1) * away_s / size.max(axis=1)
    near = ~outside | (way <= _FURTHEST_SIZES)
    valid = [outside & near, near, outside & ~(fast & (away_s > _MOVED_REACH_S))]
    return [
        (_drawn(seen, rate * (share * t_s[nearest])[:, None], away_s), here)
        for share, here in zip((*_SHARES_DRAWN, 0.0), valid, strict=True)
    ]


def _drawn(
    seen: NDArray[np.float32], back: NDArray[np.float64], away_s: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return boxes moved by -back and grown by a share of it and of the time from the sighting."""
    size = seen[:, 2:] - seen[:, :2]
    grow = size * (_GROWTH_PER_S * away_s)[:, None] + _SHARE_OF_WAY * np.abs(back)[:, :2]
    box = seen - back
    middle = (box[:, :2] + box[:, 2:]) / 2
    half = np.maximum((box[:, 2:] - box[:, :2]) / 2, _LEAST_SHRUNK * size / 2) + grow
    return np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)
