"""The shelf: result folders below a parent, each with an id that can stand in an address."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from calmstreet.store.folder import CATALOGUE_NAME

__all__ = ["ResultFolder", "result_folders", "result_id_of"]

_DEEPEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFolder:
    """One result: its id, its name for people, its folder."""

    result_id: str
    name: str
    folder: Path


def result_folders(parent: Path, *, also: Sequence[Path], desk: Path) -> list[ResultFolder]:
    """Return every result by name: folders at most two below ``parent``, and ``also``.

    ``desk`` holds a catalogue, too, but no result.
    """
    own, top = desk.resolve(), parent.resolve()
    found: dict[Path, ResultFolder] = {}
    for folder in (*_below(parent, _DEEPEST), *also):
        place = folder.resolve()
        if place != own and (place / CATALOGUE_NAME).is_file():
            inside = place.is_relative_to(top) and place != top
            name = place.relative_to(top).as_posix() if inside else place.name
            result_id = result_id_of(name, str(place))
            found[place] = ResultFolder(result_id=result_id, name=name, folder=place)
    return sorted(found.values(), key=lambda result: (result.name, result.result_id))


def result_id_of(name: str, place: str) -> str:
    """Return the id of a result: its name as far as it can stand in an address, and a digest.

    >>> result_id_of("Abay / May", "x")
    'abay-may-2d711642'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "result"
    return f"{slug}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _below(folder: Path, deep: int) -> Iterator[Path]:
    if (folder / CATALOGUE_NAME).is_file():
        yield folder
    elif deep and folder.is_dir():
        for child in sorted(folder.iterdir()):
            if child.is_dir() and not child.name.startswith("."):
                yield from _below(child, deep - 1)
