"""Recorded pieces: true times, whole fragments whatever happens, nothing raw."""

from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.video.clips import a_clip, a_picture

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.units import NS_PER_S
from calmstreet.video.blur import blur_still
from calmstreet.video.fragments import cut_to_whole, whole_fragments
from calmstreet.video.segment_writer import SegmentWriter, part_of, salvage
from calmstreet.video.source import FileSource

START_NS = 1_790_000_000 * NS_PER_S


def a_kept(i: int, t_s: float, *, width: int = 160, height: int = 96) -> BlurredFrame:
    return blur_still(
        a_picture(i, width=width, height=height),
        camera_id="north",
        t_ns=START_NS + round(t_s * NS_PER_S),
        camera_width_px=width,
        camera_height_px=height,
        box_px=np.empty((0, 4), np.float32),
        kind=np.empty(0, np.uint8),
    )


def decoded(path: Path) -> list[tuple[float, bool]]:
    """Return time and whether it is a keyframe of every picture of a file."""
    with av.open(str(path)) as container:
        return [
            (round(float(frame.time or 0.0), 3), bool(frame.key_frame))
            for frame in container.decode(video=0)
        ]


def test_times_come_back_and_every_second_begins_anew(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.35, 0.9, 1.4, 2.0, 2.1, 4.75]
    with SegmentWriter(path=tmp_path / "a.mp4") as writer:
        for i, t_s in enumerate(times):
            assert writer.write(a_kept(i, t_s))
        file = writer.close()
    assert file is not None
    found = decoded(file.path)
    assert [t_s for t_s, _ in found] == times
    assert [t_s for t_s, key in found if key] == [0.0, 1.4, 4.75]
    assert (file.start_ns, file.end_ns) == (START_NS, START_NS + round(4.75 * NS_PER_S))
    assert file.pictures == len(times)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert file.size_bytes == file.path.stat().st_size
    assert salvage(file.path, start_ns=START_NS) == file


def test_pictures_come_no_faster_and_no_higher_than_allowed(tmp_path: Path) -> None:
    writer = SegmentWriter(path=tmp_path / "a.mp4", fps=5.0, height_px=48)
    assert [writer.write(a_kept(i, i / 10)) for i in range(6)] == [True, False] * 3
    writer.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.name) == (80, 48, "h264")
    for wrong in ({"fps": 25.0}, {"fps": 0.0}, {"height_px": 1080}):
        with pytest.raises(StoreError, match="kept video"):
            SegmentWriter(path=tmp_path / "b.mp4", **cast(Any, wrong))


def test_only_blurred_pictures_get_in(tmp_path: Path) -> None:
    frame = next(
        iter(FileSource(path=a_clip(tmp_path / "raw.mp4"), camera_id="north", start_ns=0).frames())
    )
    writer = SegmentWriter(path=tmp_path / "a.mp4")
    assert isinstance(frame, Frame)
    with pytest.raises(PrivacyError, match="only blurred"):
        writer.write(cast(Any, frame))
    assert writer.close() is None
    assert [path.name for path in tmp_path.iterdir()] == ["raw.mp4"]


def test_what_was_thrown_away_is_gone(tmp_path: Path) -> None:
    writer = SegmentWriter(path=tmp_path / "a.mp4")
    for i in range(30):
        writer.write(a_kept(i, i / 10))
    assert part_of(writer.path).is_file()
    writer.discard()
    assert writer.close() is None
    assert not list(tmp_path.iterdir())


def test_failure_of_the_caller_leaves_what_was_whole(tmp_path: Path) -> None:
    def fail() -> None:
        with SegmentWriter(path=tmp_path / "a.mp4") as writer:
            for i in range(30):
                writer.write(a_kept(i, i / 10))
            raise RuntimeError("blur")

    with pytest.raises(RuntimeError):
        fail()
    file = salvage(part_of(tmp_path / "a.mp4"), start_ns=START_NS)
    assert file is not None
    assert file.pictures == 30
    assert len(decoded(file.path)) == 30


def test_another_size_or_encoder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    writer = SegmentWriter(path=tmp_path / "a.mp4")
    for i in range(12):
        writer.write(a_kept(i, i / 10))
    with pytest.raises(StoreError, match="shape changed"):
        writer.write(a_kept(12, 1.2, width=96, height=96))
    file = writer.close()
    assert file is not None
    assert len(decoded(file.path)) == file.pictures >= 10
    with pytest.raises(StoreError, match="is closed"):
        writer.write(a_kept(13, 1.3))
    with pytest.raises(StoreError, match="cannot be written"):
        SegmentWriter(path=tmp_path / "b.mp4", encoder="h264_nowhere").write(a_kept(0, 0.0))


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a.mp4"
    with SegmentWriter(path=path, durable=False) as writer:
        for i in range(45):
            writer.write(a_kept(i, i / 10))
    return path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1))
def test_any_cut_leaves_a_file_that_plays(
    share: float, whole_file: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.mp4"
    path.write_bytes(whole_file[: round(share * len(whole_file))])
    whole = cut_to_whole(path)
    assert path.stat().st_size == whole.size_bytes
    assert whole_fragments(path) == whole
    if whole.pictures:
        found = decoded(path)
        assert len(found) == whole.pictures
        assert found[-1][0] == pytest.approx(whole.last_s, abs=1e-3)


@settings(max_examples=100, deadline=None)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_any_bytes_are_read_without_a_fault(
    places: list[tuple[float, int]], whole_file: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(whole_file)
    for share, value in places:
        content[min(round(share * 4000), len(content) - 1)] = value
    path = tmp_path_factory.mktemp("odd") / "a.mp4"
    path.write_bytes(content)
    whole = whole_fragments(path)
    assert 0 <= whole.size_bytes <= len(content)
    assert whole.pictures >= 0


def test_the_whole_file_is_whole_and_other_files_are_nothing(
    whole_file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(whole_file)
    assert whole_fragments(path).pictures == 45
    path.write_bytes(b"\0\0\0\1mdat" + bytes(100))
    assert whole_fragments(path).size_bytes == 0
    path.write_bytes(bytes(range(256)))
    assert whole_fragments(path).pictures == 0
    assert whole_fragments(a_clip(tmp_path / "plain.mp4")).pictures == 0
    with pytest.raises(StoreError, match="cannot be read"):
        whole_fragments(tmp_path / "absent.mp4")
