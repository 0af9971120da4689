"""Faults that need two tables at once: ids that repeat, and names of things that are not there.

They are looked for in the file as it was read, so that they are told together with the faults
of single tables.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Fault", "Raw", "nearest", "reference_faults"]

Raw = Mapping[str, Any]
Fault = tuple[str, str]
"""Key path, and what is wrong with the cure."""

_OF_CAMERA = ("gate", "zone", "mask", "signal")


def nearest(word: str, known: list[str]) -> str:
    """Return a hint with the known word next to ``word``.

    >>> nearest("point_px", ["points_px", "id"])
    'did you mean "points_px"?'
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known here: {', '.join(known)}"


def _entries(raw: Raw, table: str) -> list[tuple[int, Raw]]:
    rows = raw.get(table, [])
    return (
        [(i, row) for i, row in enumerate(rows) if isinstance(row, dict)]
        if isinstance(rows, list)
        else []
    )


def _ids(raw: Raw, *tables: str) -> list[str]:
    rows = [row for table in tables for _, row in _entries(raw, table)]
    return [row["id"] for row in rows if isinstance(row.get("id"), str)]


def _repeated(raw: Raw, *tables: str) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for table in tables:
        for i, row in _entries(raw, table):
            word, place = row.get("id"), f"{table}[{i}].id"
            if not isinstance(word, str):
                continue
            if word in first:
                yield place, f'"{word}" is already the id at {first[word]}; give it another id'
            first.setdefault(word, place)


def _cameras(raw: Raw) -> Iterator[Fault]:
    known = _ids(raw, "camera")
    for table in _OF_CAMERA:
        for i, row in _entries(raw, table):
            word = row.get("camera")
            if word is None and len(known) > 1:
                yield (
                    f"{table}[{i}].camera",
                    f"is missing and the site has {len(known)} cameras; "
                    f"write one of {', '.join(known)}",
                )
            elif isinstance(word, str) and word not in known:
                yield f"{table}[{i}].camera", _nobody(word, "camera", known)


def _nobody(word: str, what: str, known: list[str]) -> str:
    cure = nearest(word, known) if known else f"add it under [[{what.split()[0]}]]"
    return f'names {what} "{word}", which is not in the file; {cure}'


def _camera_of(raw: Raw, row: Raw) -> Any:
    known = _ids(raw, "camera")
    return row.get("camera", known[0] if len(known) == 1 else None)


def _by_id(raw: Raw, *tables: str) -> dict[str, Raw]:
    rows = (row for table in tables for _, row in _entries(raw, table))
    return {row["id"]: row for row in rows if isinstance(row.get("id"), str)}


def _signals(raw: Raw) -> Iterator[Fault]:
    """Who names a head that nobody drew: states from outside may govern what lies in metres."""
    heads = _by_id(raw, "signal")
    for table, in_metres in (("gate", "points_m"), ("zone", "polygon_m")):
        for i, row in _entries(raw, table):
            word = row.get("signal")
            if not isinstance(word, str):
                continue
            outside = "/" in word or (not heads and in_metres in row)
            if word not in heads and not outside:
                yield f"{table}[{i}].signal", _nobody(word, "signal", list(heads))
            elif word in heads and _camera_of(raw, heads[word]) != _camera_of(raw, row):
                yield (
                    f"{table}[{i}].signal",
                    f'"{word}" is seen by another camera; name a head of the same',
                )


def _movement_ends(raw: Raw) -> Iterator[Fault]:
    places = _by_id(raw, "gate", "zone")
    for i, row in _entries(raw, "movement"):
        named = {key: row[key] for key in ("from", "to") if isinstance(row.get(key), str)}
        for key, word in named.items():
            if word not in places:
                yield f"movement[{i}].{key}", _nobody(word, "gate or zone", list(places))
        ends = [places[word] for word in named.values() if word in places]
        if len(ends) == 2:
            yield from _movement_pair(raw, i, row, ends)


def _movement_pair(raw: Raw, i: int, row: Raw, ends: list[Raw]) -> Iterator[Fault]:
    if row["from"] == row["to"] and row.get("turn") != "u":
        yield (
            f"movement[{i}].to",
            f'is the same as from ("{row["to"]}"); write turn = "u" or name another end',
        )
    if _camera_of(raw, ends[0]) != _camera_of(raw, ends[1]):
        yield (
            f"movement[{i}]",
            "begins on one camera and ends on another; nobody is followed across cameras, "
            "so name two ends of one camera",
        )


def _movement_twice(raw: Raw) -> Iterator[Fault]:
    seen: dict[tuple[str, str], int] = {}
    for i, row in _entries(raw, "movement"):
        if not {"from", "to"} <= row.keys():
            continue
        pair = (str(row["from"]), str(row["to"]))
        if pair in seen:
            yield f"movement[{i}]", f"has the same ends as movement[{seen[pair]}]; remove one"
        seen.setdefault(pair, i)


def _metres_without_plane(raw: Raw) -> Iterator[Fault]:
    with_plane = [row.get("id") for _, row in _entries(raw, "camera") if "plane" in row]
    if not _entries(raw, "camera"):
        return
    for table, key in (("gate", "points_m"), ("zone", "polygon_m")):
        for i, row in _entries(raw, table):
            if key in row and _camera_of(raw, row) not in with_plane:
                yield (
                    f"{table}[{i}].{key}",
                    "is in metres but its camera has no [camera.plane]; "
                    f"add the plane or draw it as {key.replace('_m', '_px')}",
                )


def reference_faults(raw: Raw) -> list[Fault]:
    """Return every fault between tables of the file as tomllib read it.

    >>> reference_faults({"gate": [{"id": "a"}, {"id": "a"}]})
    [('gate[1].id', '"a" is already the id at gate[0].id; give it another id')]
    """
    return [
        *_repeated(raw, "camera"),
        *_repeated(raw, "gate", "zone"),
        *_repeated(raw, "movement"),
        *_repeated(raw, "signal"),
        *_cameras(raw),
        *_signals(raw),
        *_movement_ends(raw),
        *_movement_twice(raw),
        *_metres_without_plane(raw),
    ]
