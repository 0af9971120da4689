from pathlib import Path

import numpy as np
import pytest
from tests.store.rows import a_run, a_site

from calmstreet.clock import FakeClock
from calmstreet.model.bins import Bins
from calmstreet.store.bins import joined_bins
from calmstreet.store.catalogue import Catalogue


def some_bins(what: str, counts: list[float], exposure_s: list[float], flags: str = "") -> Bins:
    n = len(counts)
    return Bins(
        camera_id="north",
        site_version=a_site().site_version,
        width_s=900.0,
        what=np.full(n, what),
        kind=np.full(n, 4, np.uint8),
        start_ns=np.arange(n, dtype=np.int64) * 900 * 10**9,
        count=np.array(counts, np.float32),
        exposure_s=np.array(exposure_s, np.float32),
        flags=np.full(n, flags),
    )


def test_bins_come_back_and_measures_stay_apart(tmp_path: Path) -> None:
    counted = some_bins("gate:a:to_left", [3, np.nan], [900, 0], "dusk")
    speeds = some_bins("gate:a:to_left", [2, 0], [450, 0])
    with Catalogue.open(tmp_path, create=True, clock=FakeClock()) as catalogue:
        catalogue.save_site(a_site())
        run_id = catalogue.new_run(a_run(a_site()))
        catalogue.save_bins(run_id, counted)
        catalogue.save_bins(run_id, speeds, measure="speeds")
        with pytest.raises(ValueError, match="none of"):
            catalogue.save_bins(run_id, speeds, measure="colours")
        (read,) = catalogue.bins([run_id])
        (fast,) = catalogue.bins([run_id], measure="speeds")
    assert (read.camera_id, read.site_version, read.width_s) == (
        "north",
        a_site().site_version,
        900.0,
    )
    for name in ("what", "kind", "start_ns", "count", "exposure_s", "flags"):
        np.testing.assert_array_equal(getattr(read, name), getattr(counted, name))
        assert getattr(read, name).dtype.kind == getattr(counted, name).dtype.kind
    assert fast.exposure_s.tolist() == [450, 0]


def test_two_runs_in_one_slice_add_up() -> None:
    (joined,) = joined_bins(
        [
            some_bins("gate:a:to_left", [3, 1], [600, 900], "dusk"),
            some_bins("gate:a:to_left", [2], [300], "dusk;partial"),
        ]
    )
    assert joined.count.tolist() == [5, 1]
    assert joined.exposure_s.tolist() == [900, 900]
    assert joined.flags.tolist() == ["dusk;partial", "dusk"]


def test_a_queue_is_a_level_and_no_sum() -> None:
    (joined,) = joined_bins([some_bins("queue:n", [6], [600]), some_bins("queue:n", [3], [300])])
    assert joined.count.tolist() == [5]
    (unseen,) = joined_bins([some_bins("queue:n", [0], [0])])
    assert np.isnan(unseen.count).all()
