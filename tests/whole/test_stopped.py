"""Stopped half-way: politely, twice, or killed. What is stored is valid, and the next run works."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.whole.line import calm, codes, gate, spawned, tree, watched
from tests.whole.road import Block, a_film, a_site

from calmstreet.pipeline.watching import Watch

BLOCKS = (Block(at_s=3.0), Block(at_s=8.0, speed_px_s=-60.0, foot_px=65.0, grey=225))


class Street:
    """A film, a site and where the result goes."""

    def __init__(self, folder: Path) -> None:
        self.film = a_film(folder / "v.mp4", BLOCKS, duration_s=11.0)
        self.site = a_site(folder / "SITE.toml")
        self.out = folder / "out"

    @property
    def words(self) -> tuple[object, ...]:
        return (self.film, "--site", self.site, "--out", self.out)

    def again(self) -> dict[str, Any]:
        return watched(*self.words)


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(tmp_path)


def at_frame(number: int, do: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen while the numberth frame of a run is taken."""
    take = Watch.take

    def taking(self: Watch, frame: Any) -> Any:
        if frame.index == number:
            do()
        return take(self, frame)

    monkeypatch.setattr(Watch, "take", taking)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("number", [0, 1, 60])
def test_ctrl_c_leaves_a_valid_part(
    street: Street, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patched:
        at_frame(number, interrupt, patched)
        done = calm("analyse", *street.words, "--detector", "motion")
    assert done.code == 130, done.err
    assert "stopped before the end" in done.out
    summary = json.loads((street.out / "summary.json").read_text("utf-8"))
    assert summary["state"] == "partial"
    assert "interrupted" in codes(summary)
    assert summary["video"]["frames"] == number + 1
    assert gate(summary) == ((0, 1) if number == 60 else (0, 0))
    assert "1970" not in (street.out / "report.html").read_text("utf-8")
    assert not [n for n in tree(street.out) if Path(n).name.startswith(".")]
    whole = street.again()
    assert (whole["state"], gate(whole)) == ("complete", (1, 1))
    assert "interrupted" not in codes(whole)
    assert len(tree(street.out / "points")) == 1


def test_ctrl_c_does_not_replace_a_whole_result(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.again()
    before = tree(street.out)
    with monkeypatch.context() as patched:
        at_frame(40, interrupt, patched)
        done = calm("analyse", *street.words, "--detector", "motion")
    assert done.code == 130
    assert "stays as it was" in done.err
    after = {n: size for n, size in tree(street.out).items() if "sqlite" not in n}
    assert after == {n: size for n, size in before.items() if "sqlite" not in n}
    assert gate(street.again()) == (1, 1)


def test_ctrl_c_twice_stops_at_once(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> None:
        interrupt()
        interrupt()

    with monkeypatch.context() as patched:
        at_frame(30, twice, patched)
        done = calm("analyse", *street.words, "--detector", "motion")
    assert done.code == 130
    assert "Traceback" not in done.err
    assert gate(street.again()) == (1, 1)


def test_an_error_in_the_middle_leaves_the_old_result(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.again()
    before = tree(street.out)

    def fail() -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        at_frame(50, fail, patched)
        with pytest.raises(MemoryError):
            calm("analyse", *street.words, "--detector", "motion")
    assert tree(street.out).keys() == before.keys()
    assert gate(street.again()) == (1, 1)


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    film = a_film(tmp_path_factory.mktemp("long") / "v.mp4", BLOCKS, duration_s=30.0)
    return film.read_bytes()


def begun(street: Street) -> "subprocess.Popen[str]":
    """Start an analysis as a process and return when it has begun to store points."""
    process = spawned("analyse", *street.words, "--detector", "motion", "--analysed-fps", "25")
    while not list(street.out.glob("points/**/*.part")):
        assert process.poll() is None, process.communicate()
    return process


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_stopped(
    tmp_path: Path, long_film: bytes, number: signal.Signals
) -> None:
    street = Street(tmp_path)
    short = street.film.read_bytes()
    street.film.write_bytes(long_film)
    process = begun(street)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        assert calm("export", street.out, "--format", "csv", "--out", tmp_path / "x.csv").code == 2
    else:
        assert process.returncode == 130, err
        assert out.startswith("interrupted: ")
    street.film.write_bytes(short)
    assert gate(street.again()) == (1, 1)
    left = tree(street.out)
    assert not [n for n in left if n.endswith((".part", ".tmp", ".writing", ".new.mp4"))]
    assert len([n for n in left if n.startswith(("points/", "steps/"))]) == 2
