"""What the verbs of the outlook say on a terminal: the answer, its uncertainty, the files."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["sentences"]


def sentences(summary: Mapping[str, Any]) -> list[str]:
    """Return the lines of one verb's summary.

    >>> sentences({"verb": "study", "theta": 0.5785, "low": 0.37, "high": 0.9, "naive": 0.529,
    ...     "mean_alone": 0.9, "verdict": "fewer", "files": ["study.csv"]})[0]
    'theta 0.579 (95 % 0.370 to 0.900): fewer crashes than without the measure'
    """
    said = _WORDING[str(summary["verb"])](summary)
    return [*said, "written: " + ", ".join(summary["files"])]


def _screen(s: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{s['sites']} sites, {s['observed']:g} crashes observed, {s['expected']:.1f} expected; "
        f"the first {s['top']} hold {s['excess_of_top']:.1f} above sites like them"
    )
    for row in s["first"][:5]:
        yield (
            f"  {row['rank']}. {row['site']}: expected {row['expected']:.2f}, excess "
            f"{row['excess']:.2f}, level {row['level']}, in the first {s['top']} with "
            f"probability {row['p_top']:.2f}"
        )
    if "spf" in s and not s["spf"]["enough"]:
        yield "fitted to few sites or crashes: indicative only; better borrow predicted and k"


_VERDICTS = {
    "fewer": "fewer crashes than without the measure",
    "more": "more crashes than without the measure",
    "unclear": "no effect can be told from chance",
}


def _study(s: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"theta {s['theta']:.3f} (95 % {s['low']:.3f} to {s['high']:.3f}): "
        f"{_VERDICTS[s['verdict']]}"
    )
    yield (
        f"after/before as seen {s['naive']:.3f}; without the measure it would have been "
        f"{s['mean_alone']:.3f} (regression to the mean, traffic and trend)"
    )


_WORDING: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "screen": _screen,
    "study": _study,
}
