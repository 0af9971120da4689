"""conflicts.csv: one row per pair of road users that had to do with each other."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from calmstreet.model.conflicts import CONFLICT_COLUMNS, Conflicts
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.report.tables import replacing, time_text

__all__ = ["CSV_COLUMNS", "write_conflicts_csv"]

_RENAMED = {"start_ns": "start", "end_ns": "end"}
CSV_COLUMNS: tuple[str, ...] = (
    *(_RENAMED.get(name, name) for name, _ in CONFLICT_COLUMNS),
    "camera",
    "paths_version",
)
"""The columns of conflicts.csv in their order."""


def write_conflicts_csv(
    path: Path,
    conflicts: Sequence[Conflicts],
    *,
    tz: str,
    time_known: str = "given",
    labels: Mapping[int, str] | None = None,
) -> None:
    """Write every interacting pair, conflict or not.

    Times are local ISO 8601 with milliseconds; unknown numbers are empty, inf stands for never;
    ``labels`` are foreign names of tracks (veh_12) and stand in the place of the numbers.
    Raises InputError when the file cannot be written.
    """
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(CSV_COLUMNS)
        for part in conflicts:
            columns = [
                _texts(name, part, tz=tz, time_known=time_known, labels=labels or {})
                for name, _ in CONFLICT_COLUMNS
            ]
            for row in zip(*columns, strict=True):
                rows.writerow([*row, part.camera_id, part.paths_version[:12]])


def _texts(
    name: str, part: Conflicts, *, tz: str, time_known: str, labels: Mapping[int, str]
) -> list[str]:
    values = getattr(part, name).tolist()
    if name in ("user_a", "user_b"):
        return [labels.get(value, str(value)) for value in values]
    if name in ("kind_a", "kind_b"):
        return [KIND_NAMES[value] for value in values]
    if name in ("start_ns", "end_ns"):
        return [time_text(value, tz, time_known=time_known, decimals=3) for value in values]
    return [_text(value) for value in values]


def _text(value: object) -> str:
    """Return a number with four decimals, "" for unknown, true or false.

    >>> _text(float("nan")), _text(float("inf")), _text(1.5), _text(True)
    ('', 'inf', '1.5', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ""
    return "inf" if math.isinf(value) else f"{value:.4f}".rstrip("0").rstrip(".")
