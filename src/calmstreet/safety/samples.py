"""Pairs of road users step by step: what is kept of each until the pair is judged."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.surrogates import mdrac_mps2, mttc_s
from calmstreet.model.kinds import Kind
from calmstreet.safety.ahead import Contact
from calmstreet.safety.movers import Movers

__all__ = ["Samples", "joined_samples", "samples_of"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_ALIGNED_COS = np.cos(np.radians(15.0))
_REAR_END_COS = np.cos(np.radians(30.0))
_SPEED_SIGMA_PER_M = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """One row per pair and step, all columns (n,), velocities (n, 2); a has the lower track id.

    ``lane`` +1 a follows b in one lane, -1 b follows a, 0 neither; ``on_paths`` both are on usual
    paths (or follow in one lane); ``given`` no camera saw them; ``time_gap_s`` of followers;
    ``cos_now`` between the headings now; ``near_m`` between the centres; ``cover_share`` IoU of the
    boxes;
    ``sigma_gap_m``, ``sigma_speed_mps`` of the pair, NaN = unknown.
    """

    pair: Ints
    t_ns: Ints
    ttc_s: Array
    cos_angle: Array
    closing_mps: Array
    drac_mps2: Array
    mdrac_mps2: Array
    mttc_s: Array
    x_m: Array
    y_m: Array
    lane: Ints
    on_paths: NDArray[np.bool_]
    given: NDArray[np.bool_]
    time_gap_s: Array
    cos_now: Array
    near_m: Array
    cover_share: Array
    braking_a_mps2: Array
    braking_b_mps2: Array
    swerving_a_mps2: Array
    swerving_b_mps2: Array
    velocity_a_mps: Array
    velocity_b_mps: Array
    sigma_gap_m: Array
    sigma_speed_mps: Array

    def __len__(self) -> int:
        return len(self.pair)

    def __getitem__(self, index: Any) -> "Samples":
        """Return the rows that a mask, slice or index array picks."""
        return Samples(**{part.name: getattr(self, part.name)[index] for part in fields(self)})

    def clash_mps(self) -> Array:
        """Return the speed of one relative to the other."""
        way = self.velocity_b_mps - self.velocity_a_mps
        return np.asarray(np.sqrt(way[:, 0] * way[:, 0] + way[:, 1] * way[:, 1]))


def joined_samples(blocks: list[Samples]) -> Samples:
    """Return the rows of all blocks (at least one), one after the other."""
    return Samples(
        **{
            part.name: np.concatenate([getattr(block, part.name) for block in blocks])
            for part in fields(Samples)
        }
    )


def samples_of(a: Movers, b: Movers, contact: Contact, *, pair: Ints) -> Samples:
    """Return what is kept of pairs of rows (n,) and their contact ahead."""
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    cos_now = a.cos_heading * b.cos_heading + a.sin_heading * b.sin_heading
    lane, gap = _lane(a, b, dx, dy, cos_now)
    rear_end = contact.cos_angle >= _REAR_END_COS
    a_behind = dx * a.cos_heading + dy * a.sin_heading > 0
    surge = np.where(a_behind, 1.0, -1.0) * (b.braking_mps2 - a.braking_mps2)
    along = np.where(rear_end, contact.closing_mps, np.nan)
    brake = np.where(rear_end, contact.closing_mps, contact.brake_mps)
    size = [0.5 * who.length_m * who.size_share for who in (a, b)]
    spread = a.var_m2 + b.var_m2
    return Samples(
        pair=pair,
        t_ns=a.t_ns,
        ttc_s=contact.ttc_s,
        cos_angle=contact.cos_angle,
        closing_mps=contact.closing_mps,
        drac_mps2=contact.drac_mps2,
        mdrac_mps2=mdrac_mps2(contact.ttc_s, closing_mps=brake),
        mttc_s=mttc_s(contact.ttc_s * along, closing_mps=along, closing_mps2=surge),
        x_m=contact.x_m,
        y_m=contact.y_m,
        lane=lane,
        given=a.given & b.given,
        on_paths=((a.path >= 0) & (b.path >= 0)) | ((lane != 0) & rear_end),
        time_gap_s=gap / np.maximum(np.where(lane > 0, a.speed_mps, b.speed_mps), 0.5),
        cos_now=cos_now,
        near_m=np.sqrt(dx * dx + dy * dy),
        cover_share=_cover(a, b, dx, dy, cos_now),
        braking_a_mps2=a.braking_mps2,
        braking_b_mps2=b.braking_mps2,
        swerving_a_mps2=a.swerving_mps2,
        swerving_b_mps2=b.swerving_mps2,
        velocity_a_mps=np.stack([a.vx_mps, a.vy_mps], axis=1),
        velocity_b_mps=np.stack([b.vx_mps, b.vy_mps], axis=1),
        sigma_gap_m=np.sqrt(spread + size[0] ** 2 + size[1] ** 2),
        sigma_speed_mps=np.sqrt(spread) * _SPEED_SIGMA_PER_M,
    )


def _lane(a: Movers, b: Movers, dx: Array, dy: Array, cos_now: Array) -> tuple[Ints, Array]:
    """Return who follows whom in one lane (+1 a behind b, -1 b behind a, 0) and their gap, m."""
    aside = np.abs(a.cos_heading * dy - a.sin_heading * dx)
    along = a.cos_heading * dx + a.sin_heading * dy
    straight = (cos_now >= _ALIGNED_COS) & (aside < 0.5 * (a.width_m + b.width_m))
    one_path = (a.path >= 0) & (a.path == b.path)
    ahead = np.where(one_path, b.station_m - a.station_m, along)
    follows = one_path | straight
    follows &= (a.kind != Kind.PEDESTRIAN) & (b.kind != Kind.PEDESTRIAN)
    lane = np.where(follows, np.where(ahead >= 0, 1, -1), 0).astype(np.int64)
    gap = np.abs(ahead) - 0.5 * (a.length_m + b.length_m)
    return lane, np.where(follows, np.maximum(gap, 0.0), np.nan)


def _cover(a: Movers, b: Movers, dx: Array, dy: Array, cos_now: Array) -> Array:
    """Return the intersection over union of both footprints, as if they were parallel."""
    along = np.abs(a.cos_heading * dx + a.sin_heading * dy)
    aside = np.abs(a.cos_heading * dy - a.sin_heading * dx)
    turned = np.abs(cos_now) < np.sqrt(0.5)
    length = np.where(turned, b.width_m, b.length_m)
    width = np.where(turned, b.length_m, b.width_m)
    over_l = np.clip(0.5 * (a.length_m + length) - along, 0.0, np.minimum(a.length_m, length))
    over_w = np.clip(0.5 * (a.width_m + width) - aside, 0.0, np.minimum(a.width_m, width))
    shared = over_l * over_w
    return np.asarray(shared / (a.length_m * a.width_m + length * width - shared))
