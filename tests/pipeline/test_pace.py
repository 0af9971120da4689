"""Which frames are analysed does not hang on the hour: whole numbers decide, also at a tie."""

from hypothesis import given
from hypothesis import strategies as st

from calmstreet.pipeline.seeing import Pace


def taken(times_ns: list[int]) -> list[bool]:
    pace = Pace(fps=10.0)
    return [pace.takes(t, repeated=False) for t in times_ns]


@given(
    st.lists(st.integers(1_000_000, 90_000_000), min_size=5, max_size=60),
    st.integers(0, 2 * 10**18),
)
def test_a_shift_of_time_changes_nothing(steps_ns: list[int], shift_ns: int) -> None:
    times = [sum(steps_ns[:k]) for k in range(len(steps_ns))]
    assert taken(times) == taken([t + shift_ns for t in times])


def test_a_tie_is_decided_alike_now_and_in_1970() -> None:
    times = [0, 84_000_000, 208_000_000, 280_000_000, 375_000_000, 380_000_000, 416_000_000]
    assert taken(times) == taken([t + 1_504_619_634_000_000_000 for t in times])
