"""The verbs that look after stored results: check, and the node's nightly."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from calmstreet.errors import InputError

__all__ = ["add_upkeep_verbs", "node_nightly"]

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="calmstreet.toml: all its live cameras.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]

_SHOWN = 20


def add_upkeep_verbs(app: typer.Typer) -> None:
    """Add the verbs of upkeep to the command line."""
    app.command()(check)


def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Result folder; or give --config.")
    ] = None,
    config: Config = None,
    level: Annotated[
        str, typer.Option(help="presence, size or hash: how closely to look.")
    ] = "size",
    forget_missing: Annotated[
        bool,
        typer.Option("--forget-missing", help="Give up files that are lost: drop their rows."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare result folders with their catalogues: files missing, changed, unknown, left over.

    Nothing is changed unless told so. The exit code is 1 where something is wrong.
    """
    from calmstreet.pipeline.upkeep import LEVELS, check_folders

    if level not in LEVELS:
        raise InputError(f"--level {level} is none of {', '.join(LEVELS)}")
    found = check_folders(_folders(folder, config), level=level, forget=forget_missing)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for name, checked in found.items():
            _tell(name, checked)
    if any(checked["faults"] for checked in found.values()):
        raise typer.Exit(1)


def _folders(folder: Path | None, config: Path | None) -> dict[str, Path]:
    from calmstreet.pipeline.upkeep import node_result_folders

    if (folder is None) == (config is None):
        raise InputError("check wants either a result folder or --config calmstreet.toml")
    return {str(folder): folder} if folder else node_result_folders(config or Path())


def _tell(name: str, checked: dict[str, Any]) -> None:
    faults = checked["faults"]
    wrong = f"{len(faults)} wrong" if faults else "all in order"
    writing = "; it is being written, what is on its way was passed over"
    typer.echo(
        f"{name}: files {checked['files']}, {checked['size_bytes'] / 1e6:.1f} MB, looked at "
        f"{checked['level']}: {wrong}{writing if checked['written'] else ''}"
    )
    if checked["forgotten"]:
        typer.echo(f"  files given up: {checked['forgotten']}")
    for fault in faults[:_SHOWN]:
        note = f": {fault['note']}" if fault["note"] else ""
        typer.echo(f"  {fault['kind']} {fault['path']}{note}")
    if len(faults) > _SHOWN:
        typer.echo(f"  and {len(faults) - _SHOWN} more; --json lists them all")


def node_nightly(config: Path, *, lang: str, as_json: bool) -> None:
    """Do a node's nightly work and tell what came of it; exit code 1 where a camera failed."""
    from calmstreet.clock import SystemClock
    from calmstreet.pipeline.nightly import run_node_nightly
    from calmstreet.pipeline.progress import reporter

    done = run_node_nightly(config, clock=SystemClock(), lang=lang, progress=reporter())
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False, indent=2))
    else:
        _tell_night(done)
    if done["faults"]:
        raise typer.Exit(1)


def _tell_night(done: dict[str, Any]) -> None:
    for camera_id, camera in done["cameras"].items():
        waiting = f"; {camera['waiting']} runs wait to be judged" if camera["waiting"] else ""
        typer.echo(f"{camera_id}: {len(camera['days'])} whole days{waiting}")
        for day in camera["days"][-1:]:
            typer.echo(
                f"  {day['date']}: watched {day['watched_s'] / 3600:.2f} h, gaps "
                f"{day['gap_s'] / 3600:.2f} h, unaccounted {day['unaccounted_s']:.0f} s"
            )
            for flag in day["flags"]:
                typer.echo(f"  {flag['flag']} {flag.get('what', '')} {flag.get('value', '')}")
        _tell_outlook(camera.get("outlook", {}))
    _tell_freed(done["retention"])
    for fault in done["faults"]:
        typer.echo(f"calmstreet: {fault}", err=True)


def _tell_outlook(outlook: dict[str, Any]) -> None:
    if "not_yet" in outlook:
        typer.echo(f"  no outlook yet: {outlook['not_yet']}")
    elif outlook:
        alarms = len(outlook["alarms_of_the_last_day"])
        typer.echo(
            f"  {outlook['series']} series forecast from {outlook['issued']}, of the last day "
            f"{alarms} not expected: {Path(outlook['files'][0]).parent}"
        )


def _tell_freed(freed: dict[str, Any]) -> None:
    typer.echo(f"removed by age and budget: {freed['files']} files")
    if freed["short_bytes"]:
        typer.echo(f"over the disk budget by {freed['short_bytes'] / 1e6:.0f} MB of what is kept")
