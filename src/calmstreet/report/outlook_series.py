"""Charts of series: forecasts with their bands, scores by horizon, alarms, as inline SVG."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts

__all__ = ["Series", "anomaly_chart", "forecast_chart", "scores_chart"]

Floats = NDArray[np.float32]
_BLUE, _RED, _GREY, _GREEN = "#0072b2", "#d55e00", "#8a939b", "#009e73"
_DAYS_SHOWN = 3
_MOST_POINTS = 1500


class Series(Protocol):
    """What is drawn of a grid: values (s, t), local clock (t,), names."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names (s,)."""

    @property
    def values(self) -> Floats:
        """Return values (s, t), NaN for missing."""

    @property
    def wall_ns(self) -> NDArray[np.int64]:
        """Return the local clock (t,)."""

    @property
    def step_ns(self) -> int:
        """Return the step."""

    @property
    def steps_per_day(self) -> int:
        """Return the steps of a day."""


def _moments(wall_ns: NDArray[np.int64]) -> Any:
    """Return times as matplotlib takes them."""
    return [datetime.fromtimestamp(int(t) / 1e9, UTC) for t in wall_ns]


def _time_axis(axes: Axes, texts: Texts) -> None:
    form = "%m-%d %H:%M" if texts.lang == "en" else "%d.%m %H:%M"
    dates: Any = mdates
    axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(dates.DateFormatter(form))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: texts.number(value)))
    axes.grid(axis="y", linewidth=0.4, alpha=0.35, color=INK)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=8.5)


def _legend(axes: Axes, columns: int = 4) -> None:
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, fontsize=9,
        borderpad=0,
    )  # fmt: skip


def _fullest(series: Series) -> int:
    """Return the place of the series with the greatest known sum, the most interesting to see."""
    return int(np.argmax(np.nansum(np.where(np.isfinite(series.values), series.values, 0), axis=1)))


def forecast_chart(series: Series, quantiles: Floats, *, texts: Texts) -> str:
    """Return the last days and the forecast of the busiest series; quantiles (5, s, h)."""
    at = _fullest(series)
    horizon = quantiles.shape[2]
    shown = min(series.values.shape[1], max(_DAYS_SHOWN * series.steps_per_day, 2 * horizon))
    past = _moments(series.wall_ns[-shown:])
    ahead_ns = series.wall_ns[-1] + series.step_ns * np.arange(1, horizon + 1)
    ahead = _moments(ahead_ns)
    low, lower, median, upper, high = quantiles[:, at]
    with styled():
        figure, axes = empty_axes(height_in=3.2)
        axes.plot(
            past, series.values[at, -shown:], color=INK, linewidth=1.0,
            label=texts.t("outlook.legend_measured"),
        )  # fmt: skip
        axes.fill_between(
            ahead, low, high, color=_BLUE, alpha=0.18, linewidth=0,
            label=texts.t("outlook.legend_band90"),
        )  # fmt: skip
        axes.fill_between(
            ahead, lower, upper, color=_BLUE, alpha=0.35, linewidth=0,
            label=texts.t("outlook.legend_band50"),
        )  # fmt: skip
        axes.plot(ahead, median, color=_BLUE, linewidth=1.4, label=texts.t("outlook.legend_median"))
        axes.axvline(past[-1], color=_GREY, linewidth=0.8, linestyle=":")
        if (np.nan_to_num(series.values[at]) >= 0).all():
            axes.set_ylim(bottom=0)
        axes.set_ylabel(series.names[at][:40])
        _time_axis(axes, texts)
        _legend(axes)
    return svg_of(figure, "forecast", texts.t("outlook.chart_forecast"))


def scores_chart(scores: Sequence[Mapping[str, Any]], *, texts: Texts) -> str:
    """Return the error over the horizon (MASE) of floors and choice; rows of the scores table."""
    styles = {
        "seasonal-naive": (_GREY, "s", "--"),
        "four-week-mean": (_RED, "^", "-."),
        "chosen": (_BLUE, "o", "-"),
    }
    heights = sorted({float(row["horizon_s"]) for row in scores})
    with styled():
        figure, axes = empty_axes(height_in=2.8)
        for name, (colour, mark, dash) in styles.items():
            mase = {float(r["horizon_s"]): r["mase"] for r in scores if r["model"] == name}
            axes.plot(
                range(len(heights)), [mase.get(h, float("nan")) for h in heights], marker=mark,
                color=colour, linestyle=dash, label=texts.or_raw("outlook", f"word_{name}"),
            )  # fmt: skip
        labels = [_horizon(h, texts) for h in heights]
        axes.set_xticks(range(len(heights)), labels)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("MASE")
        axes.set_xlabel(texts.t("outlook.axis_horizon"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: texts.number(value)))
        axes.grid(axis="y", linewidth=0.4, alpha=0.35, color=INK)
        _legend(axes, 3)
    return svg_of(figure, "scores", texts.t("outlook.chart_scores"))


def _horizon(horizon_s: float, texts: Texts) -> str:
    if horizon_s < 3600:
        return f"{texts.number(horizon_s / 60)} {texts.t('unit.min')}"
    return f"{texts.number(horizon_s / 3600)} {texts.t('unit.h')}"


def anomaly_chart(
    series: Series, *, at: int, expected: Floats, low: Floats, high: Floats,
    alarms: Sequence[tuple[int, int, str]], texts: Texts,
) -> str:  # fmt: skip
    """Return one series with what was expected (t,), its band, and alarms (first, last, kind)."""
    first, last = _window(series, alarms)
    part = slice(first, last)
    time = _moments(series.wall_ns[part])
    colours = {"incident": _RED, "data": _GREY}
    with styled():
        figure, axes = empty_axes(height_in=3.2)
        axes.fill_between(
            time, low[part], high[part], color=_BLUE, alpha=0.18, linewidth=0,
            label=texts.t("outlook.legend_usual"),
        )  # fmt: skip
        axes.plot(
            time, expected[part], color=_BLUE, linewidth=0.9,
            label=texts.t("outlook.legend_expected_now"),
        )  # fmt: skip
        axes.plot(
            time, series.values[at, part], color=INK, linewidth=0.9,
            label=texts.t("outlook.legend_measured"),
        )  # fmt: skip
        told: set[str] = set()
        for begin, end, kind in alarms:
            if end < first or begin >= last:
                continue
            span = _moments(series.wall_ns[[max(begin, 0), min(end, last - 1)]])
            label = "" if kind in told else texts.t(f"outlook.word_{kind}")
            told.add(kind)
            axes.axvspan(span[0], span[1], color=colours[kind], alpha=0.3, label=label)
        axes.set_ylabel(series.names[at][:40])
        _time_axis(axes, texts)
        _legend(axes, 5)
    return svg_of(figure, "anomalies", texts.t("outlook.chart_anomalies"))


def _window(series: Series, alarms: Sequence[tuple[int, int, str]]) -> tuple[int, int]:
    """Return the steps to draw: around the newest alarm, or the end."""
    count = series.values.shape[1]
    width = min(count, _MOST_POINTS, max(200, 7 * series.steps_per_day))
    centre = alarms[-1][0] if alarms else count - width // 2
    first = int(np.clip(centre - width // 2, 0, count - width))
    return first, first + width
