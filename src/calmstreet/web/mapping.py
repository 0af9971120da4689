"""The map: cameras, gates, zones, flows and events as GeoJSON in the best frame that is known."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np

from calmstreet.store.queue import EventFilter, Queue, QueuedEvent
from calmstreet.store.seen import CameraRow, Seen
from calmstreet.store.shelf import ResultFolder
from calmstreet.web.answers_junction import (
    Feature,
    FeatureCollection,
    Geometry,
    MapPage,
    PlaceShape,
)
from calmstreet.web.ground import Ground, camera_lonlat, site_of
from calmstreet.web.numbers import ms, ns
from calmstreet.web.queries import SpanQuery
from calmstreet.web.spans import View, view_on
from calmstreet.web.turning import movement_cells

__all__ = ["city_map", "result_map"]

Pair = tuple[float, float]
Frame = Literal["lonlat", "metres", "pixels"]
Value = str | float | int | bool | None
_MOST_EVENTS = 2000


def city_map(results: Iterable[tuple[ResultFolder, Seen]]) -> MapPage:
    """Return all cameras whose place on earth is known."""
    features = []
    for result, seen in results:
        site, events = site_of(seen), Queue(seen=seen).by_camera()
        for row in seen.camera_rows():
            place = camera_lonlat(Ground.of(site, row))
            if place is not None:
                states = events.get(row.camera_id, {})
                named: dict[str, Value] = {
                    "result_id": result.result_id,
                    "camera_id": row.camera_id,
                    "name": row.name or (site.name if site else "") or row.camera_id,
                    "events": sum(states.values()),
                    "open_events": states.get("open", 0),
                    "watched_s": round(row.watched_s, 1),
                }
                features.append(_point(f"{result.result_id} {row.camera_id}", place, named))
    return _page("lonlat", None, cameras=features)


def result_map(seen: Seen, *, camera_id: str | None, span: SpanQuery) -> MapPage:
    """Return the layers of a result: in degrees, else in metres, else on one camera's picture."""
    site = site_of(seen)
    rows = [row for row in seen.camera_rows() if camera_id in (None, row.camera_id)]
    grounds = [(row, Ground.of(site, row)) for row in rows]
    frame = _frame(grounds)
    if frame == "pixels":
        grounds = grounds[:1]
    shown = [row for row, _ in grounds]
    sites = {row.site_version: site_of(seen, row.site_version) for row, _ in grounds}
    flows = [
        feature
        for row, ground in grounds
        if (drawn := sites[row.site_version]) is not None
        for feature in _flows(view_on(seen, row, drawn, span), ground, frame)
    ]
    return _page(
        frame,
        shown[0] if frame == "pixels" and shown else None,
        picture=_picture(seen, shown) if frame == "pixels" else None,
        cameras=[feature for row, ground in grounds for feature in _camera(row, ground, frame)],
        gates=[f for _, ground in grounds for f in _shapes(ground.gates(), frame, "LineString")],
        zones=[f for _, ground in grounds for f in _shapes(ground.zones(), frame, "Polygon")],
        flows=flows,
        events=list(_events(seen, grounds, frame, span, camera_id)),
    )


def _frame(grounds: Sequence[tuple[CameraRow, Ground]]) -> Frame:
    """Return the best frame that any camera has; what has no place in it is not drawn."""
    planes = [ground.plane for _, ground in grounds if ground.plane is not None]
    if any(plane.origin_lonlat is not None for plane in planes):
        return "lonlat"
    return "metres" if any(_has_metres(ground) for _, ground in grounds) else "pixels"


def _has_metres(ground: Ground) -> bool:
    drawn = [*ground.gates(), *ground.zones()]
    return ground.plane is not None or (bool(drawn) and all(s.points_m for s in drawn))


def _picture(seen: Seen, rows: Sequence[CameraRow]) -> str | None:
    wanted = {row.camera_id for row in rows}
    found = [m for m in seen.media() if m.what == "background" and m.camera_id in wanted]
    return found[-1].medium_id if found else None


def _placed(shape: PlaceShape, frame: Frame) -> list[Pair]:
    if frame == "lonlat":
        return shape.points_lonlat
    return shape.points_m if frame == "metres" else [(x, -y) for x, y in shape.points_px]


def _shapes(
    shapes: Iterable[PlaceShape], frame: Frame, kind: Literal["LineString", "Polygon"]
) -> Iterator[Feature]:
    for shape in shapes:
        points = [[x, y] for x, y in _placed(shape, frame)]
        if not points:
            continue
        line = Geometry(type="LineString", coordinates=points)
        ring = Geometry(type="Polygon", coordinates=[[*points, points[0]]])
        yield Feature(
            id=f"{shape.camera_id} {shape.id}",
            geometry=line if kind == "LineString" else ring,
            properties={
                "id": shape.id,
                "name": shape.name or shape.id,
                "kind": shape.kind,
                "camera_id": shape.camera_id,
                "speed_limit_kmh": shape.speed_limit_kmh,
            },
        )


def _camera(row: CameraRow, ground: Ground, frame: Frame) -> Iterator[Feature]:
    place: Pair | None = None
    if frame == "lonlat":
        place = camera_lonlat(ground)
    elif frame == "metres" and ground.plane is not None:
        x, y = ground.plane.place_m[:2].tolist()
        place = (round(x, 2), round(y, 2)) if np.isfinite([x, y]).all() else None
    if place is not None:
        yield _point(
            row.camera_id, place, {"camera_id": row.camera_id, "name": row.name or row.camera_id}
        )


def _flows(view: View, ground: Ground, frame: Frame) -> Iterator[Feature]:
    """Yield an arrow per movement from the middle of where it begins to where it ends."""
    middles = {
        shape.id: np.mean(_placed(shape, frame), axis=0).tolist()
        for shape in (*ground.gates(), *ground.zones())
        if _placed(shape, frame)
    }
    for cell in movement_cells(view):
        if cell.total and cell.from_id in middles and cell.to_id in middles:
            yield Feature(
                id=f"{view.camera_id} {cell.movement_id}",
                geometry=Geometry(
                    type="LineString", coordinates=[middles[cell.from_id], middles[cell.to_id]]
                ),
                properties={
                    "movement_id": cell.movement_id,
                    "camera_id": view.camera_id,
                    "from_id": cell.from_id,
                    "to_id": cell.to_id,
                    "turn": cell.turn,
                    "total": cell.total,
                    "per_hour": cell.per_hour,
                },
            )


def _events(
    seen: Seen,
    grounds: Sequence[tuple[CameraRow, Ground]],
    frame: Frame,
    span: SpanQuery,
    camera_id: str | None,
) -> Iterator[Feature]:
    wanted = EventFilter(
        camera_id=camera_id,
        start_ns=0 if span.start_ms is None else ns(span.start_ms),
        end_ns=2**62 if span.end_ms is None else ns(span.end_ms),
    )
    by_camera = {row.camera_id: ground for row, ground in grounds}
    found = Queue(seen=seen).points(wanted, limit=_MOST_EVENTS)
    places = _event_places(found, by_camera, frame)
    for one, place in zip(found, places, strict=True):
        if place is not None:
            event = one.event
            yield _point(
                event.event_id,
                place,
                {
                    "event_id": event.event_id,
                    "kind": event.kind,
                    "severity": event.severity,
                    "state": one.state,
                    "camera_id": event.camera_id,
                    "start_ms": ms(event.start_ns),
                },
            )


def _event_places(
    found: Sequence[QueuedEvent], grounds: dict[str, Ground], frame: Frame
) -> list[Pair | None]:
    """Return the places of events in the frame of the map, None where one is not known."""
    metres = np.array([one.event.place_m for one in found], float).reshape(-1, 2)
    placed = np.full_like(metres, np.nan)
    cameras = np.array([one.event.camera_id for one in found], np.str_)
    for camera_id, ground in grounds.items():
        mine = (cameras == camera_id) & np.isfinite(metres).all(axis=1)
        if not mine.any():
            continue
        if frame == "metres":
            placed[mine] = metres[mine]
        elif ground.plane is not None and frame == "lonlat":
            placed[mine] = ground.plane.to_lonlat(metres[mine])
        elif ground.plane is not None:
            placed[mine] = ground.plane.to_px(metres[mine]) * (1, -1)
    return [
        (round(x, 7), round(y, 7)) if np.isfinite([x, y]).all() else None
        for x, y in placed.tolist()
    ]


def _point(name: str, place: Pair, properties: dict[str, Value]) -> Feature:
    return Feature(
        id=name,
        geometry=Geometry(type="Point", coordinates=[place[0], place[1]]),
        properties=properties,
    )


def _page(
    frame: Frame, row: CameraRow | None, *, picture: str | None = None, **layers: list[Feature]
) -> MapPage:
    names = ("cameras", "gates", "zones", "flows", "events")
    every = [feature for features in layers.values() for feature in features]
    return MapPage(
        frame=frame,
        bounds=_bounds(every, row),
        size_px=(row.width_px, row.height_px) if row else None,
        picture_id=picture,
        **{name: FeatureCollection(features=layers.get(name, [])) for name in names},
    )


def _bounds(
    features: Iterable[Feature], row: CameraRow | None
) -> tuple[float, float, float, float] | None:
    if row is not None:
        return 0.0, float(-row.height_px), float(row.width_px), 0.0
    places = [place for feature in features for place in _flat(feature.geometry)]
    if not places:
        return None
    x, y = np.array(places).T
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _flat(geometry: Geometry) -> list[list[float]]:
    if geometry.type == "Point":
        return [geometry.coordinates]  # type: ignore[list-item]
    if geometry.type == "LineString":
        return geometry.coordinates  # type: ignore[return-value]
    return geometry.coordinates[0]  # type: ignore[return-value]
