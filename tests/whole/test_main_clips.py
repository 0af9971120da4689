"""Clips of events from a camera's main stream, over two films of one street at two sizes."""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.video.clips import a_clip
from tests.whole.road import X264, Block, even_times, picture_at

from calmstreet.clock import FakeClock
from calmstreet.config.node import load_node
from calmstreet.model.kept import Segment
from calmstreet.pipeline import main_clips
from calmstreet.pipeline.lines import tell_line
from calmstreet.pipeline.live_camera import live_camera
from calmstreet.pipeline.watch import watch_camera
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S, from_iso
from calmstreet.video.blur import Blur

pytestmark = pytest.mark.slow

START = "2026-05-01T08:00:00+00:00"
FILM_S = 12.0
FROM_S = 1.0
BLOCKS = (
    Block(at_s=3.0),
    Block(at_s=5.5, speed_px_s=-70.0, foot_px=120.0, grey=35),
    Block(at_s=8.0, speed_px_s=-60.0, foot_px=65.0, grey=225),
    Block(at_s=9.5, speed_px_s=90.0, foot_px=170.0, grey=60),
)
MARK_PX = 20
SITE = """
[site]
id = "road"
tz = "Asia/Almaty"

[[camera]]
id = "kerb"

[[zone]]
id = "near-lane"
kind = "lane"
direction_deg = 90
polygon_px = [[0, 80], [320, 80], [320, 150], [0, 150]]
"""

Picture = NDArray[np.uint8]


def the_mark() -> Picture:
    """Return what nobody may find in a clip: a chequered square."""
    y, x = np.mgrid[0:MARK_PX, 0:MARK_PX] // 5
    return np.asarray(((x + y) % 2 * 255), np.uint8)


def large(t_s: float) -> Picture:
    """Return the street at an instant as the main stream shows it, with a mark on each block."""
    seen = cv2.resize(picture_at(t_s, BLOCKS), (640, 360), interpolation=cv2.INTER_CUBIC)
    for block in BLOCKS:
        x = round(2 * (160 + (t_s - block.at_s) * block.speed_px_s)) - MARK_PX // 2
        y = round(2 * block.foot_px) - 28
        if 0 <= x < 640 - MARK_PX:
            seen[y : y + MARK_PX, x : x + MARK_PX] = the_mark()[:, :, None]
    return np.asarray(seen, np.uint8)


def a_main(path: Path, *, late_s: float) -> Path:
    """Film the street as the main stream, which shows everything ``late_s`` later."""
    times = even_times(FILM_S)

    def picture(i: int) -> Picture:
        return large(FROM_S + times[i] - late_s)

    return a_clip(path, times_s=times, picture=picture, options={**X264, "g": "12"})


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("films")
    times = even_times(FILM_S)
    a_clip(home / "sub.mp4", times_s=times, picture=lambda i: picture_at(FROM_S + times[i], BLOCKS),
           options=X264)  # fmt: skip
    a_main(home / "main.mp4", late_s=0.1)
    return home


@dataclass(slots=True, kw_only=True)
class Watched:
    """What a camera with a main stream left and said."""

    folder: Path
    clips: list[Segment]
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> list[tuple[str, str]]:
        """Return for each clip the stream that it is from and why."""
        return [(row["cut_from"], row.get("reason", "")) for row in self.said if "clip" in row]

    @property
    def beat(self) -> dict[str, Any]:
        """Return the last beat."""
        return [row for row in self.said if "beat" in row][-1]

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures of the only clip."""
        (clip,) = self.clips
        with av.open(str(self.folder / clip.path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="bgr24").astype(np.uint8)


def watched(home: Path, films: Path, main: Path, **camera: Any) -> Watched:
    """Watch the street once, by a clock that does not wait."""
    keys = {"pre_roll_s": 3.0, "post_roll_s": 3.0, **camera}
    lines = [f"{key} = {value!r}" for key, value in keys.items()]
    (home / "results").mkdir()
    (home / "SITE.toml").write_text(SITE, encoding="utf-8")
    config = home / "calmstreet.toml"
    config.write_text(
        f'[[camera]]\nid = "kerb"\nsite = "SITE.toml"\ndetector = "motion"\n'
        f'audit_windows_per_hour = 0\nurl = "file:{films / "sub.mp4"}"\n'
        f'main_url = "file:{main}"\n' + "\n".join(lines),
        encoding="utf-8",
    )
    said: list[dict[str, Any]] = []

    def tell(**fields: Any) -> None:
        tell_line(io.StringIO(), **fields)
        said.append(fields)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main_clips, "LAST_S", 120.0)
        watch_camera(
            live_camera(load_node(config), "kerb", config=config, environ={}),
            stop=threading.Event(),
            clock=FakeClock(start_ns=from_iso(START)),
            tell=tell,
        )
    folder = home / "results" / "kerb"
    with Catalogue.open(folder) as catalogue:
        clips = catalogue.segments("kerb", purposes=("event",))
    return Watched(folder=folder, clips=clips, said=said)


@pytest.fixture(scope="module")
def made(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watched(tmp_path_factory.mktemp("node"), films, films / "main.mp4")


def test_the_clip_is_of_the_main_stream_and_there_is_no_other(made: Watched) -> None:
    assert made.told == [("main", "")]
    (clip,) = made.clips
    assert clip.stream == "main"
    assert clip.event_id
    files = [path for path in made.folder.rglob("*") if ".mp4" in path.name]
    assert [path.relative_to(made.folder).as_posix() for path in files] == [clip.path]
    assert (clip.end_ns - clip.start_ns) / NS_PER_S > 6.0


def test_it_is_larger_and_at_the_time_of_the_sub_stream(made: Watched) -> None:
    first = next(made.pictures())
    assert first.shape == (360, 640, 3)
    (told,) = [row for row in made.said if "clip" in row]
    assert told["offset_s"] == pytest.approx(0.1, abs=0.03)
    assert made.beat["main_clips"] == 1
    assert made.beat["main_blur_failures"] == 0


def best_match(picture: Picture) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return float(cv2.matchTemplate(grey, the_mark(), cv2.TM_CCOEFF_NORMED).max())


def test_what_was_planted_is_in_no_picture(made: Watched) -> None:
    pictures = list(made.pictures())
    assert best_match(large(5.5)) > 0.95
    assert max(best_match(picture) for picture in pictures) < 0.7
    assert len(pictures) > 60


def test_the_packets_touch_no_disk(made: Watched, films: Path) -> None:
    with av.open(str(films / "main.mp4")) as container:
        sizes = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    pieces = [data[len(data) // 2 :][:48] for data in sizes[::10] if len(data) > 200]
    kept = b"".join(p.read_bytes() for p in made.folder.parent.parent.rglob("*") if p.is_file())
    assert len(pieces) > 5
    assert not any(piece in kept for piece in pieces)


def test_a_main_stream_half_a_second_late_is_not_cut_from(films: Path, tmp_path: Path) -> None:
    found = watched(tmp_path, films, a_main(tmp_path / "main.mp4", late_s=0.5))
    assert found.told == [("sub", "offset")]
    (clip,) = found.clips
    assert clip.stream == "sub"
    assert next(found.pictures()).shape == (180, 320, 3)
    assert not list(found.folder.rglob("*-main*"))


def test_a_main_stream_that_ends_in_the_clip_is_not_cut_from(films: Path, tmp_path: Path) -> None:
    with av.open(str(films / "main.mp4")) as whole:
        stream = whole.streams.video[0]
        with av.open(str(tmp_path / "main.mp4"), "w") as part:
            copy = part.add_stream_from_template(stream)
            for packet in whole.demux(stream):
                if packet.dts is not None and packet.dts * float(stream.time_base or 0) < 6.0:
                    packet.stream = copy
                    part.mux(packet)
    found = watched(tmp_path, films, tmp_path / "main.mp4")
    assert [stream for stream, _ in found.told] == ["sub"]
    assert found.beat["main_why"] in {"gone", "offset-unknown"}
    assert not list(found.folder.rglob("*-main*"))


@pytest.mark.parametrize("at", [0, 40])
def test_a_picture_that_cannot_be_blurred_is_written_nowhere(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    count = 0
    take_in = Blur._take_in

    def failing(self: Blur, frame: Any, *given: Any) -> None:
        nonlocal count
        if frame.width_px == 640:
            count += 1
            if count > at:
                raise ValueError("injected")
        take_in(self, frame, *given)

    monkeypatch.setattr(Blur, "_take_in", failing)
    found = watched(tmp_path, films, films / "main.mp4")
    assert found.told == [("sub", "blur-failed")]
    assert found.beat["main_blur_failures"] == 1
    assert found.beat["blur_failures"] == 0
    assert [clip.stream for clip in found.clips] == ["sub"]
    assert not list(found.folder.rglob("*-main*"))
