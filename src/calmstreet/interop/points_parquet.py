"""Our own points as Parquet for other programs: every column, every bit.

The steps lie beside it in NAME.steps.parquet (all analysed times, also those in which nobody was
seen); camera and foreign ids lie in the file's metadata. A file of points out of a result folder
reads as well.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.interop.files import Imported, mapped_ids, sorted_points, whole_file
from calmstreet.model.points import (
    OPTIONAL_SCALARS,
    TrackPoints,
    concat_points,
    joined_columns,
    no_points,
    scalar_columns,
)

__all__ = [
    "PointsParquet",
    "open_points_parquet",
    "read_points_parquet",
    "steps_path",
    "write_points_parquet",
]

ROWS_PER_BLOCK = 200_000
_SCALARS: dict[str, Any] = {name: dtype for name, dtype, _, _ in scalar_columns()}
_SQL_TYPES: dict[Any, str] = {
    np.int64: "BIGINT",
    np.uint8: "UTINYINT",
    np.float32: "FLOAT",
}


def steps_path(path: Path) -> Path:
    """Return where the steps of a file of points lie.

    >>> steps_path(Path("out/points.parquet")).name
    'points.steps.parquet'
    """
    return path.with_name(f"{path.stem}.steps.parquet")


@contextmanager
def _connect(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB offline: no extension is installed or loaded, one thread, limited memory."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": "1",
        "memory_limit": "512MB",
        "temp_directory": str(folder.resolve() / ".duckdb-tmp"),
    }
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute(f"SET allowed_directories = [{_quoted(folder.resolve())}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def write_points_parquet(
    path: Path,
    blocks: Iterable[TrackPoints],
    steps_ns: NDArray[np.int64],
    labels: Mapping[int, str] | None = None,
) -> None:
    """Write rows and steps; NaN stays NaN. Raises InputError when that cannot be done."""
    known = json.dumps({str(track_id): label for track_id, label in (labels or {}).items()})
    columns = ", ".join(f"{name} {_SQL_TYPES[dtype]}" for name, dtype in _SCALARS.items())
    picked = ", ".join(
        f"coalesce({name}, 'nan'::float)" if dtype is np.float32 else name
        for name, dtype in _SCALARS.items()
    )
    try:
        with _connect(path.parent) as connection:
            connection.execute(f"CREATE TABLE points ({columns})")
            for points in blocks:
                connection.register("block", _scalars_of(points))
                connection.execute(f"INSERT INTO points SELECT {picked} FROM block")
                connection.unregister("block")
            _copy(connection, "points", path, f", KV_METADATA {{labels: {_quoted(known)}}}")
            connection.register("steps", {"t_ns": np.ascontiguousarray(steps_ns)})
            _copy(connection, "steps", steps_path(path), "")
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be written ({_first(error)})") from error


def _copy(connection: duckdb.DuckDBPyConnection, table: str, path: Path, more: str) -> None:
    with whole_file(path) as temporary:
        target = _quoted(temporary.resolve())
        connection.execute(
            f"COPY (SELECT * FROM {table}) TO {target} (FORMAT parquet, COMPRESSION zstd{more})"
        )


def _scalars_of(points: TrackPoints) -> dict[str, NDArray[Any]]:
    return {
        name: np.ascontiguousarray(
            getattr(points, column) if part is None else getattr(points, column)[:, part]
        )
        for name, _, column, part in scalar_columns()
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointsParquet:
    """A file of points that is read in blocks of whole steps, so that a day needs no memory.

    ``steps_ns`` (n,) all analysed times, ``labels`` our track_id to the id in the file.
    """

    path: Path
    camera_id: str
    run_id: int
    steps_ns: NDArray[np.int64]
    labels: dict[int, str]
    _names: list[str]
    _rows: NDArray[np.int64]
    _ids: tuple[NDArray[np.int64], NDArray[np.int64]]

    def steps(self) -> Iterator[tuple[NDArray[np.int64], TrackPoints]]:
        """Yield blocks of whole steps: their times and all rows in them, by time, then track.

        Raises FormatError where the file does not read or holds nulls.
        """
        names, old = ", ".join(self._names), _quoted(self.path.resolve())
        with _reading(self.path) as connection:
            for begin, end in _blocks(self._rows):
                times = self.steps_ns[begin:end]
                scalars = connection.execute(
                    f"SELECT {names} FROM read_parquet({old})"
                    f" WHERE t_ns BETWEEN {int(times[0])} AND {int(times[-1])}"
                ).fetchnumpy()
                yield times, self._points(scalars)

    def _points(self, scalars: dict[str, Any]) -> TrackPoints:
        for name, column in scalars.items():
            if isinstance(column, np.ma.MaskedArray):
                raise FormatError(
                    f"{self.path}: column {name} holds nulls; unknown numbers are NaN"
                )
        known, ours = self._ids
        scalars["track_id"] = ours[np.searchsorted(known, scalars["track_id"])]
        columns = joined_columns(scalars)
        return sorted_points(TrackPoints(camera_id=self.camera_id, run_id=self.run_id, **columns))


def _blocks(rows: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield ranges of steps with ``ROWS_PER_BLOCK`` rows or one step more.

    >>> list(_blocks(np.array([150_000, 60_000, 5, 0])))
    [(0, 2), (2, 4)]
    """
    done, begin = np.cumsum(rows), 0
    while begin < len(rows):
        before = int(done[begin - 1]) if begin else 0
        end = min(int(np.searchsorted(done, before + ROWS_PER_BLOCK)) + 1, len(rows))
        yield begin, end
        begin = end


@contextmanager
def _reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB to read ``path``; its faults become one sentence."""
    try:
        with _connect(path.parent) as connection:
            yield connection
    except duckdb.Error as error:
        raise FormatError(f"{path} does not read as Parquet ({_first(error)})") from error


def open_points_parquet(path: Path, *, camera_id: str, run_id: int) -> PointsParquet:
    """Return a file of points under new ids; the old id (or the foreign one it had) is the label.

    Without a file of steps beside it, the steps are the times that have rows. Raises FormatError
    naming the file and the column that is missing or of another type.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there; check the path")
    source = f"read_parquet({_quoted(path.resolve())})"
    with _reading(path) as connection:
        names = _check(connection, path)
        nulls = connection.execute(f"SELECT count(*) - count(t_ns) FROM {source}").fetchone()
        if nulls and nulls[0]:
            raise FormatError(f"{path}: column t_ns holds nulls; every row needs a time")
        counted = connection.execute(
            f"SELECT t_ns, count(*) AS n FROM {source} GROUP BY t_ns ORDER BY t_ns"
        ).fetchnumpy()
        old = connection.execute(
            f"SELECT DISTINCT track_id FROM {source} WHERE track_id IS NOT NULL ORDER BY track_id"
        ).fetchnumpy()["track_id"]
        known = _labels(connection, path)
        steps_ns = _steps(connection, path, counted["t_ns"])
    ours, ids = mapped_ids(old.astype(np.str_).tolist(), run_id=run_id, nobody=frozenset({"-1"}))
    rows = np.zeros(len(steps_ns), np.int64)
    rows[np.searchsorted(steps_ns, counted["t_ns"])] = counted["n"]
    return PointsParquet(
        path=path,
        camera_id=camera_id,
        run_id=run_id,
        steps_ns=steps_ns,
        labels={track_id: known.get(word, word) for track_id, word in ids.items()},
        _names=names,
        _rows=rows,
        _ids=(old.astype(np.int64), ours),
    )


def read_points_parquet(path: Path, *, camera_id: str, run_id: int) -> Imported:
    """Read all rows at once under new ids; see ``open_points_parquet``."""
    file = open_points_parquet(path, camera_id=camera_id, run_id=run_id)
    blocks = [points for _, points in file.steps() if len(points)]
    nothing = no_points(camera_id=camera_id, run_id=run_id)
    return Imported(
        points=concat_points(blocks) if blocks else nothing,
        steps_ns=file.steps_ns,
        labels=file.labels,
    )


def _check(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Return the columns that are there; raise FormatError when a needed one is not."""
    rows = connection.execute(
        f"DESCRIBE SELECT * FROM read_parquet({_quoted(path.resolve())})"
    ).fetchall()
    found = {row[0]: row[1] for row in rows}
    names = [name for name in _SCALARS if name in found or name not in OPTIONAL_SCALARS]
    for name in names:
        if found.get(name) != (wanted := _SQL_TYPES[_SCALARS[name]]):
            raise FormatError(
                f"{path}: column {name} should be {wanted}, "
                f"it is {found.get(name, 'missing')}; export it as parquet again"
            )
    return names


def _labels(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    rows = connection.execute(
        f"SELECT decode(value) FROM parquet_kv_metadata({_quoted(path.resolve())})"
        " WHERE decode(key) = 'labels'"
    ).fetchall()
    return dict(json.loads(rows[0][0])) if rows else {}


def _steps(
    connection: duckdb.DuckDBPyConnection, path: Path, t_ns: NDArray[np.int64]
) -> NDArray[np.int64]:
    beside = steps_path(path)
    if not beside.is_file():
        return np.asarray(t_ns, np.int64)
    found = connection.execute(
        f"SELECT t_ns FROM read_parquet({_quoted(beside.resolve())})"
    ).fetchnumpy()["t_ns"]
    return np.union1d(found.astype(np.int64), t_ns)


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]
