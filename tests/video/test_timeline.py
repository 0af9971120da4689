"""Files on the wall clock: names, time zones, order, overlaps and gaps."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.errors import InputError
from calmstreet.units import NS_PER_S, from_iso, ns_from_s
from calmstreet.video.source import VideoInfo
from calmstreet.video.timeline import (
    GAP_S,
    Clip,
    Placed,
    TimeZero,
    lay_out,
    time_in_name,
    time_zero,
)

NEW_YEAR_NS = from_iso("2020-01-01T00:00:00Z")


def info(creation_ns: int | None = None) -> VideoInfo:
    return VideoInfo(
        path=Path("a.mp4"),
        codec="h264",
        width_px=640,
        height_px=360,
        declared_fps=25.0,
        duration_s=1.0,
        declared_frames=25,
        rotation_deg=0,
        pixel_format="yuv420p",
        creation_ns=creation_ns,
        times_assumed=False,
    )


def a_clip(name: str, start_s: float, duration_s: float, known: str = "name") -> Clip:
    zero = TimeZero(t_ns=ns_from_s(start_s), time_known=known)
    return Clip(path=Path(name), zero=zero, duration_s=duration_s)


@pytest.mark.parametrize(
    "name",
    [
        "2020-01-01_00-00-00.mp4",
        "20200101T000000.mkv",
        "20200101T000000Z.mkv",
        "cam_20200101_000000.mp4",
        "2020-01-01 00.00.00.mp4",
        "NVR_ch1_main_20200101000000_20200101000500.dav",
        "Cars_FR20_2020-01-01_00-00-00.mp4",
        "2020-01-01T00-00-00.000.mp4",
    ],
)
def test_times_in_names(name: str) -> None:
    zero = time_in_name(name, "UTC")
    assert zero is not None
    assert (zero.t_ns, zero.time_known, zero.note) == (NEW_YEAR_NS, "name", "")


@pytest.mark.parametrize(
    "name",
    [
        "clip.mp4",
        "20201301_000000.mp4",
        "2020-02-30_00-00-00.mp4",
        "20200101_250000.mp4",
        "1020200101000000.mp4",
        "video1.avi",
        "2020-01-01.mp4",
        "00000000_000000.mp4",
    ],
)
def test_nonsense_is_no_time(name: str) -> None:
    assert time_in_name(name, "UTC") is None


def test_local_names_are_read_in_the_site_zone_and_z_is_utc() -> None:
    summer = time_in_name("20230601_120000.mp4", "Asia/Almaty")
    later = time_in_name("20260601_120000.mp4", "Asia/Almaty")
    utc = time_in_name("20260601_120000Z.mp4", "Asia/Almaty")
    assert summer is not None
    assert later is not None
    assert utc is not None
    assert summer.t_ns == from_iso("2023-06-01T06:00:00Z")
    assert later.t_ns == from_iso("2026-06-01T07:00:00Z")
    assert utc.t_ns == from_iso("2026-06-01T12:00:00Z")


def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice_are_told() -> None:
    skipped = time_in_name("20240331_023000.mp4", "Europe/Berlin")
    twice = time_in_name("20241027_023000.mp4", "Europe/Berlin")
    assert skipped is not None
    assert twice is not None
    assert skipped.t_ns == from_iso("2024-03-31T01:30:00Z")
    assert "skipped" in skipped.note
    assert twice.t_ns == from_iso("2024-10-27T00:30:00Z")
    assert "twice" in twice.note


def test_time_zero_takes_the_best_that_is_known() -> None:
    named = Path("20200101_000000.mp4")
    plain = Path("a.mp4")
    assert time_zero(named, info(5), given_ns=9, tz="UTC").time_known == "given"
    assert time_zero(named, info(5), given_ns=None, tz="UTC").t_ns == NEW_YEAR_NS
    assumed = time_zero(plain, info(5), given_ns=None, tz="UTC")
    assert (assumed.t_ns, assumed.time_known) == (5, "assumed")
    unknown = time_zero(plain, info(), given_ns=None, tz="UTC")
    assert (unknown.t_ns, unknown.time_known) == (0, "unknown")
    with pytest.raises(InputError):
        time_zero(named, info(), given_ns=None, tz="Mars/Olympus")


def names(placed: list[Placed]) -> list[str]:
    return [p.path.name for p in placed]


def test_order_gap_and_small_pause() -> None:
    clips = [a_clip("c", 30.0, 5.0), a_clip("a", 0.0, 10.0), a_clip("b", 11.0, 10.0)]
    placed = lay_out(clips)
    assert names(placed) == ["a", "b", "c"]
    assert [p.new_run for p in placed] == [True, False, True]


def test_overlap_is_counted_once_and_a_double_is_left_out() -> None:
    placed = lay_out([a_clip("a", 0, 10), a_clip("b", 6, 10), a_clip("a2", 0, 10)])
    assert names(placed) == ["a", "b"]
    assert placed[1].from_ns == 10 * NS_PER_S
    assert placed[1].start_ns == 6 * NS_PER_S
    assert "counted once" in placed[1].note
    assert "a2" in placed[0].note
    assert "left out" in placed[0].note


def test_unknown_and_given_times_follow_each_other_as_named() -> None:
    unknown = lay_out([a_clip("b", 0, 3, "unknown"), a_clip("a", 0, 4, "unknown")])
    assert names(unknown) == ["b", "a"]
    assert [p.start_ns // NS_PER_S for p in unknown] == [0, 3]
    given_twice = lay_out([a_clip("b", 100, 3, "given"), a_clip("a", 100, 4, "given")])
    assert [p.start_ns // NS_PER_S for p in given_twice] == [100, 103]
    assert {p.time_known for p in given_twice} == {"given"}


def test_assumed_times_that_contradict_each_other_are_not_believed() -> None:
    placed = lay_out([a_clip("p2", 101, 60, "assumed"), a_clip("p1", 100, 60, "assumed")])
    assert names(placed) == ["p1", "p2"]
    assert placed[1].start_ns == placed[0].end_ns == 160 * NS_PER_S


def test_no_files() -> None:
    assert lay_out([]) == []


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 120)), min_size=1, max_size=8))
def test_every_instant_is_covered_exactly_once(spans: list[tuple[int, int]]) -> None:
    clips = [a_clip(f"f{i}", start, long) for i, (start, long) in enumerate(spans)]
    placed = lay_out(clips)
    covered: list[int] = []
    for p in placed:
        covered += range(p.from_ns // NS_PER_S, p.end_ns // NS_PER_S)
    wanted = {second for start, long in spans for second in range(start, start + long)}
    assert sorted(covered) == sorted(wanted)
    assert covered == sorted(covered)
    for before, after in itertools.pairwise(placed):
        assert after.new_run == (after.start_ns - before.end_ns > GAP_S * NS_PER_S)
