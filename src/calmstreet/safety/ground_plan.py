"""The gates and zones of a site made ready for rules, with y up on the picture and on the ground.

What lies in pixels is turned upside down here, once, so that rules know one sense of turning:
counter-clockwise is left, north (or the picture's upper edge) is up.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import Line, left_distance, make_line
from calmstreet.model.site import Gate, Movement, Point, Site, Zone
from calmstreet.units import mps_from_kmh

__all__ = ["GroundPlan", "PlanGate", "PlanZone", "ground_plan"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanGate:
    """A gate for rules: ``forward`` +1 to the left, -1 to the right, 0 both; see ``Gate``.

    ``turn_on_red`` "left" or "right" where that is allowed after a stop, else "".
    """

    id: str
    line: Line
    metric: bool
    forward: int
    signal: str
    control: str
    turn_on_red: str = ""

    def ahead(self, places: Array) -> Array:
        """Return how far places (n, 2) lie beyond the line, negative before it (forward counts).

        Measured square to the straight line through the gate's ends; with no forward direction
        always positive.
        """
        own = self.line.a[self.line.own][0], self.line.b[self.line.own][-1]
        left = -left_distance(places, *own)
        signed: Array = np.abs(left) if self.forward == 0 else left * self.forward
        return signed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanZone:
    """A zone for rules: ``direction_rad`` counter-clockwise from east or right, NaN unknown."""

    id: str
    kind: str
    polygon: Array
    metric: bool
    direction_rad: float
    limit_mps: float
    control: str
    signal: str
    outline: Line

    @property
    def centre(self) -> Array:
        """Return the mean of the corners, (2,)."""
        mean: Array = self.polygon.mean(axis=0)
        return mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundPlan:
    """All gates, zones and movements of one camera."""

    gates: tuple[PlanGate, ...] = ()
    zones: tuple[PlanZone, ...] = ()
    movements: tuple[Movement, ...] = ()
    limit_mps: float = math.nan

    def of_kind(self, *kinds: str) -> tuple[PlanZone, ...]:
        """Return the zones of these kinds in site order."""
        return tuple(zone for zone in self.zones if zone.kind in kinds)


def ground_plan(site: Site, *, metric: bool) -> GroundPlan:
    """Prepare a site (of one camera); what lies in metres is left out unless rows are ``metric``.

    >>> site = Site(id="x", gates=(Gate(id="g", camera_id="c", points_m=((0, 0), (0, 9)),
    ...                                 direction="to_right"),))
    >>> plan = ground_plan(site, metric=True)
    >>> plan.gates[0].ahead(np.array([[4.0, 5.0]])).round(3).tolist()
    [4.0]
    """
    zones = tuple(_zone(z, site) for z in site.zones if metric or z.polygon_px)
    gates = tuple(_gate(g, zones) for g in site.gates if metric or g.points_px)
    limit_mps = mps_from_kmh(site.speed_limit_kmh)
    return GroundPlan(gates=gates, zones=zones, movements=site.movements, limit_mps=limit_mps)


def _up(points: tuple[Point, ...]) -> Array:
    """Return pixels with y up."""
    turned: Array = np.asarray(points, np.float64).reshape(-1, 2) * np.array([1.0, -1.0])
    return turned


def _zone(zone: Zone, site: Site) -> PlanZone:
    metric = bool(zone.polygon_m)
    polygon = np.asarray(zone.polygon_m, np.float64) if metric else _up(zone.polygon_px)
    limit_kmh = zone.speed_limit_kmh
    if math.isnan(limit_kmh):
        limit_kmh = site.speed_limit_kmh
    return PlanZone(
        id=zone.id,
        kind=zone.kind,
        polygon=polygon,
        metric=metric,
        direction_rad=math.radians(90.0 - zone.direction_deg),
        limit_mps=mps_from_kmh(limit_kmh),
        control=zone.control,
        signal=zone.signal,
        outline=make_line(np.concatenate([polygon, polygon[:1]]), y_up=True),
    )


def _gate(gate: Gate, zones: tuple[PlanZone, ...]) -> PlanGate:
    metric = bool(gate.points_m)
    points = np.asarray(gate.points_m, np.float64) if metric else _up(gate.points_px)
    junctions = [z for z in zones if z.kind == "junction" and z.metric == metric]
    forward = {"to_left": 1, "to_right": -1, "": 0}[gate.direction]
    if not forward and junctions:
        nearest = min(junctions, key=lambda z: float(np.hypot(*(z.centre - points.mean(axis=0)))))
        side = -left_distance(nearest.centre[None], points[0], points[-1])[0]
        forward = 1 if side > 0 else -1
    return PlanGate(
        id=gate.id,
        line=make_line(points, y_up=True),
        metric=metric,
        forward=forward,
        signal=gate.signal,
        control=gate.control,
        turn_on_red=gate.turn_on_red,
    )
