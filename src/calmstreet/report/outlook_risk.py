"""Charts of risk and maps of streets and places, as inline SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts

__all__ = ["place_map", "risk_chart", "street_map", "tail_chart"]

Floats = NDArray[np.float64]
_BLUE, _RED, _GREY, _GREEN = "#0072b2", "#d55e00", "#8a939b", "#009e73"
_COLOURS = {"crashes": _BLUE, "unstable": _RED, "not-enough": _GREY}


def _form(texts: Texts) -> FuncFormatter:
    return FuncFormatter(lambda value, _: texts.number(value))


def risk_chart(rows: Sequence[Mapping[str, Any]], *, texts: Texts) -> str:
    """Return the rate of each group and type with its 95 % interval, coloured by the verdict."""
    shown = [row for row in rows if row["pairs"]][:30] or list(rows)[:1]
    place = np.arange(len(shown))[::-1]
    with styled():
        figure, axes = empty_axes(height_in=1.0 + 0.3 * max(3, len(shown)))
        told: set[str] = set()
        for y, row in zip(place, shown, strict=True):
            verdict = str(row["verdict"])
            label = "" if verdict in told else texts.t(f"outlook.word_{verdict}")
            told.add(verdict)
            axes.plot([row["rate_low"], row["rate_high"]], [y, y], color=_COLOURS[verdict], lw=2)
            axes.plot([row["rate_per_h"]], [y], "o", color=_COLOURS[verdict], ms=6, label=label)
        names = [
            f"{row['group']}, {texts.or_raw('outlook', 'word_' + str(row['type']))}"
            for row in shown
        ]
        axes.set_yticks(place, [name.replace("word_", "")[:36] for name in names])
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.set_xlim(left=0)
        axes.set_xlabel(texts.t("outlook.axis_rate"))
        axes.xaxis.set_major_formatter(_form(texts))
        axes.grid(axis="x", linewidth=0.4, alpha=0.35, color=INK)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=9)
    return svg_of(figure, "risk", texts.t("outlook.chart_risk"))


def tail_chart(
    thresholds_s: Floats,
    mean_s: Floats,
    error_s: Floats,
    *,
    chosen: float,
    title: str,
    texts: Texts,
) -> str:
    """Return the mean excess over each threshold: straight where a threshold may be chosen."""
    with styled():
        figure, axes = empty_axes(height_in=2.6)
        axes.fill_between(
            thresholds_s, mean_s - 1.96 * error_s, mean_s + 1.96 * error_s, color=_BLUE, alpha=0.2,
            linewidth=0,
        )  # fmt: skip
        axes.plot(thresholds_s, mean_s, "o-", color=_BLUE, ms=4)
        axes.axvline(chosen, color=_RED, linewidth=1, linestyle="--")
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel(texts.t("outlook.axis_threshold"))
        axes.set_ylabel(texts.t("outlook.axis_excess"))
        axes.xaxis.set_major_formatter(_form(texts))
        axes.yaxis.set_major_formatter(_form(texts))
    return svg_of(figure, "tail", texts.t("outlook.chart_tail"))


def street_map(
    pieces: Sequence[Floats],
    value: Floats,
    *,
    hot: Sequence[Floats],
    points_m: Floats,
    texts: Texts,
) -> str:
    """Return streets coloured by density (n,), hot ones with a broad line below, and the points.

    ``pieces`` and ``hot`` are lines (k, 2) in metres.
    """
    with styled():
        figure, axes = empty_axes(width_in=6.8, height_in=6.0)
        if hot:
            broad = LineCollection(
                list(hot), colors=_RED, linewidths=9, alpha=0.45, capstyle="round",
                label=texts.t("outlook.legend_hot"),
            )  # fmt: skip
            axes.add_collection(broad)
        top = float(np.max(value)) if len(value) else 1.0
        lines = LineCollection(
            list(pieces), array=value, cmap="viridis_r", linewidths=2.6, zorder=3
        )
        lines.set_clim(0, top or 1.0)
        axes.add_collection(lines)
        axes.plot(
            points_m[:, 0], points_m[:, 1], "o", color=INK, ms=2.2, alpha=0.35, zorder=1,
            label=texts.t("outlook.legend_points"),
        )  # fmt: skip
        bar = figure.colorbar(lines, ax=axes, shrink=0.7, pad=0.02)
        bar.set_label(texts.t("outlook.axis_density"))
        _frame(axes, texts, np.concatenate(list(pieces)))
    return svg_of(figure, "hotspots", texts.t("outlook.chart_hotspots"), css="square")


def _frame(axes: Any, texts: Texts, shown: Floats) -> None:
    """Frame the streets alone: points that lie elsewhere are not drawn."""
    low, high = shown.min(axis=0), shown.max(axis=0)
    middle, half = (low + high) / 2, 0.54 * float(max(high - low)) + 1.0
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect("equal", adjustable="box")
    axes.set_xlabel(texts.t("outlook.axis_east"))
    axes.set_ylabel(texts.t("outlook.axis_north"))
    axes.xaxis.set_major_formatter(_form(texts))
    axes.yaxis.set_major_formatter(_form(texts))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=9)


def place_map(
    gain: Floats, low: Floats, high: Floats, *, names: Sequence[str], chosen: Sequence[bool],
    texts: Texts,
) -> str:  # fmt: skip
    """Return the gain of the best sites with 95 % intervals; chosen ones filled."""
    order = np.argsort(-gain, kind="stable")
    picked = np.asarray(chosen, bool)
    order = np.concatenate([order[picked[order]], order[~picked[order]][:10]])[:30]
    place = np.arange(len(order))[::-1]
    with styled():
        figure, axes = empty_axes(height_in=1.0 + 0.27 * max(4, len(order)))
        told: set[bool] = set()
        for y, i in zip(place, order, strict=True):
            own = bool(picked[i])
            colour = _BLUE if own else _GREY
            label = "" if own in told else texts.t(f"outlook.legend_{'taken' if own else 'left'}")
            told.add(own)
            axes.plot([low[i], high[i]], [y, y], color=colour, lw=2)
            axes.plot([gain[i]], [y], "o" if own else "s", color=colour, ms=6, label=label)
        axes.set_yticks(place, [str(names[i])[:18] for i in order])
        axes.set_ylim(-0.7, len(order) - 0.3)
        axes.set_xlim(left=min(0.0, float(low[order].min())))
        axes.set_xlabel(texts.t("outlook.axis_gain"))
        axes.xaxis.set_major_formatter(_form(texts))
        axes.grid(axis="x", linewidth=0.4, alpha=0.35, color=INK)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=9)
    return svg_of(figure, "place", texts.t("outlook.chart_place"))
