"""Columnar tables of a run: arrays in, arrays out, NULL in SQL and NaN in arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.store.database import Database, marks

__all__ = ["TABLES", "Columns", "read_rows", "save_rows"]

Columns = dict[str, NDArray[Any]]

TABLES: dict[str, dict[str, Any]] = {
    "crossings": {
        "gate_id": np.str_,
        "t_ns": np.int64,
        "track_id": np.int64,
        "kind": np.uint8,
        "direction": np.str_,
        "speed_mps": np.float64,
        "headway_s": np.float64,
        "gap_s": np.float64,
    },
    "track_summaries": {
        "track_id": np.int64,
        "kind": np.uint8,
        "start_ns": np.int64,
        "end_ns": np.int64,
        "first_x_px": np.float32,
        "first_y_px": np.float32,
        "last_x_px": np.float32,
        "last_y_px": np.float32,
        "entry_id": np.str_,
        "exit_id": np.str_,
        "movement_id": np.str_,
        "rows": np.int64,
        "parked": np.bool_,
        "counted": np.bool_,
    },
    "track_labels": {"track_id": np.int64, "label": np.str_},
    "light": {
        "start_ns": np.int64,
        "end_ns": np.int64,
        "light": np.str_,
        "surface": np.str_,
    },
    "signal_changes": {
        "t_ns": np.int64,
        "signal_id": np.str_,
        "state": np.uint8,
        "confidence": np.float32,
    },
}
"""Columns and dtypes of each table, besides run_id."""

_ORDER = {
    "crossings": "t_ns, track_id, gate_id",
    "track_summaries": "track_id",
    "track_labels": "track_id",
    "light": "start_ns, run_id",
    "signal_changes": "t_ns, signal_id",
}


def save_rows(
    database: Database, table: str, run_id: int, columns: Mapping[str, NDArray[Any]]
) -> None:
    """Add rows to a table of TABLES; every column of the table, all of one length.

    Raises ValueError for other columns or lengths, StoreError when the catalogue refuses.
    """
    dtypes = TABLES[table]
    if set(columns) != set(dtypes):
        raise ValueError(f"{table} wants the columns {list(dtypes)}, got {list(columns)}")
    lists = [np.asarray(columns[name], dtype).tolist() for name, dtype in dtypes.items()]
    rows = list(zip(*lists, strict=True))
    names = ["run_id", *dtypes]
    with database.writing() as connection:
        connection.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})",
            ((run_id, *row) for row in rows),
        )


def read_rows(database: Database, table: str, run_ids: Sequence[int]) -> Columns:
    """Return the rows of the runs as columns, with ``run_id`` first, in order of time or track."""
    dtypes = {"run_id": np.int64, **TABLES[table]}
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(dtypes)} FROM {table} WHERE run_id IN ({marks(run_ids)})"
            f" ORDER BY {_ORDER[table]}",
            list(run_ids),
        ).fetchall()
    return columns_of(rows, dtypes)


def columns_of(rows: Sequence[Sequence[Any]], dtypes: Mapping[str, Any]) -> Columns:
    """Return rows as columns; None becomes NaN in columns of floats.

    >>> columns_of([(1, None)], {"rows": np.int64, "speed_mps": np.float64})["speed_mps"]
    array([nan])
    """
    lists: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(dtypes)
    return {
        name: np.array(values, dtype)
        for (name, dtype), values in zip(dtypes.items(), lists, strict=True)
    }
