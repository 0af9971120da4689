"""Rendered streets for speeds: cameras of their own, surveyed with faulty picks, exact truth."""

from dataclasses import dataclass, replace
from math import radians

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import Kind
from calmstreet.model.site import Camera, Gate, PlaneSpec, Point, Site
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.ensemble import lane_plan, zebra_walk
from calmstreet.scene.stage import NIGHT, Scene
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Plan, drive

__all__ = ["STREETS", "SpeedStreet", "speed_scene"]

GATES_S_M = (9.0, 14.0, 20.0, 26.0)
KINDS = (*[Kind.CAR] * 6, Kind.VAN, Kind.BUS, Kind.TRUCK, Kind.MOTORCYCLE, Kind.BICYCLE)
MARGIN_PX = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedStreet:
    """A camera and how the street runs before it; ``sigma_m`` error of the map."""

    name: str
    camera: Pinhole
    bearing_deg: float
    seed: int
    sigma_m: float = 0.1
    night: bool = False


STREETS = (
    SpeedStreet(name="aside", camera=Pinhole(), bearing_deg=60.0, seed=1),
    SpeedStreet(
        name="along", camera=Pinhole(height_m=7.0, focal_px=900.0), bearing_deg=84.0, seed=2
    ),
    SpeedStreet(
        name="high",
        camera=Pinhole(height_m=11.0, pitch_rad=radians(32.0), focal_px=900.0),
        bearing_deg=70.0,
        seed=3,
    ),
    SpeedStreet(
        name="wide",
        camera=Pinhole(height_m=6.0, pitch_rad=radians(20.0), focal_px=700.0),
        bearing_deg=50.0,
        seed=4,
        sigma_m=0.2,
    ),
    SpeedStreet(name="night", camera=Pinhole(), bearing_deg=60.0, seed=5, night=True),
)


def speed_scene(place: SpeedStreet, duration_s: float) -> Scene:
    """Return a scene of vehicles at many speeds under four gates and a faulty plane."""
    dice = np.random.default_rng(place.seed)
    street = Street(bearing_rad=radians(place.bearing_deg))
    scene = Scene(
        name=place.name,
        site=_site(place, street, dice),
        actors=tuple(drive(_plans(street, duration_s, dice), duration_s)),
        duration_s=duration_s,
        seed=place.seed,
        street=street,
        camera=place.camera,
    )
    return replace(scene, light=NIGHT) if place.night else scene


def _plans(street: Street, duration_s: float, dice: np.random.Generator) -> list[Plan]:
    plans = []
    for lane in range(4):
        enter_s = float(dice.uniform(0.5, 3.0))
        while enter_s < duration_s - 4.0:
            kind = KINDS[int(dice.integers(len(KINDS)))]
            speed = 5.0 if kind == Kind.BICYCLE else float(dice.uniform(8.0, 17.0))
            look = int(dice.integers(24))
            plans.append(lane_plan(street, kind, lane, speed_mps=speed, look=look, enter_s=enter_s))
            enter_s += float(dice.uniform(4.0, 8.0))
    for k in range(6):
        plans.append(
            zebra_walk(
                street,
                float(dice.uniform(15.8, 17.8)),
                leftwards=bool(k % 2),
                enter_s=float(dice.uniform(0.0, duration_s - 15.0)),
                speed_mps=float(dice.uniform(1.1, 1.7)),
                look=k,
            )
        )
    return plans


def _site(place: SpeedStreet, street: Street, dice: np.random.Generator) -> Site:
    right, left = -street.half_m - 0.6, street.half_m + 0.6
    gates = []
    for s_m in GATES_S_M:
        line = np.array([(s_m, d) for d in np.linspace(right, left, 9)])
        px = place.camera.ground_px(street.to_ground(line))
        inside = px[_seen(px, place.camera)]
        if len(inside) >= 2:
            name = f"s{s_m:.0f}"
            gates.append(Gate(id=name, camera_id="stage", points_px=_pairs(inside.round(1))))
    return Site(
        id="speeds",
        tz="Asia/Almaty",
        speed_limit_kmh=50.0,
        cameras=(Camera(id="stage", plane=_plane(place, street, dice)),),
        gates=tuple(gates),
    )


def _plane(place: SpeedStreet, street: Street, dice: np.random.Generator) -> PlaneSpec:
    """Return ten places of the street that are seen, clicked to a pixel, mapped to a foot."""
    spots = np.array([(s, d) for s in (4, 9, 15, 21, 28, 36) for d in (-6.6, 0.0, 6.6)])
    ground = street.to_ground(spots)
    px = place.camera.ground_px(ground)
    seen = _seen(px, place.camera)
    px, ground = px[seen], ground[seen]
    chosen = dice.permutation(len(px))[:10]
    return PlaneSpec(
        points_px=_pairs((px + dice.normal(0, 1, px.shape))[chosen].clip(0)),
        points_m=_pairs((ground + dice.normal(0, place.sigma_m, ground.shape))[chosen]),
        size_px=(place.camera.width_px, place.camera.height_px),
        sigma_px=1.0,
        sigma_m=(place.sigma_m,),
    )


def _seen(px: NDArray[np.float64], camera: Pinhole) -> NDArray[np.bool_]:
    size = np.array([camera.width_px, camera.height_px])
    return np.asarray(((px > MARGIN_PX) & (px < size - MARGIN_PX)).all(axis=1), np.bool_)


def _pairs(px: NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in px)
