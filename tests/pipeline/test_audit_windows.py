"""Audit windows: drawn beforehand, inside their part of the hour, the same whenever asked."""

from hypothesis import given
from hypothesis import strategies as st

from calmstreet.pipeline.audit_windows import audit_windows, window_at
from calmstreet.units import NS_PER_S

HOUR_NS = 3600 * NS_PER_S


@given(
    hour=st.integers(0, 500_000),
    per_hour=st.integers(0, 30),
    window_s=st.floats(1.0, 60.0),
    seed=st.integers(0, 1000),
)
def test_windows_keep_to_their_part(hour: int, per_hour: int, window_s: float, seed: int) -> None:
    start_ns = hour * HOUR_NS
    windows = audit_windows(
        start_ns + 5, camera_id="a", per_hour=per_hour, window_s=window_s, seed=seed
    )
    assert len(windows) == per_hour
    for part, (begin, end) in enumerate(windows):
        part_ns = HOUR_NS // per_hour
        assert start_ns + part * part_ns <= begin < end <= start_ns + (part + 1) * part_ns
        here = window_at(begin, camera_id="a", per_hour=per_hour, window_s=window_s, seed=seed)
        assert here == (begin, end)


def test_cameras_hours_and_seeds_have_their_own() -> None:
    def drawn(camera_id: str, hour: int, seed: int) -> list[int]:
        windows = audit_windows(
            hour * HOUR_NS, camera_id=camera_id, per_hour=4, window_s=15.0, seed=seed
        )
        return [start - hour * HOUR_NS for start, _ in windows]

    assert drawn("a", 1, 7) == drawn("a", 1, 7)
    assert (
        len({tuple(drawn(*key)) for key in (("a", 1, 7), ("b", 1, 7), ("a", 2, 7), ("a", 1, 8))})
        == 4
    )


def test_windows_fall_everywhere_in_the_hour() -> None:
    starts = [
        (start % HOUR_NS) / HOUR_NS
        for hour in range(400)
        for start, _ in audit_windows(
            hour * HOUR_NS, camera_id="a", per_hour=4, window_s=15.0, seed=1
        )
    ]
    tenths = [sum(k / 10 <= s < (k + 1) / 10 for s in starts) for k in range(10)]
    assert min(tenths) > 110
    assert max(tenths) < 210
