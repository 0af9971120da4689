"""Rules of a run on its way: they wait for the lamps, but no longer than needed."""

import pytest
from tests.builders import START_NS, S
from tests.drives import a_drive

from calmstreet.config.site import parse_site
from calmstreet.model.event import Event
from calmstreet.model.run import Run
from calmstreet.model.signals import SignalState
from calmstreet.perception.lamp_state import Change
from calmstreet.pipeline.live_rules import LiveRules

SITE = """
[site]
id = "junction"
[[camera]]
id = "camera"
[[signal]]
id = "head"
lamps_px = { red = [900, 900, 910, 910] }
[[gate]]
id = "line"
points_px = [[1000, 800], [1000, 1200]]
signal = "head"
[rules.red-light]
on = true
"""
RUN = Run(
    run_id=1, camera_id="camera", site_version="", source="rtsp", start_ns=START_NS, end_ns=0,
    state="open", time_known="given", width_px=4000, height_px=2000, declared_fps=10.0,
    delivered_fps=10.0, detector="motion",
)  # fmt: skip
PASSES_S = 72.0


def found_after(lag_s: float | None, text: str = SITE) -> tuple[float, list[Event]]:
    """Return how many seconds after a passage on red it was told, lamps settled ``lag_s`` ago."""
    rules = LiveRules(run=RUN, site=parse_site(text))
    red = ("head", Change(t_ns=START_NS, state=SignalState.RED, confidence=1.0))
    told = [red]
    car = a_drive([(PASSES_S - 5, 0, -50), (PASSES_S + 5, 100, -50)], with_boxes=True)
    for k in range(900):
        t_ns = START_NS + k * S // 10
        rules.add(t_ns, car[car.t_ns == t_ns])
        settled_ns = 0 if lag_s is None else t_ns - round(lag_s * S)
        events = rules.ready(told, settled_ns=settled_ns)
        told = []
        if events:
            return k / 10 - PASSES_S, events
    return float("inf"), rules.close([])


@pytest.mark.parametrize(("lag_s", "least_s"), [(0.5, 0.5), (2.0, 2.0), (60.0, 6.0), (None, 6.0)])
def test_events_come_when_the_lamps_are_settled(lag_s: float | None, least_s: float) -> None:
    after_s, events = found_after(lag_s)
    assert [event.kind for event in events] == ["red-light"]
    assert least_s <= after_s <= least_s + 3.0


def test_what_is_told_late_is_what_was_told_at_once() -> None:
    (_, (soon,)), (_, (late,)) = found_after(0.3), found_after(None)
    for name in ("event_id", "start_ns", "end_ns", "values", "reasons"):
        assert getattr(soon, name) == getattr(late, name)


def test_without_lamps_nothing_waits() -> None:
    bare = SITE.replace("lamps_px = { red = [900, 900, 910, 910] }\n", "")
    after_s, events = found_after(None, bare)
    assert [event.kind for event in events] == ["red-light"]
    assert after_s <= 2.0
