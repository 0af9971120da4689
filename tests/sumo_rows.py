"""SUMO's trajectories as points, read by the tests on their own: front bumper, compass degrees."""

import csv
import gzip
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from calmstreet.model.kinds import Kind, SizeSource
from calmstreet.model.points import TrackPoints, make_points, track_id_of

__all__ = ["SIZES_M", "Row", "points_of", "read_csv", "read_xml"]

Row = tuple[float, str, str, float, float, float, float]
"""Time s, name, kind, x and y of the front m, angle in compass degrees, speed m/s."""

SIZES_M = {"car": (4.5, 1.8), "pedestrian": (0.215, 0.478)}


def points_of(
    rows: list[Row], *, sizes_m: dict[str, tuple[float, float]] | None = None
) -> tuple[TrackPoints, dict[int, str]]:
    """Return points (centres) sorted by time, then track, and the name of each track."""
    sizes = sizes_m or SIZES_M
    numbers: dict[str, int] = {}
    for row in rows:
        numbers.setdefault(row[1], track_id_of(1, len(numbers) + 1))
    table = np.array([(t, *rest) for t, _, _, *rest in rows], float)
    heading = np.radians(90.0 - table[:, 3])
    way = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    size = np.array([sizes[row[2]] for row in rows])
    points = make_points(
        camera_id="sumo",
        run_id=1,
        t_ns=np.rint(table[:, 0] * 1e9).astype(np.int64),
        track_id=np.array([numbers[row[1]] for row in rows]),
        kind=np.array([Kind.PEDESTRIAN if r[2] == "pedestrian" else Kind.CAR for r in rows]),
        score=np.ones(len(rows)),
        xy_m=table[:, 1:3] - way * size[:, :1] / 2,
        velocity_mps=way * table[:, 4:],
        heading_rad=heading,
        length_m=size[:, 0],
        width_m=size[:, 1],
        size_source=np.full(len(rows), SizeSource.GIVEN),
        cov_m2=np.zeros((len(rows), 3)),
    )
    order = np.lexsort((points.track_id, points.t_ns))
    return points[order], {number: name for name, number in numbers.items()}


def read_csv(path: Path) -> tuple[TrackPoints, dict[int, str]]:
    """Return the points of a packed table t_s, id, kind, x_m, y_m, angle_deg, speed_mps."""
    with gzip.open(path, "rt") as file:
        names = ("t_s", "x_m", "y_m", "angle_deg", "speed_mps")
        rows = []
        for row in csv.DictReader(file):
            t_s, x, y, angle, speed = (float(row[name]) for name in names)
            rows.append((t_s, row["id"], row["kind"], x, y, angle, speed))
    return points_of(rows)


def read_xml(
    path: Path, *, sizes_m: dict[str, tuple[float, float]] | None = None
) -> tuple[TrackPoints, dict[int, str]]:
    """Return the points of SUMO's own FCD XML."""
    rows: list[Row] = []
    for step in ET.parse(path).getroot().iter("timestep"):
        t_s = float(step.get("time", "nan"))
        for user in step:
            x, y, angle, speed = (
                float(user.get(key, "nan")) for key in ("x", "y", "angle", "speed")
            )
            kind = "car" if user.tag == "vehicle" else "pedestrian"
            rows.append((t_s, user.get("id", ""), kind, x, y, angle, speed))
    return points_of(rows, sizes_m=sizes_m)
