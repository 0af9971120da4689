"""A gap is whole: known words, an end after the start, and it knows when a run must end."""

import pytest

from calmstreet.errors import InputError
from calmstreet.model.gap import Gap
from calmstreet.units import NS_PER_S


def a_gap(reason: str, *, end_s: float, affects: str = "all") -> Gap:
    return Gap(
        camera_id="n", start_ns=0, end_ns=int(end_s * NS_PER_S), reason=reason, affects=affects
    )


@pytest.mark.parametrize(
    ("reason", "end_s", "affects", "demands"),
    [
        ("silent", 1.9, "all", False),
        ("silent", 2.1, "all", True),
        ("clock-step", 0.0, "all", True),
        ("size-changed", 0.0, "all", True),
        ("overload", 600.0, "speeds+conflicts", False),
    ],
)
def test_a_run_ends_where_tracks_cannot_cross(
    reason: str, end_s: float, affects: str, demands: bool
) -> None:
    assert a_gap(reason, end_s=end_s, affects=affects).demands_new_run is demands


@pytest.mark.parametrize(
    ("reason", "end_s", "affects"),
    [("gone", 1.0, "all"), ("silent", 1.0, "counts"), ("silent", -1.0, "all")],
)
def test_a_gap_that_says_nonsense_is_refused(reason: str, end_s: float, affects: str) -> None:
    with pytest.raises(InputError):
        a_gap(reason, end_s=end_s, affects=affects)
