"""Bodies of vehicles, with glass, wheels, lamps and plates, and what fell off one of them."""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.scene.solids import Colour, Solid, SolidBuilder, box_points, disc_points

__all__ = ["PAINTS_BGR", "size_m", "vehicle"]

Floats = NDArray[np.float64]

PAINTS_BGR: tuple[Colour, ...] = (
    (238, 238, 236),
    (196, 198, 200),
    (52, 50, 48),
    (128, 130, 134),
    (38, 34, 172),
    (150, 84, 38),
    (92, 68, 40),
    (60, 110, 60),
)
_GLASS: Colour = (52, 44, 38)
_TYRE: Colour = (30, 30, 31)
_RIM: Colour = (165, 165, 165)
_DARK: Colour = (36, 36, 37)
_WHITE_LAMP: Colour = (240, 250, 252)
_RED_LAMP: Colour = (30, 26, 205)
_PLATE_W, _PLATE_H = 0.52, 0.13

_SIZES: dict[Kind, tuple[float, float, float]] = {
    Kind.CAR: (4.5, 1.82, 1.48),
    Kind.VAN: (5.5, 2.0, 2.2),
    Kind.BUS: (11.8, 2.5, 3.1),
    Kind.TRUCK: (8.6, 2.5, 3.3),
    Kind.BICYCLE: (1.75, 0.6, 1.75),
    Kind.MOTORCYCLE: (2.1, 0.75, 1.65),
    Kind.PEDESTRIAN: (0.5, 0.5, 1.75),
    Kind.UNKNOWN: (1.3, 0.9, 0.7),
}
_CARTON: Colour = (92, 132, 168)
_TAPE: Colour = (150, 178, 196)


def size_m(kind: Kind) -> tuple[float, float, float]:
    """Return length, width and height of the bodies of a kind.

    >>> size_m(Kind.BUS)[0]
    11.8
    """
    return _SIZES[kind]


@cache
def vehicle(kind: Kind, paint: int) -> Solid:
    """Return the body of a vehicle in one of ``PAINTS_BGR``; of unknown kind: a carton.

    Raises KeyError for people and their cycles.
    """
    makers = {
        Kind.CAR: _car, Kind.VAN: _van, Kind.BUS: _bus, Kind.TRUCK: _truck, Kind.UNKNOWN: _carton
    }  # fmt: skip
    builder = SolidBuilder()
    makers[kind](builder, PAINTS_BGR[paint % len(PAINTS_BGR)])
    return builder.build()


def _ring(x: float, half: float, low: float, high: float) -> Floats:
    """Return a cross section of a shell: sill, flank and shoulder on both sides."""
    belt = low + 0.62 * (high - low)
    y = [half * 0.93, half, half * 0.98, half * 0.86]
    z = [low, low + 0.3 * (high - low), belt, high]
    left = [(x, a, b) for a, b in zip(y, z, strict=True)]
    return np.array([*left, *[(x, -a, b) for _, a, b in reversed(left)]])


def _shell(
    builder: SolidBuilder, stations: list[tuple[float, float, float, float]], bgr: Colour
) -> dict[str, int]:
    """Loft a shell through stations (x, half width, low, high); return rear, front and flanks."""
    rings = [_ring(*station) for station in stations]
    for rear, front in pairwise(rings):
        for i in range(len(rear) - 1):
            quad = np.array([rear[i], front[i], front[i + 1], rear[i + 1]])
            builder.face(quad, bgr, gloss=0.55)
    return {
        "rear": builder.face(rings[0], bgr, gloss=0.4),
        "front": builder.face(rings[-1], bgr, gloss=0.4),
    }


def _inset(quad: Floats, across: tuple[float, float], up: tuple[float, float]) -> Floats:
    """Return a part of a quad given as shares of its width and height (corner 0 lower)."""
    a, b, c, d = quad

    def at(u: float, v: float) -> Floats:
        low, high = a + u * (b - a), d + u * (c - d)
        return np.asarray(low + v * (high - low))

    (u0, u1), (v0, v1) = across, up
    return np.array([at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1)])


def _cabin(
    builder: SolidBuilder,
    *,
    base: tuple[float, float, float, float],
    roof: tuple[float, float, float, float],
    bgr: Colour,
    panes: tuple[tuple[float, float], ...],
) -> None:
    """Put glass and a roof on a shell; base and roof are (rear x, front x, half width, z)."""
    x0, x1, w0, z0 = base
    x2, x3, w1, z1 = roof
    front = np.array([(x1, w0, z0), (x1, -w0, z0), (x3, -w1, z1), (x3, w1, z1)])
    rear = np.array([(x0, -w0, z0), (x0, w0, z0), (x2, w1, z1), (x2, -w1, z1)])
    for quad in (front, rear):
        number = builder.face(quad, bgr, gloss=0.4)
        builder.face(_inset(quad, (0.05, 0.95), (0.06, 0.94)), _GLASS, gloss=0.9, on=number)
    for side in (1, -1):
        flank = np.array(
            [(x0, side * w0, z0), (x1, side * w0, z0), (x3, side * w1, z1), (x2, side * w1, z1)]
        )
        number = builder.face(flank, bgr, gloss=0.4)
        for pane in panes:
            builder.face(_inset(flank, pane, (0.08, 0.88)), _GLASS, gloss=0.8, on=number)
    top = np.array([(x2, w1, z1), (x3, w1, z1), (x3, -w1, z1), (x2, -w1, z1)])
    number = builder.face(top, bgr, gloss=0.5)
    builder.face(_inset(top, (0.06, 0.94), (0.06, 0.94)), bgr, gloss=0.6, on=number)


def _wheels(builder: SolidBuilder, places: tuple[float, ...], half: float, radius: float) -> None:
    """Put wheels on both sides at ``places`` along the body."""
    for side in (1, -1):
        builder.part((0.0, 0.0, radius), 1)
        for x in places:
            arch = builder.face(
                disc_points((x, side * half * 0.995, radius * 1.08), radius * 1.2), _DARK, gloss=0
            )
            builder.face(disc_points((x, side * half, radius), radius), _TYRE, gloss=0, on=arch)
            builder.face(
                disc_points((x, side * half * 1.005, radius), radius * 0.64),
                _RIM,
                gloss=0.2,
                on=arch,
            )
            builder.face(
                disc_points((x, side * half * 1.01, radius), radius * 0.2), _DARK, gloss=0, on=arch
            )


def _patch(x: float, y: tuple[float, float], z: tuple[float, float]) -> Floats:
    return np.array([(x, y[0], z[0]), (x, y[1], z[0]), (x, y[1], z[1]), (x, y[0], z[1])])


def _ends(
    builder: SolidBuilder,
    faces: dict[str, int],
    *,
    x: tuple[float, float],
    half: float,
    lamp_z: tuple[float, float],
    plate_z: float,
) -> None:
    """Put lamps, grille and plates on front and rear."""
    rear, front = x
    for side in (1, -1):
        y = (side * half * 0.55, side * half * 0.98)
        builder.face(_patch(front, y, lamp_z), _WHITE_LAMP, gloss=0.6, glow=1, on=faces["front"])
        builder.face(_patch(rear, y, lamp_z), _RED_LAMP, gloss=0.4, glow=0.6, on=faces["rear"])
    grille = (lamp_z[0] - 0.02, lamp_z[1] - 0.04)
    builder.face(_patch(front, (-half * 0.5, half * 0.5), grille), _DARK, on=faces["front"])
    bumper = (plate_z - 0.16, plate_z + 0.04)
    for place, name in ((front, "front"), (rear, "rear")):
        builder.face(_patch(place, (-half * 0.8, half * 0.8), bumper), _DARK, on=faces[name])
    _plates(builder, rear - 0.01, front + 0.01, plate_z)


def _plates(builder: SolidBuilder, rear: float, front: float, z: float) -> None:
    for x, side in ((front, -1), (rear, 1)):
        y0, y1 = side * _PLATE_W / 2, -side * _PLATE_W / 2
        high, low = z + _PLATE_H / 2, z - _PLATE_H / 2
        builder.plate(np.array([(x, y0, high), (x, y1, high), (x, y1, low), (x, y0, low)]))


def _car(builder: SolidBuilder, bgr: Colour) -> None:
    builder.part((0.0, 0.0, 0.5), 0)
    faces = _shell(
        builder,
        [
            (-2.25, 0.74, 0.34, 0.86),
            (-2.12, 0.86, 0.24, 0.97),
            (-1.45, 0.91, 0.20, 1.00),
            (0.95, 0.91, 0.20, 0.97),
            (1.65, 0.89, 0.20, 0.88),
            (2.12, 0.82, 0.24, 0.76),
            (2.25, 0.68, 0.32, 0.66),
        ],
        bgr,
    )
    _ends(builder, faces, x=(-2.26, 2.26), half=0.72, lamp_z=(0.54, 0.7), plate_z=0.45)
    _wheels(builder, (-1.38, 1.38), 0.915, 0.33)
    builder.part((-0.35, 0.0, 1.1), 2)
    _cabin(
        builder,
        base=(-1.95, 1.05, 0.80, 0.97),
        roof=(-1.25, 0.2, 0.62, 1.48),
        bgr=bgr,
        panes=((0.1, 0.46), (0.5, 0.9)),
    )
    for side in (1, -1):
        builder.part((0.72, side * 0.95, 1.02), 2)
        y = sorted((side * 0.86, side * 1.04))
        for points in box_points((0.66, y[0], 0.95), (0.8, y[1], 1.09)):
            builder.face(points, bgr, gloss=0.3)


def _van(builder: SolidBuilder, bgr: Colour) -> None:
    builder.part((0.0, 0.0, 0.6), 0)
    faces = _shell(
        builder,
        [
            (-2.75, 0.94, 0.32, 1.2),
            (-2.68, 0.99, 0.26, 1.22),
            (1.5, 1.0, 0.26, 1.22),
            (2.3, 0.98, 0.26, 1.12),
            (2.68, 0.9, 0.3, 0.98),
            (2.75, 0.8, 0.36, 0.9),
        ],
        bgr,
    )
    _ends(builder, faces, x=(-2.76, 2.76), half=0.8, lamp_z=(0.66, 0.86), plate_z=0.5)
    _wheels(builder, (-1.7, 1.75), 1.005, 0.36)
    builder.part((-0.4, 0.0, 1.6), 2)
    _cabin(
        builder,
        base=(-2.7, 2.15, 0.94, 1.18),
        roof=(-2.62, 1.3, 0.82, 2.2),
        bgr=bgr,
        panes=((0.7, 0.93),),
    )


def _bus(builder: SolidBuilder, bgr: Colour) -> None:
    length, width, height = _SIZES[Kind.BUS]
    x, y = length / 2, width / 2
    builder.part((0.0, 0.0, 1.5), 0)
    front, rear, left, right, top = box_points((-x, -y, 0.3), (x, y, height))
    numbers = [builder.face(p, bgr, gloss=0.35) for p in (front, rear, left, right, top)]
    builder.face(_inset(front, (0.05, 0.95), (0.32, 0.86)), _GLASS, gloss=0.8, on=numbers[0])
    builder.face(_inset(front, (0.2, 0.8), (0.88, 0.97)), (40, 150, 235), glow=0.5, on=numbers[0])
    builder.face(_inset(rear, (0.15, 0.85), (0.5, 0.85)), _GLASS, gloss=0.6, on=numbers[1])
    for flank, number in ((left, numbers[2]), (right, numbers[3])):
        builder.face(_inset(flank, (0, 1), (0.0, 0.1)), _DARK, on=number)
        builder.face(_inset(flank, (0, 1), (0.24, 0.3)), (70, 120, 30), gloss=0.3, on=number)
        for i in range(8):
            pane = (0.025 + i * 0.12, 0.025 + i * 0.12 + 0.108)
            builder.face(_inset(flank, pane, (0.42, 0.82)), _GLASS, gloss=0.7, on=number)
    for door in (0.62, 0.9):
        builder.face(
            _inset(right, (door, door + 0.07), (0.05, 0.8)), _GLASS, gloss=0.5, on=numbers[3]
        )
    for unit in (-3.0, 2.0):
        builder.part((unit, 0.0, height + 0.1), 2)
        for points in box_points((unit - 1, -0.7, height), (unit + 1, 0.7, height + 0.22)):
            builder.face(points, (205, 205, 205))
    builder.part((0.0, 0.0, 1.5), 0)
    _ends(
        builder,
        {"front": numbers[0], "rear": numbers[1]},
        x=(-x - 0.01, x + 0.01),
        half=1.1,
        lamp_z=(0.75, 0.98),
        plate_z=0.55,
    )
    _wheels(builder, (-3.2, 3.2), y + 0.005, 0.48)


def _truck(builder: SolidBuilder, bgr: Colour) -> None:
    length, width, height = _SIZES[Kind.TRUCK]
    x, y = length / 2, width / 2
    builder.part((0.0, 0.0, 0.7), 0)
    for points in box_points((-x, -y * 0.8, 0.55), (x - 0.2, y * 0.8, 0.95)):
        builder.face(points, _DARK, gloss=0)
    builder.part(((-x + x - 2.3) / 2, 0.0, 2.0), 2)
    cargo = box_points((-x, -y, 0.95), (x - 2.3, y, height))
    numbers = [builder.face(p, (214, 216, 216), gloss=0.15) for p in cargo]
    builder.face(_inset(cargo[1], (0.02, 0.49), (0.03, 0.97)), (196, 198, 198), on=numbers[1])
    builder.face(_inset(cargo[1], (0.51, 0.98), (0.03, 0.97)), (196, 198, 198), on=numbers[1])
    for flank, number in ((cargo[2], numbers[2]), (cargo[3], numbers[3])):
        builder.face(_inset(flank, (0.15, 0.85), (0.35, 0.65)), bgr, on=number)
    builder.part((x - 1.1, 0.0, 1.6), 2)
    cab = box_points((x - 2.15, -y * 0.96, 0.55), (x, y * 0.96, 2.75))
    ends = [builder.face(p, bgr, gloss=0.4) for p in cab]
    builder.face(_inset(cab[0], (0.06, 0.94), (0.5, 0.9)), _GLASS, gloss=0.8, on=ends[0])
    for flank, number in ((cab[2], ends[2]), (cab[3], ends[3])):
        builder.face(_inset(flank, (0.35, 0.92), (0.52, 0.88)), _GLASS, gloss=0.7, on=number)
    _ends(
        builder,
        {"front": ends[0], "rear": numbers[1]},
        x=(-x - 0.01, x + 0.01),
        half=1.05,
        lamp_z=(0.95, 1.15),
        plate_z=0.75,
    )
    _wheels(builder, (-2.9, -1.9, 3.0), y * 0.97, 0.48)


def _carton(builder: SolidBuilder, _: Colour) -> None:
    length, width, height = _SIZES[Kind.UNKNOWN]
    builder.part((0.0, 0.0, height / 2), 0)
    sides = box_points((-length / 2, -width / 2, 0.0), (length / 2, width / 2, height))
    for side in sides:
        number = builder.face(side, _CARTON, gloss=0.0)
        builder.face(_inset(side, (0.42, 0.58), (0.0, 1.0)), _TAPE, gloss=0.1, on=number)
