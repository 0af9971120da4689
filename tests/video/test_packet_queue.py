"""What nobody takes in time is thrown away whole, counted, and taken up at a keyframe."""

import threading
from dataclasses import dataclass

import pytest

from calmstreet.video.packet_queue import PacketQueue
from calmstreet.video.packet_stream import Arrival, StreamEnded

S = 1_000_000_000


@dataclass(frozen=True)
class Packet:
    size: int
    is_keyframe: bool


def put(queue: PacketQueue, at_s: float, *, key: bool = False, size: int = 100) -> None:
    packet = Packet(size=size, is_keyframe=key)
    queue.put(Arrival(packet=packet, arrival_ns=round(at_s * S), ahead_ns=0))


def taken_s(queue: PacketQueue) -> list[float]:
    found = []
    while (arrival := queue.take(0.0)) is not None:
        found.append(arrival.arrival_ns / S)
    return found


def test_packets_come_out_as_they_went_in() -> None:
    queue = PacketQueue()
    for at_s in (0.0, 0.5, 9.9):
        put(queue, at_s)
    assert taken_s(queue) == [0.0, 0.5, 9.9]
    assert queue.dropped == 0


def test_too_old_ones_are_dropped_up_to_the_next_keyframe() -> None:
    queue = PacketQueue()
    for k in range(24):
        put(queue, k * 0.5, key=k % 6 == 0)
    assert taken_s(queue) == []
    put(queue, 12.0, key=True)
    put(queue, 12.5)
    assert taken_s(queue) == [12.0, 12.5]
    assert queue.dropped == 24


def test_too_many_bytes_are_dropped_as_well() -> None:
    queue = PacketQueue()
    for k in range(20):
        put(queue, k * 0.01, key=True, size=1024 * 1024)
    assert taken_s(queue) == [0.16, 0.17, 0.18, 0.19]
    assert queue.dropped == 16


def test_the_end_stands_behind_the_last_packet_and_the_first_reason_counts() -> None:
    queue = PacketQueue()
    put(queue, 1.0)
    queue.end(StreamEnded("silent"))
    queue.end(StreamEnded("ended"))
    assert queue.take(0.0) is not None
    for _ in range(2):
        with pytest.raises(StreamEnded, match="silent"):
            queue.take(0.0)


def test_who_waits_is_woken() -> None:
    queue = PacketQueue()
    thread = threading.Timer(0.05, put, args=(queue, 1.0))
    thread.start()
    assert queue.take(10.0) is not None
    thread.join()
