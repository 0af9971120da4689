"""What all foreign formats share: whole files or none, ids that keep their foreign names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.model.points import TrackPoints, track_id_of

__all__ = ["Imported", "mapped_ids", "read_text", "sorted_points", "whole_file", "written_text"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Imported:
    """What a file of tracks held: rows sorted by time and track, analysed steps, foreign ids.

    ``steps_ns`` (n,) int64 UTC ns; ``labels`` maps our track_id to the id in the file.
    """

    points: TrackPoints
    steps_ns: NDArray[np.int64]
    labels: dict[int, str]


def mapped_ids(
    foreign: Sequence[str], *, run_id: int, nobody: frozenset[str] = frozenset()
) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Return our track_id for each foreign id and the foreign id of each of ours.

    Serials follow the foreign ids, whole numbers by value before other words; ids in ``nobody``
    become -1 and have no label.

    >>> ids, labels = mapped_ids(["10", "veh_2", "9", "10", "-1"], run_id=0,
    ...     nobody=frozenset({"-1"}))
    >>> ids.tolist(), labels
    ([2, 3, 1, 2, -1], {1: '9', 2: '10', 3: 'veh_2'})
    """
    known = sorted(set(foreign) - nobody, key=_rank)
    ours = {label: track_id_of(run_id, serial) for serial, label in enumerate(known, start=1)}
    ids = np.array([ours.get(label, -1) for label in foreign], np.int64)
    return ids, {track_id: label for label, track_id in ours.items()}


def _rank(label: str) -> tuple[int, int, str]:
    digits = label.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        return 0, int(label), label
    return 1, 0, label


def sorted_points(points: TrackPoints) -> TrackPoints:
    """Return the rows sorted by time, then track."""
    return points[np.lexsort((points.track_id, points.t_ns))]


def read_text(path: Path, wanted: str) -> str:
    """Return the text of a file; raise InputError or FormatError where it is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text; give it as {wanted}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the path") from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when all went well."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another place"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def written_text(path: Path) -> Iterator[TextIO]:
    """Give a stream of text, UTF-8, that becomes ``path`` when all went well."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as text:
        yield text
