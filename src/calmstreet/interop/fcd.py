"""SUMO floating car data (FCD): XML or CSV, plain or gzipped, read as a stream of whole steps.

SUMO gives the middle of the FRONT of a vehicle and a compass angle (degrees clockwise from
north). Rows here hold the centre of the footprint and the heading counter-clockwise from east:
``centre = front - length / 2 * (sin angle, cos angle)``. A CSV has the columns of
``xml2csv`` (``timestep_time;vehicle_id;vehicle_x;...``, also ``person_...``) or plain ones
(``t_s,id,kind,x_m,y_m,angle_deg,speed_mps``); a line without an id is a step in which nobody was
there. Without a speed it is the way since the row before, divided by the time.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError
from calmstreet.interop.fcd_types import BodySize, size_of_type
from calmstreet.interop.packed import opened_text, xml_elements
from calmstreet.model.kinds import Flag
from calmstreet.model.points import TrackPoints, make_points, no_points, track_id_of
from calmstreet.units import ns_from_s

__all__ = ["REACH_M", "FcdFile"]

REACH_M = 100_000.0
"""Places further from the origin than this are refused: stored metres would lose their mm."""

_ROWS_PER_BLOCK = 50_000
_PROBE_ROWS = 2_000
_DEGREE_RATIO = 0.01
_WANTED = "it should hold timestep_time, vehicle_id, vehicle_x, vehicle_y and vehicle_angle"

Cells = tuple[float, str, str, float, float, float, float]
"""Time in seconds, id ("" = nobody), type, x, y, angle, speed."""


@dataclass(slots=True, kw_only=True)
class FcdFile:
    """One FCD file; ``steps()`` reads it once and fills ``labels``, ``rejected`` and ``cut_off``.

    ``sizes`` of vehicle types come from a route file (``read_vehicle_types``). ``rejected`` counts
    rows that were left out by reason; ``cut_off`` says that the file ended in the middle, and what
    was whole before is kept.
    """

    path: Path
    camera_id: str
    run_id: int
    start_ns: int = 0
    sizes: Mapping[str, BodySize] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    cut_off: str = ""
    _serials: dict[str, int] = field(default_factory=dict)
    _last: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    _probe: list[tuple[float, float, float]] = field(default_factory=list)

    def steps(self) -> Iterator[tuple[NDArray[np.int64], TrackPoints]]:
        """Yield blocks of whole steps: their times and all rows in them, by time, then track.

        Raises FormatError for what does not read, times that go back and places in degrees.
        """
        times: list[int] = []
        rows: list[tuple[float, ...]] = []
        for time_s, step in self._by_time():
            times.append(self.start_ns + ns_from_s(time_s))
            rows += self._rows(times[-1], time_s, step)
            if len(rows) >= _ROWS_PER_BLOCK:
                yield np.array(times, np.int64), self._points(rows)
                times, rows = [], []
        if not times and not self._serials:
            raise FormatError(f"{self.path} holds no whole step; {_WANTED}")
        self._check_degrees()
        if times:
            yield np.array(times, np.int64), self._points(rows)

    def _by_time(self) -> Iterator[tuple[float, list[Cells]]]:
        """Gather rows of equal time; the last step of a cut file is left out."""
        now, step = math.nan, list[Cells]()
        for cells in self._cells():
            if cells[0] != now:
                if not math.isnan(now):
                    yield now, step
                if not math.isfinite(cells[0]):
                    raise FormatError(f"{self.path}: a time is no number; {_WANTED}")
                if cells[0] < now:
                    raise FormatError(
                        f"{self.path}: time goes back from {now:g} s to {cells[0]:g} s; "
                        "sort the file by time"
                    )
                now, step = cells[0], []
            if cells[1]:
                step.append(cells)
        if not math.isnan(now) and not self.cut_off:
            yield now, step

    def _cells(self) -> Iterator[Cells]:
        name = self.path.name.removesuffix(".gz")
        if name.endswith(".xml"):
            yield from self._xml_cells()
        else:
            yield from self._csv_cells()

    def _xml_cells(self) -> Iterator[Cells]:
        time_s = math.nan
        stream = xml_elements(self.path, "SUMO FCD", on_cut=self._cut)
        for name, given in stream:
            if name == "timestep":
                time_s = _number(given.get("time", ""))
                yield time_s, "", "", math.nan, math.nan, math.nan, math.nan
            elif name in ("vehicle", "person"):
                kind = given.get("type", "") or ("pedestrian" if name == "person" else "")
                if name == "person" and kind not in self.sizes:
                    kind = "pedestrian"
                x, y, angle, speed = (
                    _number(given.get(k, "")) for k in ("x", "y", "angle", "speed")
                )
                yield time_s, given.get("id", ""), kind, x, y, angle, speed

    def _cut(self, why: str) -> None:
        self.cut_off = why

    def _csv_cells(self) -> Iterator[Cells]:
        with opened_text(self.path, "SUMO FCD as CSV", on_cut=self._cut) as lines:
            head = next(lines, "")
            mark = ";" if head.count(";") > head.count(",") else ","
            names = [name.strip().lower() for name in head.strip().split(mark)]
            picks = [_picked(names, who, self.path) for who in ("vehicle", "person")]
            short = False
            for words in csv.reader(lines, delimiter=mark):
                short = 0 < len(words) < len(names)
                if len(words) != len(names):
                    self.rejected["line with another number of columns"] += bool(words)
                    continue
                yield _csv_row(words, picks)
        self.cut_off = self.cut_off or ("the last line is not whole" if short else "")

    def _rows(self, t_ns: int, time_s: float, step: list[Cells]) -> list[tuple[float, ...]]:
        """Return the rows of one step, by track, each track once."""
        found: dict[int, tuple[float, ...]] = {}
        for _, label, kind_name, x, y, angle, speed in step:
            if not (math.isfinite(x) and math.isfinite(y)):
                self.rejected["place is no number"] += 1
                continue
            if max(abs(x), abs(y)) > REACH_M:
                raise FormatError(
                    f"{self.path}: {label} is at ({x:g}, {y:g}), more than {REACH_M / 1000:g} km "
                    "from the origin; subtract an offset from all places and from the site"
                )
            track_id = self._track_id(label)
            if track_id in found:
                self.rejected["road user twice in one step"] += 1
                continue
            body = self.sizes.get(kind_name) or size_of_type(kind_name)
            found[track_id] = self._row(t_ns, time_s, track_id, body, (x, y, angle, speed))
        return [found[track_id] for track_id in sorted(found)]

    def _row(
        self,
        t_ns: int,
        time_s: float,
        track_id: int,
        body: BodySize,
        state: tuple[float, float, float, float],
    ) -> tuple[float, ...]:
        x, y, angle_deg, speed = state
        before = self._last.get(track_id)
        self._last[track_id] = (time_s, x, y)
        if before is not None:
            self._remember(before, time_s, x, y, speed)
        if before is not None and not (math.isfinite(speed) and math.isfinite(angle_deg)):
            dx, dy, dt = x - before[1], y - before[2], time_s - before[0]
            speed = speed if math.isfinite(speed) else math.hypot(dx, dy) / dt
            if not math.isfinite(angle_deg) and (dx or dy):
                angle_deg = math.degrees(math.atan2(dx, dy))
        east, north = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
        heading = math.atan2(north, east)
        back = body.length_m / 2
        known = math.isfinite(angle_deg)
        centre = (x - back * east, y - back * north) if known else (x, y)
        return (t_ns, track_id, body.kind, *centre, speed * east, speed * north, heading,
                body.length_m, body.width_m, body.source)  # fmt: skip

    def _remember(
        self, before: tuple[float, float, float], time_s: float, x: float, y: float, speed: float
    ) -> None:
        """Keep ways of the first rows, to tell degrees from metres."""
        if len(self._probe) < _PROBE_ROWS:
            way = math.hypot(x - before[1], y - before[2])
            self._probe.append((way, speed * (time_s - before[0]), max(abs(x), abs(y))))
            if len(self._probe) == _PROBE_ROWS:
                self._check_degrees()

    def _check_degrees(self) -> None:
        if not self._probe:
            return
        way, wanted, reach = np.array(self._probe).T
        moving = wanted > 0.1
        if moving.sum() < 5 or reach.max() > 180:
            return
        if np.median(way[moving] / wanted[moving]) < _DEGREE_RATIO:
            raise FormatError(
                f"{self.path}: places move a hundredth of what the speeds say, so they look like "
                "degrees; give x and y in metres (SUMO: leave out --fcd-output.geo)"
            )

    def _track_id(self, label: str) -> int:
        serial = self._serials.get(label)
        if serial is None:
            serial = len(self._serials) + 1
            self._serials[label] = serial
            self.labels[track_id_of(self.run_id, serial)] = label
        return track_id_of(self.run_id, serial)

    def _points(self, rows: list[tuple[float, ...]]) -> TrackPoints:
        if not rows:
            return no_points(camera_id=self.camera_id, run_id=self.run_id)
        t_ns, track_id, kind, *floats, source = zip(*rows, strict=True)
        x, y, vx, vy, heading, long, wide = (np.array(column, np.float64) for column in floats)
        return make_points(
            camera_id=self.camera_id,
            run_id=self.run_id,
            t_ns=np.array(t_ns, np.int64),
            track_id=np.array(track_id, np.int64),
            kind=np.array(kind, np.uint8),
            score=np.ones(len(rows)),
            flags=np.full(len(rows), Flag.NONE),
            xy_m=np.stack([x, y], axis=1),
            velocity_mps=np.stack([vx, vy], axis=1),
            heading_rad=heading,
            length_m=long,
            width_m=wide,
            size_source=np.array(source, np.uint8),
            cov_m2=np.zeros((len(rows), 3)),
        )


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("timestep_time", "t_s", "time", "time_s"),
    "id": ("id",),
    "type": ("type", "kind"),
    "x": ("x", "x_m"),
    "y": ("y", "y_m"),
    "angle": ("angle", "angle_deg"),
    "speed": ("speed", "speed_mps"),
}


def _picked(names: list[str], who: str, path: Path) -> list[int]:
    """Return the place of each of ``_COLUMNS`` for vehicles or persons; -1 where there is none."""
    picks = []
    for key, words in _COLUMNS.items():
        known = [*words, *(f"{who}_{word}" for word in words)]
        places = [place for place, name in enumerate(names) if name in known]
        picks.append(places[0] if places else -1)
        if not places and who == "vehicle" and key in ("time", "id", "x", "y"):
            raise FormatError(f"{path} has no column for {key}; {_WANTED}")
    return picks


def _csv_row(words: list[str], picks: list[list[int]]) -> Cells:
    pick, is_person = picks[0], False
    if not words[pick[1]] and picks[1][1] >= 0 and words[picks[1][1]]:
        pick, is_person = picks[1], True
    texts = [words[place] if place >= 0 else "" for place in pick]
    x, y, angle, speed = (_number(text) for text in texts[3:])
    kind = "pedestrian" if is_person else texts[2]
    return _number(texts[0]), texts[1], kind, x, y, angle, speed


def _number(text: str) -> float:
    """Return a number, NaN where the text is none.

    >>> _number("1.5"), _number("")
    (1.5, nan)
    """
    with suppress(ValueError):
        return float(text)
    return math.nan
