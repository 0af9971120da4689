"""What is wrong or odd about the counts of a span."""

from dataclasses import dataclass

__all__ = ["FLAGS", "QualityFlag"]

FLAGS: tuple[str, ...] = (
    "gaps",
    "unaccounted",
    "not-judged",
    "silent",
    "jump",
    "balance",
    "swapped",
)
"""Long gaps; time nobody can account for; runs not judged yet; nobody where many are usual; far
more or fewer than usual; another split of directions than usual; two directions or approaches that
look exchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFlag:
    """One doubt: ``flag`` of FLAGS about ``what`` ("" for the camera), how much, what is usual.

    ``value`` and ``usual`` are shares, counts or ratios as the flag has it; NaN = unknown.
    """

    flag: str
    what: str = ""
    value: float = float("nan")
    usual: float = float("nan")
