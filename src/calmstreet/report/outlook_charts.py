"""Charts of the screening and the study: estimates with their spread, as inline SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts

__all__ = ["screen_chart", "study_chart"]

_BLUE, _RED, _GREY = "#0072b2", "#d55e00", "#8a939b"
_LONGEST = 18


def _numbers(axes: Axes, texts: Texts, *, which: str = "x") -> None:
    """Write the numbers of an axis as the language does, and a light grid across."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: texts.number(value)))
    axes.grid(axis=which, linewidth=0.4, alpha=0.35, color=INK)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def _legend(axes: Axes, columns: int = 3) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9,
        borderpad=0,
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def screen_chart(rows: Mapping[str, Sequence[Any]], *, top: int, texts: Texts) -> str:
    """Return the first sites: observed, predicted, expected with two standard deviations.

    ``rows`` holds the columns of the table, worst site first.
    """
    shown = min(top, len(rows["site"]), 25)
    place = np.arange(shown)[::-1]
    expected = np.asarray(rows["expected"][:shown], float)
    spread = 1.96 * np.sqrt(np.asarray(rows["variance"][:shown], float))
    with styled():
        figure, axes = empty_axes(height_in=1.0 + 0.27 * max(shown, 4))
        low = np.minimum(spread, expected)
        axes.errorbar(
            expected, place, xerr=[low, spread], fmt="o", color=_BLUE, ms=6, capsize=3,
            label=texts.t("outlook.legend_expected"),
        )  # fmt: skip
        axes.plot(
            rows["observed"][:shown], place, "x", color=_RED, ms=7, mew=1.6,
            label=texts.t("outlook.legend_observed"),
        )  # fmt: skip
        axes.plot(
            rows["predicted"][:shown], place, "|", color=_GREY, ms=13, mew=2.4,
            label=texts.t("outlook.legend_predicted"),
        )  # fmt: skip
        axes.set_yticks(place, [_short(str(name)) for name in rows["site"][:shown]])
        axes.set_ylim(-0.7, shown - 0.3)
        axes.set_xlim(left=0)
        axes.set_xlabel(texts.t("outlook.axis_crashes"))
        _numbers(axes, texts)
        _legend(axes)
    return svg_of(figure, "screen", texts.t("outlook.chart_screen"))


def study_chart(effect: Mapping[str, float], *, texts: Texts) -> str:
    """Return after/before as seen, as regression to the mean alone gives, and the effect.

    ``effect`` holds ``naive, mean_alone, theta, low, high``.
    """
    keys = ("naive", "mean_alone", "theta")
    place = np.array([2.0, 1.0, 0.0])
    with styled():
        figure, axes = empty_axes(height_in=2.3)
        axes.axvline(1.0, color=INK, linewidth=0.8, linestyle="--")
        for y, key, colour in zip(place, keys, (_RED, _GREY, _BLUE), strict=True):
            value = effect[key]
            axes.plot([value], [y], "o", color=colour, ms=8)
            axes.annotate(
                texts.number(value, 2), (value, y), (0, 9), textcoords="offset points",
                ha="center", fontsize=9,
            )  # fmt: skip
        axes.plot([effect["low"], effect["high"]], [0, 0], color=_BLUE, linewidth=2.2)
        axes.set_yticks(place, [texts.t(f"outlook.legend_{key}") for key in keys])
        axes.set_ylim(-0.6, 2.7)
        right = max(1.1, *(effect[k] for k in (*keys, "high") if np.isfinite(effect[k])))
        axes.set_xlim(0, right * 1.08)
        axes.set_xlabel(texts.t("outlook.axis_ratio"))
        _numbers(axes, texts)
    return svg_of(figure, "study", texts.t("outlook.chart_study"))
