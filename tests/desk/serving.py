"""The desk as people start it: a process of its own, with its worker, on a port of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FirstStart", "served"]

STOPS_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStart:
    """What the first start of a desk prints."""

    address: str
    name: str
    password: str


@contextmanager
def served(config: Path) -> Iterator[FirstStart]:
    """Run ``calmstreet serve``; it ends, with its worker, as if somebody pressed Ctrl-C."""
    command = [sys.executable, "-m", "calmstreet.cli", "serve", "-c", str(config), "--port", "0"]
    log = config.with_name("serve.log")
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        ) as server,
    ):
        try:
            yield _first_words(server, log)
        finally:
            os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def _first_words(server: subprocess.Popen[str], log: Path) -> FirstStart:
    said = ""
    for line in server.stdout or ():
        said += line
        if found := re.search(r"the desk is at (\S+)", line):
            who = re.search(r"sign in as (\S+) with the password (\S+)", said)
            assert who is not None, said
            return FirstStart(address=found[1], name=who[1], password=who[2])
    raise AssertionError(f"the desk did not start: {said}{log.read_text(errors='replace')[-2000:]}")
