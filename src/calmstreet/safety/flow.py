"""Counting in a stream of steps: gates, journeys, occupancy. The same bits live and in replay.

What counts:

- Only rows that were seen: coasted rows bridge a crossing but neither begin nor decide one; rows
  without a track (negative id) are nobody.
- Who never moved (only parked rows) is never counted; who stood at first and then moved is, and the
  place where it stood is part of its way.
- A user must have been clear of the gate by ``hysteresis_m`` on one side and then on the other.
  Coming in or leaving over the picture's border (a quarter of one's own size or less from it)
  counts as clear, and so does being there when the run begins or ends: the two halves of a pass
  cut by a restart add up to one.
- A track ends by its own times: last row + 2 s.
- A track that was seen in tentative rows only is nobody; a tentative row of a track that was
  confirmed later is as good as any other.
- Where the camera had moved too far for a gate or zone, passages and movements are kept and not
  counted, and nobody is taken to have watched there.
- A small unnamed track that stays at one place of a named one is a part of it: a mirror, a lamp.
- A track is counted when it was seen for ``min_life_s`` and moved by ``min_move_share`` of its own
  size (or crossed a gate or made a movement). The others are listed with the reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import ConfigError
from calmstreet.geometry.footprints import footprints_cover
from calmstreet.geometry.scale import px_from_m
from calmstreet.geometry.shapes import Line, boxes_cover, make_line
from calmstreet.model.flow import Flow, Withdrawn, no_withdrawn
from calmstreet.model.kinds import Flag, Kind
from calmstreet.model.points import TrackPoints
from calmstreet.model.site import Gate, Point, Site, Zone
from calmstreet.safety.attached import Attachment, hosts_of
from calmstreet.safety.movements import movements_of, terminals_of
from calmstreet.safety.occupancy import MAX_PAUSE_NS, MinuteTally
from calmstreet.safety.road_user import GateShape, RoadUser, Seen, ZoneShape
from calmstreet.safety.tally import crossings_of, journeys_of, without_withdrawn

__all__ = ["CountingSettings", "Flow", "FlowCounter", "counting_settings"]

_BORDER_SHARE = 0.25
_ABSENT = Flag.COASTED


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingSettings:
    """``[rules.counting]``: metres, seconds and shares of a user's own size."""

    hysteresis_m: float = 0.5
    min_life_s: float = 0.5
    min_move_share: float = 1.0


def counting_settings(site: Site) -> CountingSettings:
    """Read ``[rules.counting]`` of a site; raise ConfigError naming every wrong key.

    >>> counting_settings(Site(id="x", rules={"counting": {"hysteresis_m": 1}})).hysteresis_m
    1.0
    """
    given = dict(site.rules.get("counting", {}))
    known = [field.name for field in fields(CountingSettings)]
    faults, values = [], {}
    for name, value in given.items():
        if name not in known:
            faults.append(f"[rules.counting] {name} is not known; write {', '.join(known)}")
        elif isinstance(value, (bool, str)) or not 0 <= value < float("inf"):
            faults.append(f"[rules.counting] {name} must be a number of 0 or more, not {value!r}")
        else:
            values[name] = float(value)
    if faults:
        raise ConfigError(*faults)
    return CountingSettings(**values)


class FlowCounter:
    """Counts one camera's road users in one run, from blocks of whole steps.

    ``site`` holds what belongs to this camera (``Site.of_camera``). Gates and zones in pixels are
    met by the anchor of the box, those in metres by the front (gates) and the centre (zones) of
    the footprint. Without a picture (``width_px`` 0) rows need a place on the ground, not a box.
    ``withdrawn`` says when which gate or zone could not be used.
    Memory holds the tracks that are alive and one short summary of each that ended.
    """

    def __init__(
        self,
        *,
        site: Site,
        camera_id: str,
        run_id: int,
        width_px: int,
        height_px: int,
        settings: CountingSettings | None = None,
        withdrawn: Withdrawn | None = None,
    ) -> None:
        self._withdrawn = no_withdrawn() if withdrawn is None else withdrawn
        self._site, self._camera_id, self._run_id = site, camera_id, run_id
        self._settings = settings or counting_settings(site)
        has_picture = width_px > 0 and height_px > 0
        self._size = np.array([width_px, height_px], np.float64) if has_picture else None
        terminals = terminals_of(site)
        self._gates = tuple(_gate(gate, gate.id in terminals) for gate in site.gates)
        self._zones = tuple(_zone(zone) for zone in site.zones if zone.id in terminals)
        self._minutes = MinuteTally(gate_ids=tuple(gate.id for gate in self._gates))
        self._alive: dict[int, RoadUser] = {}
        self._leaving: list[RoadUser] = []
        self._ended: list[RoadUser] = []
        self._first_ns: int | None = None
        self._last_ns = 0

    @property
    def alive(self) -> int:
        """Return how many tracks are held in memory because they may go on."""
        return len(self._alive)

    def update(self, t_ns: NDArray[np.int64], points: TrackPoints) -> None:
        """Take the next whole steps: their times (n,), rising, and all rows in them.

        Raises ValueError when steps are not later than before or rows belong to no step.
        """
        steps = np.asarray(t_ns, np.int64)
        if not len(steps):
            return
        self._check(steps, points)
        if self._first_ns is None:
            self._first_ns = int(steps[0])
        self._last_ns = int(steps[-1])
        rows = _usable(points, on_picture=self._size is not None)
        seen = self._look(rows)
        covered = [
            _covered(gate, seen) & ~self._withdrawn.holds(gate.id, seen.t_ns)
            for gate in self._gates
        ]
        table = np.stack(covered, axis=1) if covered else np.zeros((len(seen.t_ns), 0), bool)
        table &= ~seen.parked[:, None]
        self._minutes.add(steps, seen.t_ns, table)
        for gate_index, gate in enumerate(self._gates):
            gate.walk(gate_index, seen)
        for zone in self._zones:
            zone.walk(seen)
        for user, start, end in seen.spans:
            user.follow(seen, start, end)
        self._retire(lambda user: self._last_ns - user.last_ns > MAX_PAUSE_NS)

    def finish(self) -> Flow:
        """End all tracks and return what was counted."""
        self._retire(lambda _: True)
        minutes, watched_ns = self._minutes.finish()
        users = sorted(self._ended, key=lambda user: (user.first_ns, user.track_id))
        journeys = journeys_of(
            users,
            movements=movements_of(self._site),
            min_life_s=self._settings.min_life_s,
            min_move_share=self._settings.min_move_share,
        )
        return Flow(
            camera_id=self._camera_id,
            run_id=self._run_id,
            site_version=self._site.site_version,
            crossings=crossings_of(
                users,
                counted=journeys.counted,
                gate_ids=tuple(gate.id for gate in self._gates),
                watched_ns=watched_ns,
                withdrawn=self._withdrawn,
            ),
            journeys=without_withdrawn(journeys, self._site, self._withdrawn),
            minutes=minutes,
            watched_ns=watched_ns,
            withdrawn=self._withdrawn,
        )

    def _check(self, steps: NDArray[np.int64], points: TrackPoints) -> None:
        late = self._first_ns is not None and steps[0] <= self._last_ns
        if late or (np.diff(steps) <= 0).any():
            raise ValueError("steps must rise in time from block to block")
        if not np.isin(points.t_ns, steps).all():
            raise ValueError("every row must belong to a step of its block")

    def _look(self, rows: TrackPoints) -> Seen:
        """Find each row's road user; return the rows that were really seen, by user and time."""
        present = (rows.flags & _ABSENT) == 0
        box = rows.box_px.astype(np.float64)
        hysteresis_m = self._settings.hysteresis_m
        seen = Seen(
            rows=rows[present],
            box=box[present],
            at_border=(self._outside(box) | ((rows.flags & Flag.BORDER) != 0))[present],
            hysteresis_px=px_from_m(
                hysteresis_m, kind=rows.kind[present], box_px=rows.box_px[present]
            ),
            hysteresis_m=hysteresis_m,
            size_px=self._size,
        )
        place = np.concatenate([[0], np.cumsum(present)])
        unnamed = present & (rows.kind == Kind.UNKNOWN)
        host, spot = hosts_of(rows) if self._size is not None else (None, None)
        for user, start, end in self._pieces(rows):
            begin, stop = int(place[start]), int(place[end])
            if begin < stop:
                seen.join(user, begin, stop, run_start_ns=self._first_ns or 0)
            mine = start + np.flatnonzero(unnamed[start:end])
            if host is not None and spot is not None and len(mine):
                user.part = user.part or Attachment()
                user.part.take(host[mine], spot[mine])
        return seen

    def _outside(self, box: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which boxes (n, 4) are next to the picture's border; without a picture none."""
        if self._size is None:
            return np.zeros(len(box), bool)
        near = _BORDER_SHARE * np.sqrt(np.abs((box[:, 2:] - box[:, :2]).prod(axis=1)))[:, None]
        touches = (box[:, :2] <= near) | (box[:, 2:] >= self._size - near)
        return np.asarray(touches.any(axis=1))

    def _pieces(self, rows: TrackPoints) -> Iterator[tuple[RoadUser, int, int]]:
        """Yield each road user with its range of rows; a pause of 2 s makes another user."""
        if not len(rows):
            return
        fresh = np.diff(rows.track_id) != 0
        cuts = np.flatnonzero(fresh | (np.diff(rows.t_ns) > MAX_PAUSE_NS)) + 1
        for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(rows)], strict=True):
            track_id, begin_ns = int(rows.track_id[start]), int(rows.t_ns[start])
            user = self._alive.get(track_id)
            if user is not None and begin_ns - user.last_ns > MAX_PAUSE_NS:
                self._leaving.append(user)
                user = None
            if user is None:
                user = RoadUser(track_id=track_id, first_ns=begin_ns, gates=len(self._gates))
                self._alive[track_id] = user
            user.last_ns = int(rows.t_ns[end - 1])
            user.kind = int(rows.kind[end - 1])
            user.rows += end - start
            flags = rows.flags[start:end]
            user.is_sure |= bool(((flags & (Flag.TENTATIVE | Flag.COASTED)) == 0).any())
            user.is_mover |= bool(((flags & (Flag.PARKED | Flag.COASTED)) == 0).any())
            yield user, start, end

    def _retire(self, gone: Callable[[RoadUser], bool]) -> None:
        """Close who left within the block and, of those alive, who is ``gone``."""
        silent = [user for user in self._alive.values() if gone(user)]
        for user in silent:
            del self._alive[user.track_id]
        for user in (*self._leaving, *silent):
            user.close(run_end_ns=self._last_ns, gates=self._gates)
            self._ended.append(user)
        self._leaving.clear()


def _gate(gate: Gate, terminal: bool) -> GateShape:
    metric = bool(gate.points_m)
    return GateShape(
        id=gate.id,
        line=_line(gate.id, gate.points_m or gate.points_px, metric=metric),
        anchor=gate.anchor,
        terminal=terminal,
        metric=metric,
    )


def _zone(zone: Zone) -> ZoneShape:
    corners, metric = zone.polygon_m or zone.polygon_px, bool(zone.polygon_m)
    return ZoneShape(
        id=zone.id,
        polygon=np.asarray(corners, np.float64),
        line=_line(zone.id, (*corners, *corners[:1]), metric=metric),
        metric=metric,
    )


def _line(name: str, points: tuple[Point, ...], *, metric: bool) -> Line:
    try:
        return make_line(points, y_up=metric)
    except ValueError as error:
        raise ConfigError(
            f"{name}: needs two different points; give points_px or points_m (gate), "
            "polygon_px or polygon_m (zone)"
        ) from error


def _covered(gate: GateShape, seen: Seen) -> NDArray[np.bool_]:
    """Return which rows cover a gate: with the box on the picture, on the ground the footprint."""
    if not gate.metric:
        return boxes_cover(gate.line, seen.box)
    return footprints_cover(
        gate.line,
        xy_m=seen.centre_m,
        heading_rad=seen.heading_rad,
        length_m=seen.length_m,
        width_m=seen.width_m,
    )


def _usable(points: TrackPoints, *, on_picture: bool) -> TrackPoints:
    """Return the rows that belong to a track and have a place, by track, then time."""
    place = points.box_px if on_picture else points.xy_m
    good = (points.track_id >= 0) & np.isfinite(place).all(axis=1)
    order = np.lexsort((points.t_ns, points.track_id))
    return points[order[good[order]]]
