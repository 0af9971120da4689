"""The only way to a camera: one checked connection, carried over loopback to FFmpeg.

FFmpeg would follow a camera that answers "moved" to wherever it is sent. It is therefore handed an
address on loopback; behind it one connection to the number that was checked is made, what comes
back is read on its way (`rtsp_wire`), and TLS of rtsps is spoken here. Cutting the relay ends
FFmpeg's reading at once.
"""

import selectors
import socket
import ssl
import threading
from dataclasses import replace

from calmstreet.clock import Clock
from calmstreet.video.address import Address
from calmstreet.video.packet_stream import StreamEnded, instant
from calmstreet.video.rtsp_answer import RtspAnswer
from calmstreet.video.rtsp_wire import RtspWire

__all__ = ["Relay"]

_CHUNK = 128 * 1024
_LOOK_S = 0.5


class Relay:
    """Carries one connection to a resolved address.

    ``local`` is the address for FFmpeg. ``failure`` tells why the camera could not be reached or
    was refused, None while all is well. ``camera_ahead_ns`` is by how much the camera's own clock
    was ahead of ours at its last report, None before one.
    """

    def __init__(self, *, address: Address, clock: Clock, open_timeout_s: float) -> None:
        self._address = address
        self._clock = clock
        self._open_timeout_s = open_timeout_s
        self._wire = RtspWire()
        self._closing = threading.Event()
        self._cut = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._door.settimeout(_LOOK_S)
        self.failure: StreamEnded | None = None
        self.camera_ahead_ns: int | None = None
        self.local = replace(
            address, scheme="rtsp", ip="127.0.0.1", port=int(self._door.getsockname()[1])
        )
        self._thread = threading.Thread(target=self._run, name="camera-relay", daemon=True)
        self._thread.start()

    @property
    def answers(self) -> list[RtspAnswer]:
        """Return what the camera answered so far."""
        return list(self._wire.answers)

    def close(self) -> None:
        """Let nobody in any more; a connection that was made ends with its last byte."""
        self._closing.set()

    def cut(self) -> None:
        """End both connections at once; whoever reads sees the end of the stream."""
        self._closing.set()
        self._cut.set()

    def _run(self) -> None:
        try:
            with self._door:
                near = self._met()
            if near is not None:
                with near:
                    self._serve(near)
        except (OSError, ValueError):
            return

    def _serve(self, near: socket.socket) -> None:
        """Carry one connection; why it failed is known before FFmpeg sees its end."""
        try:
            with self._called() as far:
                self._carry(near, far)
        except StreamEnded as ended:
            self.failure = ended

    def _met(self) -> socket.socket | None:
        """Return FFmpeg's end; only one caller is ever let in."""
        while not self._closing.is_set():
            try:
                return self._door.accept()[0]
            except TimeoutError:
                continue
        return None

    def _called(self) -> socket.socket:
        """Return the connection to the camera."""
        name = self._address.redacted
        try:
            far = socket.create_connection(
                (self._address.ip, self._address.port), self._open_timeout_s
            )
        except ConnectionRefusedError:
            raise StreamEnded("not-reachable", f"{name}: nothing listens at its port") from None
        except OSError:
            raise StreamEnded("not-reachable", f"{name}: it did not answer in time") from None
        if self._address.scheme != "rtsps":
            return far
        try:
            return _unverified().wrap_socket(far)
        except (ssl.SSLError, OSError):
            far.close()
            raise StreamEnded("refused", f"{name}: it does not speak TLS") from None

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.settimeout(self._open_timeout_s)
        with selectors.DefaultSelector() as ready:
            ready.register(near, selectors.EVENT_READ)
            ready.register(far, selectors.EVENT_READ)
            while not self._cut.is_set():
                ends = [key.fileobj for key, _ in ready.select(_LOOK_S)]
                if near in ends:
                    said = near.recv(_CHUNK)
                    if not said:
                        return
                    far.sendall(said)
                if far in ends and not self._pass_on(near, far):
                    return

    def _pass_on(self, near: socket.socket, far: socket.socket) -> bool:
        """Carry what the camera sent; return False at its end."""
        told = far.recv(_CHUNK)
        while isinstance(far, ssl.SSLSocket) and far.pending():
            told += far.recv(far.pending())
        reports = self._wire.reports
        try:
            near.sendall(self._wire.feed(told))
        except StreamEnded as ended:
            raise StreamEnded(ended.reason, f"{self._address.redacted}: {ended}") from None
        if self._wire.reports > reports and self._wire.clock_ns is not None:
            now_ns, ahead_ns = instant(self._clock)
            self.camera_ahead_ns = self._wire.clock_ns - now_ns - ahead_ns
        return bool(told)


def _unverified() -> ssl.SSLContext:
    """Return TLS that hides the stream but takes any certificate, for cameras sign their own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
