"""What was counted in a run, as rows of the catalogue and back, bit for bit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.model.flow import Crossings, Flow, Journeys, Minutes, Withdrawn
from calmstreet.store.database import Database
from calmstreet.store.tables import TABLES, Columns, read_rows

__all__ = ["read_flow", "tables_of"]

_PAIRS: dict[str, tuple[str, str]] = {
    "entry_px": ("entry_x_px", "entry_y_px"),
    "exit_px": ("exit_x_px", "exit_y_px"),
    "entry_heading": ("entry_heading_x", "entry_heading_y"),
    "exit_heading": ("exit_heading_x", "exit_heading_y"),
}


def tables_of(flow: Flow) -> dict[str, Columns]:
    """Return a flow as columns of the tables of ``store.tables``."""
    minutes, gates = flow.minutes, np.array(flow.minutes.gate_ids, np.str_)
    return {
        "crossings": {name: getattr(flow.crossings, name) for name in TABLES["crossings"]},
        "journeys": _journey_columns(flow.journeys),
        "run_gates": {"position": np.arange(len(gates)), "gate_id": gates},
        "watched": {"start_ns": flow.watched_ns[:, 0], "end_ns": flow.watched_ns[:, 1]},
        "withdrawn": {name: getattr(flow.withdrawn, name) for name in TABLES["withdrawn"]},
        "minutes": {"start_ns": minutes.start_ns, "watched_s": minutes.watched_s},
        "occupancies": {
            "gate_id": np.tile(gates, len(minutes.start_ns)),
            "start_ns": np.repeat(minutes.start_ns, len(gates)),
            "occupied_s": minutes.occupied_s.reshape(-1),
        },
    }


def _journey_columns(journeys: Journeys) -> Columns:
    parts: dict[str, NDArray[Any]] = {}
    for pair, names in _PAIRS.items():
        for index, name in enumerate(names):
            parts[name] = getattr(journeys, pair)[:, index]
    return {
        name: parts[name] if name in parts else getattr(journeys, name)
        for name in TABLES["journeys"]
    }


def read_flow(database: Database, run_id: int) -> Flow:
    """Return all that was counted in a run; raise StoreError for an unknown run."""
    with database.guarded() as connection:
        found = connection.execute(
            "SELECT camera_id, site_version FROM runs WHERE run_id = ?", (run_id,)
        ).fetchone()
    if found is None:
        raise StoreError(f"there is no run {run_id} in this result; analyse the video again")
    watched = read_rows(database, "watched", [run_id])
    crossings = read_rows(database, "crossings", [run_id])
    del crossings["run_id"]
    withdrawn = read_rows(database, "withdrawn", [run_id])
    del withdrawn["run_id"]
    return Flow(
        camera_id=found[0],
        run_id=run_id,
        site_version=found[1],
        crossings=Crossings(**crossings),
        journeys=_journeys(read_rows(database, "journeys", [run_id])),
        minutes=_minutes(database, run_id),
        watched_ns=np.stack([watched["start_ns"], watched["end_ns"]], axis=1),
        withdrawn=Withdrawn(**withdrawn),
    )


def _journeys(rows: Columns) -> Journeys:
    flat = {name for names in _PAIRS.values() for name in names}
    columns = {name: rows[name] for name in TABLES["journeys"] if name not in flat}
    for pair, names in _PAIRS.items():
        columns[pair] = np.stack([rows[name] for name in names], axis=1)
    return Journeys(**columns)


def _minutes(database: Database, run_id: int) -> Minutes:
    rows = read_rows(database, "minutes", [run_id])
    gates = read_rows(database, "run_gates", [run_id])["gate_id"].tolist()
    cells = read_rows(database, "occupancies", [run_id])
    occupied_s = np.zeros((len(rows["start_ns"]), len(gates)))
    columns = np.array([gates.index(gate_id) for gate_id in cells["gate_id"].tolist()], np.int64)
    occupied_s[np.searchsorted(rows["start_ns"], cells["start_ns"]), columns] = cells["occupied_s"]
    return Minutes(
        gate_ids=tuple(gates),
        start_ns=rows["start_ns"],
        watched_s=rows["watched_s"],
        occupied_s=occupied_s,
    )
