"""A disk that fills under a node: told in five seconds, whoever waits; its time has its reason."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.faults.test_disks import a_small_disk, fill
from tests.whole.road import Block, a_film
from tests.whole.test_live import Node

from calmstreet.clock import SystemClock
from calmstreet.pipeline.room_watch import RoomWatch, trouble_of
from calmstreet.store.accounting import accounted
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.space import Space, space_of
from calmstreet.units import NS_PER_S

BAR_S = 5.0


@dataclass(slots=True, kw_only=True)
class Log:
    """What a node says, for whoever waits for it."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def say(self, level: str, **fields: Any) -> None:
        with self.news:
            self.lines.append({"level": level, **fields})
            self.news.notify_all()

    def waits_for(self, *notes: str) -> bool:
        """Return whether so many lines with these words came within the bar."""
        with self.news:
            return self.news.wait_for(lambda: self.holds(notes), BAR_S)

    def holds(self, notes: tuple[str, ...]) -> bool:
        told = [str(line.get("note", line.get("says", ""))) for line in self.lines]
        return len(told) == len(notes) and all(map(str.__contains__, told, notes))


def test_a_full_disk_is_told_in_time_though_everybody_waits(tmp_path: Path) -> None:
    """Nobody writes, nobody forces anything to the disk: asking for room needs none of it."""
    log = Log()
    with a_small_disk(tmp_path, size_mb=40) as place:
        (place / "north").mkdir()
        folders = {"north": place / "north", "south": place / "south"}
        watch = RoomWatch(folders=lambda: folders, say=log.say, clock=SystemClock())
        watch.begin()
        try:
            ballast = fill(place, leave_bytes=8192)
            filled_up(ballast)
            assert log.waits_for("is full")
            assert watch.troubled
            ballast.unlink()
            assert log.waits_for("is full", "room again")
        finally:
            watch.close()
    assert all(line["cameras"] == ["north", "south"] for line in log.lines), "one disk, told once"


def filled_up(ballast: Path) -> None:
    """Let a file take the last bytes of its disk."""
    with ballast.open("ab", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (Space(free_bytes=10**9, total_bytes=10**9, takes_files=False), "no more files"),
        (Space(free_bytes=10**9, total_bytes=10**9, read_only=True), "only be read"),
        (Space(free_bytes=10**7, total_bytes=10**9), "nearly full"),
        (Space(free_bytes=10**6, total_bytes=10**9), "is full"),
    ],
)
def test_every_way_in_which_a_disk_takes_no_more_is_told(space: Space, says: str) -> None:
    assert says in trouble_of(space)
    assert not trouble_of(Space(free_bytes=10**9, total_bytes=10**9))


@pytest.mark.slow
def test_the_time_of_a_full_disk_is_not_told_as_another_gap(tmp_path: Path) -> None:
    """The film begins anew, which is a jump of the stream, while the disk is full and after."""
    film = a_film(tmp_path / "v.mp4", (Block(at_s=3.0),), duration_s=6.0)
    with a_small_disk(tmp_path, size_mb=12) as place:
        node = Node(home=place, film=film)
        node.said = Filler(place=place, from_beat=4, until_beat=23)
        node.watch(for_s=30.0, record="none")
        with Catalogue.open(node.folder) as catalogue:
            gaps = catalogue.gaps("kerb")
            runs = catalogue.runs(live=False)
            end_ns = max(run.end_ns for run in runs)
            start_ns = min(run.start_ns for run in runs)
            share = accounted(catalogue, "kerb", start_ns=start_ns, end_ns=end_ns).share
    alarm = next(line for line in node.said if "alarm" in line)
    assert alarm["reason"] == "disk-full"
    lost_s = {
        reason: sum(g.duration_s for g in gaps if (g.reason, g.affects) == (reason, "all"))
        for reason in ("disk-full", "stream-jump")
    }
    assert lost_s["disk-full"] > 8.0
    assert lost_s["stream-jump"] < 2.0
    assert share == pytest.approx(1.0, abs=0.001)
    first = min((g for g in gaps if g.reason == "disk-full"), key=lambda gap: gap.start_ns)
    assert first.start_ns - start_ns > 2.0 * NS_PER_S, "what was stored before is no gap"


class Filler(list[dict[str, Any]]):
    """The ears of a node that fill its disk at one beat and free it at another."""

    def __init__(self, *, place: Path, from_beat: int, until_beat: int) -> None:
        super().__init__()
        self._place, self._from, self._until = place, from_beat, until_beat
        self._beats = 0

    def append(self, line: dict[str, Any]) -> None:
        super().append(line)
        self._beats += "beat" in line
        ballast = self._place / "ballast"
        if "beat" in line and self._beats == self._from:
            filled_up(fill(self._place, leave_bytes=100_000))
            assert space_of(self._place).free_bytes < 8192
        if "beat" in line and self._beats == self._until:
            ballast.unlink()
