"""Whatever pieces a connection comes in, the same is passed on, and nobody is sent elsewhere."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.video.packet_stream import StreamEnded
from calmstreet.video.rtsp_wire import RtspWire

SDP = b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
DESCRIBED = (
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s"
    % (
        len(SDP),
        SDP,
    )
)
REPORT = (
    struct.pack("!BBHI", 0x80, 200, 6, 7) + struct.pack("!II", 2_208_988_800 + 9, 0) + bytes(12)
)


def binary(channel: int, data: bytes) -> bytes:
    return b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data


CONVERSATION = b"".join(
    [
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS\r\n\r\n",
        DESCRIBED,
        binary(0, b"RTSP/1.0 302 in a picture" * 40),
        binary(1, REPORT),
        b"\x00\x07stray",
        binary(0, b""),
        b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n",
        binary(0, bytes(range(256)) * 5),
    ]
)


@given(st.lists(st.integers(1, 900), max_size=40))
def test_any_cutting_passes_the_same_on(cuts: list[int]) -> None:
    wire, out, place = RtspWire(), b"", 0
    for cut in [*cuts, len(CONVERSATION)]:
        out += wire.feed(CONVERSATION[place : place + cut])
        place += cut
    assert out == CONVERSATION
    assert [answer.status for answer in wire.answers] == [200, 200, 200]
    assert wire.answers[1].media[0].codec == "h264"
    assert wire.clock_ns == 9 * 10**9


MOVED = b"RTSP/1.0 302 Moved\r\nCSeq: 2\r\nLocation: rtsp://169.254.169.254/\r\n\r\n"


@pytest.mark.parametrize(
    "attack",
    [
        MOVED,
        b" " + MOVED,
        b"\x00\x01" + MOVED,
        MOVED.replace(b"\r\n", b"\n"),
        MOVED.replace(b"302", b" 301"),
        b"RTSP/1.0 200 OK\r\nCSeq: 1\n\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\nContent-Length: 70\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: 70\r\nContent-Length: 0\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length : 70\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: -3\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: 75\r\n\r\n" + MOVED,
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n" + MOVED,
        b"REDIRECT rtsp://10.0.0.7/ RTSP/1.0\r\nLocation: rtsp://169.254.169.254/\r\n\r\n",
        b"A" * 16 + b"\x00RTSP/1.0 2\n\n" + MOVED,
        b"A" * 15 + b" " * 17_000,
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_camera_that_sends_us_elsewhere_is_cut_off(attack: bytes, size: int) -> None:
    wire, out = RtspWire(), b""
    refused = ""
    pieces = [attack[place : place + size] for place in range(0, len(attack), size)]
    try:
        for piece in [*pieces, b"\r\n" * 40]:
            out += wire.feed(piece)
    except StreamEnded as ended:
        refused = ended.reason
    assert refused == "refused"
    assert b"169.254" not in out


@given(st.binary(max_size=3000))
def test_noise_is_passed_on_or_held_or_refused_but_never_changed(data: bytes) -> None:
    wire = RtspWire()
    try:
        out = wire.feed(data)
    except StreamEnded:
        return
    assert data.startswith(out)
