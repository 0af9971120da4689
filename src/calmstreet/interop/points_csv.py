"""Our own points as CSV: every column, every bit, times twice (UTC ns and ISO for people).

A step in which nobody was seen is a line with its time and nothing else. An unknown number is an
empty cell. Kinds are words.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError
from calmstreet.interop.files import (
    Imported,
    mapped_ids,
    read_text,
    sorted_points,
    written_text,
)
from calmstreet.model.kinds import KIND_BY_NAME, KIND_NAMES
from calmstreet.model.points import OPTIONAL_SCALARS, TrackPoints, joined_columns, scalar_columns
from calmstreet.units import to_iso

__all__ = ["COLUMNS", "read_points_csv", "write_points_csv"]

_SCALARS: dict[str, Any] = {name: dtype for name, dtype, _, _ in scalar_columns()}
COLUMNS: tuple[str, ...] = ("time", "camera_id", "label", *_SCALARS)
_DECODED = {"kind": KIND_BY_NAME}


def write_points_csv(
    path: Path,
    blocks: Iterable[TrackPoints],
    steps_ns: NDArray[np.int64],
    labels: Mapping[int, str] | None = None,
) -> None:
    """Write rows of one camera; ``blocks`` hold whole steps in order of time.

    ``steps_ns`` are all analysed times, ``labels`` the foreign ids. Raises InputError when the
    file cannot be written.
    """
    written, camera_id = 0, ""
    with written_text(path) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for points in (block for block in blocks if len(block)):
            camera_id = points.camera_id
            until = int(np.searchsorted(steps_ns, points.t_ns[-1], side="right"))
            writer.writerows(_rows(points, steps_ns[written:until], labels or {}))
            written = until
        writer.writerows(_empty_row(t_ns, camera_id) for t_ns in steps_ns[written:].tolist())


def _rows(
    points: TrackPoints, steps_ns: NDArray[np.int64], labels: Mapping[int, str]
) -> list[list[str]]:
    cells = [_cells(points, *spec) for spec in scalar_columns()]
    rows = [
        [to_iso(t_ns), points.camera_id, labels.get(track_id, ""), *values]
        for t_ns, track_id, *values in zip(
            points.t_ns.tolist(), points.track_id.tolist(), *cells, strict=True
        )
    ]
    empty = np.setdiff1d(steps_ns, points.t_ns)
    if not len(empty):
        return rows
    times = np.concatenate([points.t_ns, empty])
    both = list(chain(rows, (_empty_row(t_ns, points.camera_id) for t_ns in empty.tolist())))
    return [both[index] for index in np.argsort(times, kind="stable").tolist()]


def _empty_row(t_ns: int, camera_id: str) -> list[str]:
    return [to_iso(t_ns), camera_id, "", str(t_ns), *[""] * (len(_SCALARS) - 1)]


def _cells(points: TrackPoints, name: str, dtype: Any, column: str, part: int | None) -> list[str]:
    values = getattr(points, column)
    values = values if part is None else values[:, part]
    if name == "kind":
        return [KIND_NAMES[code] for code in values.tolist()]
    texts: list[str] = values.astype(np.str_).tolist()
    if np.issubdtype(dtype, np.floating):
        return ["" if text == "nan" else text for text in texts]
    return texts


def read_points_csv(path: Path, *, camera_id: str, run_id: int) -> Imported:
    """Read rows back, under new ids; the old id (or the foreign one it had) becomes the label.

    Columns may stand in any order; ``time`` and ``label`` may be missing. Rows of other cameras
    are passed over when the file holds several. Raises FormatError naming file, line and column.
    """
    reader = csv.reader(io.StringIO(read_text(path, "CSV"), newline=""))
    header = next(reader, [])
    needed = (name for name in ("camera_id", *_SCALARS) if name not in OPTIONAL_SCALARS)
    missing = [name for name in needed if name not in header]
    if missing:
        raise FormatError(f"{path} lacks the columns {', '.join(missing)}; export it as csv again")
    lines = [(reader.line_num, row) for row in reader if row]
    for number, row in lines:
        if len(row) != len(header):
            raise FormatError(
                f"{path}, line {number} has {len(row)} cells; its header has {len(header)}"
            )
    return _imported(path, camera_id, run_id, header, lines)


def _imported(
    path: Path, camera_id: str, run_id: int, header: list[str], lines: list[tuple[int, list[str]]]
) -> Imported:
    at = {name: header.index(name) for name in header}
    lines = _of_camera(path, lines, at["camera_id"], camera_id)
    times = [_number(path, number, row[at["t_ns"]], "t_ns", np.int64) for number, row in lines]
    rows = [line for line in lines if line[1][at["track_id"]]]
    scalars = {
        name: np.array(
            [_number(path, number, row[at[name]], name, dtype) for number, row in rows], dtype
        )
        for name, dtype in _SCALARS.items()
        if name in at
    }
    old = scalars["track_id"].astype(np.str_).tolist()
    scalars["track_id"], ids = mapped_ids(old, run_id=run_id, nobody=frozenset({"-1"}))
    label_at = at.get("label", at["track_id"])
    known = {word: row[label_at] for word, (_, row) in zip(old, rows, strict=True)}
    labels = {track_id: known[word] or word for track_id, word in ids.items()}
    points = TrackPoints(camera_id=camera_id, run_id=run_id, **joined_columns(scalars))
    return Imported(
        points=sorted_points(points), steps_ns=np.unique(np.array(times, np.int64)), labels=labels
    )


def _of_camera(
    path: Path, rows: list[tuple[int, list[str]]], at: int, camera_id: str
) -> list[tuple[int, list[str]]]:
    cameras = sorted({row[at] for _, row in rows} - {""})
    if len(cameras) < 2:
        return rows
    if camera_id not in cameras:
        raise FormatError(
            f"{path} holds the cameras {', '.join(cameras)}; name one of them in the site"
        )
    return [line for line in rows if line[1][at] in (camera_id, "")]


def _number(path: Path, number: int, cell: str, name: str, dtype: Any) -> Any:
    try:
        if name in _DECODED:
            return _DECODED[name][cell]
        if np.issubdtype(dtype, np.floating):
            return np.float32(cell) if cell else np.float32(np.nan)
        value = int(cell)
        if not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            raise ValueError(cell)
        return value
    except (KeyError, ValueError) as error:
        raise FormatError(f"{path}, line {number}: {name} {cell!r} cannot be read") from error
