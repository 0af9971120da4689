"""Vehicle types of SUMO: kind and size from a route file, from the type's own name, by default."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from calmstreet.errors import FormatError
from calmstreet.interop.packed import xml_elements
from calmstreet.model.kinds import KIND_BY_NAME, LENGTH_M, WIDTH_M, Kind, SizeSource

__all__ = ["BodySize", "read_vehicle_types", "size_of_type"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySize:
    """Kind, length and width in metres, and where the size comes from."""

    kind: Kind
    length_m: float
    width_m: float
    source: SizeSource = SizeSource.GIVEN


_CLASSES: Mapping[str, tuple[Kind, float, float]] = {
    "passenger": (Kind.CAR, 5.0, 1.8),
    "private": (Kind.CAR, 5.0, 1.8),
    "taxi": (Kind.CAR, 5.0, 1.8),
    "evehicle": (Kind.CAR, 5.0, 1.8),
    "hov": (Kind.CAR, 5.0, 1.8),
    "delivery": (Kind.VAN, 6.5, 2.16),
    "emergency": (Kind.VAN, 6.5, 2.16),
    "truck": (Kind.TRUCK, 7.1, 2.4),
    "trailer": (Kind.TRUCK, 16.5, 2.55),
    "bus": (Kind.BUS, 12.0, 2.5),
    "coach": (Kind.BUS, 14.0, 2.6),
    "tram": (Kind.BUS, 22.0, 2.4),
    "motorcycle": (Kind.MOTORCYCLE, 2.2, 0.9),
    "moped": (Kind.MOTORCYCLE, 2.1, 0.8),
    "bicycle": (Kind.BICYCLE, 1.6, 0.65),
    "pedestrian": (Kind.PEDESTRIAN, 0.215, 0.478),
}
"""SUMO's own defaults by vClass (its documentation of vehicle type parameters)."""

_BUILT_IN: Mapping[str, str] = {
    "DEFAULT_VEHTYPE": "passenger",
    "DEFAULT_PEDTYPE": "pedestrian",
    "DEFAULT_BIKETYPE": "bicycle",
    "DEFAULT_TAXITYPE": "taxi",
}
_WORDS: tuple[tuple[str, Kind], ...] = (
    ("pedest", Kind.PEDESTRIAN),
    ("person", Kind.PEDESTRIAN),
    ("truck", Kind.TRUCK),
    ("lorry", Kind.TRUCK),
    ("trailer", Kind.TRUCK),
    ("bus", Kind.BUS),
    ("coach", Kind.BUS),
    ("moto", Kind.MOTORCYCLE),
    ("moped", Kind.MOTORCYCLE),
    ("bicy", Kind.BICYCLE),
    ("bike", Kind.BICYCLE),
    ("cycl", Kind.BICYCLE),
    ("van", Kind.VAN),
    ("delivery", Kind.VAN),
)


@cache
def size_of_type(name: str) -> BodySize:
    """Return kind and size by the name of a type: SUMO's built-in ones, else our class defaults.

    A name that says nothing is a car.

    >>> size_of_type("DEFAULT_VEHTYPE").length_m, size_of_type("city-bus").kind.name
    (5.0, 'BUS')
    """
    if name in _BUILT_IN:
        kind, long, wide = _CLASSES[_BUILT_IN[name]]
        return BodySize(kind=kind, length_m=long, width_m=wide)
    word = name.lower()
    guess = next((kind for part, kind in _WORDS if part in word), Kind.CAR)
    found = KIND_BY_NAME.get(word, guess)
    return BodySize(
        kind=found,
        length_m=LENGTH_M[found],
        width_m=WIDTH_M[found],
        source=SizeSource.CLASS_DEFAULT,
    )


def read_vehicle_types(path: Path) -> dict[str, BodySize]:
    """Return kind and size of every ``vType`` of a SUMO route or additional file.

    A type without a length or width has SUMO's default of its ``vClass``. Raises FormatError when
    the file is no XML or a size is no number.
    """
    found = {}
    for element, given in xml_elements(path, "a SUMO route file"):
        if element == "vType" and "id" in given:
            known = _CLASSES.get(given.get("vClass", "passenger"), _CLASSES["passenger"])
            found[given["id"]] = BodySize(
                kind=known[0],
                length_m=_size(path, given, "length", known[1]),
                width_m=_size(path, given, "width", known[2]),
            )
    return found


def _size(path: Path, given: Mapping[str, str], key: str, default: float) -> float:
    try:
        size = float(given.get(key, default))
    except ValueError:
        size = math.nan
    if not 0 < size < 100:
        raise FormatError(
            f'{path}: vType "{given["id"]}" has {key}="{given.get(key)}"; write it in metres'
        )
    return size
