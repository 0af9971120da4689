"""Speeding: a speed at a gate that is over the limit beyond doubt.

Speeds are those of ``geometry.speed`` with their uncertainty; a road user is too fast when
``v - 2 U > limit + tolerance``, U the standard uncertainty of that one speed, its own and that of
the site together. The tolerance is the greater of ``tolerance_mps`` and ``tolerance_share`` of the
limit. The limit is that of the zone in which the gate lies, else of the site. Speeds that were
withheld (plane not trusted, camera moved, too short) never are events.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.event import Event
from calmstreet.model.kinds import Kind
from calmstreet.model.speeds import GateSpeeds
from calmstreet.safety.ground_plan import PlanGate
from calmstreet.safety.rows import Block
from calmstreet.safety.rule import Post, Rule, new_event

__all__ = ["SpeedingRule", "speeding"]

_LIMITED = ("lane", "approach", "carriageway", "bus-lane", "motorway", "roadworks", "junction")


@dataclass(slots=True, kw_only=True, eq=False)
class SpeedingRule:
    """See the module. It is asked with the speeds of a run, not with its steps."""

    post: Post
    name: str = "speeding"
    version: int = 1
    why_not: str = ""
    _limits_mps: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for gate in self.post.plan.gates:
            limit = self._limit_mps(gate)
            if not math.isnan(limit):
                self._limits_mps[gate.id] = limit
        if not self.post.trusted:
            self.why_not = "needs a plane that is trusted with speeds"
        elif not self._limits_mps:
            self.why_not = "no gate has a speed limit"

    def _limit_mps(self, gate: PlanGate) -> float:
        own = gate.line.own
        middle = np.concatenate([gate.line.a[own], gate.line.b[own]]).mean(axis=0)[None]
        limits = [
            zone.limit_mps
            for zone in self.post.zones(*_LIMITED)
            if zone.metric == gate.metric and inside_polygon(middle, zone.polygon)[0]
        ]
        known = [limit for limit in limits if not math.isnan(limit)]
        return min(known, default=self.post.plan.limit_mps)

    def update(self, _block: Block) -> Iterator[Event]:
        """Steps say nothing: a speed at a line needs rows from before and after it."""
        yield from ()

    def finish(self) -> Iterator[Event]:
        """Nothing is left to tell."""
        yield from ()

    def judge(self, speeds: GateSpeeds) -> Iterator[Event]:
        """Return who was too fast."""
        wanted = self.post.settings(self.name)
        motor = (speeds.kind != Kind.PEDESTRIAN) & (speeds.kind != Kind.BICYCLE)
        for row in np.flatnonzero(speeds.measured & motor).tolist():
            limit = self._limits_mps.get(str(speeds.gate_id[row]), math.nan)
            speed = float(speeds.speed_mps[row])
            sigma = float(np.hypot(speeds.sigma_random_mps[row], speeds.sigma_site_mps[row]))
            allowed = limit + max(wanted.tolerance_mps, wanted.tolerance_share * limit)
            if not self.why_not and speed - 2 * sigma > allowed:
                yield self._event(speeds, row, speed, sigma, limit)

    def _event(
        self, speeds: GateSpeeds, row: int, speed: float, sigma: float, limit: float
    ) -> Event:
        over = speed / limit - 1
        t_ns = int(speeds.t_ns[row])
        return new_event(
            self.post,
            self,
            start_ns=t_ns,
            end_ns=t_ns,
            track_ids=[int(speeds.track_id[row])],
            values={
                "speed_mps": speed,
                "sigma_speed_mps": sigma,
                "limit_mps": limit,
                "margin_in_u": (speed - limit) / (2 * sigma) if sigma > 0 else math.inf,
            },
            reasons=[
                f"passed {speeds.gate_id[row]} at {speed * 3.6:.1f} km/h (2 U = "
                f"{2 * sigma * 3.6:.1f} km/h), the limit is {limit * 3.6:.0f} km/h"
            ],
            severity=1 + sum(over > share for share in (0.2, 0.4, 0.6)),
        )


def speeding(post: Post) -> Rule:
    """Return the rule at its post."""
    return SpeedingRule(post=post)
