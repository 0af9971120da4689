"""Columnar tables of a run: arrays in, arrays out, NULL in SQL and NaN in arrays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.conflicts import CONFLICT_COLUMNS
from calmstreet.model.speeds import SPEED_COLUMNS, ZONE_COLUMNS
from calmstreet.store.database import Database, marks

__all__ = ["TABLES", "Columns", "read_rows", "save_rows"]

Columns = dict[str, NDArray[Any]]
ROWS_AT_ONCE = 4096

TABLES: dict[str, dict[str, Any]] = {
    "crossings": {
        "gate_id": np.str_,
        "t_ns": np.int64,
        "track_id": np.int64,
        "kind": np.uint8,
        "direction": np.str_,
        "headway_s": np.float64,
        "gap_s": np.float64,
        "speed_mps": np.float64,
        "length_m": np.float64,
        "counted": np.bool_,
    },
    "journeys": {
        "track_id": np.int64,
        "kind": np.uint8,
        "start_ns": np.int64,
        "end_ns": np.int64,
        "done_ns": np.int64,
        "entry_x_px": np.float32,
        "entry_y_px": np.float32,
        "exit_x_px": np.float32,
        "exit_y_px": np.float32,
        "entry_id": np.str_,
        "exit_id": np.str_,
        "movement_id": np.str_,
        "entry_heading_x": np.float64,
        "entry_heading_y": np.float64,
        "exit_heading_x": np.float64,
        "exit_heading_y": np.float64,
        "metric": np.bool_,
        "rows": np.int64,
        "counted": np.bool_,
        "reason": np.str_,
    },
    "speeds": {name: dtype for name, dtype, _ in SPEED_COLUMNS},
    "zone_times": {name: dtype for name, dtype, _ in ZONE_COLUMNS},
    "conflicts": dict(CONFLICT_COLUMNS),
    "conflicts_watched": {"start_ns": np.int64, "end_ns": np.int64},
    "conflict_runs": {"why_not": np.str_, "paths_version": np.str_, "paths": np.int64},
    "run_gates": {"position": np.int64, "gate_id": np.str_},
    "watched": {"start_ns": np.int64, "end_ns": np.int64},
    "shifts": {
        "start_ns": np.int64,
        "end_ns": np.int64,
        **{f"m{row}{column}": np.float64 for row in (1, 2, 3) for column in (1, 2, 3)},
    },
    "withdrawn": {"place_id": np.str_, "start_ns": np.int64, "end_ns": np.int64},
    "minutes": {"start_ns": np.int64, "watched_s": np.float64},
    "occupancies": {"gate_id": np.str_, "start_ns": np.int64, "occupied_s": np.float64},
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
    "journeys": "start_ns, track_id",
    "speeds": "t_ns, track_id, gate_id",
    "zone_times": "enter_ns, track_id, zone_id",
    "conflicts": "start_ns, user_a, user_b",
    "conflicts_watched": "start_ns, run_id",
    "conflict_runs": "run_id",
    "run_gates": "run_id, position",
    "watched": "start_ns, run_id",
    "shifts": "start_ns, run_id",
    "withdrawn": "start_ns, run_id, place_id",
    "minutes": "start_ns, run_id",
    "occupancies": "start_ns, run_id, gate_id",
    "track_labels": "track_id",
    "light": "start_ns, run_id",
    "signal_changes": "t_ns, signal_id",
}


def save_rows(
    database: Database, run_id: int, tables: Mapping[str, Mapping[str, NDArray[Any]]]
) -> None:
    """Write rows of a run to tables of TABLES in one transaction, in place of those it had.

    Every column of a table must be there, all of one length. Raises ValueError otherwise,
    StoreError when the catalogue refuses.
    """
    whole = {table: _whole(table, columns) for table, columns in tables.items()}
    with database.writing() as connection:
        for table in tables:
            names = ["run_id", *TABLES[table]]
            connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})",
                _rows(whole[table], run_id),
            )


def _whole(table: str, columns: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the columns of a table in its order; raise ValueError unless they are all there."""
    dtypes = TABLES[table]
    if set(columns) != set(dtypes):
        raise ValueError(f"{table} wants the columns {list(dtypes)}, got {list(columns)}")
    found = [np.asarray(columns[name], dtype) for name, dtype in dtypes.items()]
    if len({len(column) for column in found}) > 1:
        raise ValueError(f"the columns of {table} differ in length")
    return found


def _rows(columns: list[NDArray[Any]], run_id: int) -> Iterator[tuple[object, ...]]:
    """Yield rows as objects, not all of them at once: each is some twenty times its columns."""
    for begin in range(0, len(columns[0]), ROWS_AT_ONCE):
        lists = [column[begin : begin + ROWS_AT_ONCE].tolist() for column in columns]
        yield from ((run_id, *row) for row in zip(*lists, strict=True))


def read_rows(database: Database, table: str, run_ids: Sequence[int]) -> Columns:
    """Return the rows of the runs as columns, with ``run_id`` first, in order of time or track."""
    dtypes = {"run_id": np.int64, **TABLES[table]}
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(dtypes)} FROM {table} WHERE run_id IN ({marks(run_ids)})"
            f" ORDER BY {_ORDER[table]}",
            list(run_ids),
        )
        parts = [columns_of(rows.fetchmany(ROWS_AT_ONCE), dtypes)]
        while len(parts[-1]["run_id"]) == ROWS_AT_ONCE:
            parts.append(columns_of(rows.fetchmany(ROWS_AT_ONCE), dtypes))
    return {name: np.concatenate([part[name] for part in parts]) for name in dtypes}


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
