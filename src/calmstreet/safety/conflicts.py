"""Watches for conflicts: one row per pair of road users that had to do with each other.

Results do not depend on how the stream of whole steps is cut into blocks: rows are gathered into
windows of UTC (``_WINDOW_NS``), each window is worked on once, whole, when the next ``_AHEAD_NS``
are known: where a road user went in those seconds tells which of several usual paths he was on.
A pair is judged when one of both has been gone for as long as the other could still come to the
same place.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.conflicts import Conflicts, no_conflicts
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.safety.ahead import contact_ahead
from calmstreet.safety.conflict_rules import ConflictSettings
from calmstreet.safety.encroachment import (
    T2_NS,
    Encroachment,
    encroachment_of,
    expected_arrival,
)
from calmstreet.safety.movers import Movers, joined_movers, movers_of, on_paths, with_manoeuvres
from calmstreet.safety.pairing import looked_at, pairs_in_steps, same_pairs_later
from calmstreet.safety.paths import NO_PATHS, Choices, Paths
from calmstreet.safety.samples import Samples, joined_samples, samples_of
from calmstreet.safety.streams import Streams
from calmstreet.safety.trails import Meeting, Meetings, Trail
from calmstreet.safety.verdict import PairEnd, joined_conflicts, verdict_of

__all__ = ["AFTER_NS", "BEFORE_NS", "ConflictWatch"]

Ints = NDArray[np.int64]

_WINDOW_NS = 5_000_000_000
_AHEAD_NS = 10_000_000_000
_TAIL_NS = 1_000_000_000
_END_NS = 2_000_000_000
_MARGIN_BEFORE_NS = 4_000_000_000
_MARGIN_AFTER_NS = 2_000_000_000
_GAP_NS = 2_000_000_000
_MOST_PARTS = 512
BEFORE_NS = 10_000_000_000
"""Rows before what decided: the window that is cut, and the age of tracks."""

AFTER_NS = 20_000_000_000
"""Rows after it: where everybody went tells which path he was on."""


class ConflictWatch:
    """Takes blocks of whole steps and gives every interacting pair at the end.

    ``paths`` are the usual paths (None: straight lines, which alone make no conflict). Rows
    without a place in metres are left out. Memory holds the tracks that are alive, their pairs,
    and one row per pair that was judged (``ready`` hands those out). ``decided`` says of each
    conflict, by (user_a, user_b, start_ns), from when until when rows decided about it (UTC ns):
    whoever has those and ``BEFORE_NS`` and ``AFTER_NS`` more finds it again.
    """

    def __init__(
        self, *, settings: ConflictSettings | None = None, paths: Paths | None = None
    ) -> None:
        self._settings = settings or ConflictSettings()
        self._paths = NO_PATHS if paths is None else paths
        self._streams = Streams(paths=self._paths)
        self._waiting: list[TrackPoints] = []
        self._held: deque[tuple[int, Movers, Choices]] = deque()
        self._tail: Movers | None = None
        self._trails: dict[int, Trail] = {}
        self._meetings = Meetings(within_s=self._settings.interacting_pet_s)
        self._met: dict[tuple[int, int], Meeting] = {}
        self._pairs: dict[tuple[int, int], int] = {}
        self._next_pair = 0
        self._samples: list[Samples] = []
        self._judged: list[Conflicts] = []
        self._spells: list[tuple[int, int]] = []
        self.decided: dict[tuple[int, int, int], tuple[int, int]] = {}
        self._who = ("", 0)

    @property
    def alive(self) -> int:
        """Return how many tracks are held in memory."""
        return len(self._trails)

    def update(self, points: TrackPoints) -> None:
        """Take the next whole steps: all their rows, times rising from block to block.

        Raises ValueError when a block begins before the last one ended.
        """
        if not len(points):
            return
        if self._spells and int(points.t_ns.min()) <= self._spells[-1][1]:
            raise ValueError("steps must rise in time from block to block")
        self._who = (points.camera_id, points.run_id)
        self._watch_time(np.unique(points.t_ns))
        self._waiting.append(points)
        self._work_before(int(points.t_ns.max()) // _WINDOW_NS * _WINDOW_NS)

    def pass_until(self, t_ns: int) -> None:
        """Let time pass to an instant before which no more rows will come.

        On a busy street the rows do that; on one that empties nobody would hear of the last pair.
        """
        open_ns = t_ns // _WINDOW_NS * _WINDOW_NS
        self._work_before(open_ns)
        while self._held and self._held[0][0] + _AHEAD_NS <= open_ns:
            self._advance()
        if not self._held:
            self._retire(open_ns)

    def _work_before(self, open_ns: int) -> None:
        """Work on the rows that wait, as far as their windows are over."""
        if min((int(block.t_ns.min()) for block in self._waiting), default=open_ns) >= open_ns:
            return
        rows = concat_points(self._waiting)
        whole = rows.t_ns < open_ns
        self._waiting = [rows[~whole]] if not whole.all() else []
        self._work(rows[whole])

    def ready(self) -> Conflicts:
        """Return the pairs judged since the last call, in the order of their ends."""
        judged, self._judged = self._judged, []
        return self._told(judged)

    def close(self) -> Conflicts:
        """End all tracks; return every pair not handed out yet, sorted by start."""
        if self._waiting:
            rows, self._waiting = concat_points(self._waiting), []
            self._work(rows)
        while self._held:
            self._advance()
        self._judge(set(self._trails))
        found = self.ready()
        return found[np.lexsort((found.user_b, found.user_a, found.start_ns))]

    def _told(self, judged: list[Conflicts]) -> Conflicts:
        camera_id, run_id = self._who
        judged = judged or [no_conflicts(camera_id=camera_id, run_id=run_id)]
        return joined_conflicts(
            judged,
            camera_id=camera_id,
            run_id=run_id,
            paths_version=self._paths.version,
            watched_ns=np.array(self._spells, np.int64).reshape(-1, 2),
        )

    def _watch_time(self, steps: Ints) -> None:
        """Lengthen the spells of watching by these steps; a gap over 2 s begins another."""
        cuts = np.flatnonzero(np.diff(steps) > _GAP_NS) + 1
        for piece in np.split(steps, cuts):
            begin, end = int(piece[0]), int(piece[-1])
            if self._spells and begin - self._spells[-1][1] <= _GAP_NS:
                begin = self._spells.pop()[0]
            self._spells.append((begin, end))

    def _work(self, points: TrackPoints) -> None:
        """Take whole windows, one after the other; each waits for those that tell its paths."""
        for window in _windows(points):
            end_ns = (int(window.t_ns[0]) // _WINDOW_NS + 1) * _WINDOW_NS
            self._held.append((end_ns, *movers_of(window, self._paths)))
            while self._held[0][0] + _AHEAD_NS <= end_ns:
                self._advance()

    def _advance(self) -> None:
        """Work on the oldest window that is held."""
        end_ns, movers, choices = self._held.popleft()
        until_ns = end_ns + _AHEAD_NS
        later = [(rows, lines) for at_ns, rows, lines in self._held if at_ns <= until_ns]
        if len(movers):
            rows = self._with_tail(on_paths(movers, choices, later=later))
            self._search(rows)
            self._follow(rows)
        self._retire(end_ns)

    def _with_tail(self, rows: Movers) -> Movers:
        """Fill in the manoeuvres with the help of the rows of the last second."""
        tail = self._tail
        if tail is not None:
            tail = tail[tail.t_ns > int(rows.t_ns[0]) - _TAIL_NS]
        known = 0 if tail is None else len(tail)
        whole = rows if tail is None else joined_movers(tail, rows)
        whole = with_manoeuvres(whole, self._paths)
        self._tail = whole[whole.t_ns > int(whole.t_ns[-1]) - _TAIL_NS]
        return whole[known:]

    def _search(self, rows: Movers) -> None:
        """Find pairs on a collision course and keep what is needed of them."""
        look = np.flatnonzero(looked_at(rows.t_ns))
        for one, two in pairs_in_steps(rows[look], paths=self._paths):
            one, two = same_pairs_later(rows, look[one], look[two])
            if not len(one):
                continue
            contact = contact_ahead(rows, one, two, paths=self._paths)
            pair = self._numbered(rows.track_id[one], rows.track_id[two], contact.ttc_s)
            known = pair >= 0
            parts = {name: getattr(contact, name)[known] for name in contact.__slots__}
            kept = samples_of(
                rows[one[known]], rows[two[known]], type(contact)(**parts), pair=pair[known]
            )
            self._samples.append(kept)

    def _numbered(self, a: Ints, b: Ints, ttc_s: NDArray[np.float64]) -> Ints:
        """Return the number of each pair, -1 while it was never on a collision course."""
        _, first, which = np.unique(
            np.stack([a, b], axis=1), axis=0, return_index=True, return_inverse=True
        )
        which = which.reshape(-1)
        meets = np.zeros(len(first), np.bool_)
        np.logical_or.at(meets, which, ttc_s <= self._settings.interacting_ttc_s)
        number = np.full(len(first), -1, np.int64)
        for k, (one, two) in enumerate(zip(a[first].tolist(), b[first].tolist(), strict=True)):
            if meets[k] or (one, two) in self._pairs:
                number[k] = self._number((one, two))
        return number[which]

    def _number(self, pair: tuple[int, int]) -> int:
        if pair not in self._pairs:
            self._pairs[pair] = self._next_pair
            self._next_pair += 1
        return self._pairs[pair]

    def _follow(self, rows: Movers) -> None:
        """Lengthen the trails and note who came to the same place."""
        order = np.lexsort((rows.t_ns, rows.track_id))
        ids = rows.track_id[order]
        cuts = np.flatnonzero(np.diff(ids, prepend=-1))
        stations = np.zeros(len(rows), np.bool_)
        for begin, end in zip(cuts.tolist(), [*cuts[1:].tolist(), len(ids)], strict=True):
            pick = order[begin:end]
            own = rows[pick]
            trail = self._trails.get(int(ids[begin]))
            if trail is None:
                trail = self._trails[int(ids[begin])] = _new_trail(own)
            stations[pick] = trail.walk(own)
        for pair, meeting in self._meetings.update(rows[stations]).items():
            if pair[0] not in self._trails or pair[1] not in self._trails:
                continue
            if pair in self._met:
                self._met[pair].widen(meeting)
            else:
                self._met[pair] = meeting
            self._number(pair)

    def _retire(self, now_ns: int) -> None:
        """Judge the pairs of which one can no longer meet the other."""
        wait_ns = _END_NS + round(self._settings.interacting_pet_s * 1e9)
        gone = {who for who, trail in self._trails.items() if now_ns - trail.last_ns > wait_ns}
        if gone:
            self._judge(gone)

    def _judge(self, gone: set[int]) -> None:
        """Judge all pairs with one of these tracks, then forget them."""
        pairs = [pair for pair in self._pairs if pair[0] in gone or pair[1] in gone]
        if pairs:
            numbers = np.array([self._pairs.pop(pair) for pair in pairs], np.int64)
            samples = self._taken(numbers)
            spans = [
                self._span(pair, samples, number)
                for pair, number in zip(pairs, numbers.tolist(), strict=True)
            ]
            ends = [
                self._end(pair, number, span[1])
                for pair, number, span in zip(pairs, numbers.tolist(), spans, strict=True)
            ]
            camera_id, run_id = self._who
            found = verdict_of(
                ends, samples, settings=self._settings, camera_id=camera_id, run_id=run_id
            )
            self._judged.append(found)
            if len(self._judged) >= _MOST_PARTS:
                self._judged = [self._told(self._judged)]
            self._note(found[found.is_conflict], dict(zip(pairs, spans, strict=True)))
        for who in gone:
            del self._trails[who]

    def _end(self, pair: tuple[int, int], number: int, until_ns: int) -> PairEnd:
        a, b = self._trails[pair[0]], self._trails[pair[1]]
        return PairEnd(
            number=number,
            a=a,
            b=b,
            kind_a=a.kind_at(until_ns),
            kind_b=b.kind_at(until_ns),
            met=self._encroachment(pair),
        )

    def _span(self, pair: tuple[int, int], samples: Samples | None, number: int) -> tuple[int, int]:
        """Return from when until when rows decide about a pair."""
        spans: list[int] = []
        if samples is not None:
            begin, end = np.searchsorted(samples.pair, (number, number + 1)).tolist()
            spans += samples.t_ns[begin:end][[0, -1]].tolist() if end > begin else []
        met = self._met.get(pair)
        if met is not None:
            spans += [min(met.start_a_ns, met.start_b_ns) - _MARGIN_BEFORE_NS - T2_NS]
            spans += [max(met.end_a_ns, met.end_b_ns) + _MARGIN_AFTER_NS]
        return (min(spans), max(spans)) if spans else (0, 0)

    def _note(self, found: Conflicts, spans: Mapping[tuple[int, int], tuple[int, int]]) -> None:
        """Note for each conflict which span of time decided it."""
        users = zip(found.user_a.tolist(), found.user_b.tolist(), strict=True)
        for (a, b), start_ns in zip(users, found.start_ns.tolist(), strict=True):
            self.decided[a, b, start_ns] = spans[a, b]

    def _taken(self, numbers: Ints) -> Samples | None:
        """Return the samples of these pairs, by pair and time, and let them go."""
        if not self._samples:
            return None
        rows = joined_samples(self._samples)
        mine = np.isin(rows.pair, numbers)
        self._samples = [rows[~mine]]
        rows = rows[mine]
        return rows[np.lexsort((rows.t_ns, rows.pair))]

    def _encroachment(self, pair: tuple[int, int]) -> Encroachment | None:
        meeting = self._met.pop(pair, None)
        if meeting is None:
            return None
        trails = self._trails[pair[0]], self._trails[pair[1]]
        spans = (meeting.start_a_ns, meeting.end_a_ns), (meeting.start_b_ns, meeting.end_b_ns)
        a, b = (
            trail.between(start_ns - _MARGIN_BEFORE_NS, end_ns + _MARGIN_AFTER_NS)
            for trail, (start_ns, end_ns) in zip(trails, spans, strict=True)
        )
        met = None if a is None or b is None else encroachment_of(a, b, streams=self._streams)
        return None if met is None else _arrived(met, trails[1 if met.first_is_a else 0])


def _arrived(met: Encroachment, second: Trail) -> Encroachment:
    """Return the meeting with T2 from all rows that it asks for."""
    exit_ns, entry_ns = met.exit_ns, met.entry_ns
    rows = second.between(min(exit_ns, entry_ns) - T2_NS, max(exit_ns, entry_ns) + _TAIL_NS)
    if rows is None:
        return met
    t2_s, sigma_s = expected_arrival(rows, exit_ns=exit_ns, entry_ns=entry_ns)
    return replace(met, t2_s=t2_s, sigma_t2_s=sigma_s)


def _new_trail(rows: Movers) -> Trail:
    place = (float(rows.x_m[0]), float(rows.y_m[0]))
    return Trail(
        track_id=int(rows.track_id[0]),
        first_ns=int(rows.t_ns[0]),
        last_ns=int(rows.t_ns[-1]),
        first_xy=place,
        last_xy=place,
    )


def _windows(points: TrackPoints) -> list[TrackPoints]:
    """Return the rows of each window of UTC in order of time."""
    rows = points[np.lexsort((points.track_id, points.t_ns))]
    cuts = np.flatnonzero(np.diff(rows.t_ns // _WINDOW_NS)) + 1
    bounds = [0, *cuts.tolist(), len(rows)]
    return [rows[begin:end] for begin, end in pairwise(bounds)]
