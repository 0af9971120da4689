"""The tracker: boxes of single steps become road users through time.

Arrays instead of objects; no appearance, only place, size and motion. Every life, gate and birth
is in seconds or in sizes of the box, so that a result does not hang on the frame rate.
"""

import math

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import PEOPLE, VEHICLES, Eye, Kind
from calmstreet.model.points import TrackPoints, make_points, no_points, track_id_of
from calmstreet.perception import kalman, lives, votes
from calmstreet.perception.association import (
    Matching,
    Pairs,
    covered_shares,
    near_pairs,
    overlaps,
    swept_pairs,
    touching,
)
from calmstreet.perception.lives import TrackerSettings
from calmstreet.perception.seen import Seen, ordered
from calmstreet.perception.table import NEVER_NS, TrackTable, no_tracks, unsigned
from calmstreet.units import NS_PER_S, s_from_ns

__all__ = ["Tracker", "TrackerSettings"]

_GROUP = np.array([1 if k in PEOPLE else 2 if k in VEHICLES else 0 for k in Kind], np.uint8)
_STRANGERS = 1 ^ 2
_STRANGER = 0.6  # likeness of a person's box to a vehicle's track
_BLOB_SHARES = (0.4, 1.8)  # area of a blob in areas of the track that it may correct
_YOUNG_SHARE = 4.0  # the same while a blob is still coming into the picture
_AXES_NOISE = np.array([[1.0], [1.0], [1.5], [1.5]])
_GONE_NS = 300_000_000  # who is unseen for so long and predicted outside has left
_ENTERING_NOISE = 0.25  # a box that comes in over the border grows: it is taken as it is seen
_PAUSE_NS = 2_000_000_000  # a track ends this long after its last row


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
        self._frame_px = np.array([width_px, height_px], np.float64)
        zero = -0.0  # what is cut at 0 on the right or below shall not become -0.0
        self._least = np.array([[0.0], [0.0], [-width_px], [-height_px]])
        self._most = np.array([[width_px], [height_px], [zero], [zero]])
        self._settings = settings or TrackerSettings()
        self._table = no_tracks()
        self._boxes = self._table.boxes()
        self._hidden = np.zeros(0)
        self._t_ns: int | None = None
        self._serial = 0

    def update(self, detections: Detections, *, dark: bool = False) -> TrackPoints:
        """Take the boxes of one step and return the rows of this step, in order of track_id.

        Rows are those of measured tracks, tentative until they are confirmed, and of coasted
        ones as long as that is plausible. Who gave no row for two seconds comes back as another.
        When ``dark`` beams are nobody. Raises ValueError when time runs backwards.
        """
        t_ns = detections.t_ns
        dt_s = 0.0 if self._t_ns is None else s_from_ns(t_ns - self._t_ns)
        if dt_s < 0.0:
            raise ValueError(f"step at {t_ns} ns comes after one at {self._t_ns} ns")
        self._t_ns = t_ns
        seen = ordered(detections, self._settings.high_score, self._settings.low_score)
        over = lives.ended(self._table, t_ns, self._settings)
        if np.count_nonzero(over):
            self._table = self._table.rows(~over)
        self._calm(dt_s)
        kalman.predict(self._table, dt_s)
        free = self._associate(seen, detections.looked, t_ns)
        lives.note_misses(self._table, detections.looked, t_ns)
        self._bear(seen, free, t_ns)
        now = self._judge(t_ns, dark)
        visible = self._visible(now, t_ns)
        self._rename(visible, t_ns)
        return self._rows(visible)

    def _visible(self, now: NDArray[np.bool_], t_ns: int) -> NDArray[np.bool_]:
        """Return which tracks give a row; ``now`` are those that were measured at this step."""
        if np.count_nonzero(now) == len(now):
            return now
        visible = lives.shown(self._table, self._hidden, now, t_ns, self._settings)
        visible &= now | ~self._outside()
        return visible

    def _new_serials(self, n: int) -> NDArray[np.int64]:
        """Return ``n`` numbers that no track of the run had before."""
        self._serial += n
        return np.arange(self._serial - n + 1, self._serial + 1, dtype=np.int64)

    def _rename(self, visible: NDArray[np.bool_], t_ns: int) -> None:
        """Give another number to who is shown again after more than two seconds."""
        table = self._table
        late = visible & (table.shown_ns < t_ns - _PAUSE_NS)
        if np.count_nonzero(late):
            table.serial[late] = self._new_serials(int(np.count_nonzero(late)))
        np.putmask(table.shown_ns, visible, t_ns)

    def live(self) -> TrackPoints:
        """Return the last state of all tracks, also unconfirmed and hidden ones."""
        return self._rows(np.ones(len(self._table), np.bool_))

    def held_px(self) -> NDArray[np.float32]:
        """Return the boxes (n, 4) that hide the street: confirmed users who have moved."""
        held = (self._table.sure & self._table.moved).nonzero()[0]
        return self._within(self._boxes.take(held, axis=1))

    def _within(self, boxes: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return signed boxes (4, n) cut at the border of the picture, (n, 4) l, t, r, b."""
        inside = np.maximum(boxes, self._least)
        return unsigned(np.minimum(inside, self._most, out=inside))

    def _calm(self, dt_s: float) -> None:
        """Let the speed of those fade who stood still when last seen."""
        lost = self._table.missed_ns < NEVER_NS
        if not np.count_nonzero(lost):
            return
        still = lost & lives.stands(self._table)
        if np.count_nonzero(still):
            self._table.rate[:, still] *= math.exp(-dt_s / 0.5)

    def _associate(self, seen: Seen, looked: Eye, t_ns: int) -> NDArray[np.bool_]:
        """Match boxes with tracks, correct those, and return which boxes are still free."""
        table, limits = self._table, self._settings
        made = Matching(len(table), len(seen))
        if len(table) == 0 or len(seen) == 0:
            self._correct(made.match_of, seen, t_ns)
            return made.free
        boxes = table.boxes()
        pairs = _with_kinds(
            near_pairs(boxes, self._reach_px(), seen.box), table, boxes, seen, self._frame_px
        )
        known, high = table.sure, seen.high
        if seen.highs:
            made.add(pairs, known, high, limits.like_high)
            if np.count_nonzero(known) < len(known):
                made.add(pairs, ~known, high, limits.like_young)
            lost, left = known & made.idle, high & made.free
            if np.count_nonzero(lost) and np.count_nonzero(left):
                swept = self._swept(lost, left, boxes, seen, t_ns)
                made.add(swept, lost, left, limits.like_lost)
        if seen.highs < seen.nets:
            standing = lives.stands(table)
            may = ~seen.still(looked)[pairs.detection] | standing[pairs.track]
            made.add(pairs.where(may), made.idle, seen.by_net & ~high, limits.like_low)
        if seen.nets < len(seen):
            blobs = ~seen.by_net
            made.add(pairs, table.net_hits == 0, blobs, limits.like_motion)
            alone = blobs & ~self._is_shared(boxes, seen)
            made.add(pairs, made.idle, alone, limits.like_motion)
        self._correct(made.match_of, seen, t_ns)
        return made.free

    def _is_shared(self, boxes: NDArray[np.float64], seen: Seen) -> NDArray[np.bool_]:
        """Return which blobs hold two or more users of the net: such a blob tells of none."""
        shared = np.zeros(len(seen), np.bool_)
        blobs = np.flatnonzero(~seen.by_net)
        rows = np.flatnonzero(self._table.sure & (self._table.net_hits > 0))
        if len(blobs) and len(rows) > 1:
            users = boxes.take(rows, axis=1)
            i, j = touching(seen.box.take(blobs, axis=1), users)
            area = self._table.area_px2()[rows]
            common = overlaps(seen.box.take(blobs[i], axis=1), users.take(j, axis=1))
            shared[blobs] = np.bincount(i, common > 0.5 * area[j], len(blobs)) > 1.5
        return shared

    def _reach_px(self) -> NDArray[np.float64]:
        """Return by how much boxes are widened in x and y, (2, n): by how unsure their place is.

        A track that was seen once has no speed yet: its cap is twice as wide.
        """
        table, limits = self._table, self._settings
        cap = table.size_px()
        cap *= limits.reach_sizes
        cap *= 1.0 + (table.hits == 1)
        reach = np.sqrt(table.var[:2])
        reach *= limits.reach_sigmas
        return np.minimum(reach, cap, out=reach)

    def _swept(
        self,
        lost: NDArray[np.bool_],
        left: NDArray[np.bool_],
        boxes: NDArray[np.float64],
        seen: Seen,
        t_ns: int,
    ) -> Pairs:
        """Return the pairs of lost tracks and boxes that are left and lie on the tracks' ways."""
        rows, columns = lost.nonzero()[0], left.nonzero()[0]
        table = self._table
        gap_s = (t_ns - table.seen_ns.take(rows)) / NS_PER_S
        pairs = swept_pairs(
            boxes.take(rows, axis=1),
            table.rate[:2].take(rows, axis=1) * gap_s,
            table.size_px().take(rows),
            seen.box.take(columns, axis=1),
        )
        if not len(pairs.track):
            return pairs
        there = Pairs(rows[pairs.track], columns[pairs.detection], pairs.likeness)
        return _with_kinds(there, table, boxes, seen, self._frame_px)

    def _correct(self, match_of: NDArray[np.intp], seen: Seen, t_ns: int) -> None:
        """Correct every track by its box, row ``match_of`` or -1, and note what those tell."""
        table = self._table
        found = match_of >= 0
        noise = _noise_px(seen, self._settings.noise_sizes)
        entering = votes.at_border(seen.box, self._frame_px)
        if np.count_nonzero(entering):
            noise[:, entering] *= _ENTERING_NOISE
        np.multiply(noise, noise, out=seen.told[4:8, :-1])
        told = seen.told.take(match_of, axis=1)
        young = np.count_nonzero(table.sure) < len(table)
        before = table.mean[:2].copy() if young else None
        kalman.correct(table, told[:4], told[4:8])
        if before is not None:
            way = table.mean[:2] - before
            step_px = np.hypot(way[0], way[1]) * (found & ~table.sure)
            table.path_px += step_px
            np.maximum(table.leap_px, step_px, out=table.leap_px)
        table.last = told[8:12]
        table.last_eye = seen.eye.take(match_of)
        by_net = (table.last_eye & np.uint8(Eye.NET)).view(np.bool_)
        np.putmask(table.seen_ns, found, t_ns)
        np.putmask(table.missed_ns, found, NEVER_NS)
        table.hits += found
        table.net_hits += by_net
        score = told[12]
        trust = score * by_net
        table.trust += trust
        np.copyto(table.score, score, where=found & (by_net | (table.net_hits == 0)))
        votes.vote(table, seen.kind.take(match_of), trust, found)

    def _bear(self, seen: Seen, free: NDArray[np.bool_], t_ns: int) -> None:
        """Begin tracks with the boxes that nobody explains."""
        free = free & (~seen.by_net | seen.high)
        if not np.count_nonzero(free):
            return
        blobs = np.flatnonzero(free & ~seen.by_net)
        if len(blobs) and len(self._table):
            free[blobs] = covered_shares(seen.box.take(blobs, axis=1), self._table.boxes()) < 0.5
        new = free.nonzero()[0]
        if not len(new):
            return
        born = no_tracks(len(new))
        born.serial = self._new_serials(len(new))
        born.kind, score, by_net = seen.kind.take(new), seen.score.take(new), seen.by_net.take(new)
        born.state[0] = seen.z.take(new, axis=1)
        noise = _noise_px(seen, self._settings.noise_sizes).take(new, axis=1)
        born.state[1], born.state[4] = kalman.first_variances(born.mean, born.kind, noise)
        born.born[:] = born.last[:] = seen.box.take(new, axis=1)
        born.last_eye = seen.eye.take(new)
        born.birth_ns[:] = born.seen_ns[:] = t_ns
        born.hits[:] = 1
        born.net_hits[:] = born.net_looks[:] = by_net
        born.trust = np.where(by_net, score, 0.0)
        born.score = score
        kind, born.kind = born.kind, np.zeros(len(new), np.uint8)
        votes.vote(born, kind, born.trust, np.ones(len(new), np.bool_))
        self._table = self._table.with_rows(born)

    def _judge(self, t_ns: int, dark: bool) -> NDArray[np.bool_]:
        """Confirm, mark and end tracks after this step's boxes; return who was measured now."""
        table, limits = self._table, self._settings
        boxes = table.boxes()
        now: NDArray[np.bool_] = table.seen_ns == t_ns
        self._boxes, self._hidden = boxes, np.zeros(len(table))
        if len(table) == 0:
            return now
        if np.count_nonzero(table.moved) < len(table):
            table.moved |= now & votes.has_moved(table, boxes, self._frame_px)
        votes.mark_riders(table, t_ns)
        lives.run_standing_clock(table, now, t_ns)
        self._hidden, doubles = lives.hidden_share(table, boxes, dark=dark)
        new = np.count_nonzero(table.sure) < len(table)
        if new:
            ripe = lives.ripe(table, boxes, self._frame_px, limits)
            ripe[doubles] = False
            table.sure |= ripe
        over = lives.run_twin_clock(table, doubles, t_ns)
        if new:
            late = lives.given_up(table, t_ns, limits)
            over = late if over is None else over | late
        if np.count_nonzero(now) < len(table):
            away = (t_ns - table.seen_ns > _GONE_NS) & self._outside()
            over = away if over is None else over | away
        if over is None or not np.count_nonzero(over):
            return now
        kept = (~over).nonzero()[0]
        self._table, self._hidden = table.rows(kept), self._hidden.take(kept)
        self._boxes = boxes.take(kept, axis=1)
        still: NDArray[np.bool_] = now.take(kept)
        return still

    def _outside(self) -> NDArray[np.bool_]:
        """Return whose centre lies outside the picture."""
        centre = self._table.mean[:2]
        beyond: NDArray[np.bool_] = (centre < 0.0) | (centre > self._frame_px[:, None])
        beyond[0] |= beyond[1]
        outside: NDArray[np.bool_] = beyond[0]
        return outside

    def _rows(self, mask: NDArray[np.bool_]) -> TrackPoints:
        """Return the state of the tracks that ``mask`` picks as rows, in order of track_id."""
        order = mask.nonzero()[0]
        if not len(order) or self._t_ns is None:
            return no_points(camera_id=self._camera_id, run_id=self._run_id)
        table = self._table
        serial = table.serial.take(order)
        if np.count_nonzero(serial[1:] < serial[:-1]):
            by_serial = np.argsort(serial, kind="stable")
            order, serial = order[by_serial], serial[by_serial]
        boxes = self._boxes.take(order, axis=1)
        states = np.zeros((8, len(order)), np.bool_)
        np.less(table.seen_ns.take(order), self._t_ns, out=states[0])
        np.logical_not(table.moved.take(order), out=states[1])
        states[2] = votes.at_border(boxes, self._frame_px)
        np.greater(self._hidden.take(order), 0.3, out=states[3])
        np.logical_not(table.sure.take(order), out=states[4])
        return make_points(
            camera_id=self._camera_id,
            run_id=self._run_id,
            t_ns=np.full(len(order), self._t_ns),
            track_id=track_id_of(self._run_id, 0) + serial,
            kind=votes.elected(table).take(order),
            score=table.score.take(order).astype(np.float32),
            flags=np.packbits(states, axis=0, bitorder="little")[0],
            box_px=self._within(boxes),
            seen_px=unsigned(table.last.take(order, axis=1)),
            seen_by=table.last_eye.take(order),
        )


def _noise_px(seen: Seen, noise_sizes: float) -> NDArray[np.float64]:
    """Return the sigma of centre and size of boxes (4, n): unsure boxes and blobs are coarser."""
    told = seen.told[:, :-1]
    size = np.sqrt(told[2] * told[3])
    size *= noise_sizes
    coarse = 1.6 - 0.6 * told[12]
    if seen.nets < len(seen):
        np.putmask(coarse, ~seen.by_net, 3.0)
    size *= coarse
    noise: NDArray[np.float64] = size * _AXES_NOISE
    return noise


def _with_kinds(
    pairs: Pairs,
    table: TrackTable,
    boxes: NDArray[np.float64],
    seen: Seen,
    frame_px: NDArray[np.float64],
) -> Pairs:
    """Return the pairs without blobs of another size, people and vehicles less alike.

    A blob may be much larger than a track that is young or still comes in over the border.
    """
    mine = _GROUP.take(table.kind).take(pairs.track)
    theirs = _GROUP.take(seen.kind).take(pairs.detection)
    strange = (mine ^ theirs) == _STRANGERS
    alike = pairs
    if np.count_nonzero(strange):
        likeness = np.where(strange, _STRANGER, 1.0) * pairs.likeness
        alike = Pairs(pairs.track, pairs.detection, likeness)
    if seen.nets == len(seen):
        return alike
    sides = seen.box[:2] + seen.box[2:]
    share = (sides[0] * sides[1])[pairs.detection] / table.area_px2()[pairs.track]
    entering = votes.at_border(boxes, frame_px)
    young = ((table.net_hits == 0) & ~table.sure | entering)[pairs.track]
    fits = (share > _BLOB_SHARES[0]) & ((share < _BLOB_SHARES[1]) | young & (share < _YOUNG_SHARE))
    return alike.where(seen.by_net[pairs.detection] | fits)
