import math

import numpy as np
import pytest
from tests.builders import START_NS, S, together
from tests.drives import a_drive, a_place, states

from calmstreet.model.flow import Flow
from calmstreet.model.signals import SignalState
from calmstreet.model.site import Site
from calmstreet.safety.flow import FlowCounter
from calmstreet.safety.signal_performance import (
    control_delays_s,
    hcm_delay_s,
    level_of_service,
    saturation_headways_s,
    signal_performance,
)

LINE = """
[[gate]]
id = "line"
points_m = [[0, -3], [0, 3]]
signal = "head"
direction = "to_right"
[[zone]]
id = "w"
kind = "approach"
polygon_m = [[-100, -3], [-10, -3], [-10, 3], [-100, 3]]
[[zone]]
id = "e"
kind = "approach"
polygon_m = [[20, -3], [100, -3], [100, 3], [20, 3]]
"""


def test_the_worked_example_of_the_highway_capacity_manual() -> None:
    whole = hcm_delay_s(cycle_s=90, green_s=40, degree=0.8, saturation_per_h=1800)
    assert whole == pytest.approx(29.80, abs=0.005)
    assert level_of_service(whole) == "C"
    uniform = 0.5 * 90 * (1 - 4 / 9) ** 2 / (1 - 0.8 * 4 / 9)
    assert uniform == pytest.approx(21.55, abs=0.005)


@pytest.mark.parametrize(
    ("delay_s", "level"), [(10, "A"), (10.1, "B"), (35, "C"), (55, "D"), (80, "E"), (80.1, "F")]
)
def test_levels(delay_s: float, level: str) -> None:
    assert level_of_service(delay_s) == level
    assert level_of_service(math.nan) == ""


def test_saturation_takes_queues_of_eight_from_the_start_of_green() -> None:
    queue = np.cumsum([2.0, 2.6, 2.4, 2.2, *[1.9] * 6])
    headways, cycles = saturation_headways_s(queue, [[0, 40]])
    assert (len(headways), cycles) == (6, 1)
    assert headways == pytest.approx([1.9] * 6)
    assert saturation_headways_s(queue[:7], [[0, 40]]) == ([], 0)
    assert saturation_headways_s(queue + 10, [[0, 60]]) == ([], 0)


def counted(site: Site) -> Flow:
    """Return twenty cars, every other of which waits 20 s before the line."""
    ways = []
    for i in range(20):
        t_s, waits = 40.0 * i, 20.0 * (i % 2)
        ways.append([(t_s, -90, 0), (t_s + 8, -10, 0), (t_s + 8.01 + waits, -10, 0),
                     (t_s + 18 + waits, 90, 0)])  # fmt: skip
    rows = together(*(a_drive(way, serial=i + 1) for i, way in enumerate(ways)))
    counter = FlowCounter(site=site, camera_id="camera", run_id=1, width_px=0, height_px=0)
    counter.update(np.unique(rows.t_ns), rows)
    return counter.finish()


def test_delay_and_arrivals_of_a_street_made_to_measure() -> None:
    site = a_place(LINE)
    head = [(40.0 * i + 5, "head", SignalState.GREEN) for i in range(20)]
    head += [(40.0 * i + 38, "head", SignalState.RED) for i in range(20)]
    found = signal_performance(counted(site), states(head), site=site, runners={"line": 1})
    (gate,) = found["gates"]
    assert (gate["passes"], gate["on_red"]) == (20, 0)
    assert gate["red_running_share"] == pytest.approx(0.05)
    assert gate["arrivals_on_green_share"] == 1.0
    (movement,) = found["movements"]
    assert movement["control_delay_s"] == pytest.approx(10.0, abs=0.2)
    assert movement["level_of_service"] in "AB"


def test_no_states_no_performance() -> None:
    site = a_place(LINE)
    nothing = states([(0.0, "other", SignalState.RED)])
    assert signal_performance(counted(site), nothing, site=site)["gates"] == []
    assert control_delays_s([]).tolist() == []
    assert START_NS % S == 0
