"""For which time of a live run speeds, conflicts or pictures were not to be had, as gaps.

Speeds and near-misses need ten pictures a second, nine in practice, and pixels that are not longer
than 0.15 m on the ground; where either is missing nobody watched for them, so their exposure stops.
A street on which nothing moves is repeated pictures: those count as looked at.
"""

from dataclasses import dataclass

import numpy as np

from calmstreet.geometry.plane import Plane
from calmstreet.model.gap import Gap
from calmstreet.pipeline.shedding import FEWEST_FPS, Effort
from calmstreet.units import NS_PER_S, ns_from_s

__all__ = ["COARSEST_M_PER_PX", "Exposure", "coarse_gap", "coarseness"]

COARSEST_M_PER_PX = 0.15
WINDOW_S = 10.0


def coarseness(plane: Plane) -> float:
    """Return the median length of a pixel over the measured ground, metres; NaN where unknown."""
    corners_px = plane.to_px(plane.hull_m)
    corners_px = corners_px[np.isfinite(corners_px).all(axis=1)]
    if not len(corners_px):
        return float("nan")
    middle = corners_px.mean(axis=0)
    inside = np.concatenate([corners_px, (corners_px + middle) / 2, middle[None]])
    lengths = plane.metres_per_px(inside)
    known = lengths[np.isfinite(lengths)]
    return float(np.median(known)) if len(known) else float("nan")


def coarse_gap(camera_id: str, plane: Plane | None, *, start_ns: int, end_ns: int) -> Gap | None:
    """Return the gap of a run whose pixels are too long on the ground; None where they are not."""
    if plane is None or not coarseness(plane) > COARSEST_M_PER_PX:
        return None
    return Gap(
        camera_id=camera_id,
        start_ns=start_ns,
        end_ns=end_ns,
        reason="coarse",
        affects="speeds+conflicts",
        note=f"a pixel is longer than {COARSEST_M_PER_PX:g} m on the ground",
    )


@dataclass(slots=True, kw_only=True)
class _Spell:
    start_ns: int
    note: str


class Exposure:
    """Follows one run. ``wanted`` says whether pictures are recorded at all."""

    def __init__(self, *, camera_id: str, plane: Plane | None, wanted: bool) -> None:
        self._camera_id = camera_id
        self._wanted = wanted
        self._plane = plane
        self._effort: Effort | None = None
        self._spells: dict[str, _Spell] = {}
        self._gaps: list[Gap] = []
        self._first_ns: int | None = None
        self._since_ns = 0
        self._last_ns = 0
        self._looked = 0.0
        self.analysed_fps = float("nan")

    def effort(self, effort: Effort) -> None:
        """Take what is done from now on."""
        self._effort = effort
        if self._wanted:
            self._hold("pictures", not effort.records, self._last_ns, f"shed {effort.shed}")

    def update(self, t_ns: int, *, wanted: int, repeated: bool) -> None:
        """Take the next frame: 1 where it is analysed, and whether it repeats the last one."""
        if self._first_ns is None:
            self._first_ns = self._since_ns = t_ns
            for spell in self._spells.values():
                spell.start_ns = t_ns
        step_s = min((t_ns - self._last_ns) / NS_PER_S, 1.0) if self._last_ns else 0.0
        self._last_ns = t_ns
        self._looked += wanted if not repeated else max(wanted, 10.0 * step_s)
        lasted_ns = t_ns - self._since_ns
        if lasted_ns >= ns_from_s(WINDOW_S):
            self.analysed_fps = self._looked * NS_PER_S / lasted_ns
            slow = self.analysed_fps < FEWEST_FPS
            self._hold("speeds+conflicts", slow, self._since_ns, self._why())
            self._since_ns, self._looked = t_ns, 0.0

    def close(self, end_ns: int) -> list[Gap]:
        """End the run; return its gaps."""
        for affects in list(self._spells):
            self._hold(affects, False, end_ns, "")
        first_ns = end_ns if self._first_ns is None else self._first_ns
        coarse = coarse_gap(self._camera_id, self._plane, start_ns=first_ns, end_ns=end_ns)
        if coarse is not None and first_ns < end_ns:
            self._gaps = [gap for gap in self._gaps if gap.affects == "pictures"] + [coarse]
        return self._gaps

    def _why(self) -> str:
        shed = self._effort.shed if self._effort else ""
        cause = f"shed {shed}" if shed else "the camera delivers no more"
        return f"{self.analysed_fps:.1f} pictures a second; {cause}"

    def _hold(self, affects: str, holds: bool, t_ns: int, note: str) -> None:
        """Begin, go on with or end a spell."""
        spell = self._spells.get(affects)
        if holds and spell is None:
            self._spells[affects] = _Spell(start_ns=t_ns, note=note)
        elif not holds and spell is not None:
            del self._spells[affects]
            if t_ns > spell.start_ns:
                self._gaps.append(self._gap(affects, spell.start_ns, t_ns, spell.note))

    def _gap(self, affects: str, start_ns: int, end_ns: int, note: str) -> Gap:
        return Gap(
            camera_id=self._camera_id,
            start_ns=start_ns,
            end_ns=end_ns,
            reason="overload" if "shed" in note else "low-fps",
            affects=affects,
            note=note,
        )
