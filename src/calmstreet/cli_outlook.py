"""The verbs of the outlook: plain tables in, a table, a picture and a page out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from calmstreet.cli_upkeep import add_upkeep_verbs, node_nightly

__all__ = ["add_verbs"]

OutFile = Annotated[
    Path, typer.Option("--out", help="The table to write, .csv or .parquet; a page lies beside it.")
]
Lang = Annotated[str, typer.Option("--lang", help="Language of the page: en, ru, kk or uz.")]
TimeZone = Annotated[str, typer.Option("--tz", help="Zone of times without an offset.")]
Step = Annotated[
    str | None, typer.Option(help="Length of a step, such as 15min; found if not given.")
]
Zeros = Annotated[str, typer.Option(help="What 0 means: count, or missing.")]
Holidays = Annotated[
    str | None, typer.Option(help="Countries whose holidays count, ISO codes: KZ, UZ, US-MN.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def add_verbs(app: typer.Typer) -> None:
    """Add every verb of the outlook, and those of upkeep beside them, to the command line."""
    for verb in (forecast, anomalies, nightly, screen, study, risk, hotspots, place):
        app.command()(verb)
    add_upkeep_verbs(app)


def forecast(
    counts: Annotated[
        Path, typer.Argument(metavar="COUNTS", help="CSV or Parquet of series, or a result folder.")
    ],
    out: OutFile = Path("forecast.csv"),
    horizon: Annotated[str, typer.Option(help="How far: 15min, 24h, 7d.")] = "24h",
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Score it against the floors as well (minutes).")
    ] = False,
    folds: Annotated[int, typer.Option(help="How many times the backtest refits.")] = 4,
    tz: TimeZone = "UTC",
    step: Step = None,
    zeros: Zeros = "count",
    holidays: Holidays = None,
    outside: Annotated[
        str | None,
        typer.Option("--with", help="Other columns to look at, such as weather: temp,rain."),
    ] = None,
    hierarchy: Annotated[
        Path | None, typer.Option(help="Table series,parent: forecasts then add up.")
    ] = None,
    models: Annotated[
        str, typer.Option(help="Models beside the floors: lightgbm, mstl; floors for none.")
    ] = "lightgbm",
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Forecast every series with intervals; models are used only where they beat the floor."""
    from calmstreet.pipeline.outlook_forecast import ForecastRequest, forecast_counts
    from calmstreet.pipeline.progress import reporter

    _apart(out, counts)
    request = ForecastRequest(
        counts=counts,
        out=out,
        horizon=horizon,
        backtest=backtest,
        folds=folds,
        tz=tz,
        step=step or "",
        zeros=zeros,
        holidays=holidays or "",
        outside=_listed(outside),
        hierarchy=hierarchy,
        models=_listed(models),
        lang=lang,
    )
    _tell(forecast_counts(request, progress=reporter()), as_json=as_json)


def anomalies(
    counts: Annotated[
        Path, typer.Argument(metavar="COUNTS", help="CSV or Parquet of series, or a result folder.")
    ],
    out: OutFile = Path("anomalies.csv"),
    tz: TimeZone = "UTC",
    step: Step = None,
    zeros: Zeros = "count",
    holidays: Holidays = None,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Tell incidents from faults of the data, at most one false alarm a day and series."""
    from calmstreet.pipeline.outlook_anomalies import find_anomalies

    _apart(out, counts)
    done = find_anomalies(
        counts, out=out, tz=tz, step=step or "", zeros=zeros, holidays=holidays or "", lang=lang
    )
    _tell(done, as_json=as_json)


def nightly(
    counts: Annotated[
        Path | None,
        typer.Argument(metavar="[COUNTS]", help="CSV or Parquet of series, or a result folder."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="calmstreet.toml: the nightly work of a whole node."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that keeps forecasts and scores.")] = Path(
        "outlook"
    ),
    horizon: Annotated[str, typer.Option(help="How far: 15min, 24h, 7d.")] = "24h",
    tz: TimeZone = "UTC",
    holidays: Holidays = None,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Score the last forecasts, forecast every series anew, tell what was not expected.

    With --config: sum up and doubt the days of every live camera, remove what is too old, then
    do the same with each camera's counts.
    """
    from calmstreet.errors import InputError
    from calmstreet.pipeline.outlook_nightly import run_nightly
    from calmstreet.pipeline.progress import reporter

    if (counts is None) == (config is None):
        raise InputError("nightly wants either COUNTS or --config calmstreet.toml")
    if counts is None:
        node_nightly(config or Path(), lang=lang, as_json=as_json)
        return
    done = run_nightly(
        counts,
        out=out,
        horizon=horizon,
        tz=tz,
        holidays=holidays or "",
        lang=lang,
        progress=reporter(),
    )
    _tell(done, as_json=as_json)


def screen(
    sites: Annotated[Path, typer.Argument(metavar="SITES", help="CSV or Parquet of sites.")],
    out: OutFile = Path("screen.csv"),
    top: Annotated[int, typer.Option(help="How many sites to act on.")] = 10,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Scale borrowed predictions to these crashes.")
    ] = False,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Rank sites by the crashes above what sites like them have, by empirical Bayes."""
    from calmstreet.pipeline.outlook_sites import screen_sites

    _apart(out, sites)
    _tell(screen_sites(sites, out=out, top=top, calibrate=calibrate, lang=lang), as_json=as_json)


def study(
    before_after: Annotated[
        Path, typer.Argument(metavar="BEFORE_AFTER", help="CSV or Parquet of sites, two periods.")
    ],
    out: OutFile = Path("study.csv"),
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Say what a measure did, with regression to the mean taken out."""
    from calmstreet.pipeline.outlook_sites import study_measure

    _apart(out, before_after)
    _tell(study_measure(before_after, out=out, lang=lang), as_json=as_json)


def risk(
    conflicts: Annotated[Path, typer.Argument(metavar="CONFLICTS", help="conflicts.csv.")],
    exposure: Annotated[Path, typer.Option(help="How long was watched: hours, or counts.csv.")],
    out: OutFile = Path("risk.csv"),
    hours_per_year: Annotated[
        float, typer.Option(help="Hours of a year that are like those watched.")
    ] = 8760.0,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Say what near-misses tell of crashes: rates, relative risk, crashes only where allowed."""
    from calmstreet.pipeline.outlook_risk import risk_of_conflicts

    _apart(out, conflicts, exposure)
    done = risk_of_conflicts(
        conflicts, exposure=exposure, out=out, hours_a_year=hours_per_year, lang=lang
    )
    _tell(done, as_json=as_json)


def hotspots(
    points: Annotated[Path, typer.Argument(metavar="POINTS", help="CSV or Parquet of points.")],
    network: Annotated[Path, typer.Option(help="Streets, GeoJSON.")],
    out: OutFile = Path("hotspots.csv"),
    bandwidth: Annotated[float, typer.Option(help="Reach of a point along streets, m.")] = 200.0,
    within: Annotated[float, typer.Option(help="Farthest a point may lie off, m.")] = 30.0,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Spread points along the streets and find segments that chance does not make."""
    from calmstreet.pipeline.outlook_hotspots import find_hotspots

    _apart(out, points, network)
    done = find_hotspots(
        points, network=network, out=out, bandwidth_m=bandwidth, within_m=within, lang=lang
    )
    _tell(done, as_json=as_json)


def place(
    sites: Annotated[Path, typer.Argument(metavar="SITES", help="The answer of screen, or alike.")],
    out: OutFile = Path("place.csv"),
    aim: Annotated[str, typer.Option(help="teach (cameras) or save (measures).")] = "save",
    budget: Annotated[int | None, typer.Option(help="How many sites.")] = None,
    money: Annotated[float | None, typer.Option(help="How much money, by column cost.")] = None,
    radius: Annotated[
        float | None, typer.Option(help="How far a camera teaches about others, m.")
    ] = None,
    min_per_district: Annotated[int, typer.Option(help="Least sites in each district.")] = 0,
    life_years: Annotated[float, typer.Option(help="Years that a measure works.")] = 10.0,
    discount: Annotated[float, typer.Option(help="Discount a year, percent.")] = 3.0,
    seed: Annotated[int, typer.Option(help="Seed of all drawings.")] = 1,
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Choose where cameras teach most or measures save most, and say what fairness costs."""
    from calmstreet.pipeline.outlook_place import PlaceRequest, place_sites

    _apart(out, sites)
    request = PlaceRequest(
        sites=sites,
        out=out,
        aim=aim,
        budget=budget,
        money=money,
        radius_m=radius,
        min_per_district=min_per_district,
        life_years=life_years,
        discount_percent=discount,
        seed=seed,
        lang=lang,
    )
    _tell(place_sites(request), as_json=as_json)


def _apart(out: Path, *inputs: Path) -> None:
    """Raise InputError where the answer would replace what was handed in."""
    from calmstreet.errors import InputError

    if any(out.resolve() == given.resolve() for given in inputs):
        raise InputError(f"--out {out} is the table handed in; choose another name")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _tell(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_finite(summary), ensure_ascii=False, indent=2))
        return
    from calmstreet.pipeline.outlook_wording import sentences

    for line in sentences(summary):
        typer.echo(line)


def _finite(value: Any) -> Any:
    """Return a value with null for what is not a number, which JSON cannot say."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
