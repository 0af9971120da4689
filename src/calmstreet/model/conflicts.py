"""Pairs of road users that had to do with each other: measures, verdict, and time watched."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.columns import checked, same_length

__all__ = ["CONFLICT_COLUMNS", "CONFLICT_TYPES", "REJECTIONS", "Conflicts", "no_conflicts"]

CONFLICT_TYPES: tuple[str, ...] = ("following", "crossing", "merging", "opposing", "pedestrian")

REJECTIONS: tuple[str, ...] = (
    "id switch",
    "duplicate boxes",
    "one party",
    "short track",
    "never coexisted",
    "uncertain gap",
    "straight line only",
    "walked into a standing vehicle",
    "camera-moved",
    "too-few-pictures",
)
"""Why a pair that meets the definition of a conflict is not counted as one."""

CONFLICT_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("user_a", np.int64),
    ("user_b", np.int64),
    ("kind_a", np.uint8),
    ("kind_b", np.uint8),
    ("start_ns", np.int64),
    ("end_ns", np.int64),
    ("x_m", np.float64),
    ("y_m", np.float64),
    ("type", np.str_),
    ("min_ttc_s", np.float64),
    ("max_drac_mps2", np.float64),
    ("pet_s", np.float64),
    ("t2_s", np.float64),
    ("delta_v_mps", np.float64),
    ("angle_deg", np.float64),
    ("is_conflict", np.bool_),
    ("level", np.uint8),
    ("rejected_because", np.str_),
    ("sigma_min_ttc_s", np.float64),
    ("sigma_max_drac_mps2", np.float64),
    ("sigma_pet_s", np.float64),
    ("sigma_t2_s", np.float64),
    ("sigma_delta_v_mps", np.float64),
    ("sigma_angle_deg", np.float64),
    ("why", np.str_),
    ("ttc_along", np.str_),
    ("contact", np.bool_),
    ("place_pet_s", np.float64),
    ("point_pet_s", np.float64),
    ("time_gap_s", np.float64),
    ("max_mdrac_mps2", np.float64),
    ("min_mttc_s", np.float64),
    ("tet_s", np.float64),
    ("tit_s2", np.float64),
    ("extended_delta_v_mps", np.float64),
    ("harm_share", np.float64),
)
"""Name and dtype of every column, in the order in which they are written."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conflicts:
    """One row per interacting pair, conflict or not, sorted by start, then users.

    ``user_a`` < ``user_b`` are track ids; ``start_ns``, ``end_ns`` first and last moment of
    interaction; ``x_m``, ``y_m`` where they met or would have met; ``type`` of CONFLICT_TYPES;
    ``min_ttc_s`` lowest 0.3 s median of the path-based time to collision (inf = never on a
    collision course); ``max_drac_mps2`` braking needed then; ``pet_s`` time between one leaving
    and the other reaching the same place (NaN where their paths neither cross nor merge, below 0
    or 0 where both were there at once); ``t2_s`` least expected arrival of the second;
    ``delta_v_mps`` the larger change of speed in a plastic impact; ``angle_deg`` between their
    headings there, 0..180; ``level`` 0 (no conflict) to 4, our own scale; ``rejected_because`` of
    REJECTIONS or "". ``sigma_...`` one standard deviation, NaN = unknown. ``why`` which parts of
    the definition hold ("pet", "ttc", "evasion", joined by "+"); ``ttc_along`` "path",
    "following", "straight" or ""; ``contact`` the footprints overlapped;
    ``place_pet_s`` the PET of the swept boxes at the very place instead of on the area of the
    whole stream; ``point_pet_s`` at the point where the ways of the centres cross (``pet_s`` of
    ``opposing`` runs from the first's rear leaving it to the second's entry into the area);
    ``time_gap_s`` least front-to-rear time gap of followers; ``harm_share`` share of such impacts
    with serious harm.

    ``paths_version`` names the usual paths that were used, "" for straight lines only;
    ``watched_ns`` (k, 2) are unbroken spells of watching.
    """

    camera_id: str
    run_id: int
    paths_version: str = ""
    watched_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    user_a: NDArray[np.int64]
    user_b: NDArray[np.int64]
    kind_a: NDArray[np.uint8]
    kind_b: NDArray[np.uint8]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    type: NDArray[np.str_]
    min_ttc_s: NDArray[np.float64]
    max_drac_mps2: NDArray[np.float64]
    pet_s: NDArray[np.float64]
    t2_s: NDArray[np.float64]
    delta_v_mps: NDArray[np.float64]
    angle_deg: NDArray[np.float64]
    is_conflict: NDArray[np.bool_]
    level: NDArray[np.uint8]
    rejected_because: NDArray[np.str_]
    sigma_min_ttc_s: NDArray[np.float64]
    sigma_max_drac_mps2: NDArray[np.float64]
    sigma_pet_s: NDArray[np.float64]
    sigma_t2_s: NDArray[np.float64]
    sigma_delta_v_mps: NDArray[np.float64]
    sigma_angle_deg: NDArray[np.float64]
    why: NDArray[np.str_]
    ttc_along: NDArray[np.str_]
    contact: NDArray[np.bool_]
    place_pet_s: NDArray[np.float64]
    point_pet_s: NDArray[np.float64]
    time_gap_s: NDArray[np.float64]
    max_mdrac_mps2: NDArray[np.float64]
    min_mttc_s: NDArray[np.float64]
    tet_s: NDArray[np.float64]
    tit_s2: NDArray[np.float64]
    extended_delta_v_mps: NDArray[np.float64]
    harm_share: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name, dtype in CONFLICT_COLUMNS:
            object.__setattr__(self, name, checked(name, getattr(self, name), dtype))
        same_length({name: getattr(self, name) for name, _ in CONFLICT_COLUMNS})
        object.__setattr__(self, "watched_ns", checked("watched_ns", self.watched_ns, np.int64, 2))

    def __len__(self) -> int:
        return len(self.user_a)

    def __getitem__(self, index: Any) -> "Conflicts":
        """Return the rows that a mask, slice or index array picks."""
        return Conflicts(
            camera_id=self.camera_id,
            run_id=self.run_id,
            paths_version=self.paths_version,
            watched_ns=self.watched_ns,
            **{name: getattr(self, name)[index] for name, _ in CONFLICT_COLUMNS},
        )

    @property
    def watched_s(self) -> float:
        """Return the seconds of conflict exposure: really watched with a plane."""
        return float((self.watched_ns[:, 1] - self.watched_ns[:, 0]).sum()) / 1e9

    def rejections(self) -> dict[str, int]:
        """Return how many rows were rejected for each reason."""
        names, counts = np.unique(self.rejected_because, return_counts=True)
        return {str(n): int(c) for n, c in zip(names, counts, strict=True) if n}


def no_conflicts(*, camera_id: str, run_id: int) -> Conflicts:
    """Return no rows and nothing watched.

    >>> len(no_conflicts(camera_id="north", run_id=1))
    0
    """
    columns: dict[str, Any] = {name: np.empty(0, dtype) for name, dtype in CONFLICT_COLUMNS}
    return Conflicts(camera_id=camera_id, run_id=run_id, **columns)
