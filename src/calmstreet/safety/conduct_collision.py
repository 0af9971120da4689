"""Suspected collision: two footprints touch and at least one changes its speed abruptly or stops.

Contact alone is no collision: boxes of queues, of people side by side and of doubled detections
touch all day. So the two must have come towards each other square to where they met, and within
``after_s`` of the contact one that moved must change its speed by ``change_mps`` within
``change_s``, or stop. A turn is no change of speed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.event import Event
from calmstreet.model.kinds import Kind
from calmstreet.safety.conduct import same_step_pairs
from calmstreet.safety.rows import PAUSE_NS, Block
from calmstreet.safety.rule import Post, Rule, new_event
from calmstreet.units import ns_from_s

__all__ = ["collision", "contacts"]

Array = NDArray[np.float64]
_MOVING_MPS = 1.0
_BEFORE_S = 1.0
_LEAST_AGE_S = 1.0


def contacts(
    block: Block, one: NDArray[np.intp], two: NDArray[np.intp], gap_m: float
) -> tuple[NDArray[np.bool_], Array]:
    """Return which pairs of footprints come within ``gap_m``, and the normal (k, 2) of contact.

    Separating axes; the normal is the axis on which they overlap least, from the first to the
    second: that on which they have just met. Two side by side meet sideways.
    """
    off = block.centre[two] - block.centre[one]
    sides = []
    for rows in (one, two):
        heading = np.nan_to_num(block.heading_rad[rows])
        half = block.length_m[rows] / 2, block.width_m[rows] / 2
        sides.append((np.cos(heading), np.sin(heading), *half))
    least = np.full(len(one), np.inf)
    normal = np.zeros((len(one), 2))
    for cos, sin, _, _ in sides:
        for ax, ay in ((cos, sin), (-sin, cos)):
            reach = np.full(len(one), gap_m)
            for c, s, half_long, half_wide in sides:
                reach = reach + half_long * np.abs(c * ax + s * ay)
                reach = reach + half_wide * np.abs(c * ay - s * ax)
            along = off[:, 0] * ax + off[:, 1] * ay
            depth = reach - np.abs(along)
            closer = depth < least
            way = np.where(along < 0, -1.0, 1.0)
            normal[closer] = np.column_stack([ax * way, ay * way])[closer]
            least = np.minimum(least, depth)
    return np.asarray(least >= 0), normal


@dataclass(slots=True, kw_only=True)
class _Contact:
    """Two that touch: since when, how fast towards each other, where, and who moved before."""

    t_ns: int
    last_ns: int
    approach_mps: float
    place_m: tuple[float, float]
    movers: frozenset[int]
    done: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class CollisionRule:
    """See the module."""

    post: Post
    name: str = "collision"
    version: int = 2
    why_not: str = ""
    _contacts: dict[tuple[int, int], _Contact] = field(default_factory=dict)
    _recent: dict[int, list[tuple[int, float, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.why_not = "" if self.post.metric else "needs places in metres"

    def update(self, block: Block) -> Iterator[Event]:
        """Take the next block."""
        touching = self._touching(block)
        wanted = {track_id for pair in self._contacts for track_id in pair}
        wanted |= {int(block.track_id[row]) for pair in touching for row in pair}
        course = np.nan_to_num(block.course_rad)
        vx, vy = block.speed_mps * np.cos(course), block.speed_mps * np.sin(course)
        rows = np.concatenate(
            [np.arange(s, e) for t, s, e in block.spans if t in wanted] or [np.empty(0, int)]
        )
        pairs: dict[int, list[tuple[int, int]]] = {}
        for one, two in touching:
            pairs.setdefault(int(block.t_ns[one]), []).append((one, two))
        for row in rows[np.lexsort((block.track_id[rows], block.t_ns[rows]))].tolist():
            t_ns = int(block.t_ns[row])
            for one, two in pairs.pop(t_ns, []):
                self._touched(block, one, two)
            yield from self._after(block, row, float(vx[row]), float(vy[row]))
        self._remember(block, vx, vy)

    def _touching(self, block: Block) -> list[tuple[int, int]]:
        people = block.kind == Kind.PEDESTRIAN
        pairs = same_step_pairs(block, np.arange(len(block)), 12.0)
        if not len(pairs):
            return []
        one, two = pairs.T
        touch_m = self.post.settings(self.name).touch_m
        kept = contacts(block, one, two, touch_m)[0] & ~(people[one] & people[two])
        found = [
            (i, j) if block.track_id[i] < block.track_id[j] else (j, i)
            for i, j in pairs[kept].tolist()
        ]
        return sorted(found, key=lambda ij: (block.track_id[ij[0]], block.track_id[ij[1]]))

    def _before(self, block: Block, row: int) -> tuple[float, float]:
        """Return the velocity that a road user had a second before a row, as far as known."""
        since_ns = int(block.t_ns[row]) - ns_from_s(_BEFORE_S)
        trail = self._recent.get(int(block.track_id[row]), [])
        late = [(vx, vy) for t_ns, vx, vy in reversed(trail[-200:]) if t_ns >= since_ns]
        return late[-1] if late else (0.0, 0.0)

    def _touched(self, block: Block, one: int, two: int) -> None:
        key, t_ns = (int(block.track_id[one]), int(block.track_id[two])), int(block.t_ns[one])
        contact = self._contacts.get(key)
        if contact is not None and t_ns - contact.last_ns <= PAUSE_NS:
            contact.last_ns = t_ns
            return
        _, normal = contacts(block, np.array([one]), np.array([two]), 0.0)
        v_one, v_two = self._before(block, one), self._before(block, two)
        dvx, dvy = v_one[0] - v_two[0], v_one[1] - v_two[1]
        fresh = min(t_ns - int(block.first_ns[one]), t_ns - int(block.first_ns[two]))
        approach = dvx * float(normal[0, 0]) + dvy * float(normal[0, 1])
        wanted = self.post.settings(self.name)
        self._contacts[key] = _Contact(
            t_ns=t_ns,
            last_ns=t_ns,
            approach_mps=approach,
            place_m=block.at(one),
            movers=frozenset(
                int(block.track_id[row])
                for row, v in ((one, v_one), (two, v_two))
                if np.hypot(*v) > _MOVING_MPS
            ),
            done=not approach >= wanted.approach_mps or fresh < ns_from_s(_LEAST_AGE_S),
        )

    def _after(self, block: Block, row: int, vx: float, vy: float) -> Iterator[Event]:
        """Look at a row of one that touched somebody not long ago."""
        wanted, track_id = self.post.settings(self.name), int(block.track_id[row])
        t_ns = int(block.t_ns[row])
        trail = self._recent.setdefault(track_id, [])
        trail.append((t_ns, vx, vy))
        since_ns = t_ns - ns_from_s(wanted.change_s)
        first = len(trail) - 1
        while first and trail[first - 1][0] >= since_ns:
            first -= 1
        was_mps, now_mps = math.hypot(*trail[first][1:]), math.hypot(vx, vy)
        changed = abs(now_mps - was_mps)
        for key, contact in self._contacts.items():
            if track_id not in key or contact.done or track_id not in contact.movers:
                continue
            late_ns = t_ns - contact.t_ns
            if late_ns > ns_from_s(wanted.after_s):
                contact.done = track_id == max(contact.movers)
                continue
            stopped = now_mps < wanted.stop_mps
            if changed >= wanted.change_mps or (stopped and late_ns > 0):
                contact.done = True
                yield self._event(key, contact, t_ns, changed)

    def _event(self, key: tuple[int, int], contact: _Contact, t_ns: int, changed: float) -> Event:
        return new_event(
            self.post,
            self,
            start_ns=contact.t_ns,
            end_ns=t_ns,
            track_ids=key,
            place_m=contact.place_m,
            values={"approach_mps": contact.approach_mps, "change_mps": changed},
            reasons=[
                f"two road users touched at {contact.approach_mps:.1f} m/s towards each other",
                f"one changed its speed by {changed:.1f} m/s or stopped",
            ],
            severity=4,
        )

    def _remember(self, block: Block, vx: Array, vy: Array) -> None:
        """Keep the last second of everybody and drop contacts that are over."""
        newest = int(block.steps[-1])
        kept: dict[int, list[tuple[int, float, float]]] = {}
        for track_id, start, end in block.spans:
            late = np.flatnonzero(block.t_ns[start:end] > newest - ns_from_s(3.0)) + start
            rows = [(int(block.t_ns[r]), float(vx[r]), float(vy[r])) for r in late.tolist()]
            old = [p for p in self._recent.get(track_id, []) if not rows or p[0] < rows[0][0]]
            kept[track_id] = [p for p in old if p[0] > newest - ns_from_s(3.0)] + rows
        for track_id, trail in self._recent.items():
            if track_id not in kept and trail and trail[-1][0] > newest - ns_from_s(3.0):
                kept[track_id] = trail
        self._recent = kept
        self._contacts = {k: c for k, c in self._contacts.items() if newest - c.last_ns <= PAUSE_NS}

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()


def collision(post: Post) -> Rule:
    """Return the rule at its post."""
    return CollisionRule(post=post)
