"""A probe tells what a camera delivers, what it serves, and never its password."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.video.clips import a_clip
from typer.testing import CliRunner

from calmstreet.cli import app
from calmstreet.clock import FakeClock
from calmstreet.errors import VideoError
from calmstreet.video.address import parse_address
from calmstreet.video.live_stats import LiveCount, LiveStats
from calmstreet.video.probing import judge_use, probe_camera, report_fields, report_lines


def stats(**changes: float) -> LiveStats:
    count = LiveCount()
    for k in range(250):
        count.shown(k * 40_000_000)
    made = count.stats(stream_rate=1.0, drift_share=0.0, unread=0)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "serves"),
    [
        ({}, ["counts", "speeds", "conflicts"]),
        ({"delivered_fps": 8.0}, ["counts"]),
        ({"delivered_fps": 3.0}, []),
        ({"delivered_fps": float("nan")}, []),
        ({"repeated": 125, "delivered_fps": 12.0}, ["counts"]),
        ({"stream_rate": 25 / 21}, ["counts"]),
        ({"by_arrival": 100}, ["counts"]),
        ({"corrupt_frames": 20}, []),
    ],
)
def test_what_a_camera_serves(changes: dict[str, float], serves: list[str]) -> None:
    uses = judge_use(stats(**changes))
    assert [use.purpose for use in uses if use.serves] == serves
    assert all(use.why for use in uses if not use.serves)


def test_a_file_is_probed_as_a_camera(tmp_path: Path) -> None:
    path = a_clip(tmp_path / "c.mp4", times_s=[k / 10 for k in range(60)], options={"g": "10"})
    report = probe_camera(
        parse_address(f"file:{path}?loop=1"), seconds=5, clock=FakeClock(start_ns=10**18)
    )
    assert (report.codec, report.width_px, report.height_px) == ("h264", 160, 96)
    assert report.delivered_fps == pytest.approx(10.0)
    assert report.keyframe_s == pytest.approx(1.0)
    assert report.frames == pytest.approx(50, abs=2)
    fields = report_fields(report)
    assert json.loads(json.dumps(fields))["camera_ahead_s"] is None
    assert any("speeds      yes" in line for line in report_lines(report))


def test_a_camera_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(VideoError, match=r"127\.0\.0\.1:9.*nothing listens") as told:
        probe_camera(parse_address("rtsp://op:planted-secret@127.0.0.1:9/x"))
    assert "planted-secret" not in str(told.value)
    assert "planted-secret" not in repr(told.value.__context__)


def test_a_password_is_not_taken_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    run = CliRunner().invoke
    told = run(app, ["cameras", "probe", "rtsp://op:planted-secret@127.0.0.1:9/x"])
    assert "environment variable" in str(told.exception)
    assert "planted-secret" not in f"{told.exception!r}{told.output}"
    monkeypatch.setenv("NORTH", "rtsp://op:planted-secret@127.0.0.1:9/x")
    told = run(app, ["cameras", "probe", "--url-env", "NORTH"])
    assert "nothing listens" in str(told.exception)
    assert "planted-secret" not in f"{told.exception!r}{told.output}"
    assert "SOUTH" in str(run(app, ["cameras", "probe", "--url-env", "SOUTH"]).exception)
    assert "one camera" in str(run(app, ["cameras", "probe"]).exception)
    loose = ["cameras", "probe", "rtsp://127.0.0.1:9/x", "--transport", "udp"]
    assert "--fenced" in str(run(app, loose).exception)
    assert "127.0.0.1" in str(run(app, [*loose, "--fenced"]).exception), "then it is called"
