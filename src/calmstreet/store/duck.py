"""DuckDB as the reader and writer of Parquet: offline, one thread, only this folder."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError

__all__ = ["connect", "read_parquet", "write_parquet"]

_MEMORY_LIMIT = "512MB"
_FLOATS = "coalesce({0}, 'nan'::float) AS {0}"


_LOCK = threading.Lock()


@contextmanager
def connect(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection in memory that sees ``folder`` and nothing else, and close it.

    No extension is installed or loaded (that would go online), one thread, limited memory; what
    does not fit is kept in ``tmp`` in the folder. The database behind it is kept for the next
    connection to the same folder, as making one costs more than most queries. Raises StoreError
    for a fault of DuckDB.
    """
    root = folder.resolve()
    try:
        with _LOCK:
            connection = _database(root).cursor()
        with connection:
            yield connection
    except duckdb.Error as error:
        _database.cache_clear()
        first = str(error).splitlines()[0]
        raise StoreError(f"Parquet in {folder} cannot be used ({first}); check it") from error


@lru_cache(maxsize=1)
def _database(root: Path) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "threads": "1",
            "memory_limit": _MEMORY_LIMIT,
            "temp_directory": str(root / "tmp"),
            "enable_external_file_cache": "false",
        },
    )
    database.execute(f"SET allowed_directories = [{quoted(root)}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def quoted(path: Path) -> str:
    """Return a path as a text of SQL.

    >>> quoted(Path("it's"))
    "'it''s'"
    """
    return "'" + str(path).replace("'", "''") + "'"


def write_parquet(path: Path, columns: Mapping[str, NDArray[Any]], *, folder: Path) -> None:
    """Write columns of numbers (n,) in their order; NaN stays NaN. ``path`` lies in ``folder``."""
    arrays = {name: np.ascontiguousarray(column) for name, column in columns.items()}
    picked = ", ".join(
        _FLOATS.format(name) if np.issubdtype(column.dtype, np.floating) else name
        for name, column in arrays.items()
    )
    target = quoted(path.resolve())
    with connect(folder) as connection:
        connection.register("arrays", arrays)
        connection.execute(
            f"COPY (SELECT {picked} FROM arrays) TO {target}"
            " (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )


def read_parquet(
    path: Path, columns: Mapping[str, Any], *, folder: Path
) -> dict[str, NDArray[Any]]:
    """Return the named columns of one file, in the order of its rows.

    ``columns`` maps names to dtypes. Raises StoreError when a column is missing, of another type
    or holds a null.
    """
    picked = ", ".join(columns)
    with connect(folder) as connection:
        found = connection.execute(
            f"SELECT {picked} FROM read_parquet({quoted(path.resolve())})"
        ).fetchnumpy()
    for name, dtype in columns.items():
        if isinstance(found[name], np.ma.MaskedArray) or found[name].dtype != dtype:
            raise StoreError(f"{path} is not ours: column {name} should be {np.dtype(dtype)}")
    return dict(found)
