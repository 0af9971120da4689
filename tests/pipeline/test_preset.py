"""A camera that looked elsewhere: what of its exposure that took, and what not."""

from dataclasses import replace

import numpy as np
import pytest
from tests.geometry.roadside import HEIGHT_PX, WIDTH_PX
from tests.pipeline.test_speeds import a_site as a_measured_site
from tests.store.rows import a_run

from calmstreet.model.shifts import Shifts
from calmstreet.model.site import Camera, Gate, Site
from calmstreet.pipeline.preset import EVERYTHING, METRES, preset_gaps

GATES = tuple(
    Gate(id=name, camera_id="north", points_px=((x, 100.0), (x, 500.0)))
    for name, x in (("east", 200.0), ("west", 300.0))
)
FLAT = Site(id="flat", cameras=(Camera(id="north"),), gates=GATES)
BARE = Site(id="bare", cameras=(Camera(id="north"),))


def moved(right_px: float) -> Shifts:
    matrix = np.array([[[1.0, 0, right_px], [0, 1, 0], [0, 0, 1]]])
    return Shifts(start_ns=np.array([5]), end_ns=np.array([9]), matrix=matrix)


@pytest.mark.parametrize(
    ("site", "right_px", "wanted"),
    [
        (FLAT, np.nan, [("left-preset", EVERYTHING)]),
        (BARE, np.nan, [("left-preset", EVERYTHING)]),
        (FLAT, 60.0, [("moved", EVERYTHING)]),
        (FLAT, 0.5, []),
        (BARE, 60.0, []),
        (a_measured_site(), 60.0, [("moved", EVERYTHING)]),
        (a_measured_site(), 0.2, []),
    ],
)
def test_what_of_the_exposure_a_shift_takes(
    site: Site, right_px: float, wanted: list[tuple[str, str]]
) -> None:
    run = replace(a_run(site), width_px=WIDTH_PX, height_px=HEIGHT_PX)
    gaps = preset_gaps(moved(right_px), run, site)
    assert [(gap.reason, gap.affects) for gap in gaps] == wanted
    assert all((gap.start_ns, gap.end_ns) == (5, 9) for gap in gaps)


def test_measured_ground_that_lies_elsewhere_takes_metres_alone() -> None:
    site = a_measured_site()
    bare = Site(id="bare", origin_lonlat=site.origin_lonlat, cameras=site.cameras)
    run = replace(a_run(bare), width_px=WIDTH_PX, height_px=HEIGHT_PX)
    (gap,) = preset_gaps(moved(60.0), run, bare)
    assert (gap.reason, gap.affects) == ("moved", METRES)
