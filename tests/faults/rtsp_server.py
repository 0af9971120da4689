"""A real RTSP server as a camera that can be killed, frozen and brought back."""

import json
import os
import signal
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

_SCRIPT = Path(__file__).with_name("gst_camera.py")
_ASK = (
    "import gi; gi.require_version('GstRtspServer', '1.0');from gi.repository import GstRtspServer"
)
_REQUIRE = "CALMSTREET_REQUIRE_RTSP"


@cache
def gst_python() -> str | None:
    """Return a Python with GStreamer's RTSP server, None where there is none."""
    for python in ("/usr/bin/python3", "python3"):
        try:
            asked = subprocess.run([python, "-c", _ASK], capture_output=True, check=False)
        except OSError:
            continue
        if asked.returncode == 0:
            return python
    return None


def need_rtsp_server() -> str:
    """Return that Python; skip the test with a reason, or fail where it is required."""
    python = gst_python()
    if python is None:
        sentence = (
            "GStreamer's RTSP server is not installed "
            "(apt install gir1.2-gst-rtsp-server-1.0 python3-gst-1.0 "
            "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)"
        )
        if os.environ.get(_REQUIRE):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return python


def a_free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
    return port


def launch_of(clip: Path) -> str:
    """Return GStreamer's pipeline that sends an mp4 or MPEG-TS clip of H.264."""
    demux = "tsdemux" if clip.suffix == ".ts" else "qtdemux"
    return (
        f"( filesrc location={clip.resolve()} ! {demux} ! h264parse config-interval=1 "
        "! rtph264pay name=pay0 pt=96 )"
    )


class RtspServer:
    """A camera at 127.0.0.1; ``with`` starts and ends it."""

    def __init__(
        self,
        *,
        clip: Path,
        user: str = "",
        password: str = "",
        way: str = "digest",
        launch: str = "",
    ) -> None:
        self._python = need_rtsp_server()
        self.port = a_free_port()
        self.clip = clip
        self._launch = launch
        self._sign = {"user": user, "password": password, "way": way} if user else {}
        self._process: subprocess.Popen[str] | None = None

    def url(self, *, password: str | None = None, path: str = "/cam") -> str:
        """Return the address, with credentials where the camera wants some."""
        sign = ""
        if self._sign:
            said = self._sign["password"] if password is None else password
            sign = f"{quote(self._sign['user'], safe='')}:{quote(said, safe='')}@"
        return f"rtsp://{sign}127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """Start and wait until it listens."""
        mount = {"launch": self._launch or launch_of(self.clip), **self._sign}
        self._process = subprocess.Popen(
            [self._python, str(_SCRIPT), str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdin as said:
            json.dump({"/cam": mount}, said)
        assert self._process.stdout.readline().strip() == "ready"

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def freeze(self) -> None:
        """Let it stop in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def __enter__(self) -> "RtspServer":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.kill()
