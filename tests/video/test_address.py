"""Addresses: nothing but cameras in allowed networks, and passwords nowhere."""

import ipaddress
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.errors import InputError
from calmstreet.video.address import (
    Address,
    Credentials,
    parse_address,
    parse_networks,
    resolved,
)

PLANTED = "".join(["pla", "nted"])
HOSTILE = [
    "http://10.0.0.7/",
    "exec:rm",
    "concat:/etc/passwd|rtsp://10.0.0.7",
    "rtsp:10.0.0.7",
    "rtsp://",
    "rtsp:///live",
    "rtsp://:554/live",
    "rtsp://10.0.0.7:0/",
    "rtsp://10.0.0.7:70000/",
    "rtsp://10.0.0.7:5a4/",
    "rtsp://[::1/live",
    "rtsp://ho st/live",
    "rtsp://10.0.0.7/li\nve",
    "rtsp://-f/live",
    "rtsp://a|b/live",
    "rtsp://user:pa/ss@10.0.0.7/live",
    "rtsp://user:5/secret@10.0.0.7/live",
    "rtsp+unix://x",
    "file:",
    "file:clip.mp4?loop=2",
    "file:clip.mp4?protocol=1",
    "rtsp://" + "a" * 3000,
    "",
]


def answers(*numbers: str) -> Any:
    return lambda *_, **__: [(2, 1, 6, "", (number, 554)) for number in numbers]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_camera_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InputError) as told:
        parse_address(text)
    assert "secret" not in str(told.value)
    assert "pa/ss" not in str(told.value)


@given(user=st.text(min_size=1, max_size=20), password=st.text(max_size=20))
def test_credentials_survive_escaping_and_show_nowhere(user: str, password: str) -> None:
    from urllib.parse import quote

    sign = f"{quote(user, safe='')}:{quote(password, safe='')}"
    address = parse_address(f"rtsp://{sign}@cam.lan:8554/live?channel=1")
    assert address.credentials == Credentials(user=user, password=password)
    there = resolved(address, resolve=answers("10.0.0.7"))
    assert there.url() == f"rtsp://{sign}@10.0.0.7:8554/live?channel=1"
    shown = repr(there) + str(there) + there.redacted
    assert "rtsp://cam.lan:8554/live?***" in shown
    assert "Credentials" not in repr(there)
    assert "channel" not in there.redacted


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("rtsp://10.0.0.7", "10.0.0.7", 554, "/"),
        ("RTSPS://cam.lan/a/b", "cam.lan", 322, "/a/b"),
        ("rtsp://[fc00::7]:8554/x", "fc00::7", 8554, "/x"),
        ("rtsp://cam?channel=1", "cam", 554, "/?channel=1"),
        (" rtsp://cam/x#part ", "cam", 554, "/x"),
    ],
)
def test_addresses_are_taken_apart(text: str, host: str, port: int, path: str) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.path) == (host, port, path)


def test_files_are_found_from_the_settings_folder(tmp_path: Path) -> None:
    address = parse_address("file:clip.mp4?loop=1", home=tmp_path)
    assert (address.path, address.loop, address.is_file) == (str(tmp_path / "clip.mp4"), True, True)
    assert parse_address("file:///srv/c.mp4").path == "/srv/c.mp4"
    assert resolved(address) is address


@pytest.mark.parametrize(
    "number",
    [
        "8.8.8.8",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "fe80::1%eth0",
        "::ffff:8.8.8.8",
        "2001::1",
    ],
)
def test_numbers_outside_the_networks_are_refused(number: str) -> None:
    with pytest.raises(InputError, match="outside the camera networks"):
        resolved(parse_address("rtsp://cam.lan/x"), resolve=answers("10.0.0.7", number))


@pytest.mark.parametrize(
    "number", ["10.1.2.3", "127.0.0.1", "192.168.1.9", "::1", "::ffff:10.0.0.7"]
)
def test_numbers_inside_are_pinned(number: str) -> None:
    assert resolved(parse_address("rtsp://cam.lan/x"), resolve=answers(number)).ip == (
        number.removeprefix("::ffff:")
    )


def test_the_name_is_asked_once_so_that_it_cannot_change_in_between() -> None:
    asked: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return answers("10.0.0.7" if len(asked) == 1 else "8.8.8.8")()

    assert "10.0.0.7" in resolved(parse_address("rtsp://cam.lan/x"), resolve=resolve).url()
    assert asked == ["cam.lan"]


def test_an_address_that_was_not_checked_cannot_be_opened() -> None:
    with pytest.raises(InputError, match="was not resolved"):
        Address(scheme="rtsp", host="8.8.8.8", port=554, path="/").url()


def test_unknown_hosts_and_networks_are_told() -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise OSError("no such host")

    with pytest.raises(InputError, match=r"host cam\.lan of a camera is not known") as told:
        resolved(parse_address(f"rtsp://op:{PLANTED}@cam.lan/x"), resolve=unknown)
    assert PLANTED not in "".join(traceback.format_exception(told.value))
    with pytest.raises(InputError, match=r"10\.8\.0\.1/16"):
        parse_networks(["10.8.0.1/16"])
    assert parse_networks(["fc00::/7"]) == (ipaddress.ip_network("fc00::/7"),)


PIECES = [
    "rtsp",
    "file",
    "http",
    "exec",
    "://",
    ":",
    "@",
    "/",
    "?",
    "#",
    "[",
    "]",
    "10.0.0.7",
    "::1",
]
PIECES += ["8.8.8.8", "cam.lan", "a", "%40", "%2F", "\\", "|", "\t", "é", "554", "99999", "-", ".."]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_ffmpeg_sees_the_host_that_was_checked_whatever_is_written(text: str) -> None:
    try:
        address = resolved(parse_address(f"rtsp://{text}"), resolve=answers("10.0.0.7"))
    except InputError:
        return
    behind = address.url().partition("://")[2]
    authority = behind[: min(behind.find(sign) for sign in "/?#" if sign in behind)]
    assert authority.rpartition("@")[2] == f"10.0.0.7:{address.port}"
    assert authority.count("@") == (address.credentials is not None)
    assert not set(address.url()) & set(" \t\r\n\x00")
