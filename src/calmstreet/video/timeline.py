"""Files on the wall clock: when each began, in which order they follow, what lies between them.

Time zero of a file is the time given, else the one in its name (in the site's time zone), else the
one its container claims ("assumed"), else 1970 ("unknown"). Never the file system's time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from calmstreet.model.run import TIME_KNOWN
from calmstreet.units import NS_PER_S, ns_from_s, zone_info
from calmstreet.video.source import VideoInfo, natural_key

__all__ = [
    "GAP_S",
    "Clip",
    "Placed",
    "TimeZero",
    "lay_out",
    "time_in_name",
    "time_zero",
]

GAP_S = 2.0
"""A longer pause starts a new run."""

_NAME_TIME = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)"
    r"[-_ T.]{0,3}(?P<hour>\d\d)[-_.:h]?(?P<minute>\d\d)[-_.:m]?(?P<second>\d\d)s?"
    r"(?:[.,](?P<fraction>\d{1,9}))?(?P<utc>Z)?(?!\d)(?![A-Za-z])"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_SHARED_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeZero:
    """When a file began (UTC ns), how that is known (a word of TIME_KNOWN), and a remark."""

    t_ns: int
    time_known: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A file to be laid out: its time zero and how long it lasts (s)."""

    path: Path
    zero: TimeZero
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file on the wall clock.

    Frames of it before ``from_ns`` were already covered by an earlier file and are passed over.
    ``new_run`` says that more than GAP_S lie between it and what came before.
    """

    path: Path
    start_ns: int
    end_ns: int
    from_ns: int
    time_known: str
    new_run: bool
    note: str = ""


def time_in_name(name: str, tz: str) -> TimeZero | None:
    """Return the time in a file's name, local in ``tz`` unless a Z follows; None without one.

    A local time that the clock skipped (summer time begins) is read by the offset before, one
    that it showed twice is the first of the two; the note says so.

    >>> time_in_name("cam_20200101_000000.mp4", "Asia/Almaty").t_ns
    1577815200000000000
    >>> time_in_name("99999999_999999.mp4", "UTC") is None
    True
    """
    for match in _NAME_TIME.finditer(name):
        parts = match.groupdict()
        try:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            moment = datetime(year, month, day, hour, minute, second)
        except ValueError:
            continue
        fraction_ns = int((parts["fraction"] or "0").ljust(9, "0"))
        if parts["utc"]:
            return TimeZero(
                t_ns=_utc_ns(moment.replace(tzinfo=UTC)) + fraction_ns, time_known="name"
            )
        t_ns, note = _local_ns(moment, tz)
        return TimeZero(t_ns=t_ns + fraction_ns, time_known="name", note=note)
    return None


def _utc_ns(moment: datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * NS_PER_S


def _local_ns(moment: datetime, tz: str) -> tuple[int, str]:
    zone = zone_info(tz)
    first = moment.replace(tzinfo=zone, fold=0)
    second = moment.replace(tzinfo=zone, fold=1)
    t_ns = _utc_ns(first.astimezone(UTC))
    if first.utcoffset() == second.utcoffset():
        return t_ns, ""
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        return (
            t_ns,
            f"local time {moment} was skipped by the clock in {tz}; the offset before is used",
        )
    return t_ns, f"local time {moment} came twice in {tz}; the first one is used"


def time_zero(path: Path, info: VideoInfo, *, given_ns: int | None, tz: str) -> TimeZero:
    """Return when a file began and how that is known.

    Raises InputError for an unknown time zone.
    """
    if given_ns is not None:
        return TimeZero(t_ns=given_ns, time_known="given")
    named = time_in_name(path.name, tz)
    if named is not None:
        return named
    if info.creation_ns is not None:
        return TimeZero(
            t_ns=info.creation_ns,
            time_known="assumed",
            note=f"{path.name}: the time is the one its container claims",
        )
    return TimeZero(t_ns=0, time_known="unknown", note=f"{path.name}: its time is not known")


def lay_out(clips: Sequence[Clip]) -> list[Placed]:
    """Return the files in order of time, no instant twice.

    Times of which any is unknown, or that were all given the same (``--start`` with several files),
    make the files follow one another without a gap in the order given; so do, in natural order of
    names, files whose assumed times contradict each other. Otherwise each lies where
    its own time puts it; where two overlap the later one gives frames from the end of the former
    on, and one that adds nothing is left out (its note stands on the file that covers it).

    >>> zero = TimeZero(t_ns=0, time_known="given")
    >>> clips = [Clip(path=Path(n), zero=zero, duration_s=2.0) for n in ("a.mp4", "b.mp4")]
    >>> [(placed.start_ns, placed.new_run) for placed in lay_out(clips)]
    [(0, True), (2000000000, False)]
    """
    if len(clips) > 1 and _follow_each_other(clips):
        return _gapless(clips)
    if _contradict(clips):
        return _gapless(sorted(clips, key=lambda clip: natural_key(clip.path)))
    placed: list[Placed] = []
    for clip in sorted(clips, key=_order):
        _lay_one(placed, clip)
    return placed


def _order(clip: Clip) -> tuple[int, float, list[tuple[int, str]]]:
    return clip.zero.t_ns, -clip.duration_s, natural_key(clip.path)


def _follow_each_other(clips: Sequence[Clip]) -> bool:
    known = {clip.zero.time_known for clip in clips}
    return "unknown" in known or "given" in known


def _contradict(clips: Sequence[Clip]) -> bool:
    """Return whether assumed times overlap without being the same: exported together, not filmed.

    A container's creation time is often that of an export.
    """
    ordered = sorted(clips, key=_order)
    for a, b in pairwise(ordered):
        same = a.zero.t_ns == b.zero.t_ns and a.duration_s == b.duration_s
        shared_s = a.duration_s - (b.zero.t_ns - a.zero.t_ns) / NS_PER_S
        assumed = "assumed" in (a.zero.time_known, b.zero.time_known)
        if assumed and not same and shared_s > _LEAST_SHARED_S:
            return True
    return False


def _gapless(clips: Sequence[Clip]) -> list[Placed]:
    """Lay files end to end from the first file's time; all share the weakest knowledge of time."""
    known = max((clip.zero.time_known for clip in clips), key=TIME_KNOWN.index)
    at_ns = 0 if known == "unknown" else min(clip.zero.t_ns for clip in clips)
    placed = []
    for i, clip in enumerate(clips):
        end_ns = at_ns + ns_from_s(clip.duration_s)
        note = "" if i == 0 else f"{clip.path.name} is taken to follow the file before at once"
        placed.append(
            Placed(
                path=clip.path,
                start_ns=at_ns,
                end_ns=end_ns,
                from_ns=at_ns,
                time_known=known,
                new_run=i == 0,
                note=note,
            )
        )
        at_ns = end_ns
    return placed


def _lay_one(placed: list[Placed], clip: Clip) -> None:
    start_ns = clip.zero.t_ns
    end_ns = start_ns + ns_from_s(clip.duration_s)
    covered_ns = max((other.end_ns for other in placed), default=start_ns)
    note = clip.zero.note
    if placed and end_ns <= covered_ns:
        last = placed[-1]
        extra = f"{clip.path.name} lies wholly within {last.path.name} in time and is left out"
        placed[-1] = replace(last, note="; ".join(filter(None, (last.note, extra))))
        return
    from_ns = max(start_ns, covered_ns)
    if from_ns - start_ns > _LEAST_SHARED_S * NS_PER_S:
        shared_s = timedelta(seconds=round((from_ns - start_ns) / NS_PER_S))
        extra = f"{clip.path.name} overlaps the file before by {shared_s}; that is counted once"
        note = "; ".join(filter(None, (note, extra)))
    placed.append(
        Placed(
            path=clip.path,
            start_ns=start_ns,
            end_ns=end_ns,
            from_ns=from_ns,
            time_known=clip.zero.time_known,
            new_run=not placed or start_ns - covered_ns > GAP_S * NS_PER_S,
            note=note,
        )
    )
