"""True tracks turned into the detections of an honest but imperfect net, and synthetic streets."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.perception.mot import Boxes

from calmstreet.model.detections import Detections
from calmstreet.model.kinds import Eye, Kind
from calmstreet.units import NS_PER_S

__all__ = ["bouncing", "read_traf", "read_urban", "room_px", "spoil", "street", "thinned"]


def read_urban(path: Path) -> Boxes:
    """Read a truth of the Urban Tracker set (sqlite)."""
    book = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        query = "select frame_number, object_id, x_top_left, y_top_left, x_bottom_right, "
        query += "y_bottom_right from bounding_boxes order by frame_number, object_id"
        rows = np.array(book.execute(query).fetchall(), np.float64)
    finally:
        book.close()
    return _boxes(rows[:, 0] - rows[:, 0].min(), rows[:, 1], rows[:, 2:6])


def read_traf(path: Path) -> Boxes:
    """Read a truth of TRAF: per line frame, count, then left, top, width, height, id each."""
    rows = []
    for line in path.read_text().splitlines():
        numbers = [float(word) for word in line.split(",")]
        for k in range(int(numbers[1])):
            left, top, width, height, who = numbers[2 + 5 * k : 7 + 5 * k]
            rows.append([numbers[0], who, left, top, left + width, top + height])
    table = np.array(rows)
    return _boxes(table[:, 0], table[:, 1], table[:, 2:6])


def room_px(boxes: Boxes) -> tuple[int, int]:
    """Return the smallest picture that holds all boxes."""
    return int(boxes.box_px[:, 2].max()) + 1, int(boxes.box_px[:, 3].max()) + 1


def thinned(boxes: Boxes, every: int) -> Boxes:
    """Return every ``every``-th frame, numbered anew."""
    keep = boxes.frame % every == 0
    return Boxes(
        frame=boxes.frame[keep] // every,
        who=boxes.who[keep],
        box_px=boxes.box_px[keep],
        sure=boxes.sure[keep],
    )


def spoil(
    truth: Boxes, *, seed: int, jitter: float = 0.04, recall: float = 0.8, false_rate: float = 0.1
) -> Boxes:
    """Return detections: boxes jitter by a share of their size, some lack, some are nothing.

    Scores are 0.2 to 0.95, low for the worse boxes; false boxes are weak, ``false_rate`` a frame.
    """
    rng = np.random.default_rng(seed)
    box = truth.box_px
    side = np.maximum(box[:, 2:] - box[:, :2], 1.0)
    shake = rng.normal(0.0, jitter, (len(box), 4))
    sure = np.clip(rng.normal(0.65, 0.15, len(box)) - 2.0 * np.abs(shake).max(axis=1), 0.2, 0.95)
    seen = rng.random(len(box)) < recall
    shaken = box + shake * np.tile(side, 2)
    shaken[:, 2:] = np.maximum(shaken[:, 2:], shaken[:, :2] + 1.0)
    frames = int(truth.frame.max()) + 1
    n = rng.poisson(false_rate * frames)
    like = rng.integers(0, len(box), n)
    moved = box[like] + np.tile(rng.normal(0.0, 3.0, (n, 2)) * side[like], 2)
    return Boxes(
        frame=np.concatenate([truth.frame[seen], rng.integers(0, frames, n)]),
        who=np.full(int(seen.sum()) + n, -1),
        box_px=np.concatenate([shaken[seen], moved]),
        sure=np.concatenate([sure[seen], rng.uniform(0.15, 0.5, n)]),
    )


def bouncing(
    n: int, *, steps: int, fps: float, seed: int, width_px: int = 1920, height_px: int = 1080
) -> tuple[Boxes, list[Detections]]:
    """Return the truth of ``n`` users who bounce at the borders, and 95 % of it with 1 px noise."""
    rng = np.random.default_rng(seed)
    room = np.array([width_px, height_px], np.float64)
    high = rng.uniform(30.0, 90.0, n)
    side = np.column_stack([high * rng.uniform(0.5, 1.8, n), high])
    start, speed = rng.uniform(0.0, room, (n, 2)), rng.normal(0.0, 40.0, (n, 2))
    truths, found = [], []
    for k in range(steps):
        place = np.abs((start + speed * k / fps) % (2.0 * room))
        place = np.minimum(place, 2.0 * room - place)
        box = np.concatenate([place - side / 2.0, place + side / 2.0], axis=1)
        truths.append(_boxes(np.full(n, k), np.arange(n), box))
        keep = rng.random(n) < 0.95
        m = int(keep.sum())
        found.append(
            Detections(
                camera_id="c",
                t_ns=round(k * NS_PER_S / fps),
                box_px=(box + rng.normal(0.0, 1.0, box.shape))[keep].astype(np.float32),
                score=rng.uniform(0.5, 0.95, m).astype(np.float32),
                kind=np.full(m, Kind.CAR, np.uint8),
                source=np.full(m, Eye.NET, np.uint8),
            )
        )
    return _joined(truths), found


def _boxes(frame: NDArray[Any], who: NDArray[Any], box: NDArray[np.float64]) -> Boxes:
    return Boxes(
        frame=np.asarray(frame).astype(np.int64),
        who=np.asarray(who).astype(np.int64),
        box_px=box,
        sure=np.ones(len(box)),
    )


def _joined(parts: list[Boxes]) -> Boxes:
    return replace(
        parts[0],
        frame=np.concatenate([p.frame for p in parts]),
        who=np.concatenate([p.who for p in parts]),
        box_px=np.concatenate([p.box_px for p in parts]),
        sure=np.concatenate([p.sure for p in parts]),
    )


def street(*, fps: float, seed: int, duration_s: float = 40.0) -> Boxes:
    """Return a street seen from the side (640 x 360, 12 px/m): what of it can be seen, truly.

    Two directions of cars at 8 to 16 m/s, people on the footway in front, and a bus that stands
    for good and hides what passes behind it.
    """
    rng = np.random.default_rng(seed)
    users = [np.array([0.0, 0.0, 260.0, 150.0, 144.0, 37.0])]  # start_s, px/s, x, top, wide, high
    for direction, top in ((1.0, 160.0), (-1.0, 200.0)):
        start_s = 0.0
        while start_s < duration_s:
            speed = 12.0 * rng.uniform(8.0, 16.0) if direction > 0 else 12.0 * 12.0
            start = -54.0 if direction > 0 else 640.0
            users.append(np.array([start_s, direction * speed, start, top, 54.0, 18.0]))
            start_s += 2.0 + rng.exponential(2.0) if direction > 0 else 1.2 + rng.exponential(1.5)
    for _ in range(int(duration_s / 2)):
        way = rng.choice([-1.0, 1.0])
        speed = way * 12.0 * rng.uniform(0.9, 1.7)
        start = -8.0 if way > 0 else 640.0
        top = 240.0 + rng.uniform(0.0, 20.0)
        users.append(np.array([rng.uniform(0.0, duration_s), speed, start, top, 8.0, 20.0]))
    steps = int(duration_s * fps)
    return _joined([_street_step(np.array(users), k, k / fps) for k in range(steps)])


def _street_step(users: NDArray[np.float64], step: int, t_s: float) -> Boxes:
    """Return the users of one instant that are inside and not mostly behind the bus."""
    age = t_s - users[:, 0]
    left = users[:, 2] + users[:, 1] * np.maximum(age, 0.0)
    right = left + users[:, 4]
    hidden = (np.minimum(right, 404.0) - np.maximum(left, 260.0)) / users[:, 4]
    behind = (users[:, 3] == 160.0) & (hidden > 0.5)
    box = np.column_stack([left, users[:, 3], right, users[:, 3] + users[:, 5]])
    box = np.clip(box, 0.0, [640.0, 360.0, 640.0, 360.0])
    here = np.flatnonzero((age >= 0.0) & (box[:, 2] - box[:, 0] > 0.4 * users[:, 4]) & ~behind)
    return _boxes(np.full(len(here), step), here, box[here])
