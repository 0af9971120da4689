"""Main and sub stream of a camera watched side by side, to learn how far apart their times lie."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calmstreet.clock import Clock, SystemClock
from calmstreet.errors import VideoError
from calmstreet.model.frame import Frame
from calmstreet.video.address import DEFAULT_NETWORKS, Address, Network
from calmstreet.video.live_source import LiveSource, Waiting
from calmstreet.video.stream_offset import StreamOffset, stream_offset, thumbnail

__all__ = ["Shown", "compare_streams", "offset_between", "what_is_shown"]

_PATIENCE_S = 15.0


class Shown(NamedTuple):
    """Times (n,) UTC ns and thumbnails (n, 9, 16) of what a stream showed; n may be 0."""

    t_ns: NDArray[np.int64]
    thumbs: NDArray[np.uint8]


def what_is_shown(source: LiveSource, *, lasting_s: float) -> Shown:
    """Return what a stream shows for some seconds after its first picture.

    Empty where nothing came in 15 s. Only the thumbnails are kept, in memory.
    """
    times: list[int] = []
    thumbs: list[NDArray[np.uint8]] = []
    for moment in source.moments():
        if isinstance(moment, Frame):
            times.append(moment.t_ns)
            thumbs.append(thumbnail(moment.luma))
            if moment.t_ns - times[0] > lasting_s * 1e9:
                break
        elif isinstance(moment, Waiting) and moment.t_ns - moment.since_ns > _PATIENCE_S * 1e9:
            break
    return Shown(t_ns=np.array(times, np.int64), thumbs=np.array(thumbs, np.uint8))


def offset_between(sub: Shown, main: Shown) -> StreamOffset | None:
    """Return by how much the main stream's times are ahead, None where pictures do not tell it."""
    return stream_offset(sub.t_ns, first=sub.thumbs, second_ns=main.t_ns, second=main.thumbs)


def compare_streams(
    sub: Address,
    *,
    main: Address,
    seconds: float = 12.0,
    networks: Sequence[Network] = DEFAULT_NETWORKS,
    transport: str = "tcp",
    clock: Clock | None = None,
) -> StreamOffset | None:
    """Watch both streams of a camera at once; return how far apart their times lie.

    None where their pictures do not tell it, as in a street where nothing moves. Raises VideoError
    where one of them cannot be watched.
    """
    clock, stop = clock or SystemClock(), threading.Event()
    found: dict[str, Shown] = {}

    def look(name: str, address: Address) -> None:
        source = LiveSource(
            address=address,
            camera_id=name,
            clock=clock,
            networks=networks,
            transport=transport,
            stop=stop,
        )
        found[name] = what_is_shown(source, lasting_s=seconds)

    other = threading.Thread(target=look, args=("main", main), daemon=True)
    other.start()
    look("sub", sub)
    other.join(seconds + 2 * _PATIENCE_S)
    stop.set()
    for name, address in (("sub", sub), ("main", main)):
        if name not in found or len(found[name].t_ns) < 2:
            raise VideoError(f"{address.redacted} shows no pictures; probe it alone to see why")
    return offset_between(found["sub"], found["main"])
