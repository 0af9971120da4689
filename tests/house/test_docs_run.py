"""The documents' examples are typed in, in their order, and the result is as documented."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.whole.line import calm
from tests.whole.road import Block, a_film

from calmstreet.scene.camera import Pinhole

ROOT = Path(__file__).resolve().parents[2]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = (Block(at_s=1.5), Block(at_s=3.0, speed_px_s=-70.0, foot_px=90.0, grey=225))
CAMERA = Pinhole(width_px=320, height_px=180, focal_px=273.0)
PLACES = np.array([(x, y) for y in (12.0, 18.0, 26.0, 36.0) for x in (-3.0, 3.5)])
POINTS = "x_px,y_px,x_m,y_m\n" + "".join(
    f"{u:.1f},{v:.1f},{x},{y}\n"
    for (u, v), (x, y) in zip(CAMERA.ground_px(PLACES), PLACES, strict=True)
)
TARGETS = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_film(tmp_path_factory.mktemp("film") / "clip.mp4", BLOCKS, duration_s=5.0)


def lines_of(name: str) -> list[list[str]]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [
        words
        for block in SHELL.findall(text)
        for line in block.splitlines()
        if (words := shlex.split(line, comments=True))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/user-guide.md", "docs/cli.md"])
def test_examples_run_as_they_are_written(
    name: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(clip, tmp_path / "clip.mp4")
    (tmp_path / "points.csv").write_text(POINTS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    lines = lines_of(name)
    assert lines
    for program, *words in lines:
        if program == "make":
            assert words[0] in TARGETS
        elif program == "cp":
            shutil.copy(words[0], words[1])
        else:
            assert program == "calmstreet", program
            if words[0] in {"serve", "watch"}:  # do not end by themselves
                continue
            done = calm(*words)
            assert done.code == 0, (words, done.err)


@pytest.fixture(scope="module")
def result(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("result") / "out"
    done = calm("analyse", clip, "--out", out, "--detector", "motion")
    assert done.code == 0, done.err
    return out


def documented(heading: str) -> str:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def field_rows() -> dict[str, str]:
    """Return the fields of summary.json and what is said of them."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", documented("summary.json"), re.MULTILINE)
    return dict(rows)


def summary_of(result: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    return found


def test_the_fields_of_the_summary_are_documented_in_order(result: Path) -> None:
    assert list(field_rows()) == list(summary_of(result))


@pytest.mark.parametrize("field", ["site", "video", "tracks", "gates", "warnings"])
def test_what_is_inside_the_fields_is_documented(field: str, result: Path) -> None:
    value = summary_of(result)[field]
    rows = value if isinstance(value, list) else [value]
    assert rows
    for name in {name for row in rows for name in row}:
        assert f"`{name}`" in field_rows()[field], name


def test_the_fields_of_a_run_are_documented(result: Path) -> None:
    told = documented("summary.json").partition("An entry of `runs`:")[2]
    (run,) = summary_of(result)["runs"]
    assert set(run) <= set(re.findall(r"`(\w+)`", told))


def test_every_file_of_a_result_is_documented(result: Path) -> None:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    block = text.partition("```\n")[2].partition("```")[0]
    for path in result.iterdir():
        name = f"{path.name}/" if path.is_dir() else path.name
        assert name in block or path.name == ".writing", name
