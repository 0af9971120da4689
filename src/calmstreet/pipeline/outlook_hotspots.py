"""`hotspots`: points and streets in; density along the streets and hot segments out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from calmstreet.errors import FormatError, InputError
from calmstreet.forecast.hotspot import adjusted, eb_rates, gi_star
from calmstreet.forecast.refused import refuse_columns
from calmstreet.forecast.streets import (
    Pieces,
    Streets,
    cut,
    density,
    metres_of,
    neighbours,
    snapped,
    streets_of,
)
from calmstreet.pipeline.outlook_layers import read_layer
from calmstreet.pipeline.outlook_out import told
from calmstreet.pipeline.outlook_tables import read_table
from calmstreet.report.outlook import Finding, Listing, Note
from calmstreet.report.outlook_risk import street_map
from calmstreet.report.texts import texts

__all__ = ["HOTSPOT_COLUMNS", "find_hotspots"]

Floats = NDArray[np.float64]
HOTSPOT_COLUMNS = (
    "segment", "name", "length_m", "points", "density_per_km", "eb_rate_per_km", "z", "p_adjusted",
    "hot",
)  # fmt: skip
_LIMIT = 0.05
_FEWEST_EDGES = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Placed:
    """Points on streets: ``edge`` (n,), -1 off the streets, metres along and weights."""

    points_m: Floats
    edge: NDArray[np.int64]
    along_m: Floats
    weight: Floats


def find_hotspots(
    path: Path,
    *,
    network: Path,
    out: Path,
    bandwidth_m: float = 200.0,
    within_m: float = 30.0,
    lang: str = "en",
) -> dict[str, Any]:
    """Spread points along streets, test street by street and write table, picture and page.

    POINTS have ``lon, lat`` or ``x_m, y_m``, and ``weight`` if wanted. Raises InputError or
    FormatError with one sentence.
    """
    for name, value in (("--bandwidth", bandwidth_m), ("--within", within_m)):
        if not 1 <= value <= 5000:
            raise InputError(f"{name} is {value:g} m; it must be between 1 and 5000")
    layer = read_layer(network)
    refuse_columns(layer.columns, source=network.name)
    origin = layer.origin_deg()
    lines = [_metres(line, layer.in_degrees, origin) for line in layer.lines]
    streets = streets_of(lines, ids=layer.ids)
    placed = _placed(path, streets, origin if layer.in_degrees else None, within_m)
    pieces = cut(streets)
    on = placed.edge >= 0
    if not on.any():
        raise InputError(
            f"no point of {path.name} lies within {within_m:g} m of a street of {network.name}; "
            "check that both use the same coordinates"
        )
    spread = density(
        streets, pieces, edge=placed.edge[on], along_m=placed.along_m[on],
        weight=placed.weight[on], bandwidth_m=bandwidth_m,
    )  # fmt: skip
    rows = _tested(streets, pieces, placed, spread, layer.names)
    order = np.lexsort((-rows["density_per_km"], ~rows["hot"]))
    columns = {name: [rows[name][i] for i in order] for name in HOTSPOT_COLUMNS}
    summary = _summary(path, network, streets, placed, columns, bandwidth_m)
    finding = _finding(path, streets, pieces, placed, spread, rows, columns, summary, lang=lang)
    return told(summary, out=out, columns=columns, finding=finding, lang=lang)


def _metres(line: Floats, in_degrees: bool, origin: tuple[float, float]) -> Floats:
    return metres_of(line, origin_deg=origin) if in_degrees else np.asarray(line, np.float64)


def _placed(
    path: Path, streets: Streets, origin: tuple[float, float] | None, within_m: float
) -> _Placed:
    table = read_table(path)
    if table.has("lon", "lat"):
        if origin is None:
            raise FormatError(f"{path.name} is in degrees and the streets in metres; give one kind")
        lonlat = np.column_stack([table.numbers("lon", low=-180), table.numbers("lat", low=-90)])
        points = metres_of(lonlat, origin_deg=origin)
    elif table.has("x_m", "y_m"):
        if origin is not None:
            raise FormatError(f"{path.name} is in metres and the streets in degrees; give one kind")
        points = np.column_stack([table.numbers("x_m"), table.numbers("y_m")])
    else:
        raise FormatError(f"{path.name} has neither lon and lat nor x_m and y_m; add either")
    edge, along = snapped(streets, points, within_m=within_m)
    weight = table.numbers("weight", low=0, default=1.0)
    return _Placed(points_m=points, edge=edge, along_m=along, weight=weight)


def _tested(
    streets: Streets, pieces: Pieces, placed: _Placed, spread: Floats, names: dict[str, str]
) -> dict[str, NDArray[Any]]:
    """Return the columns of the answer by edge."""
    count = len(streets.ids)
    on = placed.edge >= 0
    points = np.bincount(placed.edge[on], placed.weight[on], minlength=count)
    mass = np.bincount(pieces.edge, spread * pieces.size_m, minlength=count)
    km = streets.lengths_m / 1000
    rate = eb_rates(points, exposure=km)
    z = gi_star(rate, near=neighbours(streets))
    p = adjusted(stats.norm.sf(z))
    return {
        "segment": np.array(streets.ids, object),
        "name": np.array([names.get(i, "") for i in streets.ids], object),
        "length_m": streets.lengths_m.round(2),
        "points": points,
        "density_per_km": mass / km,
        "eb_rate_per_km": rate,
        "z": z,
        "p_adjusted": p,
        "hot": (p < _LIMIT) & (count >= _FEWEST_EDGES),
    }


def _summary(
    path: Path,
    network: Path,
    streets: Streets,
    placed: _Placed,
    columns: dict[str, list[Any]],
    bandwidth_m: float,
) -> dict[str, Any]:
    hot = [i for i, is_hot in enumerate(columns["hot"]) if is_hot]
    return {
        "verb": "hotspots",
        "source": path.name,
        "network": network.name,
        "segments": len(streets.ids),
        "street_km": float(streets.lengths_m.sum() / 1000),
        "points": len(placed.edge),
        "off_streets": int((placed.edge < 0).sum()),
        "bandwidth_m": bandwidth_m,
        "hot_segments": len(hot),
        "enough": len(streets.ids) >= _FEWEST_EDGES,
        "first": [
            {
                name: value.item() if isinstance(value, np.generic) else value
                for name, value in ((n, columns[n][i]) for n in HOTSPOT_COLUMNS)
            }
            for i in range(min(10, len(columns["segment"])))
        ],
    }


def _finding(
    path: Path,
    streets: Streets,
    pieces: Pieces,
    placed: _Placed,
    spread: Floats,
    rows: dict[str, NDArray[Any]],
    columns: dict[str, list[Any]],
    summary: dict[str, Any],
    *,
    lang: str,
) -> Finding:
    hot = [streets.lines[i] for i in np.flatnonzero(rows["hot"])]
    chart = street_map(
        _piece_lines(streets, pieces), spread * 1000, hot=hot,
        points_m=placed.points_m[placed.edge >= 0], texts=texts(lang),
    )  # fmt: skip
    count = min(max(10, min(25, summary["hot_segments"])), len(columns["segment"]))
    shown = ("segment", "name", "points", "density_per_km", "eb_rate_per_km", "z", "p_adjusted")
    warnings = []
    if summary["off_streets"]:
        warnings.append(Note(key="off_streets", values={"points": summary["off_streets"]}))
    if not summary["enough"]:
        warnings.append(Note(key="few_streets", values={"segments": summary["segments"]}))
    return Finding(
        verb="hotspots",
        source=f"{path.name}, {summary['network']}",
        cards=(
            ("points", summary["points"]),
            ("segments", summary["segments"]),
            ("street_km", round(summary["street_km"], 2)),
            ("hot_segments", summary["hot_segments"]),
        ),
        listings=(
            Listing(
                caption="hotspots",
                columns=shown,
                rows=[[_told(columns[n][i]) for n in shown] for i in range(count)],
                heads=2,
            ),
        ),
        charts={"chart_hotspots": chart},
        warnings=warnings,
        notes=[Note(key="kernel", values={"metres": summary["bandwidth_m"]}), Note(key="gi_star")],
    )


def _told(value: Any) -> Any:
    """Return a cell of the page; a very small p or density is told as such."""
    if isinstance(value, (float, np.floating)) and 0 < value < 0.001:
        return "< 0.001"
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value


def _piece_lines(streets: Streets, pieces: Pieces) -> Sequence[Floats]:
    """Return each piece as a line (k, 2) with the bends of its street."""
    found = []
    for edge, middle, size in zip(pieces.edge, pieces.middle_m, pieces.size_m, strict=True):
        line = streets.lines[int(edge)]
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        inside = along[(along > middle - size / 2) & (along < middle + size / 2)]
        at = np.concatenate([[middle - size / 2], inside, [middle + size / 2]])
        found.append(np.column_stack([np.interp(at, along, line[:, k]) for k in (0, 1)]))
    return found
