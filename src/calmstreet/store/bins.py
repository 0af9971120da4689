"""Bins in the catalogue: kept per run, joined over runs when they are read for a page."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.bins import Bins
from calmstreet.store.database import Database, marks
from calmstreet.store.tables import columns_of
from calmstreet.units import ns_from_s, s_from_ns

__all__ = ["MEASURES", "joined_bins", "read_bins", "save_bins"]

MEASURES: tuple[str, ...] = ("counts", "speeds", "conflicts", "signals")
"""Whose exposure a row carries: a camera can count at night and yet measure no speeds."""

_DTYPES: dict[str, Any] = {
    "what": np.str_,
    "kind": np.uint8,
    "start_ns": np.int64,
    "count": np.float32,
    "exposure_s": np.float32,
    "flags": np.str_,
}


def save_bins(database: Database, run_id: int, bins: Bins, *, measure: str = "counts") -> None:
    """Add the bins of one run for one of MEASURES; the same slice again replaces the old one."""
    if measure not in MEASURES:
        raise ValueError(f"measure {measure!r} is none of {MEASURES}")
    width_ns = ns_from_s(bins.width_s)
    lists = [getattr(bins, name).tolist() for name in _DTYPES]
    rows = [(run_id, measure, width_ns, *row) for row in zip(*lists, strict=True)]
    with database.writing() as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO bins (run_id, measure, width_ns, what, kind, start_ns,"
            " count, exposure_s, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def read_bins(
    database: Database,
    run_ids: Sequence[int],
    *,
    measure: str = "counts",
    width_s: float | None = None,
) -> list[Bins]:
    """Return the bins of the runs, of one width or all, one Bins for each run and width."""
    width_ns = None if width_s is None else ns_from_s(width_s)
    with database.guarded() as connection:
        rows = connection.execute(
            "SELECT bins.run_id, width_ns, camera_id, site_version, what, kind, bins.start_ns,"
            " count, exposure_s, flags FROM bins JOIN runs USING (run_id)"
            " WHERE measure = ? AND (? IS NULL OR width_ns = ?)"
            f" AND bins.run_id IN ({marks(run_ids)})"
            " ORDER BY runs.start_ns, bins.run_id, width_ns, bins.start_ns, what, kind",
            [measure, width_ns, width_ns, *run_ids],
        ).fetchall()
    return [
        Bins(
            camera_id=camera_id,
            site_version=site_version,
            width_s=s_from_ns(width_ns),
            **columns_of([row[4:] for row in group], _DTYPES),
        )
        for (_, width_ns, camera_id, site_version), group in groupby(rows, lambda row: row[:4])
    ]


def joined_bins(parts: Sequence[Bins]) -> list[Bins]:
    """Return one Bins for each camera, site version and width.

    Where several runs watched the same slice, counts and exposure add up; a level ("queue:...")
    is the mean weighted by exposure; flags are united. NaN stays NaN.
    """
    groups: dict[tuple[str, str, float], list[Bins]] = {}
    for part in parts:
        groups.setdefault((part.camera_id, part.site_version, part.width_s), []).append(part)
    return [_joined(group) for group in groups.values()]


def _joined(parts: list[Bins]) -> Bins:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _DTYPES}
    keys = list(
        zip(
            columns["start_ns"].tolist(),
            columns["what"].tolist(),
            columns["kind"].tolist(),
            strict=True,
        )
    )
    slots: dict[tuple[int, str, int], list[int]] = {}
    for row, key in enumerate(keys):
        slots.setdefault(key, []).append(row)
    rows = [(key, np.array(slots[key])) for key in sorted(slots)]
    return Bins(
        camera_id=parts[0].camera_id,
        site_version=parts[0].site_version,
        width_s=parts[0].width_s,
        what=np.array([key[1] for key, _ in rows], np.str_),
        kind=np.array([key[2] for key, _ in rows], np.uint8),
        start_ns=np.array([key[0] for key, _ in rows], np.int64),
        count=np.array([_count(key[1], columns, index) for key, index in rows], np.float32),
        exposure_s=np.array([columns["exposure_s"][i].sum() for _, i in rows], np.float32),
        flags=np.array([_flags(columns["flags"][index]) for _, index in rows], np.str_),
    )


def _count(what: str, columns: dict[str, NDArray[Any]], index: NDArray[np.int64]) -> float:
    count = columns["count"][index].astype(float)
    if not what.startswith("queue:"):
        return float(count.sum())
    weight = columns["exposure_s"][index].astype(float)
    return float((count * weight).sum() / weight.sum()) if weight.sum() else float("nan")


def _flags(texts: NDArray[np.str_]) -> str:
    words = {word for text in texts.tolist() for word in text.split(";") if word}
    return ";".join(sorted(words))
