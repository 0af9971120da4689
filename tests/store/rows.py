"""Rows for the tests of the cellar."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from calmstreet.model.points import POINT_COLUMNS, TrackPoints, no_points, track_id_of
from calmstreet.model.run import Run
from calmstreet.model.site import Camera, Site

ODD = np.array([np.nan, -0.0, np.inf, -np.inf, 1e-45, 3.4e38, 0.1], np.float32)


def a_site(name: str = "Abay / Dostyk") -> Site:
    return Site(id="abay-dostyk", name=name, cameras=(Camera(id="north"),))


def a_run(site: Site, *, camera_id: str = "north", start_ns: int = 0) -> Run:
    return Run(
        run_id=0,
        camera_id=camera_id,
        site_version=site.site_version,
        source="clip.mp4",
        start_ns=start_ns,
        end_ns=start_ns + 60_000_000_000,
        state="complete",
        time_known="name",
        width_px=640,
        height_px=360,
        declared_fps=25.0,
        delivered_fps=float("nan"),
        detector="nanodet/1",
    )


def a_step(t_ns: int, *, rows: int, run_id: int = 1, seed: int = 0) -> TrackPoints:
    """Return one step with odd floats in every column."""
    draw = np.random.default_rng((t_ns + 7919 * seed) % 2**63)
    columns: dict[str, Any] = {}
    for name, dtype, width in POINT_COLUMNS:
        shape = (rows,) if width is None else (rows, width)
        if np.issubdtype(dtype, np.floating):
            columns[name] = np.where(
                draw.random(shape) < 0.3, draw.choice(ODD, shape), draw.normal(size=shape)
            ).astype(np.float32)
        else:
            columns[name] = draw.integers(0, 255, shape).astype(dtype)
    columns["t_ns"] = np.full(rows, t_ns, np.int64)
    columns["track_id"] = track_id_of(run_id, 1) + np.arange(rows, dtype=np.int64) * 3
    return TrackPoints(camera_id="north", run_id=run_id, **columns)


def bits(points: TrackPoints) -> list[bytes]:
    """Return the bytes of every column; all NaN count as one."""
    found = []
    for name, _, _ in POINT_COLUMNS:
        column = getattr(points, name)
        if np.issubdtype(column.dtype, np.floating):
            column = np.where(np.isnan(column), np.float32(np.nan), column)
        found.append(np.ascontiguousarray(column).tobytes())
    return found


def nothing(run_id: int = 1) -> TrackPoints:
    return no_points(camera_id="north", run_id=run_id)


STEP_PLANS = st.lists(
    st.tuples(st.integers(1, 3_000_000_000), st.integers(0, 6)), min_size=1, max_size=30
)
"""Gaps in ns and rows of each step."""
