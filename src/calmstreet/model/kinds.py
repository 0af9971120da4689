"""Kinds of road user, where a box came from, and the flags of a row: the codes of the columns."""

from enum import IntEnum, IntFlag

__all__ = [
    "KIND_BY_NAME",
    "KIND_NAMES",
    "LENGTH_M",
    "LENGTH_SPREAD",
    "HEIGHT_M",
    "PEOPLE",
    "VEHICLES",
    "WIDTH_M",
    "Eye",
    "Flag",
    "Kind",
    "SizeSource",
]


class Kind(IntEnum):
    """A kind of road user as the camera shows it (appearance, not axles)."""

    UNKNOWN = 0
    PEDESTRIAN = 1
    BICYCLE = 2
    MOTORCYCLE = 3
    CAR = 4
    VAN = 5
    BUS = 6
    TRUCK = 7


class Eye(IntFlag):
    """Which eye saw a box, or which eyes looked at a frame."""

    NONE = 0
    NET = 1
    MOTION = 2
    BOTH = 3


class Flag(IntFlag):
    """Flags of one row of TrackPoints.

    COASTED: not seen at this step; PARKED: has not moved since it was first seen; BORDER: touches
    the picture's border; OVERLAPPED: partly hidden by another road user; TENTATIVE: the tracker is
    not yet sure that this is a road user. A track that has only tentative rows is nobody.
    """

    NONE = 0
    COASTED = 1
    PARKED = 2
    BORDER = 4
    OVERLAPPED = 8
    TENTATIVE = 16


class SizeSource(IntEnum):
    """Where length and width of a row come from."""

    UNKNOWN = 0
    MEASURED = 1
    GIVEN = 2
    CLASS_DEFAULT = 3


KIND_NAMES: tuple[str, ...] = tuple(kind.name.lower() for kind in Kind)
KIND_BY_NAME: dict[str, Kind] = {kind.name.lower(): kind for kind in Kind}
PEOPLE = frozenset({Kind.PEDESTRIAN, Kind.BICYCLE, Kind.MOTORCYCLE})
VEHICLES = frozenset({Kind.CAR, Kind.VAN, Kind.BUS, Kind.TRUCK})

# Class-typical sizes in metres, indexed by Kind. Our assumptions, shown in the report;
# used for scale in the picture where no plane is known, never for a published speed.
HEIGHT_M: tuple[float, ...] = (1.6, 1.7, 1.7, 1.6, 1.5, 2.1, 3.1, 3.2)
LENGTH_M: tuple[float, ...] = (4.5, 0.5, 1.8, 2.1, 4.5, 5.5, 12.0, 9.0)
LENGTH_SPREAD: tuple[float, ...] = (0.3, 0.2, 0.15, 0.15, 0.12, 0.15, 0.2, 0.35)
"""How far lengths scatter within what is called a kind, one sigma, share of the usual length."""
WIDTH_M: tuple[float, ...] = (1.8, 0.5, 0.6, 0.8, 1.8, 2.0, 2.5, 2.5)
