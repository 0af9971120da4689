"""Charts of speeds: how they are spread at a gate, and how they change over the day."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts

__all__ = ["spread_chart", "times_chart"]

_BAR, _V85, _LIMIT = "#0072b2", "#d55e00", "#cc79a7"
_WIDTHS_KMH = (2.0, 5.0, 10.0)


def spread_chart(
    speeds_kmh: NDArray[np.float64],
    stats: Mapping[str, Any],
    *,
    limit_kmh: float | None,
    texts: Texts,
    name: str,
    title: str,
) -> str:
    """Return a histogram of speeds with v85, its 95 % interval and the speed limit.

    ``stats`` is a row of ``summary["speeds"]["gates"][...]["all"]``.
    """
    with styled(name):
        figure, axes = empty_axes(height_in=2.7)
        last = max(float(speeds_kmh.max(initial=10.0)), limit_kmh or 0.0)
        width = next((w for w in _WIDTHS_KMH if last / w <= 40), _WIDTHS_KMH[-1])
        edges = np.arange(0.0, (np.floor(last / width) + 2) * width, width)
        counts, _ = np.histogram(speeds_kmh, edges)
        axes.bar(
            edges[:-1] + width / 2, counts, 0.92 * width, color=_BAR, edgecolor=INK, linewidth=0.3
        )
        _mark_v85(axes, stats, texts)
        if limit_kmh is not None:
            text = texts.t("speeds.chart.limit", value=texts.number(limit_kmh, 0))
            axes.axvline(limit_kmh, color=_LIMIT, linewidth=1.6, linestyle=":", label=text)
        first = float(speeds_kmh.min(initial=last))
        axes.set_xlim(max(0.0, np.floor(first / width) * width - 2 * width), float(edges[-1]))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        _named(axes, texts, x=texts.t("speeds.chart.speed"), y=texts.t("chart.vehicles"))
    return svg_of(figure, name, title)


def _mark_v85(axes: Axes, stats: Mapping[str, Any], texts: Texts) -> None:
    value, low, high = (stats[key] for key in ("v85_kmh", "v85_low95_kmh", "v85_high95_kmh"))
    if value is None or low is None or high is None:
        return
    span = f"{texts.number(low, 1)} – {texts.number(high, 1)}"
    axes.axvspan(low, high, color=_V85, alpha=0.2, linewidth=0, zorder=0.6)
    label = texts.t("speeds.chart.v85", value=texts.number(value, 1), span=span)
    axes.axvline(value, color=_V85, linewidth=1.8, linestyle="--", label=label)


def times_chart(
    rows: Sequence[tuple[str, Mapping[str, float]]],
    *,
    limit_kmh: float | None,
    texts: Texts,
    name: str,
    title: str,
) -> str:
    """Return mean and v85 by quarter hour with their intervals.

    ``rows`` are the label of a slice of time and its numbers mean, low, high and v85, v85_low,
    v85_high in km/h (NaN unknown), in order of time.
    """
    with styled(name):
        figure, axes = empty_axes(height_in=2.7)
        at = np.arange(len(rows)) + 0.5
        for key, colour, shift, label in (
            ("mean", _BAR, -0.08, "speeds.chart.mean"),
            ("v85", _V85, 0.08, "speeds.chart.v85_short"),
        ):
            value, low, high = (
                np.array([row[name] for _, row in rows], np.float64)
                for name in (key, f"{key}_low", f"{key}_high")
            )
            spans = np.maximum(np.nan_to_num(np.stack([value - low, high - value])), 0.0)
            axes.errorbar(
                at + shift,
                value,
                spans,
                color=colour,
                linewidth=1.4,
                elinewidth=1.0,
                capsize=2.5,
                marker="o",
                markersize=3.5,
                label=texts.t(label),
            )
        if limit_kmh is not None:
            text = texts.t("speeds.chart.limit", value=texts.number(limit_kmh, 0))
            axes.axhline(limit_kmh, color=_LIMIT, linewidth=1.4, linestyle=":", label=text)
        step = max(1, -(-len(rows) // 8))
        axes.set_xticks(at[::step], [label for label, _ in rows][::step])
        axes.set_xlim(0, max(len(rows), 1))
        axes.set_ylim(bottom=0)
        _named(axes, texts, x=texts.t("chart.time_of_day"), y=texts.t("speeds.chart.speed"))
    return svg_of(figure, name, title)


def _named(axes: Axes, texts: Texts, *, x: str, y: str) -> None:
    form = FuncFormatter(lambda value, _: texts.number(value))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(form)
    axes.grid(axis="y", linewidth=0.4, alpha=0.35, color=INK)
    axes.set_axisbelow(True)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=2,
            frameon=False,
            fontsize=9,
            borderpad=0,
        )
