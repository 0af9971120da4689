"""For which time speeds, conflicts and pictures were not to be had."""

from calmstreet.model.gap import Gap
from calmstreet.pipeline.exposure import Exposure
from calmstreet.pipeline.shedding import efforts
from calmstreet.units import NS_PER_S

FULL, *LESS = efforts(net_every=2, analysed_fps=10.0, has_net=True, records=True)


def watched(exposure: Exposure, from_s: float, until_s: float, fps: float, **more: bool) -> None:
    step = 1 / fps
    t_s = from_s
    while t_s < until_s:
        exposure.update(round(t_s * NS_PER_S), wanted=1, repeated=more.get("repeated", False))
        t_s += step


def seconds(gaps: list[Gap]) -> list[tuple[str, str, float, float]]:
    return [
        (g.affects, g.reason, round(g.start_ns / NS_PER_S, 1), round(g.end_ns / NS_PER_S, 1))
        for g in gaps
    ]


def test_ten_pictures_a_second_take_nothing() -> None:
    exposure = Exposure(camera_id="a", plane=None, wanted=True)
    exposure.effort(FULL)
    watched(exposure, 100.0, 160.0, 10.0)
    assert exposure.close(160 * NS_PER_S) == []


def test_a_slow_camera_has_no_speeds() -> None:
    exposure = Exposure(camera_id="a", plane=None, wanted=True)
    exposure.effort(FULL)
    watched(exposure, 100.0, 160.0, 5.0)
    (gap,) = exposure.close(160 * NS_PER_S)
    assert seconds([gap]) == [("speeds+conflicts", "low-fps", 100.0, 160.0)]
    assert "delivers no more" in gap.note


def test_what_is_shed_is_missing_until_it_is_back() -> None:
    exposure = Exposure(camera_id="a", plane=None, wanted=True)
    exposure.effort(FULL)
    watched(exposure, 100.0, 120.0, 10.0)
    exposure.effort(LESS[4])
    watched(exposure, 120.0, 150.0, 5.0)
    exposure.effort(FULL)
    watched(exposure, 150.0, 180.0, 10.0)
    found = seconds(exposure.close(180 * NS_PER_S))
    assert [row[:2] for row in found] == [
        ("pictures", "overload"),
        ("speeds+conflicts", "overload"),
    ]
    assert abs(found[0][2] - 120) < 1
    assert abs(found[0][3] - 150) < 1
    assert 105 <= found[1][2] <= 121
    assert 149 <= found[1][3] <= 165


def test_a_street_where_nothing_moves_is_looked_at() -> None:
    exposure = Exposure(camera_id="a", plane=None, wanted=False)
    exposure.effort(FULL)
    watched(exposure, 100.0, 160.0, 5.0, repeated=True)
    assert exposure.close(160 * NS_PER_S) == []
