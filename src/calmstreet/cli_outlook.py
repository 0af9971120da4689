"""The verbs of the outlook: plain tables in, a table, a picture and a page out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["add_verbs"]

OutFile = Annotated[
    Path, typer.Option("--out", help="The table to write, .csv or .parquet; a page lies beside it.")
]
Lang = Annotated[str, typer.Option("--lang", help="Language of the page: en, ru, kk or uz.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def add_verbs(app: typer.Typer) -> None:
    """Add every verb of the outlook to the command line."""
    for verb in (screen, study):
        app.command()(verb)


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

    _tell(study_measure(before_after, out=out, lang=lang), as_json=as_json)


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
