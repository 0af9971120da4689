"""Parts: opening and reading pictures, making heads unrecognisable, keeping points."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.bench.clips import Clip
from tests.bench.measure import Row, row, take_turns

from calmstreet.model.points import TrackPoints, no_points
from calmstreet.store.points import PointWriter, read_points
from calmstreet.video.mosaic import mosaic
from calmstreet.video.source import FileSource
from calmstreet.video.zones import Zones

__all__ = ["bench_mosaic", "bench_reading", "bench_store"]

CELL_PX = 16
USERS = 50
SECONDS = 120
SIZE_PX = np.array([80.0, 60.0])


def our_reading(path: Path) -> int:
    """Read every frame as the pipeline does, luma and repeated content; return how many."""
    source = FileSource(path=path, camera_id="camera", start_ns=0)
    return sum(1 for frame in source.frames() if frame.luma.size)


def their_reading(path: Path) -> int:
    """Read every frame with OpenCV's capture; return how many."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    frames = 0
    while capture.read()[0]:
        frames += 1
    capture.release()
    return frames


def bench_reading(clip: Clip, *, rounds: int = 5) -> Iterator[Row]:
    """Yield what OpenCV's capture costs beside PyAV and the luma plane."""
    same = our_reading(clip.path) == their_reading(clip.path) == clip.frames
    yield row("frames read by both", float(same), "1 = yes", least=1, note=clip.name)
    cost = take_turns(
        {"ours": partial(our_reading, clip.path), "theirs": partial(their_reading, clip.path)},
        rounds=rounds,
    )
    note = f"{cost['ours'].median_s / clip.frames * 1e3:.2f} ms per frame of {clip.name}"
    value = cost["theirs"].over(cost["ours"])
    yield row("cv2.VideoCapture.read / PyAV + luma", value, "times the CPU", note=note)


def _zones(width_px: int, height_px: int) -> Zones:
    """Return ten boxes as large as a near head and shoulders, spread over the picture."""
    side = height_px // 9
    x = np.linspace(side, width_px - 2 * side, 10)
    y = np.tile([height_px * 0.3, height_px * 0.6], 5)
    rect = np.stack([x, y, x + side, y + side], axis=1).astype(np.float32)
    return Zones(rect, np.full(10, CELL_PX))


def blurred(picture: NDArray[np.uint8], zones: Zones) -> NDArray[np.uint8]:
    """Blur each zone with a Gaussian of half its size, as face blurring tools do."""
    result = picture.copy()
    for left, top, right, bottom in zones.rect_px.astype(int).tolist():
        size = ((right - left) // 2 | 1, (bottom - top) // 2 | 1)
        patch = result[top:bottom, left:right]
        result[top:bottom, left:right] = cv2.GaussianBlur(patch, size, 0)
    return result


def bench_mosaic(*, height_px: int = 1080, rounds: int = 5, times: int = 20) -> Iterator[Row]:
    """Yield what a Gaussian costs beside our cell means, on ten boxes."""
    width_px = height_px * 16 // 9
    picture = np.random.default_rng(5).integers(0, 256, (height_px, width_px, 3), np.uint8)
    zones = _zones(width_px, height_px)
    covered, mask = mosaic(picture, zones)
    left, top, right, bottom = zones.rect_px[0].astype(int)
    whole = bool(mask[top:bottom, left:right].all())
    untouched = bool(np.array_equal(covered[mask == 0], picture[mask == 0]))
    yield row(
        "mosaic covers its zones, nothing else", float(whole and untouched), "1 = yes", least=1
    )

    def repeat(cover: Callable[[], object]) -> None:
        for _ in range(times):
            cover()

    cost = take_turns(
        {
            "ours": partial(repeat, partial(mosaic, picture, zones)),
            "gauss": partial(repeat, partial(blurred, picture, zones)),
        },
        rounds=rounds,
    )
    note = (
        f"10 boxes of {height_px // 9} px, {cost['ours'].median_s / times * 1e3:.2f} ms with a copy"
    )
    yield row("Gaussian / our mosaic", cost["gauss"].over(cost["ours"]), "times the CPU", note=note)


def _steps(users: int, seconds: int) -> list[TrackPoints]:
    """Return road users on straight ways, ten steps a second."""
    dice = np.random.default_rng(11)
    start, way = dice.uniform(0, 1500, (users, 2)), dice.normal(0, 8, (users, 2))
    nobody = no_points(camera_id="camera", run_id=1)
    columns = {
        name: getattr(nobody, name).dtype for name in TrackPoints.__slots__ if name not in _SCALAR
    }
    steps = []
    for k in range(seconds * 10):
        place = np.round((start + way * k / 10 + dice.normal(0, 0.7, (users, 2))) * 16) / 16
        made = {name: np.zeros((users, *_WIDE.get(name, ())), t) for name, t in columns.items()}
        made["t_ns"][:] = k * 100_000_000
        made["track_id"][:] = np.arange(users) + 1
        made["box_px"][:] = np.concatenate([place, place + SIZE_PX], axis=1)
        steps.append(TrackPoints(camera_id="camera", run_id=1, **made))
    return steps


_SCALAR = ("camera_id", "run_id")
_WIDE = {"box_px": (4,), "seen_px": (4,), "xy_m": (2,), "velocity_mps": (2,), "cov_m2": (3,)}


def _write_ours(steps: list[TrackPoints]) -> float:
    """Write and read back; return bytes per point, NaN when it is not the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with PointWriter(folder=folder, camera_id="camera", run_id=1) as writer:
            for step in steps:
                writer.append(int(step.t_ns[0]), step)
        files = [file for file in writer.files if file.content == "points"]
        rows = sum(len(block) for block in read_points(folder, files))
        size = sum(file.size_bytes for file in writer.files)
    return size / rows if rows == sum(len(step) for step in steps) else float("nan")


def _write_sqlite(steps: list[TrackPoints]) -> float:
    """Write the same columns as plain rows of SQLite; return bytes per point."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "points.sqlite"
        base = sqlite3.connect(path)
        base.execute("CREATE TABLE points (t_ns, track_id, kind, score, flags, l, t, r, b)")
        for step in steps:
            rows = zip(
                *(
                    getattr(step, n).tolist()
                    for n in ("t_ns", "track_id", "kind", "score", "flags")
                ),
                *step.box_px.T.tolist(),
                strict=True,
            )
            base.executemany("INSERT INTO points VALUES (?,?,?,?,?,?,?,?,?)", rows)
        base.commit()
        base.close()
        return path.stat().st_size / sum(len(step) for step in steps)


def bench_store(*, users: int = USERS, seconds: int = SECONDS, rounds: int = 5) -> Iterator[Row]:
    """Yield bytes per point and what plain SQLite rows cost beside our store."""
    steps = _steps(users, seconds)
    points = users * len(steps)
    cost = take_turns(
        {"ours": partial(_write_ours, steps), "sqlite": partial(_write_sqlite, steps)},
        rounds=rounds,
    )
    note = f"{points} points; SQLite {_write_sqlite(steps):.0f} bytes"
    yield row("store", _write_ours(steps), "bytes per point", note=note)
    rate = points / cost["ours"].median_s / 1e3
    yield row("store, written and read back", rate, "1000 points/s")
    yield row("SQLite rows / store", cost["sqlite"].over(cost["ours"]), "times the CPU")
