"""Speeds at gates, times in zones and comparisons with a reference, as rows and back."""

from dataclasses import astuple, fields

from calmstreet.model.speeds import GateSpeeds, SpeedCheck, ZoneTimes
from calmstreet.store.database import Database, marks
from calmstreet.store.tables import TABLES, Columns, read_rows

__all__ = ["read_checks", "read_speeds", "read_zone_times", "save_check", "tables_of"]

_CHECK_FIELDS = tuple(field.name for field in fields(SpeedCheck))


def tables_of(speeds: GateSpeeds, times: ZoneTimes) -> dict[str, Columns]:
    """Return the rows of a run as columns of the tables of ``store.tables``."""
    return {
        "speeds": {name: getattr(speeds, name) for name in TABLES["speeds"]},
        "zone_times": {name: getattr(times, name) for name in TABLES["zone_times"]},
    }


def read_speeds(database: Database, run_id: int, camera_id: str) -> GateSpeeds:
    """Return the speeds at gates of a run in order of time."""
    rows = read_rows(database, "speeds", [run_id])
    del rows["run_id"]
    return GateSpeeds(camera_id=camera_id, run_id=run_id, **rows)


def read_zone_times(database: Database, run_id: int, camera_id: str) -> ZoneTimes:
    """Return the times in zones of a run in order of entry."""
    rows = read_rows(database, "zone_times", [run_id])
    del rows["run_id"]
    return ZoneTimes(camera_id=camera_id, run_id=run_id, **rows)


def save_check(database: Database, check: SpeedCheck) -> None:
    """Add a comparison with a reference."""
    with database.writing() as connection:
        connection.execute(
            f"INSERT OR REPLACE INTO speed_checks ({', '.join(_CHECK_FIELDS)})"
            f" VALUES ({marks(_CHECK_FIELDS)})",
            astuple(check),
        )


def read_checks(database: Database) -> list[SpeedCheck]:
    """Return all comparisons, the oldest first; a number that is not known is NaN."""
    with database.guarded() as connection:
        rows = connection.execute(
            f"SELECT {', '.join(_CHECK_FIELDS)} FROM speed_checks ORDER BY t_ns, camera_id"
        ).fetchall()
    return [_check(dict(zip(_CHECK_FIELDS, row, strict=True))) for row in rows]


def _check(row: dict[str, object]) -> SpeedCheck:
    values = {name: float("nan") if value is None else value for name, value in row.items()}
    values["passed"] = bool(values["passed"])
    return SpeedCheck(**values)  # type: ignore[arg-type]
