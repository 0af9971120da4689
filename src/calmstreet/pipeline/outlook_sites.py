"""`screen` and `study`: tables of sites in, empirical Bayes estimates out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.forecast.screening import (
    Screened,
    SpfFit,
    eb_estimate,
    fit_spf,
    level_of_service,
    top_share,
)
from calmstreet.forecast.study import Effect, comparison_ratio, effect_of
from calmstreet.pipeline.outlook_out import told
from calmstreet.pipeline.outlook_tables import Table, read_table
from calmstreet.report.outlook import Finding, Listing, Note
from calmstreet.report.outlook_charts import screen_chart, study_chart
from calmstreet.report.texts import texts

__all__ = ["SCREEN_COLUMNS", "STUDY_COLUMNS", "screen_sites", "study_measure"]

Floats = NDArray[np.float64]
SCREEN_COLUMNS = (
    "site", "expected", "variance", "weight", "excess", "rank", "p_top", "level",
    "observed", "predicted", "k", "flag",
)  # fmt: skip
STUDY_COLUMNS = ("measure", "value", "low", "high", "meaning")
_TRAFFIC = ("aadt", "aadt_major", "aadt_minor")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Prior:
    """What sites like each site have: predicted crashes, k, and how these came about."""

    predicted: Floats
    k: Floats
    fit: SpfFit | None
    notes: list[Note]


def screen_sites(
    path: Path, *, out: Path, top: int = 10, lang: str = "en", calibrate: bool = False
) -> dict[str, Any]:
    """Rank the sites of a table by excess crashes and write table, picture and page.

    ``calibrate`` scales borrowed predictions to the sum of the crashes observed. Raises InputError
    or FormatError with one sentence.
    """
    if top < 1:
        raise InputError(f"--top is {top}; it must be 1 or more")
    table = read_table(path)
    sites, observed = table.names("site"), table.numbers("observed", low=0)
    prior = _prior(table, observed, calibrate=calibrate)
    found = eb_estimate(observed, predicted=prior.predicted, dispersion=prior.k)
    share = top_share(found, predicted=prior.predicted, top=top)
    level = level_of_service(found.expected, predicted=prior.predicted, dispersion=prior.k)
    order = np.argsort(-found.excess, kind="stable")
    rank = np.empty(len(sites), int)
    rank[order] = np.arange(1, len(sites) + 1)
    flag = _screen_flags(prior)
    columns: dict[str, Any] = dict(
        zip(
            SCREEN_COLUMNS,
            (sites, found.expected, found.variance, found.weight, found.excess, rank, share,
             level, observed, prior.predicted, prior.k, [flag] * len(sites)),
            strict=True,
        )
    )  # fmt: skip
    rows = {name: [list(column)[i] for i in order] for name, column in columns.items()}
    finding = _screen_finding(table, rows, found, prior, top=top, lang=lang)
    summary = _screen_summary(table, rows, prior, top=top)
    return told(summary, out=out, columns=rows, finding=finding, lang=lang)


def _prior(table: Table, observed: Floats, *, calibrate: bool) -> _Prior:
    if table.has("predicted", "k"):
        return _borrowed(table, observed, calibrate=calibrate)
    features = _features(table)
    if not features:
        raise FormatError(
            f"{table.source} has neither predicted and k nor traffic (aadt, or aadt_major and "
            "aadt_minor) with years and length_km; add either"
        )
    years = table.numbers("years", low=0, default=1.0)
    shift = np.log(_above(table, "years", years))
    per_km = table.has("length_km")
    if per_km:
        shift = shift + np.log(_above(table, "length_km", table.numbers("length_km", low=0)))
    fit = fit_spf(observed, features=dict(features), offset=shift)
    key = "fitted" if fit.enough else "fitted_thin"
    values = {"sites": len(table), "crashes": float(observed.sum()), "k": round(fit.dispersion, 3)}
    return _Prior(
        predicted=fit.predicted,
        k=np.full(len(table), fit.dispersion),
        fit=fit,
        notes=[Note(key=key, values=values)],
    )


def _borrowed(table: Table, observed: Floats, *, calibrate: bool) -> _Prior:
    predicted = _above(table, "predicted", table.numbers("predicted", low=0))
    notes = [Note(key="borrowed")]
    if calibrate:
        factor = float(observed.sum() / predicted.sum())
        if factor <= 0:
            raise InputError("--calibrate needs crashes; none is observed at any site")
        predicted = predicted * factor
        notes.append(Note(key="calibrated", values={"factor": round(factor, 3)}))
    return _Prior(predicted=predicted, k=table.numbers("k", low=0), fit=None, notes=notes)


def _features(table: Table) -> dict[str, Floats]:
    names = [name for name in _TRAFFIC if table.has(name)]
    return {
        f"log_{name}": np.log(_above(table, name, table.numbers(name, low=0))) for name in names
    }


def _above(table: Table, name: str, values: Floats) -> Floats:
    bad = np.flatnonzero(~(values > 0))
    if len(bad):
        raise FormatError(f"{table.source} line {bad[0] + 2}: {name} must be above 0")
    return values


def _screen_flags(prior: _Prior) -> str:
    if prior.fit is None:
        return "calibrated" if len(prior.notes) > 1 else ""
    return "fitted" if prior.fit.enough else "fitted;indicative"


def _screen_summary(
    table: Table, rows: Mapping[str, Sequence[Any]], prior: _Prior, *, top: int
) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "verb": "screen",
        "source": table.source,
        "sites": len(table),
        "observed": float(np.sum(rows["observed"])),
        "expected": float(np.sum(rows["expected"])),
        "predicted": float(np.sum(rows["predicted"])),
        "top": min(top, len(table)),
        "excess_of_top": float(np.sum(rows["excess"][:top])),
        "first": [
            {name: _plain(rows[name][i]) for name in SCREEN_COLUMNS}
            for i in range(min(top, len(table)))
        ],
    }
    if prior.fit is not None:
        fit = prior.fit
        summary["spf"] = {
            "coefficients": dict(zip(fit.names, fit.coefficients.tolist(), strict=True)),
            "sd": dict(zip(fit.names, fit.sd.tolist(), strict=True)),
            "k": fit.dispersion,
            "k_sd": fit.dispersion_sd,
            "enough": fit.enough,
        }
    return summary


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _screen_finding(
    table: Table,
    rows: Mapping[str, Sequence[Any]],
    found: Screened,
    prior: _Prior,
    *,
    top: int,
    lang: str,
) -> Finding:
    shown = ("site", "observed", "predicted", "expected", "excess", "p_top", "level")
    chart = screen_chart(rows, top=top, texts=texts(lang))
    thin = [note for note in prior.notes if note.key == "fitted_thin"]
    return Finding(
        verb="screen",
        source=table.source,
        cards=(
            ("sites", len(table)),
            ("observed", float(np.sum(rows["observed"]))),
            ("expected", float(found.expected.sum())),
            ("excess_top", float(np.sum(rows["excess"][:top]))),
        ),
        listings=(
            Listing(
                caption="screen",
                columns=shown,
                rows=[[_plain(rows[n][i]) for n in shown] for i in range(min(top, len(table)))],
            ),
        ),
        charts={"chart_screen": chart},
        warnings=thin,
        notes=[
            *(note for note in prior.notes if note not in thin),
            Note(key="eb"),
            Note(key="rank"),
            Note(key="p_top", values={"top": top}),
        ],
    )


def study_measure(path: Path, *, out: Path, lang: str = "en") -> dict[str, Any]:
    """Say what a measure did from a before/after table and write table, picture and page.

    Rows: ``site, group`` (treated or comparison), ``before, after``, and for treated sites
    ``predicted_before, predicted_after, k`` over the same years as the counts. Without
    predictions, but with at least ten comparison sites, these give mean and spread (said so).
    """
    table = read_table(path)
    treated, comparison = _groups(table)
    if not treated.any():
        raise FormatError(f"{table.source} names no treated site; write treated in column group")
    before, after = table.numbers("before", low=0), table.numbers("after", low=0)
    effect, notes = _effect(table, before, after, treated, comparison)
    summary = {
        "verb": "study",
        "source": table.source,
        "treated_sites": int(treated.sum()),
        "comparison_sites": int(comparison.sum()),
        **_as_numbers(effect),
        "verdict": _verdict(effect),
        "notes": [note.key for note in notes],
    }
    columns = _study_rows(effect)
    finding = _study_finding(table, effect, notes, columns, lang=lang)
    return told(summary, out=out, columns=columns, finding=finding, lang=lang)


def _groups(table: Table) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    table.names("site")
    if not table.has("group"):
        return np.ones(len(table), bool), np.zeros(len(table), bool)
    words = np.array([word.strip().lower() for word in table.words("group")])
    treated, comparison = words == "treated", words == "comparison"
    odd = np.flatnonzero(~treated & ~comparison)
    if len(odd):
        raise FormatError(
            f"{table.source} line {odd[0] + 2}: group {words[odd[0]]!r} is neither treated nor "
            "comparison"
        )
    return treated, comparison


def _effect(
    table: Table,
    before: Floats,
    after: Floats,
    treated: NDArray[np.bool_],
    comparison: NDArray[np.bool_],
) -> tuple[Effect, list[Note]]:
    notes = []
    trend, trend_variance = 1.0, 0.0
    ratio = _traffic_ratio(table)
    if comparison.any():
        trend, trend_variance = comparison_ratio(
            float(before[comparison].sum()), after=float(after[comparison].sum())
        )
        notes.append(
            Note(
                key="comparison", values={"sites": int(comparison.sum()), "ratio": round(trend, 3)}
            )
        )
    if table.has("predicted_before", "k"):
        mean = table.numbers("predicted_before", low=0, empty=True)
        later = (
            table.numbers("predicted_after", low=0, empty=True)
            if table.has("predicted_after")
            else mean * ratio
        )
        k = table.numbers("k", low=0, empty=True)
        _complete(table, treated, {"predicted_before": mean, "predicted_after": later, "k": k})
        if comparison.any():
            trend, trend_variance = _beyond_model(trend, trend_variance, mean, later, comparison)
    else:
        mean, k = _from_comparison(table, before, comparison)
        later = mean * ratio
        notes.append(Note(key="mean_from_comparison", values={"k": round(float(k[0]), 3)}))
    mine = treated
    return effect_of(
        before[mine],
        after=after[mine],
        predicted_before=mean[mine],
        predicted_after=later[mine],
        dispersion=k[mine],
        trend=trend,
        trend_variance=trend_variance,
    ), notes


def _beyond_model(
    trend: float, variance: float, mean: Floats, later: Floats, comparison: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return what the comparison group did beyond its own predictions, where it has any."""
    was, came = float(np.nansum(mean[comparison])), float(np.nansum(later[comparison]))
    if was <= 0 or came <= 0:
        return trend, variance
    share = came / was
    return trend / share, variance / share**2


def _traffic_ratio(table: Table) -> Floats:
    if not table.has("traffic_before", "traffic_after"):
        return np.ones(len(table))
    was = _above(table, "traffic_before", table.numbers("traffic_before", low=0))
    return table.numbers("traffic_after", low=0) / was


def _complete(table: Table, treated: NDArray[np.bool_], columns: Mapping[str, Floats]) -> None:
    for name, values in columns.items():
        lacking = np.flatnonzero(treated & ~(values > 0 if name != "k" else values >= 0))
        if len(lacking):
            raise FormatError(
                f"{table.source} line {lacking[0] + 2}: {name} of a treated site must be above 0"
            )


def _from_comparison(
    table: Table, before: Floats, comparison: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return mean and k of sites like the treated ones, from counts before (method of moments)."""
    counted = before[comparison]
    if len(counted) < 10:
        raise FormatError(
            f"{table.source} has neither predicted_before, predicted_after and k nor ten "
            "comparison sites; without either regression to the mean cannot be told from an effect"
        )
    mean, variance = float(counted.mean()), float(counted.var(ddof=1))
    if mean <= 0:
        raise InputError("the comparison sites had no crash before; choose a larger group")
    k = max((variance - mean) / mean**2, 0.0)
    return np.full(len(before), mean), np.full(len(before), k)


def _as_numbers(effect: Effect) -> dict[str, float]:
    return {name: float(getattr(effect, name)) for name in Effect.__slots__}


def _verdict(effect: Effect) -> str:
    if effect.high < 1:
        return "fewer"
    return "more" if effect.low > 1 else "unclear"


def _study_rows(effect: Effect) -> dict[str, list[Any]]:
    nan = float("nan")
    sd = effect.expected_variance**0.5
    rows = [
        ("theta", effect.theta, effect.low, effect.high, "effect with regression to the mean out"),
        ("theta_sd", effect.sd, nan, nan, "standard deviation of theta"),
        ("naive", effect.naive, nan, nan, "after over before, without any care"),
        ("mean_alone", effect.mean_alone, nan, nan, "as it would be without the measure"),
        ("before", effect.before, nan, nan, "crashes before"),
        ("after", effect.after, nan, nan, "crashes after"),
        ("expected", effect.expected, effect.expected - 1.96 * sd, effect.expected + 1.96 * sd,
         "crashes to expect after without the measure"),
    ]  # fmt: skip
    return {name: [row[i] for row in rows] for i, name in enumerate(STUDY_COLUMNS)}


def _study_finding(
    table: Table,
    effect: Effect,
    notes: Sequence[Note],
    columns: Mapping[str, Sequence[Any]],
    *,
    lang: str,
) -> Finding:
    words = texts(lang)
    rows = [[columns[n][i] for n in STUDY_COLUMNS[:4]] for i in range(len(columns["measure"]))]
    return Finding(
        verb="study",
        source=table.source,
        cards=(
            ("theta", effect.theta),
            ("theta_interval", " – ".join(words.number(x, 2) for x in (effect.low, effect.high))),
            ("mean_alone", effect.mean_alone),
            ("verdict", _verdict(effect)),
        ),
        listings=(Listing(caption="study", columns=STUDY_COLUMNS[:4], rows=rows),),
        charts={"chart_study": study_chart(_as_numbers(effect), texts=words)},
        warnings=[note for note in notes if note.key == "mean_from_comparison"],
        notes=[*(n for n in notes if n.key != "mean_from_comparison"), Note(key="study")],
    )
