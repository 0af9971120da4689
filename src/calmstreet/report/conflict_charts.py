"""Where conflicts happened: a map from above, and points on the picture of the street."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from calmstreet.model.conflicts import CONFLICT_TYPES, Conflicts
from calmstreet.model.site import Site
from calmstreet.report.ink import ring
from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts

__all__ = ["conflict_map", "draw_conflicts"]

_LEVELS = {1: "#56b4e9", 2: "#e69f00", 3: "#d55e00", 4: "#8b0000"}
_LEVELS_BGR = {1: (233, 180, 86), 2: (0, 159, 230), 3: (0, 94, 213), 4: (0, 0, 139)}
_MARKS = dict(zip(CONFLICT_TYPES, ("v", "X", ">", "D", "o"), strict=True))
_GROUND = "#8a939c"
_MARGIN_M = 10.0


def conflict_map(parts: Sequence[Conflicts], *, site: Site, texts: Texts, name: str) -> str:
    """Return an SVG of conflicts from above, east to the right; colour: level, mark: type.

    ``parts`` hold conflicts only; zones and gates in metres are drawn where the site has them.
    """
    with styled(name):
        figure, axes = empty_axes(height_in=5.0)
        _ground(axes, site)
        places = []
        for part in parts:
            places.append(np.stack([part.x_m, part.y_m], axis=1))
            for level, colour in _LEVELS.items():
                for kind, mark in _MARKS.items():
                    rows = (part.level == level) & (part.type == kind)
                    axes.scatter(
                        part.x_m[rows], part.y_m[rows], s=26, marker=mark, color=colour,
                        edgecolors=INK, linewidths=0.4, zorder=2 + level,
                    )  # fmt: skip
        _frame(axes, np.concatenate(places), texts)
        _legend(axes, texts)
    return svg_of(figure, name, texts.t("chart.conflicts"))


def _ground(axes: Axes, site: Site) -> None:
    for zone in site.zones:
        if zone.polygon_m:
            x, y = zip(*zone.polygon_m, zone.polygon_m[0], strict=True)
            axes.plot(x, y, color=_GROUND, linewidth=0.7, linestyle=":")
    for gate in site.gates:
        if gate.points_m:
            x, y = zip(*gate.points_m, strict=True)
            axes.plot(x, y, color=_GROUND, linewidth=1.6)


def _frame(axes: Axes, places: NDArray[np.float64], texts: Texts) -> None:
    low, high = places.min(axis=0) - _MARGIN_M, places.max(axis=0) + _MARGIN_M
    axes.set_aspect("equal")
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_xlabel(texts.t("conflicts.map.east"))
    axes.set_ylabel(texts.t("conflicts.map.north"))


def _legend(axes: Axes, texts: Texts) -> None:
    dots = [
        Line2D([], [], linestyle="", marker="s", color=colour, label=_level(level, texts))
        for level, colour in _LEVELS.items()
    ]
    marks = [
        Line2D([], [], linestyle="", marker=mark, color=_GROUND, label=_kind(kind, texts))
        for kind, mark in _MARKS.items()
    ]
    figure = axes.get_figure()
    assert figure is not None
    figure.legend(handles=[*dots, *marks], loc="outside right center", frameon=False)


def _level(level: int, texts: Texts) -> str:
    return texts.t("conflicts.level", level=level)


def _kind(kind: str, texts: Texts) -> str:
    return texts.t(f"conflicts.type.{kind}")


def draw_conflicts(bgr: NDArray[np.uint8], places_px: ArrayLike, *, levels: ArrayLike) -> int:
    """Draw a ring at each place (n, 2) of a picture, in place; return how many are in it.

    Colours are those of the map; graver ones lie above.
    """
    places = np.asarray(places_px, np.float64).reshape(-1, 2)
    grave = np.asarray(levels, np.int64).reshape(-1)
    high, wide = bgr.shape[:2]
    inside = np.isfinite(places).all(axis=1) & (places >= 0).all(axis=1)
    inside &= (places < (wide, high)).all(axis=1) & (grave > 0)
    radius_px = max(4.0, wide / 160)
    for k in sorted(np.flatnonzero(inside).tolist(), key=lambda k: int(grave[k])):
        level = int(grave[k])
        ring(bgr, places[k], radius_px=radius_px + level, colour=_LEVELS_BGR[level])
    return int(inside.sum())
