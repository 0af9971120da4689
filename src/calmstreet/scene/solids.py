"""Solid bodies made of flat faces: how they are built, and how light falls on them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Light", "Solid", "SolidBuilder", "box_points", "disc_points", "shade"]

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The light of a scene: direction to the sun, strength of sun and sky, colour of the sky.

    ``lamps`` tells that head and rear lamps are lit; ``exposure`` multiplies everything unlit.
    """

    to_sun: Colour = (-0.45, -0.45, 0.77)
    sun: float = 0.55
    sky: float = 0.55
    sky_bgr: Colour = (235.0, 220.0, 205.0)
    exposure: float = 1.0
    lamps: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solid:
    """A body in its own metres: x forward, y left, z up, origin under its middle on the ground.

    ``vertices_m`` (v, 3); ``faces`` index arrays of convex polygons; per face: ``normal`` (f, 3),
    ``centre_m`` (f, 3), ``bgr`` (f, 3), ``gloss`` (f,) 0..1, ``glow`` (f,) 0..1 where a lamp,
    ``level`` (f,) lower levels are drawn first, ``part`` (f,), ``host`` (f,) the face that a
    decal lies on (itself for others). ``part_m`` (p, 3) middle of each part.
    """

    vertices_m: Floats
    faces: tuple[NDArray[np.intp], ...]
    normal: Floats
    centre_m: Floats
    bgr: Floats
    gloss: Floats
    glow: Floats
    level: NDArray[np.int64]
    part: NDArray[np.int64]
    host: NDArray[np.int64]
    part_m: Floats
    plates_m: Floats


@dataclass(slots=True, kw_only=True)
class SolidBuilder:
    """Collects faces part by part; faces are turned outward from the middle of their part."""

    vertices: list[Floats] = field(default_factory=list)
    faces: list[NDArray[np.intp]] = field(default_factory=list)
    rows: list[tuple[Floats, Floats, Colour, float, float, int, int, int]] = field(
        default_factory=list
    )
    parts: list[Floats] = field(default_factory=list)
    plates: list[Floats] = field(default_factory=list)
    level: int = 0
    _count: int = 0

    def part(self, middle: Colour, level: int) -> None:
        """Begin a part around ``middle``; lower levels are drawn first."""
        self.parts.append(np.array(middle, np.float64))
        self.level = level

    def face(
        self,
        points: Floats,
        bgr: Colour,
        *,
        gloss: float = 0.1,
        glow: float = 0.0,
        on: int | None = None,
    ) -> int:
        """Add a convex face (k, 3), or a decal ``on`` another face, and return its number."""
        points = np.asarray(points, np.float64)
        centre = points.mean(axis=0)
        normal = _normal(points)
        if normal @ (centre - self.parts[-1]) < 0:
            normal = -normal
        number = len(self.faces)
        self.vertices.append(points)
        self.faces.append(np.arange(self._count, self._count + len(points), dtype=np.intp))
        self._count += len(points)
        host = number if on is None else on
        self.rows.append((normal, centre, bgr, gloss, glow, self.level, len(self.parts) - 1, host))
        return number

    def plate(self, points: Floats) -> None:
        """Add a number plate: four corners upper left, upper right, lower right, lower left."""
        self.plates.append(np.asarray(points, np.float64))

    def build(self) -> Solid:
        """Return the body."""
        normal, centre, bgr, gloss, glow, level, part, host = zip(*self.rows, strict=True)
        return Solid(
            vertices_m=np.concatenate(self.vertices),
            faces=tuple(self.faces),
            normal=np.array(normal),
            centre_m=np.array(centre),
            bgr=np.array(bgr, np.float64),
            gloss=np.array(gloss),
            glow=np.array(glow),
            level=np.array(level),
            part=np.array(part),
            host=np.array(host),
            part_m=np.array(self.parts),
            plates_m=np.array(self.plates).reshape(-1, 4, 3),
        )


def _normal(points: Floats) -> Floats:
    """Return the unit normal of a flat polygon (Newell, as in Sutherland et al. 1974)."""
    after = np.roll(points, -1, axis=0)
    cross = np.cross(points, after).sum(axis=0)
    return np.asarray(cross / max(float(np.linalg.norm(cross)), 1e-12))


def box_points(low: Colour, high: Colour) -> list[Floats]:
    """Return the faces of an upright box: front, rear, left, right, top.

    >>> [face.shape for face in box_points((0, 0, 0), (1, 1, 1))]
    [(4, 3), (4, 3), (4, 3), (4, 3), (4, 3)]
    """
    (x0, y0, z0), (x1, y1, z1) = low, high
    return [
        np.array([(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)], np.float64),
        np.array([(x0, y0, z0), (x0, y1, z0), (x0, y1, z1), (x0, y0, z1)], np.float64),
        np.array([(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)], np.float64),
        np.array([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], np.float64),
        np.array([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], np.float64),
    ]


def disc_points(centre: Colour, radius_m: float, corners: int = 14) -> Floats:
    """Return a disc standing along the body, (corners, 3).

    >>> disc_points((0, 1, 0.3), 0.3).shape
    (14, 3)
    """
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.column_stack(
        [
            centre[0] + radius_m * np.cos(turn),
            np.full(corners, centre[1]),
            centre[2] + radius_m * np.sin(turn),
        ]
    )


def shade(
    bgr: Floats, normal: Floats, gloss: Floats, glow: Floats, view: Floats, light: Light
) -> Floats:
    """Return the colours (f, 3) of faces under a light: Lambert, sky, and Blinn's highlight.

    ``normal`` and ``view`` (to the camera) are unit vectors (f, 3) in the world.
    """
    sun = np.array(light.to_sun) / np.linalg.norm(light.to_sun)
    facing = np.clip(normal @ sun, 0, None)
    level = light.sky * (0.75 + 0.25 * normal[:, 2]) + light.sun * facing
    half = view + sun
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    glint = np.clip((normal * half).sum(axis=1), 0, None) ** 24
    up = np.clip((2 * (normal * view).sum(axis=1))[:, None] * normal - view, -1, 1)[:, 2]
    mirror = gloss * (0.10 + 0.55 * np.clip(up, 0, None) ** 2)
    lit = bgr * level[:, None] * (1 - mirror[:, None])
    lit += mirror[:, None] * np.array(light.sky_bgr) + (gloss * glint * light.sun * 160)[:, None]
    lit *= light.exposure
    if light.lamps:
        lit = np.where(glow[:, None] > 0, np.minimum(bgr * (0.5 + glow[:, None]), 255), lit)
    return np.asarray(np.clip(lit, 0, 255))
