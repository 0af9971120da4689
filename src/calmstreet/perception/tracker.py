"""The tracker: boxes of single steps become road users through time.

Arrays instead of objects; no appearance, only place, size and motion. Every life, gate and birth
is in seconds or in sizes of the box, so that a result does not hang on the frame rate.
"""

import math
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye
from calmstreet.model.points import TrackPoints, no_metres, no_points, track_id_of
from calmstreet.perception import kalman, lives, pairing, votes
from calmstreet.perception.association import Matching, Pairs, covered_shares
from calmstreet.perception.lives import TrackerSettings
from calmstreet.perception.seen import AXES_NOISE, Seen, note_noise, ordered
from calmstreet.perception.table import NEVER_NS, no_tracks, unsigned
from calmstreet.units import s_from_ns

__all__ = ["Tracker", "TrackerSettings"]

_NET = int(Eye.NET)
_SHORT_S = 0.5  # nobody who was just seen ends within so short a time
_GONE_NS = 300_000_000  # who is unseen for so long and predicted outside has left
_RARELY_NS = 270_000_000  # from look to look of a net that looks rarely
_PAUSE_NS = 2_000_000_000  # a track ends this long after its last row
_ORIGIN = np.array(0.0, np.float32)
_ZERO, _OVERLAPPED, _NEVER = np.array(0.0), np.array(0.3), np.array(NEVER_NS)


class Tracker:
    """Gives every road user of one camera and run one id.

    >>> from calmstreet.model.detections import Detections
    >>> tracker = Tracker(camera_id="north", run_id=1, width_px=640, height_px=360)
    >>> for t_ns in (0, 100_000_000):
    ...     points = tracker.update(Detections(
    ...         camera_id="north", t_ns=t_ns, box_px=[[10, 10, 50, 40]], score=[0.7], kind=[4],
    ...         source=[1]))
    >>> points.track_id.tolist() == [(1 << 32) + 1], points.kind.tolist()
    (True, [4])
    """

    def __init__(
        self,
        *,
        camera_id: str,
        run_id: int,
        width_px: int,
        height_px: int,
        settings: TrackerSettings | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._run_id = run_id
        self._first_id = np.array(track_id_of(run_id, 0))
        self._frame_px = np.array([[width_px], [height_px]], np.float64)
        self._border = partial(votes.borders, width_px, height_px)
        self._corners = partial(_far_corners, width_px, height_px)
        self._settings = settings or TrackerSettings()
        self._table = no_tracks()
        self._boxes = self._table.boxes()
        self._hidden = np.zeros(0)
        self._seen: Seen | None = None
        self._t_ns: int | None = None
        self._net_ns = (NEVER_NS, NEVER_NS)
        self._net_rests = False
        self._now = np.zeros(0, np.bool_)
        self._all_seen = True
        self._in_order = True
        self._looks = 0
        self._serial = 0

    def update(self, detections: Detections, *, dark: bool = False) -> TrackPoints:
        """Take the boxes of one step and return the rows of this step, in order of track_id.

        Rows are those of measured tracks, tentative until they are confirmed, and of coasted
        ones as long as that is plausible. Who gave no row for two seconds comes back as another.
        When ``dark`` beams are nobody. Raises ValueError when time runs backwards.
        """
        t_ns, looked = detections.t_ns, detections.looked
        dt_s = 0.0 if self._t_ns is None else s_from_ns(t_ns - self._t_ns)
        if dt_s < 0.0:
            raise ValueError(f"step at {t_ns} ns comes after one at {self._t_ns} ns")
        self._t_ns = t_ns
        limits = self._settings
        seen = self._seen = ordered(detections, limits.high_score, limits.low_score)
        self._net_rests = self._rests(looked, t_ns)
        note_noise(
            seen,
            noise_sizes=limits.noise_sizes,
            limits_px=self._border(len(seen) + 1),
            net_rests=self._net_rests,
        )
        if not self._all_seen or dt_s > _SHORT_S:
            over = lives.ended(self._table, t_ns, limits)
            if True in over.tobytes():
                self._table = self._table.rows(~over)
            self._calm(dt_s)
        kalman.predict(self._table, dt_s)
        free = self._associate(seen, looked, t_ns)
        self._looks += int(looked) & _NET
        if not self._all_seen:
            lives.note_misses(self._table, self._now, looked, t_ns)
        if True in free.tobytes():
            self._bear(seen, free, t_ns)
        now = self._judge(t_ns, dark)
        visible = self._visible(now, t_ns)
        self._rename(visible, t_ns)
        return self._rows(visible)

    def _rests(self, looked: Eye, t_ns: int) -> bool:
        """Return whether the net looks rarely and not now: then blobs speak for those it knows."""
        before, last = self._net_ns
        if int(looked) & _NET:
            self._net_ns = (last, t_ns)
            return False
        return max(last - before, t_ns - last) > _RARELY_NS

    def _visible(self, now: NDArray[np.bool_], t_ns: int) -> NDArray[np.bool_]:
        """Return which tracks give a row; ``now`` are those that were measured at this step."""
        if self._all_seen:
            return now
        visible = lives.shown(self._table, self._hidden, now, t_ns, self._settings)
        visible &= self._outside() <= now
        return visible

    def _new_serials(self, n: int) -> NDArray[np.int64]:
        """Return ``n`` numbers that no track of the run had before."""
        self._serial += n
        return np.arange(self._serial - n + 1, self._serial + 1, dtype=np.int64)

    def _rename(self, visible: NDArray[np.bool_], t_ns: int) -> None:
        """Give another number to who is shown again after more than two seconds."""
        table = self._table
        late = table.shown_ns < t_ns - _PAUSE_NS
        if True in late.tobytes():
            self._renumber(late & visible)
        if self._all_seen:
            table.shown_ns.fill(t_ns)
        else:
            np.putmask(table.shown_ns, visible, t_ns)

    def _renumber(self, rows: NDArray[np.bool_]) -> None:
        """Give another number to the tracks that ``rows`` picks: their rows so far are not its."""
        if True in rows.tobytes():
            self._table.serial[rows] = self._new_serials(int(np.count_nonzero(rows)))
            self._in_order = False

    def live(self) -> TrackPoints:
        """Return the last state of all tracks, also unconfirmed and hidden ones."""
        return self._rows(np.ones(len(self._table), np.bool_))

    def held_px(self) -> NDArray[np.float32]:
        """Return the boxes (n, 4) that hide the street: confirmed users who have moved."""
        held = (self._table.sure & self._table.moved).nonzero()[0]
        return self._within(self._boxes.take(held, axis=1))

    def _within(self, boxes: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return signed boxes (4, n) cut at the border of the picture, (n, 4) l, t, r, b."""
        box_px = unsigned(boxes)
        np.maximum(box_px, _ORIGIN, out=box_px)
        return np.minimum(box_px, self._corners(len(box_px)), out=box_px)

    def _calm(self, dt_s: float) -> None:
        """Let the speed of those fade who stood still when last seen."""
        lost = self._table.missed_ns < NEVER_NS
        still = lost & lives.stands(self._table)
        if True in still.tobytes():
            self._table.rate[:, still] *= math.exp(-dt_s / 0.5)

    def _associate(self, seen: Seen, looked: Eye, t_ns: int) -> NDArray[np.bool_]:
        """Match boxes with tracks, correct those, and return which boxes are still free."""
        table, limits = self._table, self._settings
        made = Matching(len(table), len(seen))
        if len(table) and len(seen):
            boxes = table.boxes()
            pairs = pairing.near(table, boxes, seen, self._border(len(table)), limits)
            if seen.highs:
                self._match_high(made, pairs, boxes, seen, t_ns)
            if seen.highs < seen.nets:
                standing = lives.stands(table)
                may = ~seen.still(looked)[pairs.detection] | standing[pairs.track]
                made.add(pairs.where(may), made.idle, seen.by_net & ~seen.high, limits.like_low)
            if seen.nets < len(seen):
                self._match_blobs(made, pairs, boxes, seen)
        self._correct(made.match_of, seen, t_ns)
        return made.free

    def _match_high(
        self, made: Matching, pairs: Pairs, boxes: NDArray[np.float64], seen: Seen, t_ns: int
    ) -> None:
        """Match sure boxes: with confirmed tracks, with young ones, with those lost on the way."""
        table, limits = self._table, self._settings
        known, high = table.sure, seen.high
        made.add(pairs, known, high, limits.like_high)
        if False in known.tobytes():
            made.add(pairs, ~known, high, limits.like_young)
        rows = (known & made.idle).nonzero()[0]
        columns = (high & made.free).nonzero()[0]
        if len(rows) and len(columns):
            border_px = self._border(len(table))
            way = pairing.swept(table, rows, boxes, seen, columns, border_px, t_ns)
            made.add(way, known & made.idle, high & made.free, limits.like_lost)

    def _match_blobs(
        self, made: Matching, pairs: Pairs, boxes: NDArray[np.float64], seen: Seen
    ) -> None:
        """Match blobs: with who was never seen by the net, then those of one user with who was.

        While the net rests those whom it knows come first.
        """
        table, least, blobs = self._table, self._settings.like_motion, ~seen.by_net
        alone = blobs & ~pairing.shared_blobs(table, boxes, seen)
        unnamed = table.net_hits == 0
        if self._net_rests:
            made.add(pairs, table.sure & made.idle & ~unnamed, alone, least)
        made.add(pairs, unnamed, blobs, least)
        made.add(pairs, made.idle, alone, least)

    def _correct(self, match_of: NDArray[np.intp], seen: Seen, t_ns: int) -> None:
        """Correct every track by its box, row ``match_of`` or -1, and note what those tell."""
        table = self._table
        table.match = match_of
        told = seen.told.take(match_of, axis=1)
        found = told[9].astype(np.bool_)
        before = table.mean[:2].copy() if False in table.sure.tobytes() else None
        kalman.correct(table, told[:4], told[4:8])
        if before is not None:
            way = table.mean[:2] - before
            step_px = np.hypot(way[0], way[1]) * (found & ~table.sure)
            table.path_px += step_px
            np.maximum(table.leap_px, step_px, out=table.leap_px)
        instant = np.array(t_ns)
        if not self._all_seen:
            np.putmask(table.missed_ns, found, _NEVER)
        np.putmask(table.seen_ns, found, instant)
        self._now = table.seen_ns == instant
        self._all_seen = False not in self._now.tobytes()
        table.tally += told[9:12]
        by_net = told[10].astype(np.bool_)
        tells = by_net if seen.nets == len(seen) else found & (by_net | (table.net_hits == 0))
        np.putmask(table.score, tells, told[8])
        if seen.nets:
            votes.vote(table, seen.kind[match_of], told[11], by_net)

    def _bear(self, seen: Seen, free: NDArray[np.bool_], t_ns: int) -> None:
        """Begin tracks with the boxes that nobody explains."""
        free = free & (~seen.by_net | seen.high)
        blobs = np.flatnonzero(free & ~seen.by_net)
        if len(blobs) and len(self._table):
            free[blobs] = covered_shares(seen.box.take(blobs, axis=1), self._table.boxes()) < 0.5
        new = free.nonzero()[0]
        if not len(new):
            return
        born, told = no_tracks(len(new)), seen.told.take(new, axis=1)
        born.serial = self._new_serials(len(new))
        born.match = new
        born.state[0] = told[:4]
        born.measure()
        kind = seen.kind[new]
        noise = seen.sigma_px[new] * AXES_NOISE
        born.state[1], born.state[4] = kalman.first_variances(born.mean, kind, noise)
        born.born = seen.box.take(new, axis=1)
        born.birth_ns[:] = born.seen_ns[:] = t_ns
        born.score, born.tally = told[8], told[9:12]
        by_net = seen.by_net[new]
        born.looks_before = self._looks - by_net.astype(np.int64)
        votes.vote(born, kind, told[11], by_net)
        self._table = self._table.with_rows(born)
        self._now = np.concatenate((self._now, np.ones(len(new), np.bool_)))

    def _judge(self, t_ns: int, dark: bool) -> NDArray[np.bool_]:
        """Confirm, mark and end tracks after this step's boxes; return who was measured now."""
        table, limits = self._table, self._settings
        boxes, now = table.boxes(), self._now
        if False in table.moved.tobytes():
            table.moved |= now & votes.has_moved(table, boxes, self._border(len(table)))
        votes.mark_riders(table, t_ns)
        lives.run_standing_clock(table, now, t_ns)
        hidden, doubles = lives.hidden_share(table, boxes, dark=dark)
        new = False in table.sure.tobytes()
        if new:
            ripe = lives.ripe(table, boxes, self._border(len(table)), self._looks, limits)
            ripe[doubles] = False
            if dark:
                lives.hold_back(table, boxes, doubles, t_ns)
                self._renumber(ripe & table.beam)
            table.sure |= ripe
        over = lives.run_twin_clock(table, doubles, t_ns)
        if new:
            late = lives.given_up(table, t_ns, limits)
            over = late if over is None else over | late
        if not self._all_seen:
            gone = table.seen_ns < t_ns - _GONE_NS
            if True in gone.tobytes():
                gone &= self._outside()
                over = gone if over is None else over | gone
        if over is not None and True in over.tobytes():
            kept = (~over).nonzero()[0]
            self._table, hidden, now = table.rows(kept), hidden[kept], now[kept]
            boxes = boxes.take(kept, axis=1)
        self._boxes, self._hidden = boxes, hidden
        return now

    def _outside(self) -> NDArray[np.bool_]:
        """Return whose centre lies outside the picture."""
        centre = self._table.state[0, :2]
        beyond = centre < _ZERO
        beyond |= centre > self._frame_px
        outside: NDArray[np.bool_] = beyond[0] | beyond[1]
        return outside

    def _rows(self, mask: NDArray[np.bool_]) -> TrackPoints:
        """Return the state of the tracks that ``mask`` picks as rows, in order of track_id."""
        flags_of, seen, table = mask.tobytes(), self._seen, self._table
        if True not in flags_of or self._t_ns is None or seen is None:
            return no_points(camera_id=self._camera_id, run_id=self._run_id)
        states = np.zeros((8, len(table)), np.bool_)
        boxes, instant = self._boxes, np.array(self._t_ns)
        np.less(table.seen_ns, instant, out=states[0])
        np.logical_not(table.moved, out=states[1])
        states[2] = votes.at_border(boxes, self._border(len(table)))
        np.greater(self._hidden, _OVERLAPPED, out=states[3])
        np.logical_not(table.sure, out=states[4])
        track_id = table.serial + self._first_id
        kind, score, match = votes.elected(table), table.score.astype(np.float32), table.match
        flags = np.packbits(states, axis=0, bitorder="little")[0]
        if self._in_order and False not in flags_of:
            kind = kind.copy()
        else:
            order = mask.nonzero()[0]
            if not self._in_order:
                order = order[np.argsort(track_id[order], kind="stable")]
            boxes, track_id, kind = boxes.take(order, axis=1), track_id[order], kind[order]
            score, match, flags = score[order], match[order], flags[order]
        t_ns = np.empty(len(kind), np.int64)
        t_ns.fill(self._t_ns)
        return TrackPoints(
            camera_id=self._camera_id,
            run_id=self._run_id,
            t_ns=t_ns,
            track_id=track_id,
            kind=kind,
            score=score,
            flags=flags,
            box_px=self._within(boxes),
            seen_px=seen.box_px.take(match, axis=0),
            seen_by=seen.eye[match],
            **no_metres(len(kind)),
        )


@lru_cache(maxsize=256)
def _far_corners(width_px: int, height_px: int, n: int) -> NDArray[np.float32]:
    """Return the far corner of the picture for both corners of ``n`` boxes, (n, 4)."""
    return np.tile(np.array([width_px, height_px] * 2, np.float32), (n, 1))
