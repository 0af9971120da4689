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


def _forecast(s: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{s['series']} series, {s['steps']} steps of {s['step_s'] / 60:g} min, "
        f"{100 * s['missing_share']:.1f} % missing; {s['horizon_steps']} steps ahead"
    )
    yield from _repairs(s)
    if not s["lightgbm"]:
        yield "only the floors: for models install pip install 'calmstreet[forecast]'"
    for group in s["models"]:
        yield f"  {_span(group['from_s'])} to {_span(group['to_s'])}: {group['model']}"
    for row in s["scores"]:
        name = f"chosen ({row['used']})" if row["model"] == "chosen" else row["model"]
        yield (
            f"  scored {_span(row['horizon_s'])} {name}: MASE {row['mase']:.3f}, "
            f"MAE {row['mae']:.2f}, WIS {row['wis']:.2f}, 90 % held {100 * row['coverage90']:.1f} %"
        )
    if s["short"]:
        yield f"fewer than four values, hardly a forecast: {', '.join(s['short'][:5])}"
    if s["unknown_rows"]:
        yield f"{s['unknown_rows']} forecasts are unknown: nothing of their past was watched"


def _span(duration_s: float) -> str:
    """Return a horizon in minutes or hours.

    >>> _span(900.0), _span(86_400.0)
    ('15 min', '24 h')
    """
    return f"{duration_s / 60:g} min" if duration_s < 3600 else f"{duration_s / 3600:g} h"


def _anomalies(s: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{s['series']} series, {s['watched_series_days']:.1f} days watched: {s['incidents']} "
        f"incidents, {s['data_faults']} faults of the data"
    )
    if s["averaged"]:
        yield f"irregular times were averaged over {s['step_s'] / 60:g} min"
    yield from _repairs(s)
    for row in s["first"][:10]:
        yield f"  {row['start']} {row['series']}: {row['kind']}, {row['what']}{_seen(row)}"


def _seen(row: Mapping[str, Any]) -> str:
    """Return what was seen and expected, as far as either is known.

    >>> nan = float("nan")
    >>> _seen({"observed": nan, "expected": nan, "end": "10:00"})
    ' until 10:00'
    >>> _seen({"observed": 2.0, "expected": nan, "end": ""}), _seen({"observed": 2, "expected": 9})
    (', 2', ', 2 where 9 was expected')
    """
    if row["observed"] != row["observed"]:
        return f" until {row['end']}"
    if row["expected"] != row["expected"]:
        return f", {row['observed']:g}"
    return f", {row['observed']:g} where {row['expected']:g} was expected"


_REPAIRS = {
    "negative": "negative values, taken as missing",
    "infinite": "infinite values, taken as missing",
    "zero": "zeros, taken as missing as asked",
    "unwatched": "rows watched for less than 80 %, taken as missing",
    "repeated": "rows that stand twice, read once",
    "contradicted": "steps with two different values for one time, taken as missing",
    "skipped_hour": "rows of an hour that summer time skips, left out",
    "averaged": "steps with several times, averaged",
}


def _repairs(s: Mapping[str, Any]) -> Iterator[str]:
    for reason, rows in s["repairs"].items():
        yield f"  {rows} {_REPAIRS[reason]}"


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


def _risk(s: Mapping[str, Any]) -> Iterator[str]:
    yield f"{s['pairs']} pairs in {s['hours']:g} hours watched"
    for row in s["rows"]:
        head = (
            f"  {row['group']}, {row['type']}: {row['excesses']} below {row['threshold_s']:g} s, "
            f"{row['rate_per_h']:.3g} an hour ({row['rate_low']:.3g} to {row['rate_high']:.3g})"
        )
        if row["relative_risk"] == row["relative_risk"]:
            head += (
                f", {row['relative_risk']:.2f} times the others "
                f"({row['relative_low']:.2f} to {row['relative_high']:.2f})"
            )
        yield f"{head}: {_risk_verdict(row)}"


def _risk_verdict(row: Mapping[str, Any]) -> str:
    if row["verdict"] == "crashes":
        return (
            f"{row['crashes_per_year']:.3g} crashes a year "
            f"({row['crashes_low']:.3g} to {row['crashes_high']:.3g})"
        )
    if row["verdict"] == "unstable":
        return f"unstable ({row['reasons'].replace(';', ', ')}); no crash number"
    return f"not enough for a crash number: about {row['more_days']:.0f} more days"


def _hotspots(s: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{s['points']} points on {s['segments']} segments ({s['street_km']:.2f} km), "
        f"{s['off_streets']} off the streets: {s['hot_segments']} hot segments"
    )
    if not s["enough"]:
        yield "too few segments for a test: the density alone is shown"
    for row in s["first"][:5]:
        yield (
            f"  {row['segment']} {row['name']}: {row['density_per_km']:.2f} per km, "
            f"z {row['z']:.2f}, adjusted p {row['p_adjusted']:.3g}"
        )


def _place(s: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{len(s['chosen'])} of {s['sites']} sites: {', '.join(s['chosen'][:12])}"
        f"{' …' if len(s['chosen']) > 12 else ''}"
    )
    yield (
        f"gain {s['gain']:.4g}; least numbers for districts cost {s['price_of_fairness']:.4g} of "
        f"{s['gain_unbound']:.4g}"
    )
    for key in s["warnings"]:
        yield f"  {_PLACE_WARNINGS[key]}"


_PLACE_WARNINGS = {
    "cmf_assumed": "no column cmf: 0.85 (0.65 to 1.0) was assumed; give one with sd and source",
    "no_crash_cost": "no column crash_cost: gains are crashes, not money",
    "no_source": "some cmf have no cmf_source; name where they come from",
    "cmf_one": "a cmf of 1 saves nothing: a measuring camera informs",
    "no_radius": "without --radius a camera teaches about its own site alone",
}


def _nightly(s: Mapping[str, Any]) -> Iterator[str]:
    yield f"{s['series']} series forecast from {s['issued']}"
    for name, reason in list(s["fallback"].items())[:10]:
        yield f"  {name} is left to the floors tonight: {_FALLBACKS[reason]}"
    for row in s["scored"][-3:]:
        yield (
            f"  issued {row['issued']}: error {row['mae']:.3g}, last week's value "
            f"{row['naive_mae']:.3g}, 90 % held {100 * row['coverage90']:.1f} %"
        )
    for row in s["alarms_of_the_last_day"]:
        yield f"  {row['start']} {row['series']}: {row['kind']}, {row['what']}"


_FALLBACKS = {
    "errors": "over the last nights its model erred more than last week's value",
    "coverage": "over the last nights its 90 % intervals held less than 80 or more than 98 %",
}

_WORDING: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "forecast": _forecast,
    "anomalies": _anomalies,
    "nightly": _nightly,
    "screen": _screen,
    "study": _study,
    "risk": _risk,
    "hotspots": _hotspots,
    "place": _place,
}
