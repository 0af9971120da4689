"""The main stream as packets in memory: bounded, with the times of the analysed stream."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.camera_clips import a_camera_clip, drawn

from calmstreet.clock import FakeClock
from calmstreet.model.frame import Frame
from calmstreet.units import NS_PER_S, ns_from_s
from calmstreet.video.address import Address, parse_address
from calmstreet.video.live_source import LiveSource
from calmstreet.video.main_stream import MainStream
from calmstreet.video.packet_ring import KeptPacket, PacketRing, StreamForm
from calmstreet.video.packet_stream import StreamEnded
from calmstreet.video.span_decoder import SpanDecoder

START_NS = 1_700_000_000 * NS_PER_S
FORM = StreamForm(codec="h264")


def a_packet(t_s: float, *, keyframe: bool, size_bytes: int = 1000) -> KeptPacket:
    return KeptPacket(data=b"x" * size_bytes, t_ns=ns_from_s(t_s), keyframe=keyframe, form=FORM)


def filled(
    ring: PacketRing, until_s: float, *, from_s: float = 0.0, size_bytes: int = 1000
) -> None:
    """Add ten packets a second, a keyframe every second one."""
    for k in range(round(from_s * 10), round(until_s * 10)):
        ring.add(a_packet(k / 10, keyframe=k % 20 == 0, size_bytes=size_bytes))


def test_the_ring_holds_so_many_seconds_and_one_group_before() -> None:
    ring = PacketRing(keep_s=5.0)
    filled(ring, 30.0)
    assert 5.0 <= ring.reach_s <= 7.0
    assert ring.first_ns is not None
    assert ring.first_ns % ns_from_s(2.0) == 0


def test_a_clip_on_its_way_holds_more_until_it_is_released() -> None:
    ring = PacketRing(keep_s=5.0, most_s=20.0)
    filled(ring, 10.0)
    ring.hold(ns_from_s(4.0))
    filled(ring, 20.0, from_s=10.0)
    assert ring.first_ns == ns_from_s(4.0)
    filled(ring, 60.0, from_s=20.0)
    assert ring.reach_s <= 22.0
    ring.release()
    filled(ring, 61.0, from_s=60.0)
    assert ring.reach_s <= 7.0


@given(sizes=st.lists(st.integers(1, 4000), min_size=1, max_size=200))
def test_the_ring_never_holds_more_bytes_than_it_may(sizes: list[int]) -> None:
    ring = PacketRing(keep_s=100.0, most_bytes=20_000)
    for k, size_bytes in enumerate(sizes):
        ring.add(a_packet(k / 10, keyframe=k % 7 == 0, size_bytes=size_bytes))
        assert ring.size_bytes <= 20_000
        held = ring.span(0, ns_from_s(1e6))
        assert sum(len(packet.data) for packet in held) == ring.size_bytes
        assert not held or held[0].keyframe


def test_a_group_without_end_is_given_up() -> None:
    ring = PacketRing(keep_s=5.0, most_s=10.0, most_bytes=10**9)
    ring.add(a_packet(0.0, keyframe=True))
    for k in range(1, 400):
        ring.add(a_packet(k / 10, keyframe=False))
    assert ring.reach_s <= 20.0


def test_a_span_begins_with_the_keyframe_before_it() -> None:
    ring = PacketRing(keep_s=50.0)
    filled(ring, 20.0)
    span = ring.span(ns_from_s(7.5), ns_from_s(9.0))
    assert (span[0].t_ns, span[-1].t_ns) == (ns_from_s(6.0), ns_from_s(9.0))
    assert ring.span(ns_from_s(30.0), ns_from_s(31.0))[0].t_ns == ns_from_s(18.0)


@pytest.fixture(scope="module", params=[0, 3])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip without and one with pictures that are shown later than they are decoded."""
    path = tmp_path_factory.mktemp("main") / "a.mp4"
    return a_camera_clip(path, drawn(60), fps=10, gop=20, bframes=request.param)


def pumped(clip: Path, for_s: float) -> MainStream:
    clock = FakeClock(start_ns=START_NS)
    stream = MainStream(address=parse_address(f"file:{clip}"), clock=clock)
    for _ in range(round(for_s * 10)):
        stream.pump()
        clock.advance(0.1)
    return stream


def test_pictures_have_the_times_that_an_analysed_stream_gives_them(clip: Path) -> None:
    stream = pumped(clip, 5.0)
    kept = list(SpanDecoder(stream.ring.span(0, 2**62), camera_id="n").frames())
    source = LiveSource(
        address=parse_address(f"file:{clip}"), camera_id="n", clock=FakeClock(start_ns=START_NS)
    )
    analysed = {m.t_ns: m.luma.copy() for m in source.moments() if isinstance(m, Frame)}
    assert len(kept) > 40
    for frame in kept[5:]:
        t_ns = min(analysed, key=lambda t_ns: abs(t_ns - frame.t_ns))
        assert abs(t_ns - frame.t_ns) < NS_PER_S // 100
        assert np.array_equal(analysed[t_ns], frame.luma)


def test_damaged_packets_are_counted_and_left_out(clip: Path) -> None:
    packets = pumped(clip, 4.0).ring.span(0, 2**62)
    torn = [
        KeptPacket(data=p.data[: len(p.data) // 3] if k == 7 else p.data, t_ns=p.t_ns,
                   keyframe=p.keyframe, form=p.form)
        for k, p in enumerate(packets)
    ]  # fmt: skip
    decoder = SpanDecoder(torn, camera_id="n")
    times = [frame.t_ns for frame in decoder.frames()]
    assert decoder.damaged >= 1
    assert times == sorted(set(times))
    assert len(times) + decoder.damaged <= len(packets) + 1


class Ending:
    """A camera that refuses the first calls and then ends at once."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, address: Address) -> Any:
        self.calls += 1
        raise StreamEnded("silent", "it does not answer")


def test_a_main_stream_that_is_gone_is_called_again_less_and_less() -> None:
    clock, camera = FakeClock(start_ns=START_NS), Ending()
    stream = MainStream(
        address=parse_address("rtsp://127.0.0.1/main"), clock=clock, open_stream=camera, seed=1
    )
    for _ in range(600):
        stream.pump()
        clock.advance(0.1)
    assert 8 <= camera.calls <= 12
    assert (stream.connected, stream.reason) == (False, "silent")
    stream.close()
    stream.pump()
    assert camera.calls <= 12


def test_a_film_that_begins_again_is_another_stretch_of_time(tmp_path: Path) -> None:
    clip = a_camera_clip(tmp_path / "a.mp4", drawn(20), fps=10, gop=10)
    clock = FakeClock(start_ns=START_NS)
    stream = MainStream(address=parse_address(f"file:{clip}?loop=1"), clock=clock)
    for _ in range(30):
        stream.pump()
        clock.advance(0.1)
    assert stream.connections == 2
    assert stream.ring.reach_s <= 1.0
    with av.open(str(clip)) as container:
        assert container.streams.video[0].frames == 20


def test_a_film_that_is_not_there_is_told_and_harms_nobody(tmp_path: Path) -> None:
    clock = FakeClock(start_ns=START_NS)
    stream = MainStream(address=parse_address(f"file:{tmp_path / 'none.mp4'}"), clock=clock)
    stream.pump()
    assert (stream.connected, stream.reason) == (False, "not-reachable")
    assert "none.mp4" in stream.note
