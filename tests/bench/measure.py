"""Process time of runs that take turns, and the rows of the table.

The machine is shared and wall time means nothing on it, so what is read is the processor time of
this process and its ended children. Runs take turns, so that a slow minute hits all of them.
"""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

__all__ = ["Cost", "Row", "cpu_s", "row", "table", "take_turns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Processor seconds of one run: the median and the least of all rounds."""

    median_s: float
    min_s: float

    def over(self, other: "Cost") -> float:
        """Return this median as a share of the other's."""
        return self.median_s / other.median_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``ok`` None: a figure without a bar."""

    what: str
    value: float
    unit: str
    bar: str = ""
    ok: bool | None = None
    note: str = ""


def cpu_s() -> float:
    """Return the processor seconds spent so far by this process and its ended children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def take_turns(runs: Mapping[str, Callable[[], object]], *, rounds: int = 5) -> dict[str, Cost]:
    """Return what each run costs; they take turns, after one round to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start_s = cpu_s()
            run()
            spent[name].append(cpu_s() - start_s)
    return {
        name: Cost(median_s=median(times[1:]), min_s=min(times[1:]))
        for name, times in spent.items()
    }


def row(
    what: str,
    value: float,
    unit: str,
    *,
    least: float | None = None,
    most: float | None = None,
    note: str = "",
) -> Row:
    """Return a row that is judged against ``least`` or ``most`` where one is given."""
    bar, ok = "", None
    if least is not None:
        bar, ok = f">= {least:g}", value >= least
    elif most is not None:
        bar, ok = f"<= {most:g}", value <= most
    return Row(what=what, value=round(value, 4), unit=unit, bar=bar, ok=ok, note=note)


def table(rows: Sequence[Row]) -> tuple[str, list[dict[str, Any]]]:
    """Return the rows as aligned text and as records for JSON."""
    wide = max((len(r.what) for r in rows), default=0)
    lines = [
        f"{r.what:<{wide}}  {r.value:>9.4g} {r.unit:<16} {r.bar:<8} "
        f"{'' if r.ok is None else 'ok  ' if r.ok else 'MISS'} {r.note}".rstrip()
        for r in rows
    ]
    return "\n".join(lines), [asdict(r) for r in rows]
