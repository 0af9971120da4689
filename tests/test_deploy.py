"""The units that are shipped are such that systemd takes them, and they start what there is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from calmstreet.cli import app

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNITS = sorted(path.name for path in DEPLOY.iterdir())


def test_each_timer_has_its_service() -> None:
    assert UNITS == ["calmstreet-nightly.service", "calmstreet-nightly.timer", "calmstreet.service"]


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_the_verbs_that_units_start_are_there(name: str) -> None:
    (words,) = re.findall(r"^ExecStart=(.+)$", (DEPLOY / name).read_text("utf-8"), re.MULTILINE)
    _, verb, option, file = words.split()
    known = [command.callback.__name__ for command in app.registered_commands if command.callback]
    assert verb in known
    assert (option, Path(file).name) == ("-c", "calmstreet.toml")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        text = (DEPLOY / name).read_text(encoding="utf-8")
        text = text.replace("/opt/calmstreet/bin/calmstreet", shutil.which("true") or "/bin/true")
        (tmp_path / name).write_text(text, encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / name for name in UNITS)],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    if "Failed to" in said.stderr and "bus" in said.stderr:
        pytest.skip("systemd cannot verify units here")
    assert said.stderr.strip() == ""
    assert said.returncode == 0
