"""What goes by age and by budget, what never goes, and what a jumping clock does not do."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.rows import a_run, a_site, a_step

from calmstreet.clock import FakeClock
from calmstreet.errors import StoreError
from calmstreet.model.event import Event
from calmstreet.model.kept import FinishedFile
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import check_folder
from calmstreet.store.findings import Picture
from calmstreet.store.folder import sha256_of
from calmstreet.store.points import PointWriter
from calmstreet.store.proof import prove_folder
from calmstreet.store.queue import Queue
from calmstreet.store.retention import apply_retention, fit_budget, stored_bytes, trusted_now_ns
from calmstreet.store.seen import Seen
from calmstreet.store.segments import SegmentName, segment_path
from calmstreet.units import NS_PER_S

HOUR_NS = 3600 * NS_PER_S
ZERO_NS = 1_790_000_000 * NS_PER_S
EVENT = "0123456789abcdef"


def opened(folder: Path, camera_id: str = "north") -> Catalogue:
    catalogue = Catalogue.open(folder, create=True, clock=FakeClock(start_ns=7))
    prove_folder(catalogue, camera_id=camera_id)
    catalogue.save_site(a_site())
    return catalogue


def keep(
    catalogue: Catalogue,
    hour: int,
    *,
    purpose: str = "event",
    locked: bool = False,
    expires_ns: int | None = None,
    size_bytes: int = 1000,
    camera_id: str = "north",
) -> str:
    """Lay a piece of video of one minute into the folder; return its path."""
    start_ns = ZERO_NS + hour * HOUR_NS
    event_id = EVENT if purpose == "event" else ""
    name = SegmentName(
        camera_id=camera_id, purpose=purpose, start_ns=start_ns, run_id=1, event_id=event_id
    )
    path = segment_path(catalogue.folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    file = FinishedFile(
        path=path,
        start_ns=start_ns,
        end_ns=start_ns + 60 * NS_PER_S,
        pictures=600,
        size_bytes=size_bytes,
        sha256=sha256_of(path),
    )
    return catalogue.add_segment(file, locked=locked, expires_ns=expires_ns).path


def paths(catalogue: Catalogue, camera_id: str = "north") -> list[str]:
    found = [segment.path for segment in catalogue.segments(camera_id)]
    assert all((catalogue.folder / path).is_file() for path in found)
    assert not check_folder(catalogue, level="hash").faults
    return found


def test_each_purpose_has_its_own_age_and_locked_evidence_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        old = keep(catalogue, 0)
        audit = keep(catalogue, 1, purpose="audit")
        locked = keep(catalogue, 2, locked=True)
        kept = keep(catalogue, 50)
        short = keep(catalogue, 60, expires_ns=ZERO_NS + 61 * HOUR_NS)
        keep_s = {"event": 72 * 3600.0, "audit": 24 * 3600.0}
        freed = apply_retention(catalogue, keep_s=keep_s, now_ns=ZERO_NS + 60 * HOUR_NS)
        assert (freed.files, freed.size_bytes) == (1, 1000)
        assert paths(catalogue) == [old, locked, kept, short]
        assert not (tmp_path / audit).exists()
        apply_retention(catalogue, keep_s=keep_s, now_ns=ZERO_NS + 80 * HOUR_NS)
        assert paths(catalogue) == [locked, kept]
        apply_retention(catalogue, keep_s={}, now_ns=ZERO_NS + 99 * HOUR_NS)
        assert paths(catalogue) == [locked, kept]


def test_a_reviewers_verdict_locks_the_clips_and_lets_them_go(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        clip, other = keep(catalogue, 0), keep(catalogue, 5)
        start_ns = ZERO_NS + 10 * NS_PER_S
        run_id = catalogue.new_run(a_run(a_site(), start_ns=ZERO_NS))
        event = Event(
            event_id=EVENT, kind="conflict", camera_id="north", start_ns=start_ns,
            end_ns=start_ns + NS_PER_S, track_ids=(1,), rule="conflict/1", severity=3,
        )  # fmt: skip
        second = replace(event, event_id=EVENT[::-1], start_ns=start_ns + NS_PER_S // 2)
        catalogue.save_events(run_id, [event, second])
        catalogue.publish([run_id])
    for event_id, verdict, locked in (
        (EVENT, "accept", [clip]),
        (second.event_id, "escalate", [clip]),
        (EVENT, "note", [clip]),
        (EVENT, "reject", [clip]),
        (second.event_id, "reject", []),
        (second.event_id, "accept", [clip]),
    ):
        with Seen.open(tmp_path, cameras=None) as seen:
            assert Queue(seen=seen).review(
                event_id, verdict=verdict, reason="", note="", reviewer="ainur", now_ns=1
            )
        with opened(tmp_path) as catalogue:
            assert [s.path for s in catalogue.segments("north") if s.locked] == locked
    with opened(tmp_path) as catalogue:
        apply_retention(catalogue, keep_s={"event": 60.0}, now_ns=ZERO_NS + 99 * HOUR_NS)
        assert [s.path for s in catalogue.segments("north")] == [clip]
        assert not (tmp_path / other).exists()


def test_points_and_stills_go_but_counts_and_the_newest_still_stay(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        for hour in (0, 1):
            start_ns = ZERO_NS + hour * HOUR_NS
            run_id = catalogue.new_run(a_run(a_site(), start_ns=start_ns))
            writer = PointWriter(
                folder=tmp_path, camera_id="north", run_id=run_id, on_file=catalogue.add_file
            )
            writer.append(start_ns, a_step(start_ns, rows=2, run_id=run_id))
            writer.close()
            for what in ("background", f"of-hour-{hour}"):
                path = tmp_path / "pictures" / f"{run_id}-{what}.png"
                path.write_bytes(b"png")
                still = Picture(
                    path=path.relative_to(tmp_path).as_posix(),
                    what=what,
                    t_ns=start_ns,
                    width_px=1,
                    height_px=1,
                    size_bytes=3,
                    sha256=sha256_of(path),
                )
                catalogue.save_picture(run_id, still)
        now_ns = ZERO_NS + 10 * HOUR_NS
        apply_retention(catalogue, keep_s={"pictures": 60.0, "points": 60.0}, now_ns=now_ns)
        assert [run.run_id for run in catalogue.runs(live=False)] == [1, 2]
        assert len(catalogue.point_files(1)) == 1, "a run that is not judged yet needs its points"
        catalogue.publish([1, 2])
        apply_retention(catalogue, keep_s={"pictures": 60.0, "points": 60.0}, now_ns=now_ns)
        assert not catalogue.point_files(1) + catalogue.step_files(2)
        stills = [picture.path for picture in catalogue.pictures([1, 2])]
        assert stills == [
            "pictures/1-of-hour-0.png", "pictures/2-background.png", "pictures/2-of-hour-1.png"
        ]  # fmt: skip
        assert not check_folder(catalogue, level="hash").faults


def test_the_budget_takes_the_oldest_unlocked_of_all_cameras(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "north") as north,
        opened(tmp_path / "south", "south") as south,
    ):
        for hour in range(4):
            keep(north, 2 * hour, size_bytes=100_000, locked=hour == 0)
            keep(south, 2 * hour + 1, size_bytes=100_000, camera_id="south")
        total = stored_bytes(north) + stored_bytes(south)
        assert fit_budget([north, south], budget_bytes=total).files == 0
        freed = fit_budget([north, south], budget_bytes=total - 250_000)
        assert (freed.files, freed.size_bytes, freed.short_bytes) == (3, 300_000, 0)
        assert len(paths(north)) == 3
        assert len(paths(south, "south")) == 2
        freed = fit_budget([north, south], budget_bytes=0)
        assert freed.short_bytes > 100_000
        assert len(paths(north)) == 1, "the locked one"


def test_only_a_live_cameras_folder_is_thinned(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path, create=True, clock=FakeClock(start_ns=7)) as catalogue:
        with pytest.raises(StoreError, match="no live camera"):
            apply_retention(catalogue, keep_s={"event": 0.0}, now_ns=ZERO_NS)
        assert fit_budget([catalogue], budget_bytes=0).files == 0


def test_a_clock_that_jumps_is_believed_only_after_an_hour(tmp_path: Path) -> None:
    ten_years_ns = 3650 * 24 * HOUR_NS
    with opened(tmp_path) as catalogue:
        kept = keep(catalogue, 0)
        keep_s = {"event": 72 * 3600.0}
        apply_retention(catalogue, keep_s=keep_s, now_ns=ZERO_NS + HOUR_NS)
        for jumped_ns in (ten_years_ns, ten_years_ns + HOUR_NS // 2, -ten_years_ns, HOUR_NS):
            apply_retention(catalogue, keep_s=keep_s, now_ns=ZERO_NS + HOUR_NS + jumped_ns)
            assert paths(catalogue) == [kept]
        for later_ns in (0, HOUR_NS // 2):
            now_ns = ZERO_NS + 200 * HOUR_NS + later_ns
            apply_retention(catalogue, keep_s=keep_s, now_ns=now_ns)
            assert paths(catalogue) == [kept]
        apply_retention(catalogue, keep_s=keep_s, now_ns=ZERO_NS + 202 * HOUR_NS)
        assert paths(catalogue) == [], "switched off for a week, and on again for two hours"


@settings(max_examples=8, deadline=None)
@given(jumps=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=8))
def test_trusted_time_is_never_ahead_of_the_clock(
    jumps: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    now_ns = ZERO_NS
    with opened(tmp_path_factory.mktemp("t")) as catalogue:
        for jump_s in jumps:
            now_ns += jump_s * NS_PER_S
            assert trusted_now_ns(catalogue, now_ns) <= now_ns


def test_a_crash_between_row_and_file_forgets_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with opened(tmp_path) as catalogue:
        gone, run_file = keep(catalogue, 0), keep(catalogue, 80)
        monkeypatch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            apply_retention(catalogue, keep_s={"event": 0.0}, now_ns=ZERO_NS + 2 * HOUR_NS)
        monkeypatch.undo()
        assert (tmp_path / gone).is_file()
        assert [fault.kind for fault in check_folder(catalogue).faults] == ["unknown"]
        apply_retention(catalogue, keep_s={}, now_ns=ZERO_NS + 2 * HOUR_NS)
        assert not (tmp_path / gone).exists()
        assert paths(catalogue) == [run_file]


def test_analysis_never_forgets_the_runs_of_a_live_camera(tmp_path: Path) -> None:
    with opened(tmp_path) as catalogue:
        catalogue.new_run(replace(a_run(a_site()), state="open"))
        assert catalogue.forget_unpublished() == 0
        assert len(catalogue.runs(live=False)) == 1
