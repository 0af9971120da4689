"""The diagram of turning movements: arrows through the junction, as wide as their volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.path import Path as Way
from numpy.typing import NDArray

from calmstreet.model.flow import UNMATCHED
from calmstreet.report.colours import TURN_HEX
from calmstreet.report.svg import INK, empty_axes, styled, svg_of
from calmstreet.report.texts import Texts

__all__ = ["turning_chart"]

_TURN_DEG = {"left": -90.0, "through": 180.0, "right": 90.0, "u": 0.0}
_LANE = {"u": 0.08, "left": 0.28, "": 0.5, "through": 0.5, "right": 0.72}
_NOWHERE = frozenset({"", UNMATCHED})
_WIDEST_PT = 11.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    start: str
    end: str
    turn: str
    count: float


def turning_chart(
    movements: Sequence[Mapping[str, Any]], *, texts: Texts, name: str = "turning"
) -> str:
    """Return arrows between the approaches, as wide as their volume, its number at the tail.

    ``movements`` are those of ``summary.json``: from, to, turn and counts with a total; those
    without a known end are left out. Approaches are laid around the junction so that the named
    turns point the right way (traffic on the right).
    """
    flows = [
        flow for flow in map(_flow_of, movements) if {flow.start, flow.end}.isdisjoint(_NOWHERE)
    ]
    angles = _angles_deg([(flow.start, flow.end, flow.turn) for flow in flows])
    most = max([1.0, *(flow.count for flow in flows)])
    with styled():
        figure, axes = empty_axes(5.0, 4.6)
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set_xlim(-1.5, 1.5)
        axes.set_ylim(-1.35, 1.35)
        for flow in sorted(flows, key=lambda flow: -flow.count):
            if flow.count > 0:
                _draw(axes, flow, angles, width_pt=1 + _WIDEST_PT * flow.count / most, texts=texts)
        for place, angle in angles.items():
            x, y = _at(angle, 1.3, 0.0)
            axes.text(x, y, place, ha="center", va="center", fontsize=11, weight="bold")
        turns = [turn for turn in _TURN_DEG if any(flow.turn == turn for flow in flows)]
        keys = [Patch(color=TURN_HEX[turn], label=texts.t(f"turn.{turn}")) for turn in turns]
        if keys:
            figure.legend(handles=keys, loc="outside upper left", ncols=4, frameon=False)
    return svg_of(figure, name, texts.t("chart.turning"), css="square")


def _flow_of(movement: Mapping[str, Any]) -> _Flow:
    counts = movement.get("counts") or {}
    return _Flow(
        start=str(movement.get("from") or ""),
        end=str(movement.get("to") or ""),
        turn=str(movement.get("turn") or ""),
        count=float(counts.get("total") or 0),
    )


def _at(angle_deg: float, out: float, right: float) -> NDArray[np.float64]:
    """Return the point ``out`` along an arm and ``right`` of it as seen when entering.

    >>> _at(270.0, 1.0, 0.5).round(6).tolist()
    [0.5, -1.0]
    """
    turn = np.deg2rad(angle_deg)
    arm = np.array([np.cos(turn), np.sin(turn)])
    return np.asarray(arm * out + np.array([-arm[1], arm[0]]) * right)


def _angles_deg(flows: Sequence[tuple[str, str, str]]) -> dict[str, float]:
    """Return where each approach lies around the junction, degrees counter-clockwise from east.

    >>> _angles_deg([("s", "n", "through"), ("s", "e", "right"), ("s", "w", "left")])
    {'s': 270.0, 'n': 90.0, 'e': 0.0, 'w': 180.0}
    """
    places = list(dict.fromkeys(place for flow in flows for place in flow[:2]))
    found: dict[str, float] = {places[0]: 270.0} if places else {}
    for _ in places:
        for start, end, turn in flows:
            if turn in _TURN_DEG and turn != "u" and start != end:
                if start in found and end not in found:
                    found[end] = (found[start] + _TURN_DEG[turn]) % 360
                elif end in found and start not in found:
                    found[start] = (found[end] - _TURN_DEG[turn]) % 360
    if len(found) == len(places) == len(set(found.values())):
        return {place: found[place] for place in places}
    return {place: (270 + i * 360 / len(places)) % 360 for i, place in enumerate(places)}


def _draw(
    axes: Axes, flow: _Flow, angles: Mapping[str, float], *, width_pt: float, texts: Texts
) -> None:
    """Draw one movement: it enters on the right of its arm and leaves on the right of another."""
    lane = _LANE.get(flow.turn, _LANE[""])
    start = _at(angles[flow.start], 1.0, lane)
    end = _at(angles[flow.end], 1.0, -lane)
    bend = _bend(start, end, angles[flow.start], angles[flow.end])
    style = f"simple,head_length={5 + width_pt},head_width={4 + 1.7 * width_pt}"
    axes.add_patch(
        FancyArrowPatch(
            path=Way([start, bend, end], [Way.MOVETO, Way.CURVE3, Way.CURVE3]),
            arrowstyle=f"{style},tail_width={width_pt}",
            facecolor=TURN_HEX.get(flow.turn, TURN_HEX[""]),
            edgecolor=INK,
            linewidth=0.4,
            alpha=0.9,
        )
    )
    x, y = _at(angles[flow.start], 1.08, lane)
    axes.text(x, y, texts.number(flow.count), ha="center", va="center", fontsize=8.5)


def _bend(
    start: NDArray[np.float64], end: NDArray[np.float64], start_deg: float, end_deg: float
) -> NDArray[np.float64]:
    """Return where the lines along both arms meet; half-way where they run side by side.

    >>> at = _bend(np.array([0.5, -1.0]), np.array([1.0, -0.5]), 270.0, 0.0)
    >>> at.round(6).tolist()
    [0.5, -0.5]
    """
    if start_deg == end_deg:
        return (start + end) / 2 - _at(start_deg, 0.9, 0.0)
    ways = np.stack([_at(start_deg, 1.0, 0.0), -_at(end_deg, 1.0, 0.0)], axis=1)
    if abs(float(np.linalg.det(ways))) < 0.2:
        return (start + end) / 2
    along = np.linalg.solve(ways, end - start)[0]
    return np.asarray(start + along * ways[:, 0])
