"""Gates that nobody can cross: without room on one side, or under a mask."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.shapes import inside_polygon
from calmstreet.model.site import Gate, Site

__all__ = ["uncrossable"]

ROOM_SHARE = 0.02
PROBES = 15


def uncrossable(site: Site, width_px: int, height_px: int) -> dict[str, str]:
    """Return the gates that no track can cross, with the reason.

    A gate needs room on both sides for a road user's anchor: inside the picture and outside the
    masks. A foot cannot reach the upper border, where boxes of the least size still stand below it.

    >>> edge = Gate(id="edge", camera_id="c", points_px=((0, 99), (99, 99)))
    >>> uncrossable(Site(id="x", gates=(edge,)), 100, 100)
    {'edge': 'it lies at the border of the picture, with no room on one side'}
    """
    found = {}
    for gate in site.gates:
        if len(gate.points_px) < 2:
            continue
        sides = [_room(gate, site, sign, width_px, height_px) for sign in (-1.0, 1.0)]
        if all(sides):
            continue
        hidden = all(_room(gate, replace(site, masks=()), s, width_px, height_px) for s in (-1, 1))
        found[gate.id] = (
            "a mask lies over it"
            if hidden
            else "it lies at the border of the picture, with no room on one side"
        )
    return found


def _room(gate: Gate, site: Site, sign: float, width_px: int, height_px: int) -> bool:
    """Return whether any place beside the gate on one side can hold a road user's anchor."""
    room_px = ROOM_SHARE * height_px
    places = _beside(np.asarray(gate.points_px, np.float64), sign * room_px)
    least = 0.5 * room_px * (gate.anchor[1] > 0.5)
    inside = (places[:, 0] >= 0) & (places[:, 0] <= width_px - 1)
    inside &= (places[:, 1] >= least) & (places[:, 1] <= height_px - 1)
    for mask in site.masks:
        inside &= ~inside_polygon(places, mask.polygon_px)
    return bool(inside.any())


def _beside(line: NDArray[np.float64], offset_px: float) -> NDArray[np.float64]:
    """Return places (n, 2) along a polyline, moved sideways."""
    shares = np.linspace(0.05, 0.95, PROBES)[:, None]
    places = []
    for start, end in pairwise(line):
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        side = np.array([-along[1], along[0]])
        places.append(start + shares * (end - start) + offset_px * side)
    return np.concatenate(places)
