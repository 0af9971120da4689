"""Which road user passed which gate how fast: one record for each passage that counts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.plane import CONTACT_Z_M, Plane
from calmstreet.geometry.speed import CLOCK_SHARE, Course, SpeedAtLine, measure_speed
from calmstreet.model.flow import Flow
from calmstreet.model.speeds import GateSpeeds

__all__ = ["gate_speeds", "speeds_without", "wanted_tracks"]


def wanted_tracks(flow: Flow) -> NDArray[np.int64]:
    """Return the ids of the tracks whose speed is asked for: those that passed a gate."""
    return np.unique(flow.crossings.track_id[_asked(flow)])


def gate_speeds(
    flow: Flow,
    courses: Mapping[int, Course | None],
    *,
    plane: Plane | None,
    contact_z_m: float = CONTACT_Z_M,
    clock_share: float = CLOCK_SHARE,
) -> GateSpeeds:
    """Return a record for each passage of a gate by the tracks of ``courses``.

    Asked for are passages that count, and those withdrawn because the camera had moved. A track
    of which nothing is known in metres (None) is "short".
    """
    passes = flow.crossings
    mine = np.isin(passes.track_id, np.array(list(courses), np.int64))
    rows = np.flatnonzero(_asked(flow) & mine)
    found = []
    for row, gone in zip(rows.tolist(), _withdrawn(flow)[rows].tolist(), strict=True):
        course = courses[int(passes.track_id[row])]
        if course is None:
            found.append(SpeedAtLine(reason="camera-moved" if gone else "short"))
            continue
        found.append(
            measure_speed(
                course,
                at_ns=int(passes.t_ns[row]),
                plane=plane,
                moved=gone,
                contact_z_m=contact_z_m,
                clock_share=clock_share,
            )
        )
    measured = ("speed_mps", "sigma_random_mps", "sigma_site_mps", "half95_mps", "n", "length_m")
    return GateSpeeds(
        camera_id=flow.camera_id,
        run_id=flow.run_id,
        gate_id=passes.gate_id[rows],
        t_ns=passes.t_ns[rows],
        track_id=passes.track_id[rows],
        kind=passes.kind[rows],
        direction=passes.direction[rows],
        headway_s=passes.headway_s[rows],
        method=np.array([one.method for one in found], np.str_),
        reason=np.array([one.reason for one in found], np.str_),
        **{name: np.array([getattr(one, name) for one in found]) for name in measured},
    )


def speeds_without(speeds: GateSpeeds, *, start_ns: int, end_ns: int, because: str) -> GateSpeeds:
    """Return the speeds with those withheld that were measured from start_ns until end_ns.

    Passages that had no speed anyway keep their reason; ``because`` is a word of
    geometry.speed.REASONS. The passages themselves count as before.
    """
    gone = speeds.measured & (speeds.t_ns >= start_ns) & (speeds.t_ns < end_ns)
    if not gone.any():
        return speeds
    hidden: dict[str, Any] = {
        name: np.where(gone, np.nan, getattr(speeds, name))
        for name in ("speed_mps", "sigma_random_mps", "sigma_site_mps", "half95_mps", "length_m")
    }
    return replace(
        speeds,
        **hidden,
        n=np.where(gone, 0, speeds.n),
        method=np.where(gone, "", speeds.method),
        reason=np.where(gone, because, speeds.reason),
    )


def _withdrawn(flow: Flow) -> NDArray[np.bool_]:
    """Return bool (n,): which crossings fell into a spell in which their gate lay elsewhere."""
    passes = flow.crossings
    gone = np.zeros(len(passes), np.bool_)
    for gate_id in np.unique(passes.gate_id) if len(flow.withdrawn) else ():
        mine = passes.gate_id == gate_id
        gone[mine] = flow.withdrawn.holds(str(gate_id), passes.t_ns[mine])
    return gone


def _asked(flow: Flow) -> NDArray[np.bool_]:
    return np.asarray(flow.crossings.counted | _withdrawn(flow), np.bool_)
