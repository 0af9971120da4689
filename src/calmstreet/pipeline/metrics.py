"""Figures of a node as Prometheus text, on this machine alone."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from calmstreet.errors import InputError

__all__ = ["MetricsServer", "metrics_text"]

_NAMES: Mapping[str, tuple[str, str]] = {
    "up": ("gauge", "1 while the camera's process runs"),
    "watching": ("gauge", "1 while pictures are looked at"),
    "silent_s": ("gauge", "seconds since the last picture"),
    "delivered_fps": ("gauge", "pictures a second that the camera delivers"),
    "analysed_fps": ("gauge", "pictures a second that are looked at"),
    "net_every": ("gauge", "the net looks at every N-th of them"),
    "lag_s": ("gauge", "seconds from exposure to the end of the look"),
    "busy_share": ("gauge", "share of the time spent working"),
    "shedding": ("gauge", "1 while something is given up for lack of time"),
    "frames": ("counter", "pictures"),
    "analysed": ("counter", "pictures looked at"),
    "corrupt_frames": ("counter", "damaged pictures"),
    "dropped": ("counter", "pictures that came too late to be looked at"),
    "passed_over": ("counter", "pictures passed over to catch up"),
    "reconnects": ("counter", "connections made again"),
    "clock_steps": ("counter", "steps of the clock"),
    "runs": ("counter", "runs begun"),
    "gap_s": ("counter", "seconds in gaps that ended"),
    "events": ("counter", "events told"),
    "clips": ("counter", "pieces of video kept"),
    "clip_pictures_dropped": ("counter", "pictures of clips that found no room"),
    "clip_failures": ("counter", "clips that could not be written"),
    "blur_failures": ("counter", "pictures that could not be blurred and were dropped"),
    "main_connected": ("gauge", "1 while packets of the main stream come"),
    "main_ring_bytes": ("gauge", "memory that its packets take"),
    "main_offset_s": ("gauge", "by how much its times are ahead of the sub-stream's"),
    "main_clips": ("counter", "clips made of the main stream"),
    "main_clips_not": ("counter", "clips that stayed those of the sub-stream"),
    "main_blur_failures": ("counter", "of these, for a picture that could not be blurred"),
    "store_failures": ("counter", "times the disk refused"),
    "moved": ("gauge", "1 while the camera looks elsewhere"),
    "rss_bytes": ("gauge", "memory of the camera's process"),
    "open_files": ("gauge", "open files of the camera's process"),
    "cpu_s": ("counter", "processor seconds of the camera's process"),
    "restarts": ("counter", "times the camera's process was started again"),
}


def metrics_text(node: Mapping[str, Any], cameras: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the figures of a node and its cameras; what is unknown is left out.

    >>> print(metrics_text({"waiting_runs": 2}, {"north": {"frames": 5}}), end="")
    # HELP calmstreet_waiting_runs of this node
    # TYPE calmstreet_waiting_runs gauge
    calmstreet_waiting_runs 2
    # HELP calmstreet_camera_frames_total pictures
    # TYPE calmstreet_camera_frames_total counter
    calmstreet_camera_frames_total{camera="north"} 5
    """
    lines: list[str] = []
    for name, value in node.items():
        full = f"calmstreet_{name}"
        lines += [f"# HELP {full} of this node", f"# TYPE {full} gauge", f"{full} {value:g}"]
    for name, (kind, about) in _NAMES.items():
        known = {camera: row[name] for camera, row in cameras.items() if row.get(name) is not None}
        if known:
            full = f"calmstreet_camera_{name}" + ("_total" if kind == "counter" else "")
            lines += [f"# HELP {full} {about}", f"# TYPE {full} {kind}"]
            lines += [f'{full}{{camera="{c}"}} {float(v):.10g}' for c, v in known.items()]
    return "".join(f"{line}\n" for line in lines)


class _Server(ThreadingHTTPServer):
    """A server that asks nobody for the name of this machine."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Take the address; the base class would look its name up in the network."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])


class MetricsServer:
    """Answers GET /metrics at 127.0.0.1; ``text`` makes what is answered."""

    def __init__(self, *, port: int, text: Callable[[], str]) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _answering(text))
        except OSError as error:
            raise InputError(
                f"node.metrics_port {port} cannot be opened ({error.strerror}); take another one"
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _answering(text: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        """Answers with the figures and nothing else."""

        timeout = 5.0

        def do_GET(self) -> None:
            """Answer one question."""
            found = self.path.partition("?")[0] == "/metrics"
            body = (text() if found else "ask for /metrics\n").encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Answering
