"""The tracker: boxes of single steps become road users through time.

Arrays instead of objects; no appearance, only place, size and motion. Every life, gate and birth
is in seconds or in sizes of the box, so that a result does not hang on the frame rate.
"""

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import PEOPLE, VEHICLES, Eye, Flag, Kind
from calmstreet.model.points import TrackPoints, make_points, no_points, track_id_of
from calmstreet.perception import kalman, lives, votes
from calmstreet.perception.association import (
    Pairs,
    best_matching,
    near_pairs,
    overlaps,
    swept_pairs,
    touching,
)
from calmstreet.perception.lives import TrackerSettings
from calmstreet.perception.seen import Seen, ordered
from calmstreet.perception.table import NEVER_NS, TrackTable, no_tracks
from calmstreet.units import NS_PER_S, s_from_ns

__all__ = ["Tracker", "TrackerSettings"]

_GROUP = np.array([1 if k in PEOPLE else 2 if k in VEHICLES else 0 for k in Kind])
_STRANGER = 0.6  # likeness of a person's box to a vehicle's track
_BLOB_SHARES = (0.4, 1.8)  # area of a blob in areas of the track that it may correct
_YOUNG_SHARE = 4.0  # the same while a blob is still coming into the picture
_AXES_NOISE = np.array([1.0, 1.0, 1.5, 1.5])
_GONE_NS = 300_000_000  # who is unseen for so long and predicted outside has left
_ENTERING_NOISE = 0.25  # a box that comes in over the border grows: it is taken as it is seen
_PAUSE_NS = 2_000_000_000  # a track ends this long after its last row
_NET = np.uint8(Eye.NET)
_LOW = np.array([True, True, False, False])


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
        self._settings = settings or TrackerSettings()
        self._table = no_tracks()
        self._hidden = np.zeros(0)
        self._t_ns: int | None = None
        self._serial = 0

    def update(self, detections: Detections) -> TrackPoints:
        """Take the boxes of one step and return the rows of this step, in order of track_id.

        Rows are those of measured tracks, tentative until they are confirmed, and of coasted
        ones as long as that is plausible. Who gave no row for two seconds comes back as another.
        Raises ValueError when time runs backwards.
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
        free = self._associate(seen, t_ns)
        lives.note_misses(self._table, detections.looked, t_ns)
        self._bear(seen, free, t_ns)
        self._judge(t_ns)
        visible = lives.shown(self._table, self._hidden, t_ns, self._settings)
        unseen = self._table.seen_ns < t_ns
        if np.count_nonzero(unseen):
            visible &= ~(unseen & self._outside())
        self._rename(visible, t_ns)
        return self._rows(visible)

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
        table.shown_ns[visible] = t_ns

    def live(self) -> TrackPoints:
        """Return the last state of all tracks, also unconfirmed and hidden ones."""
        return self._rows(np.ones(len(self._table), np.bool_))

    def held_px(self) -> NDArray[np.float32]:
        """Return the boxes (n, 4) that hide the street: confirmed users who have moved."""
        held = self._table.sure & self._table.moved
        size = np.concatenate([self._frame_px, self._frame_px])
        boxes = np.clip(self._table.boxes_px()[held], 0.0, size)
        return boxes.astype(np.float32)

    def _calm(self, dt_s: float) -> None:
        """Let the speed of those fade who stood still when last seen."""
        lost = self._table.missed_ns < NEVER_NS
        if not np.count_nonzero(lost):
            return
        still = lost & lives.stands(self._table)
        if np.count_nonzero(still):
            self._table.rate[still] *= float(np.exp(-dt_s / 0.5))

    def _associate(self, seen: Seen, t_ns: int) -> NDArray[np.bool_]:
        """Match boxes with tracks, correct those, and return which boxes are still free."""
        table, limits = self._table, self._settings
        free = np.ones(len(seen), np.bool_)
        if len(table) == 0 or len(seen) == 0:
            return free
        boxes = table.boxes_px()
        pairs = _with_kinds(
            near_pairs(boxes, self._reach_px(), seen.box_px), table, seen, self._frame_px
        )
        known = table.sure
        high = seen.by_net & (seen.score >= limits.high_score)
        idle = np.ones(len(table), np.bool_)
        found: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []

        def match(
            candidates: Pairs, tracks: NDArray[np.bool_], boxes: NDArray[np.bool_], least: float
        ) -> None:
            tracks, boxes = tracks & idle, boxes & free
            if not (np.count_nonzero(tracks) and np.count_nonzero(boxes)):
                return
            wanted = tracks[candidates.track] & boxes[candidates.detection]
            rows, columns = best_matching(candidates.where(wanted & (candidates.likeness >= least)))
            idle[rows] = False
            free[columns] = False
            found.append((rows, columns))

        match(pairs, known, high, limits.like_high)
        match(pairs, ~known, high, limits.like_young)
        lost = known & idle
        if np.count_nonzero(lost) and np.count_nonzero(high & free):
            match(self._swept(lost, high & free, seen, t_ns), lost, high, limits.like_lost)
        standing = lives.stands(table)
        weak = pairs.where(~seen.still[pairs.detection] | standing[pairs.track])
        match(weak, idle, seen.by_net & ~high, limits.like_low)
        alone = pairs.where(~self._is_shared(boxes, seen)[pairs.detection])
        match(pairs, idle & (table.net_hits == 0), ~seen.by_net, limits.like_motion)
        match(alone, idle, ~seen.by_net, limits.like_motion)
        if found:
            rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
            self._correct(rows, seen.rows(columns), t_ns)
        return free

    def _is_shared(self, boxes: NDArray[np.float64], seen: Seen) -> NDArray[np.bool_]:
        """Return which blobs hold two or more users of the net: such a blob tells of none."""
        shared = np.zeros(len(seen), np.bool_)
        blobs = np.flatnonzero(~seen.by_net)
        rows = np.flatnonzero(self._table.sure & (self._table.net_hits > 0))
        if len(blobs) and len(rows) > 1:
            i, j = touching(seen.box_px[blobs], boxes[rows], 0.0)
            area = self._table.mean[rows, 2] * self._table.mean[rows, 3]
            within = overlaps(seen.box_px[blobs[i]], boxes[rows[j]]) > 0.5 * area[j]
            shared[blobs] = np.bincount(i, within, len(blobs)) > 1.5
        return shared

    def _reach_px(self) -> NDArray[np.float64]:
        """Return by how much boxes are widened in x and y, (n, 2): by how unsure their place is.

        A track that was seen once has no speed yet: its cap is twice as wide.
        """
        table, limits = self._table, self._settings
        cap = limits.reach_sizes * table.size_px() * np.where(table.hits == 1, 2.0, 1.0)
        return np.minimum(limits.reach_sigmas * np.sqrt(table.var[:, :2]), cap[:, None])

    def _swept(
        self, lost: NDArray[np.bool_], free: NDArray[np.bool_], seen: Seen, t_ns: int
    ) -> Pairs:
        """Return the pairs of lost tracks and free boxes that lie on the tracks' ways."""
        rows, columns = np.flatnonzero(lost), np.flatnonzero(free)
        table = self._table.rows(rows)
        gap_s = (t_ns - table.seen_ns)[:, None] / NS_PER_S
        pairs = swept_pairs(
            table.boxes_px(), table.rate[:, :2] * gap_s, table.size_px(), seen.box_px[columns]
        )
        there = Pairs(
            track=rows[pairs.track],
            detection=columns[pairs.detection],
            likeness=pairs.likeness,
        )
        return _with_kinds(there, self._table, seen, self._frame_px)

    def _correct(self, rows: NDArray[np.intp], seen: Seen, t_ns: int) -> None:
        """Correct the tracks ``rows`` by their boxes, and note what those tell."""
        table = self._table
        z = kalman.to_centre(seen.box_px)
        noise = _noise_px(z, seen, self._settings.noise_sizes)
        noise[_at_border(seen.box_px, self._frame_px)] *= _ENTERING_NOISE
        before = table.mean[rows, :2]
        kalman.correct(table, rows, z, noise)
        young = ~table.sure[rows]
        if np.count_nonzero(young):
            way = table.mean[rows[young], :2] - before[young]
            table.path_px[rows[young]] += np.hypot(way[:, 0], way[:, 1])
        table.seen_ns[rows] = t_ns
        table.last_px[rows] = seen.box_px
        table.last_eye[rows] = seen.eye
        table.missed_ns[rows] = NEVER_NS
        table.hits[rows] += 1
        table.net_hits[rows] += seen.by_net
        trust = seen.score * seen.by_net
        table.trust[rows] += trust
        told = seen.by_net | (table.net_hits[rows] == 0)
        table.score[rows[told]] = seen.score[told]
        votes.vote(table, rows, seen.kind, trust)

    def _bear(self, seen: Seen, free: NDArray[np.bool_], t_ns: int) -> None:
        """Begin tracks with the boxes that nobody explains."""
        free = free & (~seen.by_net | (seen.score >= self._settings.high_score))
        if not np.count_nonzero(free):
            return
        blobs = np.flatnonzero(free & ~seen.by_net)
        if len(blobs) and len(self._table):
            free[blobs] = _covered(seen.box_px[blobs], self._table.boxes_px()) < 0.5
        if not np.count_nonzero(free):
            return
        new = seen.rows(free)
        born = no_tracks(len(new))
        born.serial = self._new_serials(len(new))
        born.mean = kalman.to_centre(new.box_px)
        noise = _noise_px(born.mean, new, self._settings.noise_sizes)
        born.var, born.var_rate = kalman.first_variances(born.mean, new.kind, noise)
        born.born_px = new.box_px
        born.last_px = new.box_px.copy()
        born.last_eye = new.eye.copy()
        born.birth_ns[:] = born.seen_ns[:] = t_ns
        born.hits[:] = 1
        born.net_hits[:] = born.net_looks[:] = new.by_net
        born.trust = np.where(new.by_net, new.score, 0.0)
        born.score = new.score.copy()
        votes.vote(born, np.arange(len(new)), new.kind, born.trust)
        self._table = self._table.with_rows(born)

    def _judge(self, t_ns: int) -> None:
        """Confirm, mark and end tracks after this step's boxes."""
        table, limits = self._table, self._settings
        if len(table) == 0:
            self._hidden = np.zeros(0)
            return
        boxes = table.boxes_px()
        now = table.seen_ns == t_ns
        if np.count_nonzero(table.moved) < len(table):
            table.moved |= now & votes.has_moved(table, boxes, self._frame_px)
        votes.mark_riders(table, t_ns)
        lives.run_standing_clock(table, t_ns)
        hidden, double = lives.hidden_share(table, boxes)
        ripe = np.flatnonzero(lives.ripe(table, boxes, self._frame_px, limits) & ~double)
        if len(ripe):
            table.sure[ripe] = True
        over = lives.run_twin_clock(table, double, t_ns)
        over |= lives.given_up(table, t_ns, limits)
        away = t_ns - table.seen_ns > _GONE_NS
        if np.count_nonzero(away):
            over |= away & self._outside()
        if np.count_nonzero(over):
            self._table, hidden = table.rows(~over), hidden[~over]
        self._hidden = hidden

    def _outside(self) -> NDArray[np.bool_]:
        """Return whose centre lies outside the picture."""
        centre = self._table.mean[:, :2]
        beyond = (centre < 0.0) | (centre > self._frame_px)
        return beyond[:, 0] | beyond[:, 1]

    def _rows(self, mask: NDArray[np.bool_]) -> TrackPoints:
        """Return the state of the tracks that ``mask`` picks as rows, in order of track_id."""
        if not np.count_nonzero(mask) or self._t_ns is None:
            return no_points(camera_id=self._camera_id, run_id=self._run_id)
        table = self._table
        order = np.flatnonzero(mask)
        serial = table.serial[order]
        if np.count_nonzero(serial[1:] < serial[:-1]):
            by_serial = np.argsort(serial, kind="stable")
            order, serial = order[by_serial], serial[by_serial]
        size = np.concatenate([self._frame_px, self._frame_px])
        boxes = np.minimum(np.maximum(table.boxes_px()[order], 0.0), size)
        edge = np.where(_LOW, boxes <= 0.01 * size, boxes >= 0.99 * size).any(axis=1)
        lost = table.seen_ns[order] < self._t_ns
        flags = int(Flag.COASTED) * lost
        flags += int(Flag.PARKED) * ~table.moved[order]
        flags += int(Flag.BORDER) * edge
        flags += int(Flag.OVERLAPPED) * (self._hidden[order] > 0.3)
        flags += int(Flag.TENTATIVE) * ~table.sure[order]
        return make_points(
            camera_id=self._camera_id,
            run_id=self._run_id,
            t_ns=np.full(len(order), self._t_ns),
            track_id=track_id_of(self._run_id, 0) + serial,
            kind=votes.elected(table)[order],
            score=table.score[order],
            flags=flags,
            box_px=boxes,
            seen_px=np.where(lost[:, None], np.nan, table.last_px[order]),
            seen_by=np.where(lost, 0, table.last_eye[order]),
        )


def _at_border(box_px: NDArray[np.float64], frame_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which boxes (n, 4) touch the border of a picture of size (2,)."""
    touch = (box_px[:, :2] <= 0.01 * frame_px) | (box_px[:, 2:] >= 0.99 * frame_px)
    return touch[:, 0] | touch[:, 1]


def _noise_px(z: NDArray[np.float64], seen: Seen, noise_sizes: float) -> NDArray[np.float64]:
    """Return the sigma of centre and size of boxes (n, 4): unsure boxes and blobs are coarser."""
    size = np.sqrt(z[:, 2] * z[:, 3])
    coarse = np.where(seen.by_net, 1.6 - 0.6 * seen.score, 3.0)
    noise: NDArray[np.float64] = (noise_sizes * size * coarse)[:, None] * _AXES_NOISE
    return noise


def _with_kinds(
    pairs: Pairs, table: TrackTable, seen: Seen, frame_px: NDArray[np.float64]
) -> Pairs:
    """Return the pairs without blobs of another size, people and vehicles less alike.

    A blob may be much larger than a track that is young or still comes in over the border.
    """
    mine = _GROUP[table.kind][pairs.track]
    theirs = _GROUP[seen.kind][pairs.detection]
    strange = (mine * theirs > 0) & (mine != theirs)
    alike = pairs
    if np.count_nonzero(strange):
        likeness = np.where(strange, _STRANGER, 1.0) * pairs.likeness
        alike = Pairs(track=pairs.track, detection=pairs.detection, likeness=likeness)
    if np.count_nonzero(seen.by_net) == len(seen):
        return alike
    side = seen.box_px[:, 2:] - seen.box_px[:, :2]
    share = (side[:, 0] * side[:, 1])[pairs.detection]
    share = share / (table.mean[:, 2] * table.mean[:, 3])[pairs.track]
    entering = _at_border(table.boxes_px(), frame_px)
    young = ((table.net_hits == 0) & ~table.sure | entering)[pairs.track]
    fits = (share > _BLOB_SHARES[0]) & ((share < _BLOB_SHARES[1]) | young & (share < _YOUNG_SHARE))
    return alike.where(seen.by_net[pairs.detection] | fits)


def _covered(blob_px: NDArray[np.float64], box_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which share of each blob (n, 4) lies under boxes (m, 4), at most summed up."""
    i, j = touching(blob_px, box_px, np.zeros((len(blob_px), 2)))
    shared = np.bincount(i, overlaps(blob_px[i], box_px[j]), len(blob_px))
    sides = blob_px[:, 2:] - blob_px[:, :2]
    return shared / np.maximum(sides[:, 0] * sides[:, 1], 1.0)
