"""MOT CSV, the format of the MOTChallenge: frame, id, left, top, width, height, conf, class, vis.

Frames count from 1. Boxes are pixels, (0, 0) is the upper left corner of the picture; nothing is
shifted. The class follows MOT16 (1 pedestrian, 3 car, 4 bicycle, 5 motorbike); it has no van, bus
or truck, which are written as 101, 102, 103. Ten columns mean MOT15, where the last three are a
place in the world and no class. -1 stands for unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.interop.files import (
    Imported,
    mapped_ids,
    read_text,
    sorted_points,
    written_text,
)
from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints, make_points
from calmstreet.units import NS_PER_S

__all__ = ["read_mot", "write_mot"]

_CLASS_OF_KIND: dict[int, int] = {
    Kind.UNKNOWN: -1,
    Kind.PEDESTRIAN: 1,
    Kind.BICYCLE: 4,
    Kind.MOTORCYCLE: 5,
    Kind.CAR: 3,
    Kind.VAN: 101,
    Kind.BUS: 102,
    Kind.TRUCK: 103,
}
_KIND_OF_CLASS: dict[int, int] = {
    **{code: kind for kind, code in _CLASS_OF_KIND.items()},
    7: Kind.PEDESTRIAN,  # MOT16: a person who stands or sits
}
_SERIAL = (1 << 32) - 1
_SHOULD = "it should read frame,id,left,top,width,height[,conf,class,vis]"


class Numbers:
    """Gives each track a whole number: its foreign one, else its serial, else a free one."""

    def __init__(self, labels: Mapping[int, str]) -> None:
        self._of = {
            track_id: int(label)
            for track_id, label in labels.items()
            if label.isascii() and label.isdigit()
        }
        self._taken = set(self._of.values())

    def __call__(self, track_id: int) -> int:
        """Return the number of a track; -1 for nobody's rows."""
        if track_id < 0:
            return -1
        if track_id not in self._of:
            number = track_id & _SERIAL
            if number in self._taken:
                number = max(self._taken) + 1
            self._taken.add(number)
            self._of[track_id] = number
        return self._of[track_id]


def write_mot(
    path: Path,
    blocks: Iterable[TrackPoints],
    steps_ns: NDArray[np.int64],
    labels: Mapping[int, str] | None = None,
) -> None:
    """Write rows, to a thousandth of a pixel; the frame is the place of the step among all steps.

    ``steps_ns`` are all analysed times in order; ``labels`` the foreign ids. Raises InputError
    when the file cannot be written, ValueError for a row whose time is no step.
    """
    numbers = Numbers(labels or {})
    with written_text(path) as text:
        for points in blocks:
            text.writelines(_lines(points, steps_ns, numbers))


def _lines(points: TrackPoints, steps_ns: NDArray[np.int64], numbers: Numbers) -> Iterator[str]:
    frames = np.searchsorted(steps_ns, points.t_ns)
    if len(points) and not np.array_equal(steps_ns.take(frames, mode="clip"), points.t_ns):
        raise ValueError("rows at a time that is no analysed step")
    box = points.box_px.astype(float)
    box[:, 2:] -= box[:, :2]
    score = np.where(np.isnan(points.score), -1.0, points.score)
    for frame, track_id, (left, top, width, height), conf, kind in zip(
        (frames + 1).tolist(),
        points.track_id.tolist(),
        box.tolist(),
        score.tolist(),
        points.kind.tolist(),
        strict=True,
    ):
        yield (
            f"{frame},{numbers(track_id)},{left:.3f},{top:.3f},{width:.3f},{height:.3f},"
            f"{conf:.6g},{_CLASS_OF_KIND[kind]},-1\n"
        )


def read_mot(path: Path, *, camera_id: str, run_id: int, fps: float, start_ns: int = 0) -> Imported:
    """Read rows; frame 1 lies at ``start_ns`` and frames are 1 / ``fps`` seconds apart.

    Every frame between the first and the last with rows counts as analysed. An id of -1 is
    nobody's: track_id -1. Blank lines, a header line and frames such as "3.0" are tolerated.
    Raises FormatError naming file and line, InputError when the file cannot be read.
    """
    if not 0 < fps < 1000:
        raise InputError(f"{path}: fps {fps} is no frame rate; give the one of the video")
    text = read_text(path, "MOT CSV")
    rows = [_fields(line, path, number) for number, line in _lines_of(text)]
    if not rows:
        raise FormatError(f"{path} holds no rows; {_SHOULD}")
    table = np.array([row[1] for row in rows])
    frames = table[:, 0].astype(np.int64)
    ids, labels = mapped_ids([row[0] for row in rows], run_id=run_id, nobody=frozenset({"-1"}))
    points = make_points(
        camera_id=camera_id,
        run_id=run_id,
        t_ns=times_of(frames, fps=fps, start_ns=start_ns),
        track_id=ids,
        kind=[_KIND_OF_CLASS.get(int(code), Kind.UNKNOWN) for code in table[:, 6]],
        score=np.where(table[:, 5] == -1, np.nan, table[:, 5]),
        box_px=np.concatenate([table[:, 1:3], table[:, 1:3] + table[:, 3:5]], axis=1),
    )
    points = sorted_points(points)
    _once(points, path, fps, start_ns, labels)
    every = np.arange(frames.min(), frames.max() + 1)
    return Imported(
        points=points, steps_ns=times_of(every, fps=fps, start_ns=start_ns), labels=labels
    )


def times_of(frames: NDArray[np.int64], *, fps: float, start_ns: int) -> NDArray[np.int64]:
    """Return the times of frames that count from 1, UTC ns.

    >>> times_of(np.array([1, 2, 26]), fps=25.0, start_ns=7).tolist()
    [7, 40000007, 1000000007]
    """
    return start_ns + np.rint((frames - 1) / fps * NS_PER_S).astype(np.int64)


def _lines_of(text: str) -> Iterator[tuple[int, str]]:
    first = True
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if first and not _is_number(line.split(",")[0]):
            first = False
            continue
        first = False
        yield number, line


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _fields(line: str, path: Path, number: int) -> tuple[str, list[float]]:
    """Return the id and frame, left, top, width, height, conf, class of one line."""
    words = [word.strip() for word in line.split(",")]
    if words[-1] == "":
        words.pop()
    where = f"{path}, line {number}"
    if not 6 <= len(words) <= 10:
        raise FormatError(f"{where} has {len(words)} columns; {_SHOULD}")
    try:
        frame, *box = (float(word) for word in (words[0], *words[2:6]))
        conf = float(words[6]) if len(words) > 6 else -1.0
        code = float(words[7]) if len(words) in (8, 9) else -1.0
    except ValueError as error:
        raise FormatError(f"{where} holds something that is no number; {_SHOULD}") from error
    if not (frame.is_integer() and frame >= 1):
        raise FormatError(f"{where}: frame {words[0]} is none; frames count 1, 2, 3, ...")
    if not np.isfinite([*box, code]).all() or min(box[2:]) < 0:
        raise FormatError(f"{where}: {','.join(words[2:6])} is no box; {_SHOULD}")
    return _id_of(words[1], where), [frame, *box, conf, code]


def _id_of(word: str, where: str) -> str:
    if not word:
        raise FormatError(f"{where} has no id; write -1 where there is none")
    if _is_number(word) and float(word).is_integer():
        return str(int(float(word)))
    return word


def _once(
    points: TrackPoints, path: Path, fps: float, start_ns: int, labels: Mapping[int, str]
) -> None:
    same = (np.diff(points.t_ns) == 0) & (np.diff(points.track_id) == 0)
    twice = np.flatnonzero(same & (points.track_id[1:] >= 0))
    if len(twice):
        row = int(twice[0])
        frame = round((int(points.t_ns[row]) - start_ns) / NS_PER_S * fps) + 1
        label = labels[int(points.track_id[row])]
        raise FormatError(f"{path}: id {label} occurs twice in frame {frame}; keep one of the two")
