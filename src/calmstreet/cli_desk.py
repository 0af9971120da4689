"""The verb that opens the desk, and what the demo needs of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from calmstreet.errors import CalmstreetError

__all__ = ["ask_every_page", "demo_node", "serve"]


def serve(
    config: Annotated[Path, typer.Option("--config", "-c", help="calmstreet.toml of the node.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on, 0 for any.")] = 8000,
) -> None:
    """Open the desk: results, reviews, calibration and accounts in a browser."""
    from calmstreet.web.node import node_of
    from calmstreet.web.serving import ADMINISTRATOR, first_administrator
    from calmstreet.web.serving import serve as serve_desk

    node = node_of(config)
    password = first_administrator(node, host=host)
    if password is not None:
        typer.echo(f"first start: sign in as {ADMINISTRATOR} with the password {password}")
        typer.echo("it is shown this once and must be changed at the first sign-in")
    with _worker(config):
        serve_desk(node, host=host, port=port, ready=lambda at: typer.echo(f"the desk is at {at}"))


@contextmanager
def _worker(config: Path) -> Iterator[None]:
    """Keep the process that does the desk's jobs; it ends when its input does."""
    import subprocess

    command = [sys.executable, "-m", "calmstreet.pipeline.jobs", str(config.resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as worker:
        try:
            yield
        finally:
            if worker.stdin is not None:
                worker.stdin.close()


def demo_node(out: Path, lang: str) -> Path:
    """Write the calmstreet.toml of the demo, with a desk of its own, anew."""
    import shutil

    shutil.rmtree(out / "desk", ignore_errors=True)
    config = out / "calmstreet.toml"
    config.write_text(f'[node]\nresults = "."\nlanguage = "{lang}"\n', encoding="utf-8")
    return config


def ask_every_page(config: Path) -> None:
    """Ask every page of the desk once; raise CalmstreetError naming those that do not answer."""
    from calmstreet.web.node import node_of
    from calmstreet.web.serving import check_desk

    silent = list(check_desk(node_of(config)))
    if silent:
        raise CalmstreetError("\n".join(f"the desk: {sentence}" for sentence in silent))
    typer.echo(f"every page of the desk answers; open it with: calmstreet serve -c {config}")
