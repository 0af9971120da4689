"""What the command line says after an analysis: a few lines and where the files lie."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["gate_lines", "rule_lines", "told"]


def told(summary: Mapping[str, Any], out: Path) -> Iterator[str]:
    """Yield the lines that tell a result."""
    video, tracks = summary["video"], summary["tracks"]
    yield (
        f"{summary['state']}: {video['duration_s']:.1f} s of video, {video['frames']} frames, "
        f"{summary['exposure_s']:.1f} s watched, {tracks['total']} road users"
    )
    if tracks["by_kind"]:
        yield "  " + ", ".join(f"{kind} {n}" for kind, n in tracks["by_kind"].items())
    yield from gate_lines(summary["gates"])
    for row in summary["movements"]:
        if row["counts"]["total"]:
            way = f"{row['from']} -> {row['to']} ({row['turn']})"
            yield f"  movement {way}: {_counts(row['counts'])}"
    yield from rule_lines(summary)
    for warning in summary["warnings"]:
        details = ", ".join(f"{name} {value}" for name, value in warning["args"].items())
        yield f"  ! {warning['text']}" + (f" ({details})" if details else "")
    yield f"open {out / 'report.html'}"


def rule_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line per kind of event and per gate with a signal.

    >>> list(rule_lines({"events": {"by_kind": {"red-light": {"violations": 2, "exceptions": 1}}}}))
    ['  events red-light: 2, noted exceptions 1']
    """
    for kind, row in summary.get("events", {}).get("by_kind", {}).items():
        noted = f", noted exceptions {row['exceptions']}" if row["exceptions"] else ""
        yield f"  events {kind}: {row['violations']}{noted}"
    for camera in summary.get("signals", []):
        for row in camera["gates"]:
            queue = row["longest_queue_m"]
            longest = "not known" if queue is None else f"{queue:g} m"
            yield (
                f"  signal {row['signal']} at {row['gate']}: {row['passes']} passed, "
                f"{row['red_runners'] or 0} ran red, longest queue {longest}"
            )


def gate_lines(gates: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line per gate.

    >>> list(gate_lines([{"camera": "c", "gate": "g", "to_left": {"car": 2, "total": 2},
    ...                   "to_right": {"car": 0, "total": 0}}]))
    ['  gate g: to_left 2 (car 2), to_right 0']
    """
    for row in gates:
        yield (
            f"  gate {row['gate']}: to_left {_counts(row['to_left'])}, "
            f"to_right {_counts(row['to_right'])}"
        )


def _counts(counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{kind} {n}" for kind, n in counts.items() if n and kind != "total")
    return f"{counts['total']} ({parts})" if parts else str(counts["total"])
