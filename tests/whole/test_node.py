"""A node with real processes: killed camera, killed supervisor, no way out to the network."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.whole.line import spawned
from tests.whole.road import Block, a_film

from calmstreet.pipeline.node_health import HEALTH_NAME
from calmstreet.store.accounting import accounted, watched_until_ns
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S

pytestmark = pytest.mark.slow

LONGEST_S = 120.0
LOST_S = 2.0
CAMERAS = ("kerb", "lane")


@dataclass(slots=True, kw_only=True)
class Node:
    """Two cameras played from one film."""

    home: Path

    def __post_init__(self) -> None:
        film = a_film(self.home / "v.mp4", (Block(at_s=3.0), Block(at_s=7.0)), duration_s=9.0)
        (self.home / "results").mkdir()
        text = "[node]\ncut_minutes = 0.2\n"
        for name in CAMERAS:
            text += f'[[camera]]\nid = "{name}"\nurl = "file:{film}?loop=1"\n'
            text += 'detector = "motion"\nrecord = "continuous"\npurpose = "a test"\n'
        (self.home / "calmstreet.toml").write_text(text, encoding="utf-8")

    def start(self, *more: str) -> "subprocess.Popen[str]":
        return spawned("watch", "-c", self.home / "calmstreet.toml", *more)

    def health(self) -> dict[str, Any]:
        path = self.home / "results" / HEALTH_NAME
        if not path.is_file():
            return {}
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["cameras"]
        return found

    def watching(self, least_frames: int, but: int = 0) -> bool:
        rows = self.health()
        return set(rows) == set(CAMERAS) and all(
            row["watching"] and row["frames"] >= least_frames and row["pid"] != but
            for row in rows.values()
        )

    def pid(self, name: str) -> int:
        return int(self.health()[name]["pid"])


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail after two minutes."""
    begun_s = time.monotonic()
    while not holds():
        assert time.monotonic() - begun_s < LONGEST_S, f"waited in vain until {what}"
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return (
        state.is_file() and state.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    )


def last_step_s(folder: Path, before_ns: int) -> float:
    """Return how long before an instant the newest stored step of a camera lies."""
    with Catalogue.open(folder) as catalogue:
        runs = [run for live in (True, False) for run in catalogue.runs(live=live)]
        ends = [watched_until_ns(catalogue, run) for run in runs if run.start_ns < before_ns]
    return (before_ns - max(ends)) / NS_PER_S


def test_kills_lose_two_seconds_at_most(tmp_path: Path) -> None:
    node = Node(home=tmp_path)
    first = node.start()
    until(lambda: node.watching(40), "both cameras are watched")
    killed = node.pid("kerb")
    os.kill(killed, signal.SIGKILL)
    killed_ns = time.time_ns()
    assert last_step_s(tmp_path / "results" / "kerb", killed_ns) <= LOST_S
    until(lambda: node.watching(20, but=killed), "the camera is watched again")

    pids = [node.pid(name) for name in CAMERAS]
    first.kill()
    first.communicate()
    killed_ns = time.time_ns()
    until(lambda: not any(map(is_alive, pids)), "nobody watches without a supervisor")
    for name in CAMERAS:
        assert last_step_s(tmp_path / "results" / name, killed_ns) <= LOST_S

    second = node.start("--for", "12s")
    _, said = second.communicate(timeout=LONGEST_S)
    assert second.returncode == 0, said
    for name in CAMERAS:
        with Catalogue.open(tmp_path / "results" / name) as catalogue:
            runs = [run for live in (True, False) for run in catalogue.runs(live=live)]
            begun_ns, ended_ns = min(r.start_ns for r in runs), max(r.end_ns for r in runs)
            found = accounted(catalogue, name, start_ns=begun_ns, end_ns=ended_ns)
            reasons = {gap.reason for gap in catalogue.gaps(name)}
            clips = catalogue.segments(name)
        assert found.share >= 0.999, (name, found)
        assert not any(run.state == "open" for run in runs)
        assert clips
        assert all((tmp_path / "results" / name / clip.path).is_file() for clip in clips)
        assert reasons & {"restart", "stopped"}


@pytest.mark.skipif(
    not (shutil.which("strace") and shutil.which("unshare")),
    reason="strace or unshare is not installed",
)
def test_a_node_calls_nobody(tmp_path: Path) -> None:
    node = Node(home=tmp_path)
    trace = tmp_path / "trace"
    words = ["-m", "calmstreet.cli", "watch", "-c", str(tmp_path / "calmstreet.toml")]
    done = subprocess.run(
        ["unshare", "-n", "strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o",
         str(trace), sys.executable, *words, "--for", "12s"],
        capture_output=True, text=True, check=False, timeout=LONGEST_S,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).resolve().parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
        )},
    )  # fmt: skip
    if "Operation not permitted" in done.stderr and not trace.is_file():
        pytest.skip("this machine lets us make no network namespace")
    assert done.returncode == 0, done.stderr
    assert node.health()["kerb"]["frames"] > 0
    calls = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    assert [line for line in calls if "AF_INET" in line] == []
