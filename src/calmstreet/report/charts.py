"""Charts as inline SVG: counts, headways, shares and light.

Every function returns one ``<svg>`` element for ``report.html``. Ink takes the colour of the page's
text, so that a chart reads on a light and on a dark page; the same data give the same bytes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.bins import Bins
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.report.colours import KIND_HEX, LIGHT_OF_DAY_HEX
from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts
from calmstreet.units import NS_PER_S, ns_from_s, s_from_ns

__all__ = [
    "counts_chart",
    "cumulative_chart",
    "headway_chart",
    "light_chart",
    "shares_chart",
]

_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_WATCHED_SHARE = 0.95
_MOST_BINS = 672
_DAY_NS = 86_400 * NS_PER_S
_HEADWAY_END_S = 12.0


def _localised(axes: Axes, texts: Texts, *, x: bool = False) -> None:
    """Write the numbers of the axes as the language does; whole numbers on the count axis."""
    form = FuncFormatter(lambda value, _: texts.number(value))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(form)
    axes.grid(axis="y", linewidth=0.4, alpha=0.35, color=INK)
    axes.set_axisbelow(True)
    if x:
        axes.xaxis.set_major_formatter(form)


def _legend(axes: Axes, columns: int = 3) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9,
        borderpad=0,
    )


def counts_chart(
    bins: Bins, *, texts: Texts, tz: str | None, name: str = "counts", title: str = ""
) -> str:
    """Return stacked bars of the counts by kind; what nobody watched is hatched, not zero.

    ``bins`` are the rows of one series (one gate and direction, or several to be added up).
    ``tz`` None means that the clock time is unknown: minutes from the first bin are printed.
    """
    with styled():
        figure, axes = empty_axes()
        starts = _all_starts(bins)
        base = np.zeros(len(starts))
        at = np.searchsorted(starts, bins.start_ns)
        for kind in _kinds_by_size(bins):
            mine = bins.kind == kind
            heights = np.zeros(len(starts))
            np.add.at(heights, at[mine], bins.count[mine])
            _bars(axes, heights, base, kind=kind, texts=texts)
            base += heights
        top = max(1.0, float(base.max(initial=0)) * 1.05)
        axes.set_ylim(0, top)
        _hatch_unwatched(axes, _watched_share(bins, starts), top=top, texts=texts)
        _time_ticks(axes, starts, texts=texts, tz=tz)
        _localised(axes, texts)
        minutes = bins.width_s / 60
        axes.set_ylabel(texts.t("chart.road_users_per_bin", minutes=minutes))
        _legend(axes)
    return svg_of(figure, name, title or texts.t("chart.counts"))


def _all_starts(bins: Bins) -> NDArray[np.int64]:
    """Return the start of every bin from first to last, those without a row too.

    Where that would be more than a week of quarter-hours, only bins with a row are drawn.
    """
    if not len(bins):
        return np.zeros(1, np.int64)
    first, last = int(bins.start_ns.min()), int(bins.start_ns.max())
    width_ns = ns_from_s(bins.width_s)
    count = (last - first) // width_ns + 1
    aligned = ((bins.start_ns - first) % width_ns == 0).all()
    if count > _MOST_BINS or not aligned:
        return np.unique(bins.start_ns)
    return first + width_ns * np.arange(count, dtype=np.int64)


def _kinds_by_size(bins: Bins) -> list[int]:
    """Return the kinds that were counted, most frequent first."""
    sums = np.bincount(bins.kind, bins.count, minlength=len(KIND_NAMES))
    return [int(kind) for kind in np.argsort(-sums, kind="stable") if sums[kind] > 0]


def _watched_share(bins: Bins, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each bin that was watched (its longest exposure of any row)."""
    seconds = np.zeros(len(starts))
    np.maximum.at(seconds, np.searchsorted(starts, bins.start_ns), bins.exposure_s)
    return seconds / bins.width_s


def _bars(
    axes: Axes,
    heights: NDArray[np.float64],
    base: NDArray[np.float64],
    *,
    kind: int,
    texts: Texts,
) -> None:
    axes.bar(
        np.arange(len(heights)) + 0.5,
        heights,
        0.86,
        base,
        color=KIND_HEX[kind],
        edgecolor=INK,
        linewidth=0.3,
        label=texts.t(f"kind.{KIND_NAMES[kind]}"),
    )


def _hatch_unwatched(axes: Axes, share: NDArray[np.float64], *, top: float, texts: Texts) -> None:
    """Hatch bins without exposure over the whole height, partly watched ones at the foot."""
    for rows, key, height, hatch in (
        (share <= 0, "chart.not_watched", top, "////"),
        ((share > 0) & (share < _WATCHED_SHARE), "chart.partly", top * 0.04, "...."),
    ):
        at = np.flatnonzero(rows)
        if len(at):
            axes.bar(
                at + 0.5, height, 1.0, fill=False, hatch=hatch, linewidth=0, label=texts.t(key)
            )


def _time_ticks(axes: Axes, starts: NDArray[np.int64], *, texts: Texts, tz: str | None) -> None:
    """Write the time of day at some of the bin edges, or minutes from the start."""
    step = max(1, -(-len(starts) // 8))
    at = np.arange(0, len(starts), step)
    if tz is None:
        names = [texts.number(s_from_ns(int(starts[i] - starts[0])) / 60) for i in at]
        axes.set_xlabel(texts.t("chart.offset_min"))
    else:
        names = [texts.clock_time(int(starts[i]), tz) for i in at]
        if starts[-1] - starts[0] > _DAY_NS:
            days = [texts.date(int(starts[i]), tz) for i in at]
            names = [f"{time}\n{day}" for time, day in zip(names, days, strict=True)]
        axes.set_xlabel(f"{texts.t('chart.time_of_day')}, {texts.date(int(starts[0]), tz)}, {tz}")
    axes.set_xticks(at, names)
    axes.set_xlim(0, len(starts))


def cumulative_chart(
    crossings_s: Mapping[str, ArrayLike],
    *,
    duration_s: float,
    texts: Texts,
    name: str = "cumulative",
) -> str:
    """Return the running count of each gate over the seconds of a short clip.

    ``crossings_s`` maps a gate's (or direction's) name to the seconds of its crossings.
    """
    with styled():
        figure, axes = empty_axes()
        for line, (label, times) in enumerate(crossings_s.items()):
            at = np.sort(np.asarray(times, np.float64))
            x = np.concatenate([[0.0], at, [max(duration_s, float(at.max(initial=0)))]])
            y = np.concatenate([np.arange(len(at) + 1), [len(at)]])
            style = ("-", "--", ":", "-.")[line // len(_LINES) % 4]
            colour = _LINES[line % len(_LINES)]
            text = f"{label}: {len(at)}"
            axes.step(x, y, where="post", color=colour, linestyle=style, linewidth=1.8, label=text)
        axes.set_xlim(0, max(duration_s, 1e-3))
        axes.set_ylim(bottom=0)
        axes.set_xlabel(texts.t("chart.offset_s"))
        axes.set_ylabel(texts.t("chart.road_users"))
        _localised(axes, texts, x=True)
        if crossings_s:
            _legend(axes)
    return svg_of(figure, name, texts.t("chart.cumulative"))


def headway_chart(headways_s: ArrayLike, *, texts: Texts, name: str = "headways") -> str:
    """Return a histogram of headways in half seconds; the last bar holds all longer ones."""
    values = np.asarray(headways_s, np.float64)
    values = values[np.isfinite(values)]
    with styled():
        figure, axes = empty_axes(height_in=2.5)
        edges = np.arange(0, _HEADWAY_END_S + 0.75, 0.5)
        counts, _ = np.histogram(np.minimum(values, _HEADWAY_END_S + 0.25), edges)
        axes.bar(edges[:-1] + 0.25, counts, 0.46, color=_LINES[0], edgecolor=INK, linewidth=0.3)
        if len(values):
            median_s = float(np.median(values))
            text = texts.t("chart.median", value=texts.number(median_s, 1))
            axes.axvline(median_s, color=_LINES[1], linewidth=1.5, linestyle="--", label=text)
            _legend(axes)
        axes.set_xticks(range(0, 13, 2), [*map(str, range(0, 12, 2)), "12+"])
        axes.set_xlabel(texts.t("chart.headway_s"))
        axes.set_ylabel(texts.t("chart.vehicles"))
        _localised(axes, texts)
    return svg_of(figure, name, texts.t("chart.headways"))


def shares_chart(by_kind: Mapping[str, int], *, texts: Texts, name: str = "shares") -> str:
    """Return bars of the shares of the kinds that were seen, with count and percent."""
    seen = [(kind, by_kind.get(word, 0)) for kind, word in enumerate(KIND_NAMES)]
    seen = sorted([row for row in seen if row[1] > 0], key=lambda row: row[1])
    total = max(1, sum(count for _, count in seen))
    with styled():
        figure, axes = empty_axes(height_in=0.5 + 0.32 * max(1, len(seen)))
        counts = [count for _, count in seen]
        words = [texts.t(f"kind.{KIND_NAMES[kind]}") for kind, _ in seen]
        paint = [KIND_HEX[kind] for kind, _ in seen]
        axes.barh(range(len(seen)), counts, 0.7, color=paint, edgecolor=INK, linewidth=0.3)
        axes.set_yticks(range(len(seen)), words)
        for row, count in enumerate(counts):
            text = f"{texts.number(count)} ({texts.percent(count / total)})"
            axes.text(count + max(counts) * 0.012, row, text, va="center", fontsize=9)
        axes.set_xlim(0, max([1, *counts]) * 1.22)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return svg_of(figure, name, texts.t("chart.shares"))


def light_chart(
    rows: Sequence[tuple[int, int, str]], *, texts: Texts, tz: str | None, name: str = "light"
) -> str:
    """Return a strip of day, dusk and night over time; a hole was not watched.

    ``rows`` are (start_ns, end_ns, light) in order of time.
    """
    with styled():
        figure, axes = empty_axes(height_in=1.15)
        first = rows[0][0] if rows else 0
        seen: set[str] = set()
        for start_ns, end_ns, light in rows:
            label = None if light in seen else texts.or_raw("light", light)
            seen.add(light)
            left, width = s_from_ns(start_ns - first) / 60, s_from_ns(end_ns - start_ns) / 60
            colour = LIGHT_OF_DAY_HEX.get(light, LIGHT_OF_DAY_HEX["unknown"])
            axes.barh(0, width, 1, left, color=colour, label=label)
        end = s_from_ns(rows[-1][1] - first) / 60 if rows else 1.0
        axes.set_xlim(0, max(end, 1e-3))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _light_ticks(axes, first, end, texts=texts, tz=tz)
        if seen:
            _legend(axes)
    return svg_of(figure, name, texts.t("chart.light"))


def _light_ticks(
    axes: Axes, first_ns: int, end_min: float, *, texts: Texts, tz: str | None
) -> None:
    """Write times along the strip."""
    at = np.linspace(0, end_min, 5)
    if tz is None:
        axes.set_xticks(at, [texts.number(v, 1) for v in at])
        axes.set_xlabel(texts.t("chart.offset_min"))
    else:
        times = [texts.date_time(first_ns + ns_from_s(v * 60), tz).split()[-1] for v in at]
        axes.set_xticks(at, times if end_min < 20 else [time[:5] for time in times])
