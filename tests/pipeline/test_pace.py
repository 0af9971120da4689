"""Which frames are analysed does not hang on the hour: whole numbers decide, also at a tie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.test_registered import a_run

from calmstreet.model.detections import Detections, no_detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Eye, Kind
from calmstreet.model.site import Camera, Site
from calmstreet.pipeline.seeing import Pace, Seer, in_the_dark


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


class _Nobody:
    """A net that sees nobody."""

    name, version, kinds = "nobody", "nobody/1", frozenset[Kind]()

    def detect(self, frame: Frame) -> Detections:
        return no_detections(camera_id=frame.camera_id, t_ns=frame.t_ns, looked=Eye.NET)


def _frame(k: int, level: int) -> Frame:
    def no_colour(width_px: int, height_px: int) -> np.ndarray:
        raise AssertionError

    luma = np.full((180, 320), level, np.uint8)
    return Frame(camera_id="kerb", t_ns=k * 100_000_000, index=k, luma=luma, to_bgr=no_colour)


@pytest.mark.parametrize(
    ("level", "dark_net_every", "calls"), [(20, 1, 20), (20, None, 10), (120, 1, 10)]
)
def test_in_the_dark_the_net_looks_twice_as_often(
    level: int, dark_net_every: int | None, calls: int
) -> None:
    site = Site(id="kerb", cameras=(Camera(id="kerb"),))
    seer = Seer(site=site, run=a_run(), net=_Nobody(), samples=None, dark_net_every=dark_net_every)
    for k in range(1, 21):
        seer.look(_frame(k, level))
    assert abs(seer.net_calls - calls) <= 1
    assert in_the_dark(2) == 1
