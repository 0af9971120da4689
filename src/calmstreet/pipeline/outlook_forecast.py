"""`forecast`: counts in, quantiles of every series and step out, and the scores behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.forecast.backtest import CHOSEN, Scores, backtest
from calmstreet.forecast.engine import LIGHTGBM, Fitted, fit, missing_share
from calmstreet.forecast.floor import FLOORS
from calmstreet.forecast.grid import DAY_NS, Grid
from calmstreet.forecast.lags import LookBack
from calmstreet.forecast.learned import is_installed
from calmstreet.forecast.statistical import MSTL
from calmstreet.pipeline.outlook_counts import duration_s, holidays_of, read_counts
from calmstreet.pipeline.outlook_out import told
from calmstreet.pipeline.outlook_sums import agreed, read_parts, with_sums
from calmstreet.pipeline.outlook_tables import write_table
from calmstreet.report.outlook import Finding, Listing, Note
from calmstreet.report.outlook_series import forecast_chart, scores_chart
from calmstreet.report.texts import texts
from calmstreet.units import local_datetime

__all__ = ["FORECAST_COLUMNS", "SCORE_COLUMNS", "ForecastRequest", "forecast_counts"]

Floats = NDArray[np.float32]
FORECAST_COLUMNS = ("series", "time", "p05", "p25", "p50", "p75", "p95", "model", "flag")
SCORE_COLUMNS = (
    "horizon_s", "model", "used", "mase", "mae", "wis", "crps", "coverage90", "coverage50",
    "forecasts",
)  # fmt: skip
_MOST_STEPS = 20_000
_DEGRADED = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """What ``calmstreet forecast`` was asked for.

    ``floors_for`` names series to keep to floors; ``weeks`` is how much of a result folder is read
    at most, None for all.
    """

    counts: Path
    out: Path
    horizon: str = "24h"
    backtest: bool = False
    folds: int = 4
    tz: str = "UTC"
    step: str = ""
    zeros: str = "count"
    outside: tuple[str, ...] = ()
    holidays: str = ""
    hierarchy: Path | None = None
    models: tuple[str, ...] = (LIGHTGBM,)
    floors_for: frozenset[str] = frozenset()
    weeks: int | None = None
    lang: str = "en"


def forecast_counts(
    request: ForecastRequest, *, progress: Callable[[str, float], None]
) -> dict[str, Any]:
    """Forecast every series of a table and write table, picture and page.

    Raises InputError or FormatError with one sentence.
    """
    _check_models(request.models)
    grid = read_counts(
        request.counts,
        tz=request.tz,
        step=request.step,
        zeros=request.zeros,
        outside=request.outside,
        weeks=request.weeks,
    )
    summing = None
    if request.hierarchy is not None:
        grid, summing = with_sums(grid, read_parts(request.hierarchy, grid))
    horizon = _steps(request, grid)
    holidays = holidays_of(request.holidays, grid, ahead=horizon)
    scores: list[Scores] = []
    if request.backtest:
        scores = backtest(
            grid,
            horizon=horizon,
            folds=request.folds,
            models=request.models,
            holidays=holidays,
            progress=lambda share: progress("backtest", share),
        )
        write_table(_scores_path(request.out), _score_columns(scores))
    fitted = fit(grid, horizon=horizon, models=request.models, holidays=holidays)
    columns, quantiles = forecast_rows(grid, fitted, summing=summing, floors_for=request.floors_for)
    summary = _summary(request, grid, fitted, columns, scores)
    finding = _finding(request, grid, columns, quantiles, scores, fitted)
    done = told(summary, out=request.out, columns=columns, finding=finding, lang=request.lang)
    if scores:
        done["files"].append(str(_scores_path(request.out)))
    return done


def _check_models(models: Sequence[str]) -> None:
    known = {LIGHTGBM, MSTL, "floors"}
    odd = [name for name in models if name not in known]
    if odd:
        raise InputError(f"--models {odd[0]!r} is not known; write {' or '.join(sorted(known))}")


def _scores_path(out: Path) -> Path:
    return out.with_name(f"{out.stem}.scores{out.suffix}")


def _steps(request: ForecastRequest, grid: Grid) -> int:
    steps = duration_s(request.horizon, option="--horizon") / (grid.step_ns / 1e9)
    if not 1 <= round(steps) <= _MOST_STEPS:
        raise InputError(
            f"--horizon {request.horizon} is {steps:g} steps of {grid.step_ns / 1e9:g} s; "
            f"it must be between 1 and {_MOST_STEPS}"
        )
    return round(steps)


def forecast_rows(
    grid: Grid,
    fitted: Fitted,
    *,
    summing: NDArray[np.float64] | None = None,
    floors_for: frozenset[str] = frozenset(),
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Return the rows of the answer by column, and quantiles (5, s, h).

    A row without quantiles is "unknown": nothing of its past was watched. ``flag`` holds
    ``unknown``, ``degraded`` (over a quarter of the past it rests on is missing), ``fallback`` (one
    of ``floors_for``, which a model would have forecast) and ``no-interval``, joined by ``;``.
    """
    look = LookBack(grid, ahead=fitted.horizon)
    last = grid.values.shape[1] - 1
    back = np.isin(np.array(grid.names), sorted(floors_for))
    parts, lost, models = [], [], []
    for group in fitted.groups:
        at = last + group.reach.steps()
        origin = np.full(len(at), last, np.int64)
        found = fitted.quantiles(look, at, origin=origin, group=group)
        names = np.full((len(back), len(at)), group.model, object)
        if back.any() and group.model not in FLOORS:
            floor = fitted.better_floor(group)
            spare = fitted.quantiles(look, at, origin=origin, group=group, model=floor)
            found = np.where(back[None, :, None], spare, found)
            names[back] = floor
        parts.append(found)
        models.append(names)
        lost.append(missing_share(look, at, origin=origin, reach=group.reach))
    quantiles = np.concatenate(parts, axis=2).astype(np.float64)
    if summing is not None:
        quantiles = agreed(quantiles, grid=grid, fitted=fitted, summing=summing)
    flags = _flags(quantiles, np.concatenate(lost, axis=1), back=back)
    return _rows(grid, fitted, quantiles, np.concatenate(models, axis=1), flags), quantiles


def _rows(
    grid: Grid,
    fitted: Fitted,
    quantiles: NDArray[np.float64],
    models: NDArray[Any],
    flags: NDArray[Any],
) -> dict[str, NDArray[Any]]:
    times = grid.times_ns(grid.values.shape[1], fitted.horizon)
    stamps = [_stamp(int(t), grid) for t in times]
    columns: dict[str, NDArray[Any]] = {
        "series": np.repeat(np.array(grid.names, object), fitted.horizon),
        "time": np.tile(np.array(stamps, object), len(grid.names)),
    }
    for name, part in zip(FORECAST_COLUMNS[2:7], quantiles, strict=True):
        columns[name] = np.round(part.reshape(-1), 4)
    columns["model"] = np.where(flags == "unknown", "", models).reshape(-1)
    columns["flag"] = flags.reshape(-1)
    return columns


def _stamp(t_ns: int, grid: Grid) -> str:
    """Return the time as ISO 8601 with offset, or the date alone where a step is a day."""
    moment = local_datetime(t_ns, grid.tz)
    return moment.date().isoformat() if grid.step_ns >= DAY_NS else moment.isoformat()


def _flags(
    quantiles: NDArray[np.float64], missing: Floats, *, back: NDArray[np.bool_]
) -> NDArray[Any]:
    """Return flags (s, h) as words."""
    median = quantiles[2]
    unknown = ~np.isfinite(median)
    flags = np.full(median.shape, "", object)
    said = {
        "fallback": np.broadcast_to(back[:, None], median.shape),
        "degraded": missing > _DEGRADED,
        "no-interval": ~np.isfinite(quantiles[0]),
    }
    for word, rows in said.items():
        flags[rows] = np.where(flags[rows] == "", word, flags[rows] + f";{word}")
    flags[unknown] = "unknown"
    return flags


def _score_columns(scores: Sequence[Scores]) -> dict[str, list[Any]]:
    rows = [asdict(score) for score in scores]
    return {name: [row[name] for row in rows] for name in SCORE_COLUMNS}


def _summary(
    request: ForecastRequest,
    grid: Grid,
    fitted: Fitted,
    columns: Mapping[str, NDArray[Any]],
    scores: Sequence[Scores],
) -> dict[str, Any]:
    step_s = grid.step_ns / 1e9
    known = np.isfinite(grid.values)
    return {
        "verb": "forecast",
        "source": request.counts.name,
        "series": len(grid.names),
        "steps": int(grid.values.shape[1]),
        "step_s": step_s,
        "missing_share": float(1 - known.mean()),
        "repairs": dict(grid.repairs),
        "short": [n for n, row in zip(grid.names, known, strict=True) if row.sum() < 4][:20],
        "horizon_steps": fitted.horizon,
        "unknown_rows": int((columns["flag"] == "unknown").sum()),
        "degraded_rows": sum("degraded" in flag for flag in columns["flag"]),
        "lightgbm": is_installed(),
        "models": [
            {
                "from_s": group.reach.first * step_s,
                "to_s": group.reach.last * step_s,
                "model": group.model,
                "held_out_error": dict(group.held_out),
                "levels": group.bands[group.model].levels.tolist(),
                "residuals": group.bands[group.model].residuals,
            }
            for group in fitted.groups
        ],
        "scores": [asdict(score) for score in scores],
    }


def _finding(
    request: ForecastRequest,
    grid: Grid,
    columns: Mapping[str, NDArray[Any]],
    quantiles: NDArray[np.float64],
    scores: Sequence[Scores],
    fitted: Fitted,
) -> Finding:
    words = texts(request.lang)
    charts = {"chart_forecast": forecast_chart(grid, quantiles.astype(np.float32), texts=words)}
    listings = [_models_listing(grid, fitted)]
    if scores:
        charts["chart_scores"] = scores_chart([asdict(s) for s in scores], texts=words)
        listings.insert(0, _scores_listing(scores))
    unknown = int((columns["flag"] == "unknown").sum())
    warnings = [
        *([Note(key="no_lightgbm")] if not is_installed() and LIGHTGBM in request.models else []),
        *([Note(key="unknown", values={"rows": unknown})] if unknown else []),
        *(Note(key=f"repair_{reason}", values={"rows": n}) for reason, n in grid.repairs.items()),
    ]
    notes = [Note(key="floor"), Note(key="missing"), Note(key="conformal")]
    notes += [Note(key="not_scored")] if not scores else [Note(key="rolling")]
    return Finding(
        verb="forecast",
        source=request.counts.name,
        cards=(
            ("series", len(grid.names)),
            ("step_min", grid.step_ns / 60e9),
            ("horizon_h", fitted.horizon * grid.step_ns / 3600e9),
            ("unknown_rows", unknown),
        ),
        listings=listings,
        charts=charts,
        warnings=warnings,
        notes=notes,
    )


def _models_listing(grid: Grid, fitted: Fitted) -> Listing:
    hours = grid.step_ns / 3600e9
    tried = {name for group in fitted.groups for name in group.held_out}
    names = [name for name in (*FLOORS, LIGHTGBM, MSTL) if name in tried]
    return Listing(
        caption="models",
        columns=("horizon_h", "model", *names),
        rows=[
            [
                f"{group.reach.first * hours:g} – {group.reach.last * hours:g}",
                group.model,
                *(group.held_out.get(name, float("nan")) for name in names),
            ]
            for group in fitted.groups
        ],
        heads=2,
    )


def _scores_listing(scores: Sequence[Scores]) -> Listing:
    shown = ("mase", "mae", "wis", "coverage90")
    return Listing(
        caption="scores",
        columns=("horizon_h", "model", *shown),
        rows=[
            [
                f"{score.horizon_s / 3600:g}",
                f"{CHOSEN}: {score.used}" if score.model == CHOSEN else score.model,
                *(round(getattr(score, name), 3) for name in shown),
            ]
            for score in scores
        ],
        heads=2,
    )
