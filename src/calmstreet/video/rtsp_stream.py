"""A camera over RTSP: one thread opens and reads, so that nobody waits for the network.

FFmpeg reads through PyAV and a `Relay`, which alone connects to the number that was checked; only
sub-protocols of RTSP are allowed, sound is never asked for. What FFmpeg says is told by its kind
alone: its own text holds the address with the password.
"""

import socket
import threading
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import av.error

from calmstreet.clock import Clock
from calmstreet.errors import InputError
from calmstreet.units import NS_PER_S
from calmstreet.video.address import DEFAULT_NETWORKS, Address, Network, Resolve, resolved
from calmstreet.video.packet_queue import PacketQueue
from calmstreet.video.packet_stream import Arrival, StreamEnded, StreamInfo, instant
from calmstreet.video.relay import Relay
from calmstreet.video.rtsp_answer import RtspAnswer

__all__ = ["MOST_PIXELS", "OPEN_TIMEOUT_S", "READ_TIMEOUT_S", "RtspStream", "rtsp_options"]

OPEN_TIMEOUT_S = 8.0
READ_TIMEOUT_S = 2.0
"""FFmpeg ends only at the second timeout in a row: after 4 s of silence."""
MOST_PIXELS = 7680 * 4320
"""A picture that claims to be larger is not decoded: it would take the machine's memory."""
_WHITELISTS = {"tcp": "rtsp,tcp", "udp": "rtsp,tcp,tls,crypto,rtp,udp"}
_REFUSED = (
    av.error.HTTPUnauthorizedError,
    av.error.HTTPForbiddenError,
    av.error.HTTPNotFoundError,
    av.error.HTTPBadRequestError,
    av.error.HTTPOtherClientError,
    av.error.HTTPTooManyRequestsError,
)
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (av.error.HTTPUnauthorizedError, "it does not accept user name and password"),
    (av.error.HTTPForbiddenError, "it forbids this stream to this user"),
    (av.error.HTTPNotFoundError, "it has no stream of this path"),
    (av.error.ConnectionRefusedError, "nothing listens at its port"),
    (av.error.ExitError, "it did not answer in time"),
    (av.error.TimeoutError, "it did not answer in time"),
    (av.error.InvalidDataError, "what it answers makes no sense"),
)


def rtsp_options(transport: str) -> dict[str, str]:
    """Return FFmpeg's options for a camera over "tcp" or "udp"; raise InputError for another.

    >>> rtsp_options("tcp")["allowed_media_types"]
    'video'
    """
    if transport not in _WHITELISTS:
        raise InputError(f"transport {transport!r} of a camera must be tcp or udp")
    return {
        "rtsp_transport": transport,
        "allowed_media_types": "video",
        "protocol_whitelist": _WHITELISTS[transport],
        "format_whitelist": "rtsp",
        "probesize": "32768",
        "analyzeduration": "200000",
        "fpsprobesize": "0",
        "fflags": "nobuffer",
    }


class RtspStream:
    """The packets of one connection to a camera."""

    def __init__(
        self,
        *,
        address: Address,
        clock: Clock,
        networks: Sequence[Network] = DEFAULT_NETWORKS,
        transport: str = "tcp",
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._address = address
        self._clock = clock
        self._networks = networks
        self._resolve = resolve
        self._transport = transport
        self._options = rtsp_options(transport)
        self._relay: Relay | None = None
        self._info: StreamInfo | None = None
        self._stream: Any = None
        self._queue = PacketQueue()
        self._closing = threading.Event()
        self._called_s = clock.monotonic_s()
        self._thread = threading.Thread(target=self._run, name="camera-reader", daemon=True)
        self._thread.start()

    @property
    def info(self) -> StreamInfo | None:
        """Return what the camera declares, None until it is connected."""
        return self._info

    @property
    def dropped(self) -> int:
        """Return how many packets were thrown away because nobody took them in time."""
        return self._queue.dropped

    @property
    def answers(self) -> list[RtspAnswer]:
        """Return what the camera answered so far; nothing is read over udp."""
        return self._relay.answers if self._relay else []

    @property
    def camera_ahead_s(self) -> float:
        """Return by how much the camera's own clock is ahead of ours; NaN where not told."""
        told_ns = self._relay.camera_ahead_ns if self._relay else None
        return float("nan") if told_ns is None else told_ns / NS_PER_S

    def next(self, timeout_s: float) -> Arrival | None:
        """Return the next packet, None when none came in ``timeout_s``; raise StreamEnded."""
        return self._queue.take(timeout_s)

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        """Return the frames that a packet completes."""
        found: list[av.VideoFrame] = self._stream.decode(packet)
        return found

    def close(self) -> None:
        """Say goodbye to the camera; a reader that hears nothing is cut off after half a second."""
        self._closing.set()
        self._thread.join(0.5)
        if self._thread.is_alive() and self._relay is not None:
            self._relay.cut()

    def _run(self) -> None:
        try:
            pinned = resolved(self._address, networks=self._networks, resolve=self._resolve)
        except InputError as error:
            known = "not known" not in str(error)
            self._queue.end(StreamEnded("refused" if known else "not-reachable", str(error)))
            return
        if self._transport == "tcp":
            self._relay = Relay(address=pinned, clock=self._clock, open_timeout_s=OPEN_TIMEOUT_S)
            pinned = self._relay.local
        self._called_s = self._clock.monotonic_s()
        try:
            with av.open(
                pinned.url(),
                format="rtsp",
                options=self._options,
                timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
            ) as container:
                self._read(container)
                self._closing.wait()
        except Exception as error:  # whatever it is: its own text may hold the password
            self._queue.end(self._told(error))
        finally:
            if self._relay is not None:
                self._relay.close()

    def _read(self, container: Any) -> None:
        if not container.streams.video:
            self._queue.end(StreamEnded("refused", f"{self._address.redacted} sends no pictures"))
            return
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        rate = stream.average_rate
        self._stream = stream
        self._info = StreamInfo(
            codec=stream.codec_context.name,
            declared_fps=float(rate) if rate else float("nan"),
            time_base=stream.time_base or Fraction(1, 90_000),
            extradata=bytes(stream.codec_context.extradata or b""),
        )
        try:
            for packet in container.demux(stream):
                if self._closing.is_set():
                    return
                if packet.size:
                    arrival_ns, ahead_ns = instant(self._clock)
                    self._queue.put(
                        Arrival(packet=packet, arrival_ns=arrival_ns, ahead_ns=ahead_ns)
                    )
        except (av.error.FFmpegError, OSError) as error:
            self._queue.end(self._told(error))
            return
        self._queue.end(self._told_end())

    def _told_end(self) -> StreamEnded:
        failure = self._relay.failure if self._relay else None
        return failure or StreamEnded("ended", f"{self._address.redacted} ended the stream")

    def _told(self, error: BaseException) -> StreamEnded:
        failure = self._relay.failure if self._relay else None
        if failure is not None:
            return failure
        unanswered = self._clock.monotonic_s() - self._called_s > OPEN_TIMEOUT_S - 1.0
        if self._info is None and unanswered:
            error = av.error.ExitError(0, "")
        why = next((words for kind, words in _WORDS if isinstance(error, kind)), "")
        why = why or str(getattr(error, "strerror", None) or type(error).__name__)
        for secret in self._address.secrets():
            why = why.replace(secret, "***")
        if isinstance(error, _REFUSED):
            reason = "refused"
        elif self._info is None:
            reason = "not-reachable"
        else:
            late = isinstance(error, (av.error.ExitError, av.error.TimeoutError))
            reason = "silent" if late else "ended"
        return StreamEnded(reason, f"{self._address.redacted}: {why}")
