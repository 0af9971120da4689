"""The command line: one verb per job, one clear sentence per fault (exit code 2)."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from calmstreet import __version__
from calmstreet.cli_desk import ask_every_page, demo_node, serve
from calmstreet.cli_live import add_live_verbs
from calmstreet.cli_outlook import add_verbs
from calmstreet.errors import CalmstreetError

__all__ = ["app", "main"]

app = typer.Typer(
    name="calmstreet",
    help="Road safety from street cameras, offline, with nobody identified.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Kept(StrEnum):
    """How much blurred video to keep."""

    MINUTE = "60s"
    FULL = "full"
    NONE = "none"


class Language(StrEnum):
    """Languages of reports."""

    EN = "en"
    RU = "ru"
    KK = "kk"
    UZ = "uz"


class Format(StrEnum):
    """Formats of exported road users."""

    MOT = "mot"
    CSV = "csv"
    PARQUET = "parquet"
    GEOJSON = "geojson"


SiteFile = Annotated[Path | None, typer.Option("--site", help="SITE.toml with gates and zones.")]
OutDir = Annotated[Path, typer.Option("--out", help="Folder of the result.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"calmstreet {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Road safety from street cameras, offline, with nobody identified."""


@app.command()
def analyse(
    videos: Annotated[list[Path], typer.Argument(help="Video files or folders of one camera.")],
    out: OutDir,
    site: SiteFile = None,
    camera: Annotated[
        str | None, typer.Option(help="Which camera of the site, when it has several.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="When the first picture was taken, ISO 8601.")
    ] = None,
    video: Annotated[Kept, typer.Option(help="How much blurred video to keep.")] = Kept.MINUTE,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.EN,
    analysed_fps: Annotated[float, typer.Option(help="Pictures looked at per second.")] = 10.0,
    net_every: Annotated[int, typer.Option(help="The net looks at every N-th of them.")] = 2,
    detector: Annotated[
        str, typer.Option(help="nanodet, motion, or onnx:PATH for a net of your own.")
    ] = "nanodet",
    as_json: Json = False,
) -> None:
    """Find, follow and count the road users of a video."""
    from calmstreet.pipeline.analyse import Request, analyse_videos

    request = Request(
        videos=tuple(videos),
        out=out,
        site=site,
        camera=camera,
        start=start,
        video=video.value,
        lang=lang.value,
        analysed_fps=analysed_fps,
        net_every=net_every,
        detector=detector,
    )
    with _interruptible():
        summary = analyse_videos(request, progress=_progress())
    _tell(summary, as_json=as_json, out=out)
    if summary.get("state") == "interrupted":
        raise typer.Exit(130)


@app.command()
def site(
    site_file: Annotated[Path, typer.Argument(metavar="SITE.toml")],
    video: Annotated[Path, typer.Option(help="A video of the camera.")],
    out: Annotated[Path, typer.Option(help="The picture to write, PNG.")],
    camera: Annotated[str | None, typer.Option(help="Which camera of the site.")] = None,
) -> None:
    """Draw gates, movements, zones, masks and lamps; name gates nobody can cross."""
    from calmstreet.pipeline.siteplan import draw_site_plan

    for sentence in draw_site_plan(site_file, video=video, out=out, camera=camera):
        typer.echo(sentence)


@app.command()
def calibrate(
    points: Annotated[
        Path, typer.Option(help="CSV with x_px, y_px and lon, lat or x_m, y_m; or .otrfpts.")
    ],
    frame: Annotated[Path, typer.Option(help="A video of the camera, or a PNG of its size.")],
    check_lengths: Annotated[
        Path | None, typer.Option(help="CSV with ax_px, ay_px, bx_px, by_px, length_m.")
    ] = None,
    camera: Annotated[str, typer.Option(help="Id of the camera in the block.")] = "camera",
    k1: Annotated[float, typer.Option(help="Radial distortion of the lens, as in OpenCV.")] = 0.0,
    focal_px: Annotated[
        float | None, typer.Option(help="Focal length in pixels that k1 belongs to.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A picture to write, PNG: the metric grid and the points.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn measured points into a plane; say how good it is and which point to add."""
    from calmstreet.errors import CalibrationError
    from calmstreet.pipeline.calibrate import CalibrateRequest, calibrate_camera

    request = CalibrateRequest(
        points=points,
        frame=frame,
        check_lengths=check_lengths,
        camera=camera,
        k1=k1,
        focal_px=float("nan") if focal_px is None else focal_px,
        out=out,
    )
    result = calibrate_camera(request)
    if as_json:
        typer.echo(json.dumps(result.report, ensure_ascii=False, indent=2))
    else:
        for line in result.lines:
            typer.echo(line)
    if result.refused:
        raise CalibrationError(result.refused)


@app.command()
def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result of analyse.")],
    counts: Annotated[bool, typer.Option("--counts", help="Audit the counts.")] = False,
    clips: Annotated[int, typer.Option(help="One-minute clips to draw.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
    hand: Annotated[
        Path | None, typer.Option(help="The CSV that was written, filled in by hand.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Audit the events of this rule.")] = None,
    events: Annotated[int, typer.Option(help="Events and candidates to draw.")] = 50,
    spells: Annotated[int, typer.Option(help="Ten-minute spells to watch fully.")] = 6,
    desk: Annotated[bool, typer.Option("--desk", help="Score by verdicts of the desk.")] = False,
    as_json: Json = False,
) -> None:
    """Draw blurred clips to count, or events to judge, then say how wrong we are."""
    from calmstreet.errors import InputError
    from calmstreet.pipeline.audit import draw_clips, score_counts
    from calmstreet.pipeline.rule_audit import draw_events, score_events

    if counts == (rule is not None) or (counts and desk):
        raise InputError("audit needs to know what: write either --counts or --rule NAME")
    if rule is not None and hand is None and not desk:
        result = draw_events(folder, rule=rule, events=events, spells=spells, seed=seed)
    elif rule is not None:
        result = score_events(folder, rule=rule, hand=hand)
    elif hand is None:
        result = draw_clips(folder, clips=clips, seed=seed, progress=_progress())
    else:
        result = score_counts(folder, hand=hand)
    _print(result, as_json=as_json)


@app.command(name="verify-speed")
def verify_speed(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result of analyse.")],
    reference: Annotated[
        Path, typer.Option(help="CSV of a radar (time,gate,speed_kmh) or a drive (time,lon,lat).")
    ],
    window: Annotated[float, typer.Option(help="Seconds apart at most to be one passage.")] = 2.0,
    as_json: Json = False,
) -> None:
    """Compare speeds with a radar or a drive with GPS; keep bias and spread in the report."""
    from calmstreet.pipeline.verifying import verify_speed as verify

    result = verify(folder, reference=reference, window_s=window)
    _print(result, as_json=as_json)


@app.command(name="export")
def export_points(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result of analyse.")],
    form: Annotated[Format, typer.Option("--format", help="Format of the file.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    smoothed: Annotated[
        bool, typer.Option("--smoothed", help="Metres smoothed from both ends of each track.")
    ] = False,
) -> None:
    """Write the road users of a result in an open format."""
    from calmstreet.pipeline.exchange import export_result

    typer.echo(export_result(folder, form=form.value, out=out, smoothed=smoothed))


@app.command(name="import")
def import_points(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="MOT CSV or our Parquet.")],
    site: Annotated[Path, typer.Option("--site", help="SITE.toml with gates and zones.")],
    out: OutDir,
    fps: Annotated[float | None, typer.Option(help="Frames per second of a MOT file.")] = None,
    size: Annotated[
        str | None, typer.Option(help="Picture size of a MOT file, as 768x576.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="Time of frame 1, ISO 8601.")] = None,
    camera: Annotated[str | None, typer.Option(help="Which camera of the site.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.EN,
    as_json: Json = False,
) -> None:
    """Count road users that another program found."""
    from calmstreet.pipeline.exchange import ImportRequest, import_file

    request = ImportRequest(
        file=file,
        site=site,
        out=out,
        fps=fps,
        size=size,
        start=start,
        camera=camera,
        lang=lang.value,
    )
    _tell(import_file(request), as_json=as_json, out=out)


@app.command()
def replay(
    trajectories: Annotated[
        Path, typer.Argument(help="SUMO FCD, our points, MOT CSV, or a result folder.")
    ],
    site: Annotated[Path, typer.Option("--site", help="SITE.toml, in metres or pixels.")],
    out: OutDir,
    signals: Annotated[
        Path | None, typer.Option(help="States of signals: CSV, tlsState XML, event log.")
    ] = None,
    routes: Annotated[
        Path | None, typer.Option(help="SUMO route file with the sizes of vehicle types.")
    ] = None,
    clock_offset_s: Annotated[
        float | None, typer.Option(help="Added to the times of the signals, seconds.")
    ] = None,
    clock_sigma_s: Annotated[
        float | None, typer.Option(help="Standard uncertainty of that clock, seconds.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="Time of second 0, ISO 8601.")] = None,
    camera: Annotated[str | None, typer.Option(help="Which camera of the site.")] = None,
    fps: Annotated[float, typer.Option(help="Frames per second of a MOT file.")] = 25.0,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.EN,
    as_json: Json = False,
) -> None:
    """Judge any trajectories by the same rules as a video."""
    from calmstreet.pipeline.replay import ReplayRequest
    from calmstreet.pipeline.replay import replay as run_replay

    request = ReplayRequest(
        trajectories=trajectories,
        site=site,
        out=out,
        signals=signals,
        routes=routes,
        clock_offset_s=clock_offset_s,
        clock_sigma_s=clock_sigma_s,
        start=start,
        camera=camera,
        fps=fps,
        lang=lang.value,
    )
    _tell(run_replay(request, progress=_progress()), as_json=as_json, out=out)


@app.command()
def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A result folder.")],
    event_id: Annotated[str, typer.Argument(metavar="EVENT_ID", help="As in events.csv.")],
    out: Annotated[Path | None, typer.Option(help="The picture to write, SVG.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the text.")] = Language.EN,
    as_json: Json = False,
) -> None:
    """Print and draw all that decided an event, from its evidence alone."""
    from calmstreet.pipeline.explaining import explain_event

    _print(explain_event(folder, event_id, out=out, lang=lang.value), as_json=as_json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the result.")] = Path("demo"),
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.EN,
    clip: Annotated[
        Path | None, typer.Option(help="A real clip to analyse as well, with its own result.")
    ] = None,
) -> None:
    """Render a street, analyse it offline, print counts beside the truth, open the desk.

    On a terminal the desk stays open; elsewhere every page of it is asked once.
    """
    from calmstreet.pipeline.demo import run_demo

    for line in run_demo(out, lang=lang.value, clip=clip, progress=_progress()):
        typer.echo(line)
    config = demo_node(out, lang.value)
    if sys.stdin.isatty() and sys.stdout.isatty():
        serve(config=config, port=0)
    else:
        ask_every_page(config)


app.command()(serve)
add_verbs(app)
add_live_verbs(app)


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("calmstreet: interrupted; what was stored before stays as it was", err=True)
        raise typer.Exit(130) from None


def _progress() -> Any:
    """Return the reporter of long work; on standard error, so that --json stays clean."""
    from calmstreet.pipeline.progress import reporter

    return reporter()


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    typer.echo(json.dumps(result, ensure_ascii=False, indent=2) if as_json else result["text"])


def _tell(summary: dict[str, Any], *, as_json: bool, out: Path) -> None:
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=2))
        return
    from calmstreet.pipeline.wording import told

    for line in told(summary, out):
        typer.echo(line)


def main() -> None:
    """Run the command line; a known fault is one sentence and exit code 2."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    try:
        app()
    except CalmstreetError as error:
        for sentence in str(error).splitlines():
            typer.echo(f"calmstreet: {sentence}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
