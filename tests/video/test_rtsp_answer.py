"""Answers of real cameras read, and what is odd about each is named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shared_data import shared_data

from calmstreet.errors import FormatError
from calmstreet.video.rtsp_answer import (
    QUIRKS,
    RtspAnswer,
    answers_quirks,
    parse_answer,
    parse_sdp,
)

EXPECTED: dict[str, set[str]] = {
    "anjvision_describe.txt": {"content-base-without-scheme"},
    "bad_rtptime.txt": {"rtptime-bad"},
    "bunny_describe.txt": set(),
    "bunny_play.txt": {"rtptime-zero"},
    "dahua_describe_h264_aac_onvif.txt": set(),
    "dahua_describe_h265_pcma.txt": set(),
    "dahua_options.txt": set(),
    "dahua_play.txt": set(),
    "gw_main_describe.txt": {"level-nonsense", "parameter-sets-padded"},
    "gw_sub_describe.txt": {"level-nonsense", "parameter-sets-padded"},
    "hikvision_describe.txt": {"control-absolute"},
    "hikvision_play.txt": {"session-padded", "wrong-date"},
    "hikvision_setup.txt": {"session-padded", "wrong-date"},
    "hikvision_setup_ssrc_space.txt": {"ssrc-odd"},
    "ipcam_describe.txt": {"sdp-blanks", "framerate-nonsense", "framerate-twice"},
    "laureii_play.txt": {"rtp-info-trailing", "rtptime-zero"},
    "luckfox_rkipc_setup_tcp.txt": {"transport-without-unicast"},
    "missing_content_type_describe.txt": {"content-type-missing"},
    "reolink_describe.txt": {"wrong-date"},
    "reolink_play.txt": {"wrong-date"},
}


def folder() -> Path:
    return shared_data("camera_protocols") / "rtsp"


def read(name: str) -> RtspAnswer:
    return parse_answer((folder() / name).read_bytes())


def test_every_answer_that_was_collected_parses() -> None:
    files = sorted(folder().glob("*.txt"))
    assert len(files) > 30
    for file in files:
        data = file.read_bytes()
        if data.startswith(b"v=0"):
            media, quirks = parse_sdp(data.decode())
        else:
            answer = parse_answer(data)
            assert answer.status == 200
            media, quirks = answer.media, list(answer.quirks)
        assert set(quirks) <= set(QUIRKS)
        if "describe" in file.name or "sdp" in file.name:
            video = next(one for one in media if one.kind == "video")
            assert video.codec in {"h264", "h265"}
            assert video.clock_hz == 90_000
            assert video.has_parameter_sets


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_odd_is_named(name: str) -> None:
    assert set(read(name).quirks) - {"content-length-false"} == EXPECTED[name]


def test_sizes_and_rates_are_read() -> None:
    hikvision = read("hikvision_describe.txt").video
    assert hikvision is not None
    assert (hikvision.width_px, hikvision.height_px) == (1920, 1080)
    dahua = read("dahua_describe_h265_pcma.txt").video
    assert dahua is not None
    assert (dahua.codec, dahua.declared_fps) == ("h265", 12.0)
    ipcam = read("ipcam_describe.txt").video
    assert ipcam is not None
    assert ipcam.declared_fps == 25.0


def test_tracks_of_a_play_are_read() -> None:
    tracks = read("dahua_play.txt").tracks
    assert [track.rtptime for track in tracks] == [3475222385, 2234446919, 816418535]
    assert read("bad_rtptime.txt").tracks[0].rtptime is None
    assert read("laureii_play.txt").tracks[0].url.endswith("trackID=0")


def test_a_conversation_shows_what_single_answers_do_not() -> None:
    answers = [read("gw_main_setup_video.txt"), read("gw_main_play.txt"), read("gw_sub_play.txt")]
    assert {"session-changes", "session-timeout-changes"} <= set(answers_quirks(answers))


def test_a_length_that_lies_is_named() -> None:
    answer = parse_answer(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4096\r\n\r\nv=0\r\n")
    assert "content-length-false" in answer.quirks


@given(st.binary(max_size=400))
def test_nothing_but_a_format_error_comes_of_noise(data: bytes) -> None:
    for noise in (data, b"RTSP/1.0 200 OK\r\n" + data, b"RTSP/1.0 200 OK\r\n\r\nm=" + data):
        with suppress(FormatError):
            assert 100 <= parse_answer(noise).status <= 999 or noise is data
