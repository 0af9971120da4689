"""GStreamer's RTSP server as a camera that dies, hangs, comes back and wants a password."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.faults.camera_clips import a_camera_clip, drawn
from tests.faults.rtsp_server import RtspServer, a_free_port, need_rtsp_server

from calmstreet.clock import SystemClock
from calmstreet.errors import InputError
from calmstreet.model.frame import Frame
from calmstreet.model.gap import Gap
from calmstreet.units import NS_PER_S
from calmstreet.video.address import parse_address
from calmstreet.video.live_source import LiveSource, Moment, Waiting
from calmstreet.video.packet_stream import StreamEnded
from calmstreet.video.probing import probe_camera
from calmstreet.video.rtsp_stream import RtspStream

Step = tuple[type[Moment], int, Callable[[], None]]
SECRET = "pl:ant/ed@s%c?#"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_rtsp_server()
    folder = tmp_path_factory.mktemp("cam")
    return a_camera_clip(folder / "a.mp4", drawn(250), repeats=20)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    return a_camera_clip(folder / "s.mp4", drawn(100, width=96, height=64), repeats=20)


def watch(url: str, *plan: Step, at_most_s: float = 40.0) -> list[tuple[float, Moment]]:
    """Watch a camera in real time until the plan is done.

    Each step waits for so many moments of a kind since the last step, then does something; what
    that takes is not counted.
    """
    clock, stop = SystemClock(), threading.Event()
    began_s = clock.monotonic_s()
    left, count = list(plan), 0
    seen: list[tuple[float, Moment]] = []
    source = LiveSource(address=parse_address(url), camera_id="north", stop=stop, clock=clock)
    for moment in source.moments():
        now_s = clock.monotonic_s() - began_s
        seen.append((now_s, moment))
        count += bool(left) and isinstance(moment, left[0][0])
        acted_s = clock.monotonic_s()
        if left and count >= left[0][1]:
            left.pop(0)[2]()
            count = 0
            stopped_s = clock.monotonic_s()
            began_s += stopped_s - acted_s
        if not left or now_s > at_most_s:
            stop.set()
    assert not left, "the plan was not done in time"
    assert clock.monotonic_s() - stopped_s < 4.0
    return seen


def nothing() -> None:
    """Do nothing: the plan is done."""


def check(seen: list[tuple[float, Moment]]) -> tuple[list[Frame], list[Gap], list[Waiting]]:
    """Hold to the bars: never silent for long, time accounted for; return frames, gaps, waits."""
    moments = [moment for _, moment in seen]
    frames = [moment for moment in moments if isinstance(moment, Frame)]
    gaps = [moment for moment in moments if isinstance(moment, Gap)]
    assert max(b - a for (a, _), (b, _) in pairwise(seen)) < 3.0
    last_ns = 0
    for moment in moments:
        if isinstance(moment, Gap):
            assert last_ns in {0, moment.start_ns}
            last_ns = moment.end_ns
        elif isinstance(moment, Frame):
            assert 0 <= moment.t_ns - last_ns <= 2 * NS_PER_S
            last_ns = moment.t_ns
    return frames, gaps, [moment for moment in moments if isinstance(moment, Waiting)]


@pytest.mark.slow
def test_a_camera_is_killed_and_comes_back(clip: Path) -> None:
    with RtspServer(clip=clip) as camera:
        seen = watch(
            camera.url(),
            (Frame, 30, camera.kill),
            (Waiting, 3, camera.start),
            (Frame, 30, nothing),
        )
    _, gaps, waits = check(seen)
    assert [gap.reason for gap in gaps] == ["starting", "not-reachable", "stopped"]
    assert 3.0 <= gaps[1].duration_s < 12.0
    assert waits[-1].reason == "not-reachable"


@pytest.mark.slow
def test_a_camera_that_hangs_is_noticed_and_called_again(clip: Path) -> None:
    with RtspServer(clip=clip) as camera:
        seen = watch(
            camera.url(),
            (Frame, 30, camera.freeze),
            (Waiting, 5, camera.thaw),
            (Frame, 30, nothing),
        )
    _, gaps, waits = check(seen)
    assert gaps[1].reason in {"silent", "not-reachable"}
    assert gaps[1].duration_s >= 5.0
    silent = next(wait for wait in waits if wait.reason == "silent")
    assert silent.t_ns - silent.since_ns < 2 * NS_PER_S


@pytest.mark.slow
def test_a_camera_that_hangs_does_not_hold_up_the_stop(clip: Path) -> None:
    with RtspServer(clip=clip) as camera:
        seen = watch(camera.url(), (Frame, 20, camera.freeze), (Waiting, 1, nothing))
    _, gaps, _ = check(seen)
    assert gaps[-1].duration_s >= 1.0


@pytest.mark.slow
def test_a_camera_comes_back_with_another_size(clip: Path, small: Path) -> None:
    with RtspServer(clip=clip) as camera:

        def change() -> None:
            camera.kill()
            camera.clip = small
            camera.start()

        frames, gaps, _ = check(
            watch(camera.url(), (Frame, 20, change), (Gap, 1, nothing), (Frame, 10, nothing))
        )
    assert "size-changed" in [gap.reason for gap in gaps]
    assert [frames[0].width_px, frames[-1].width_px] == [160, 96]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["digest", "basic"])
def test_a_password_with_every_odd_sign_opens_and_a_wrong_one_shows_nowhere(
    clip: Path, way: str
) -> None:
    with RtspServer(clip=clip, user="op", password=SECRET, way=way) as camera:
        report = probe_camera(parse_address(camera.url()), seconds=1.0)
        assert report.delivered_fps == pytest.approx(25, abs=3)
        assert "planted" not in repr(report)
        seen = watch(camera.url(password="planted-secret"), (Waiting, 2, nothing))
    frames, gaps, waits = check(seen)
    assert not frames
    assert [gap.reason for gap in gaps] == ["refused"]
    assert "planted" not in repr(waits) + repr(gaps)
    assert "user name and password" in gaps[0].note


@pytest.mark.slow
def test_a_picture_that_is_too_large_is_not_decoded(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calmstreet.video.rtsp_stream.MOST_PIXELS", 160 * 96 - 1)
    with RtspServer(clip=clip) as camera:
        frames, gaps, _ = check(watch(camera.url(), (Waiting, 4, nothing)))
    assert not frames
    assert gaps[0].duration_s >= 4.0


@pytest.mark.slow
def test_the_cameras_own_clock_is_told(clip: Path) -> None:
    with RtspServer(clip=clip) as camera:
        report = probe_camera(parse_address(camera.url()), seconds=7.0)
    assert abs(report.camera_ahead_s) < 1.0
    assert report.keyframe_s == pytest.approx(1.0, abs=0.1)


class FakeCamera:
    """A camera that says one thing to every question."""

    def __init__(self, answer: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(0.2)
        self.port = int(self._door.getsockname()[1])
        self.callers = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                caller, _ = self._door.accept()
            except TimeoutError:
                continue
            self.callers += 1
            caller.settimeout(1.0)
            try:
                self._tell(caller if self._tls is None else self._wrapped(caller))
            except OSError:
                caller.close()

    def _wrapped(self, caller: socket.socket) -> socket.socket:
        assert self._tls is not None
        return self._tls.wrap_socket(caller, server_side=True)

    def _tell(self, caller: socket.socket) -> None:
        with caller:
            asked = caller.recv(4096).decode("latin-1")
            number = asked.partition("CSeq: ")[2].partition("\r")[0]
            caller.sendall(self._answer.replace("NUMBER", number).encode())
            caller.recv(1)

    def __enter__(self) -> "FakeCamera":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._door.close()


def ended(stream: RtspStream) -> Iterator[StreamEnded]:
    """Yield how a stream ended."""
    try:
        while stream.next(0.5) is None:
            continue
    except StreamEnded as told:
        yield told
    finally:
        stream.close()


ODD_ANSWERS = {
    "elsewhere": "RTSP/1.0 302 Moved\r\nCSeq: NUMBER\r\nLocation: rtsp://127.0.0.1:PORT/x\r\n\r\n",
    "elsewhere-hidden": (
        "RTSP/1.0 200 OK\r\nCSeq: NUMBER\n\n"
        "RTSP/1.0 301 Moved\r\nCSeq: NUMBER\r\nLocation: rtsp://127.0.0.1:PORT/x\r\n\r\n"
    ),
    "two-lengths": "RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n12345",
    "http": "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "nothing": "",
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_a_camera_cannot_send_us_elsewhere(name: str) -> None:
    with FakeCamera("") as other:
        answer = ODD_ANSWERS[name].replace("PORT", str(other.port))
        with FakeCamera(answer) as camera:
            address = parse_address(f"rtsp://op:planted@127.0.0.1:{camera.port}/cam")
            (told,) = ended(RtspStream(address=address, clock=SystemClock()))
            assert camera.callers == 1
        assert other.callers == 0
    assert told.reason in {"refused", "not-reachable"}
    assert "planted" not in str(told) + repr(told.__context__)
    if name.startswith("elsewhere"):
        assert "another address" in str(told)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """TLS with a certificate that the camera signed itself, as they do."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=cam"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([openssl, *made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_rtsps_is_spoken_in_tls_and_only_there(tls: ssl.SSLContext) -> None:
    missing = "RTSP/1.0 404 Not Found\r\nCSeq: NUMBER\r\n\r\n"
    for context, words in ((tls, "no stream of this path"), (None, "does not speak TLS")):
        with FakeCamera(missing, tls=context) as camera:
            address = parse_address(f"rtsps://op:planted@127.0.0.1:{camera.port}/cam")
            (told,) = ended(RtspStream(address=address, clock=SystemClock()))
        assert told.reason == "refused"
        assert words in str(told)
        assert "planted" not in str(told)


def test_outside_networks_nobody_is_called() -> None:
    with FakeCamera("") as camera:
        address = parse_address(f"rtsp://127.0.0.1:{camera.port}/cam")
        (told,) = ended(RtspStream(address=address, clock=SystemClock(), networks=()))
        assert camera.callers == 0
    assert told.reason == "refused"
    assert "camera networks" in str(told)


def test_a_port_where_nobody_listens() -> None:
    address = parse_address(f"rtsp://127.0.0.1:{a_free_port()}/cam")
    (told,) = ended(RtspStream(address=address, clock=SystemClock()))
    assert told.reason == "not-reachable"
    with pytest.raises(InputError, match="tcp or udp"):
        RtspStream(address=address, clock=SystemClock(), transport="http")
