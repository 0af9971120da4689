"""Two streams of one camera watched side by side: their times are compared by what they show."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.clips import a_clip
from tests.video.test_stream_offset import street

from calmstreet.clock import FakeClock
from calmstreet.errors import VideoError
from calmstreet.units import NS_PER_S
from calmstreet.video.address import parse_address
from calmstreet.video.live_source import LiveSource
from calmstreet.video.two_streams import Shown, compare_streams, offset_between, what_is_shown

LASTS_S = 9.0


def film(path: Path, *, fps: float, size: tuple[int, int]) -> Path:
    """Write a film of one street at some rate and size."""
    times_s = np.arange(0, LASTS_S, 1 / fps)
    shown = street(times_s, 5, scale=2)

    def picture(k: int) -> NDArray[np.uint8]:
        grey = cv2.resize(shown[k], size, interpolation=cv2.INTER_CUBIC)
        return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)

    return a_clip(path, times_s=list(times_s), picture=picture)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("films")
    return (
        film(folder / "sub.mp4", fps=12.5, size=(160, 96)),
        film(folder / "main.mp4", fps=25.0, size=(320, 192)),
    )


def seen(path: Path, *, ahead_s: float, lasting_s: float = LASTS_S) -> Shown:
    clock = FakeClock(start_ns=round((1_700_000_000 + ahead_s) * NS_PER_S))
    source = LiveSource(address=parse_address(f"file:{path}"), camera_id="n", clock=clock)
    return what_is_shown(source, lasting_s=lasting_s)


@pytest.mark.parametrize("ahead_s", [-0.6, 0.137, 1.2])
def test_the_offset_of_two_streams_is_told(films: tuple[Path, Path], ahead_s: float) -> None:
    sub, main = films
    found = offset_between(seen(sub, ahead_s=0.0), seen(main, ahead_s=ahead_s))
    assert found is not None
    assert found.offset_s == pytest.approx(ahead_s, abs=0.03)


def test_as_much_is_looked_at_as_was_asked_for(films: tuple[Path, Path]) -> None:
    shown = seen(films[0], ahead_s=0.0, lasting_s=2.0)
    assert (shown.t_ns[-1] - shown.t_ns[0]) / NS_PER_S == pytest.approx(2.0, abs=0.1)
    assert shown.thumbs.shape == (len(shown.t_ns), 9, 16)


@pytest.mark.slow
def test_both_are_watched_at_once(films: tuple[Path, Path]) -> None:
    sub, main = (parse_address(f"file:{path}") for path in films)
    found = compare_streams(sub, main=main, seconds=7.0)
    assert found is not None
    assert abs(found.offset_s) < 0.5


def test_a_stream_without_pictures_is_told(films: tuple[Path, Path], tmp_path: Path) -> None:
    sub = parse_address(f"file:{films[0]}")
    clock = FakeClock(start_ns=NS_PER_S)
    gone = parse_address("rtsp://127.0.0.1:9/main")
    with pytest.raises(VideoError, match=r"127\.0\.0\.1:9/main shows no pictures"):
        compare_streams(sub, main=gone, seconds=1.0, clock=clock)
