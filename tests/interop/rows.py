"""Rows for the tests of the interpreters."""

import numpy as np

from calmstreet.model.kinds import Kind
from calmstreet.model.points import POINT_COLUMNS, TrackPoints, make_points, track_id_of

STEPS_NS = 1_700_000_000_000_000_000 + np.arange(5, dtype=np.int64) * 40_000_000
LABELS = {track_id_of(3, 1): "veh_12", track_id_of(3, 2): "7"}


def some_points() -> TrackPoints:
    """Return two tracks over steps 1, 2 and 4 of five, with odd floats."""
    return make_points(
        camera_id="north",
        run_id=3,
        t_ns=STEPS_NS[[1, 1, 2, 4]],
        track_id=[track_id_of(3, serial) for serial in (1, 2, 1, 1)],
        kind=[Kind.CAR, Kind.BICYCLE, Kind.CAR, Kind.TRUCK],
        score=np.array([0.9, np.nan, 0.1, 1 / 3]),
        flags=[0, 4, 9, 0],
        box_px=np.array(
            [[0.1, 2.5, 30, 40.125], [5, 6, 7, 8], [-1, 2, 3, 4], [1e-3, 0, 1 / 3, 300.7]]
        ),
        xy_m=np.array([[-0.0, np.inf], [1e-45, 3.4e38], [np.nan, np.nan], [7.1, 8.2]]),
        heading_rad=np.array([3.1415927, np.nan, -np.inf, 0.0]),
        size_source=[1, 3, 0, 2],
    )


def assert_same_rows(read: TrackPoints, written: TrackPoints) -> None:
    """Every column but the ids is equal bit for bit (all NaN count as one)."""
    for name, dtype, _ in POINT_COLUMNS:
        if name == "track_id":
            continue
        mine, theirs = getattr(read, name), getattr(written, name)
        assert mine.dtype == dtype
        np.testing.assert_array_equal(mine, theirs)
        if np.issubdtype(dtype, np.floating):
            known = ~np.isnan(theirs)
            np.testing.assert_array_equal(np.signbit(mine)[known], np.signbit(theirs)[known])


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two columns of ids group the rows alike."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))
