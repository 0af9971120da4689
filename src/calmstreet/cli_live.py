"""The verbs of live cameras."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from calmstreet.errors import InputError

if TYPE_CHECKING:
    from calmstreet.video.address import Address

__all__ = ["add_live_verbs", "duration_s", "probe", "watch"]

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def add_live_verbs(app: typer.Typer) -> None:
    """Add every verb of live cameras to the command line."""
    app.command()(watch)
    cameras = typer.Typer(help="Look at single cameras.", no_args_is_help=True)
    cameras.command()(probe)
    app.add_typer(cameras, name="cameras")


def duration_s(text: str) -> float:
    """Return the seconds of a duration; raise InputError for one that does not read.

    >>> duration_s("60s"), duration_s("1.5h")
    (60.0, 5400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?", text.strip())
    if found is None or float(found[1]) <= 0:
        raise InputError(f"--for {text} is no duration; write it as 60s, 30m or 12h")
    return float(found[1]) * _SECONDS[found[2] or ""]


def watch(
    config: Annotated[Path, typer.Option("--config", "-c", help="calmstreet.toml of the node.")],
    for_: Annotated[
        str | None, typer.Option("--for", help="Stop after this long, such as 60s or 12h.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when every file is played and judged.")
    ] = False,
) -> None:
    """Watch the cameras of a node around the clock until told to stop."""
    import signal
    import threading

    from calmstreet.clock import SystemClock
    from calmstreet.pipeline.supervise import Supervisor

    stop, reload, clock = threading.Event(), threading.Event(), SystemClock()
    lasts_s = duration_s(for_) if for_ else None
    supervisor = Supervisor(config=config, clock=clock, stop=stop, reload=reload, once=once)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    timer = None
    if lasts_s is not None:
        timer = threading.Timer(lasts_s, stop.set)
        timer.daemon = True
        timer.start()
    try:
        supervisor.run()
    finally:
        if timer is not None:
            timer.cancel()


def probe(
    address: Annotated[
        str | None, typer.Argument(metavar="URL", help="rtsp://host/path or file:clip.mp4.")
    ] = None,
    url_env: Annotated[
        str | None,
        typer.Option(help="Environment variable with the address, for one with a password."),
    ] = None,
    main_url_env: Annotated[
        str | None,
        typer.Option(help="Variable with the address of its main stream, to compare their times."),
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Network in which cameras may lie, as 10.8.0.0/16.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to watch, 1 to 600.")] = 5.0,
    transport: Annotated[str, typer.Option(help="tcp, or udp with --fenced.")] = "tcp",
    fenced: Annotated[
        bool, typer.Option("--fenced", help="A firewall lets us reach its network alone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Watch a camera for a few seconds; say what it delivers and what it can be used for."""
    import json

    from calmstreet.video.address import DEFAULT_NETWORKS, parse_networks
    from calmstreet.video.probing import offset_words, probe_camera, report_fields, report_lines
    from calmstreet.video.two_streams import compare_streams

    if not 1 <= seconds <= 600:
        raise InputError("--seconds must be 1 to 600")
    if transport == "udp" and not fenced:
        raise InputError(
            'over --transport udp a camera that answers "moved" could send us elsewhere; leave '
            "tcp, or let a firewall allow its network alone and say so with --fenced"
        )
    networks = parse_networks(network) if network else DEFAULT_NETWORKS
    camera = _given(address, url_env)
    report = probe_camera(camera, seconds=seconds, networks=networks, transport=transport)
    fields, lines = report_fields(report), report_lines(report)
    if main_url_env:
        main = _given(None, main_url_env)
        offset = compare_streams(camera, main=main, networks=networks, transport=transport)
        fields["main_ahead_s"] = offset.offset_s if offset else None
        lines.append(offset_words(offset))
    if as_json:
        typer.echo(json.dumps(fields, ensure_ascii=False, indent=2))
    else:
        for line in lines:
            typer.echo(line)


def _given(text: str | None, variable: str | None) -> "Address":
    """Return the camera's address; a password must not stand in the list of processes."""
    import os

    from calmstreet.video.address import parse_address

    if (text is None) == (variable is None):
        raise InputError("name one camera: write its URL or --url-env NAME")
    if variable is not None:
        found = os.environ.get(variable)
        if not found:
            raise InputError(
                f"the environment has no {variable}; set it to the address of a camera"
            )
        return parse_address(found)
    address = parse_address(text or "")
    if address.credentials is not None:
        raise InputError(
            "a password on the command line can be read by everybody on this machine; "
            "put the address into an environment variable and name it with --url-env"
        )
    return address
