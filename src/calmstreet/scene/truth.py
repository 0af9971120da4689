"""What really happened on the stage: every road user in every frame, and every pass of a gate."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.site import Gate, Point, Site

__all__ = ["Crossing", "SceneTruth", "TruthRow", "crossings_of"]

Floats = NDArray[np.float64]
_SETTLED_PX = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthRow:
    """One road user in one frame.

    ``box_px`` l, t, r, b cut at the frame's edge; ``visible_px`` the same of what nobody hides;
    ``visible_share`` of its pixels in the frame; ``head_px`` and ``plate_px`` (corners of the plate
    whose front is seen) are None where there is none; ``xy_m`` middle of the footprint.
    """

    frame: int
    actor: int
    kind: int
    box_px: tuple[float, float, float, float]
    visible_px: tuple[float, float, float, float]
    visible_share: float
    head_px: tuple[float, float, float, float] | None
    plate_px: tuple[Point, ...] | None
    xy_m: Point
    velocity_mps: Point
    heading_rad: float
    length_m: float
    width_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One pass of a gate: when, who, and on which side the road user ends."""

    gate: str
    actor: int
    kind: int
    t_s: float
    to_left: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneTruth:
    """The truth of a whole film: its site, the instants of its frames, and rows by frame."""

    site: Site
    camera_id: str
    t_ns: NDArray[np.int64]
    t_s: Floats
    rows: tuple[TruthRow, ...]

    def rows_of(self, frame: int) -> list[TruthRow]:
        """Return everybody in one frame."""
        return [row for row in self.rows if row.frame == frame]

    def by_actor(self) -> Iterator[tuple[int, list[TruthRow]]]:
        """Yield every road user with its rows in order of time."""
        ordered = sorted(self.rows, key=lambda row: (row.actor, row.frame))
        for actor, rows in groupby(ordered, key=lambda row: row.actor):
            yield actor, list(rows)

    def crossings(self) -> list[Crossing]:
        """Return every pass of every gate, in order of time."""
        found = [
            crossing
            for _, rows in self.by_actor()
            for gate in self.site.gates
            for crossing in crossings_of(rows, self.t_s, gate)
        ]
        return sorted(found, key=lambda crossing: (crossing.t_s, crossing.actor))

    def gate_counts(self) -> list[dict[str, Any]]:
        """Return passes per gate, side and kind in the shape of ``gates`` of summary.json."""
        crossings = self.crossings()
        return [
            {
                "camera": gate.camera_id,
                "gate": gate.id,
                **{
                    side: _by_kind(
                        [c.kind for c in crossings if c.gate == gate.id and c.to_left == left]
                    )
                    for side, left in (("to_left", True), ("to_right", False))
                },
            }
            for gate in self.site.gates
        ]

    def movement_counts(self) -> list[dict[str, Any]]:
        """Return journeys between the zones of the site's movements, by kind."""
        journeys = [(*_journey(rows, self.site), rows[0].kind) for _, rows in self.by_actor()]
        return [
            {
                "from": movement.from_id,
                "to": movement.to_id,
                "turn": movement.turn,
                **_by_kind(
                    [
                        kind
                        for a, b, kind in journeys
                        if (a, b) == (movement.from_id, movement.to_id)
                    ]
                ),
            }
            for movement in self.site.movements
        ]


def _by_kind(kinds: Sequence[int]) -> dict[str, int]:
    counted = Counter(kinds)
    return {
        **{name: counted[kind] for kind, name in enumerate(KIND_NAMES) if counted[kind]},
        "total": len(kinds),
    }


def _journey(rows: Sequence[TruthRow], site: Site) -> tuple[str, str]:
    """Return the first and the last zone of a road user; "" where it has been in one only."""
    visits: list[str] = []
    for row in rows:
        foot = ((row.box_px[0] + row.box_px[2]) / 2, row.box_px[3])
        inside = [
            zone.id
            for zone in site.zones
            if cv2.pointPolygonTest(np.array(zone.polygon_px, np.float32), foot, False) >= 0
        ]
        place = inside[0] if inside else ""
        if not visits or visits[-1] != place:
            visits.append(place)
    named = [place for place in visits if place]
    return (named[0], named[-1]) if len(named) > 1 else ("", "")


def _anchor(row: TruthRow, anchor: Point) -> Floats:
    left, top, right, bottom = row.box_px
    return np.array([left + anchor[0] * (right - left), top + anchor[1] * (bottom - top)])


def _cut(a: Floats, b: Floats, c: Floats, d: Floats) -> tuple[float, float] | None:
    """Return share along a-b and the side turned to (< 0 left) where a-b cuts the piece c-d."""
    along, way, off = d - c, b - a, c - a
    turned = float(along[0] * way[1] - along[1] * way[0])
    if turned == 0:
        return None
    share = float(along[0] * off[1] - along[1] * off[0]) / turned
    place = float(way[0] * off[1] - way[1] * off[0]) / turned
    return (share, turned) if 0 < share <= 1 and 0 <= place <= 1 else None


def _distance(point: Floats, gate: Gate) -> float:
    """Return the distance of a point from a gate in pixels."""
    reach = []
    for c, d in pairwise(np.array(gate.points_px)):
        along = d - c
        share = float(np.clip((point - c) @ along / (along @ along), 0, 1))
        reach.append(float(np.hypot(*(point - c - share * along))))
    return min(reach)


def crossings_of(rows: Sequence[TruthRow], t_s: Floats, gate: Gate) -> list[Crossing]:
    """Return the passes of one road user through a gate given in pixels.

    A way over the line and back that stays within three pixels of it is no pass.
    """
    found: list[tuple[Crossing, float]] = []
    places = [_anchor(row, gate.anchor) for row in rows]
    for (before, a), (after, b) in pairwise(zip(rows, places, strict=True)):
        for pair in pairwise(np.array(gate.points_px)):
            cut = _cut(a, b, *pair)
            if cut is not None:
                share, side = cut
                t = t_s[before.frame] + share * (t_s[after.frame] - t_s[before.frame])
                crossing = Crossing(
                    gate=gate.id,
                    actor=after.actor,
                    kind=after.kind,
                    t_s=float(t),
                    to_left=side < 0,
                )
                found = _settle(found, crossing)
        if found:
            last, furthest = found[-1]
            found[-1] = (last, max(furthest, _distance(b, gate)))
    return [crossing for crossing, furthest in found if furthest >= _SETTLED_PX]


def _settle(
    found: list[tuple[Crossing, float]], crossing: Crossing
) -> list[tuple[Crossing, float]]:
    """Add a crossing; one that undoes the last before it went anywhere takes both away."""
    if found and found[-1][1] < _SETTLED_PX and found[-1][0].to_left != crossing.to_left:
        return found[:-1]
    return [*found, (crossing, 0.0)]
