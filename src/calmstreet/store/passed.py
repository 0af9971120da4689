"""Passages at gates as one asker may see them, as numbers only: a month of a busy street is much.

Rows are read gate by gate through the index of the gate, so that no text is read with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.flow import DIRECTIONS
from calmstreet.store.seen import RUNS_OF, Seen

__all__ = ["Passages", "Passed", "Withheld"]

Floats = NDArray[np.float64]
_SPAN = f"run_id IN ({RUNS_OF}) AND t_ns >= :start AND t_ns < :end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """How many passages of one kind at a gate in a direction have no speed, and why."""

    gate_id: str
    direction: str
    kind: int
    reason: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passages:
    """Passages of one gate in one direction by column, each (n,); NaN is unknown."""

    direction: str
    columns: Mapping[str, Floats]


class Passed:
    """Passages at gates of one camera in a span, UTC ns, end excluded."""

    def __init__(self, *, seen: Seen, camera_id: str, start_ns: int, end_ns: int) -> None:
        self._seen = seen
        self._span = {"camera": camera_id, "start": start_ns, "end": end_ns}

    def gates(self) -> list[str]:
        """Return the ids of the gates that the runs watched, sorted."""
        rows = self._seen.rows(
            f"SELECT DISTINCT gate_id FROM run_gates WHERE run_id IN ({RUNS_OF}) ORDER BY gate_id",
            **self._span,
        )
        return [str(row[0]) for row in rows]

    def headways(self, gate_id: str) -> list[Passages]:
        """Return headway_s and gap_s of counted passages by direction."""
        where = "counted = 1 AND headway_s IS NOT NULL"
        return self._passages("crossings", ("headway_s", "gap_s"), gate_id, where)

    def speeds(self, gate_id: str) -> list[Passages]:
        """Return kind, speed_mps, sigma_site_mps and half95_mps of those that have a speed."""
        names = ("kind", "speed_mps", "sigma_site_mps", "half95_mps")
        return self._passages("speeds", names, gate_id, "speed_mps IS NOT NULL")

    def withheld(self) -> list[Withheld]:
        """Return how many speeds are withheld."""
        rows = self._seen.rows(
            f"SELECT gate_id, direction, kind, reason, count(*) FROM speeds WHERE {_SPAN}"
            " AND speed_mps IS NULL GROUP BY gate_id, direction, kind, reason ORDER BY min(t_ns)",
            **self._span,
        )
        names = Withheld.__slots__
        return [Withheld(**dict(zip(names, row, strict=True))) for row in rows]

    def _passages(
        self, table: Literal["crossings", "speeds"], names: Sequence[str], gate_id: str, where: str
    ) -> list[Passages]:
        told = ", ".join(f"coalesce({name}, 9e999)" for name in names)
        rows = self._seen.rows(
            f"SELECT direction = :first, {told} FROM {table}"
            f" WHERE {_SPAN} AND gate_id = :gate AND {where}",
            **self._span,
            gate=gate_id,
            first=DIRECTIONS[0],
        )
        flat = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * (1 + len(names)))
        flat[np.isinf(flat)] = np.nan
        first, *columns = flat.reshape(-1, 1 + len(names)).T
        return [
            Passages(
                direction=direction,
                columns={name: c[mine] for name, c in zip(names, columns, strict=True)},
            )
            for direction, mine in zip(DIRECTIONS, (first == 1, first == 0), strict=True)
        ]
