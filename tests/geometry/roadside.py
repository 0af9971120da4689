"""Cameras beside a road, calibrated with faulty picks, and road users in their faulty boxes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.calibrate import fit_plane
from calmstreet.geometry.motion import agitation_of, smoothed_tracks
from calmstreet.geometry.plane import Plane
from calmstreet.geometry.speed import Course
from calmstreet.model.kinds import Kind
from calmstreet.model.site import PlaneSpec

Array = NDArray[np.float64]
WIDTH_PX, HEIGHT_PX = 1920, 1080


@dataclass(frozen=True, kw_only=True)
class Roadside:
    """A camera at (0, 0, height) that looks north and down, and the plane that was fitted to it."""

    height_m: float
    pitch_rad: float
    focal_px: float
    plane: Plane

    def to_px(self, xy_m: Array) -> Array:
        return seen_from(self.height_m, self.pitch_rad, self.focal_px, xy_m)


def seen_from(height_m: float, pitch_rad: float, focal_px: float, xy_m: Array) -> Array:
    x, y = xy_m.T
    sine, cosine = np.sin(pitch_rad), np.cos(pitch_rad)
    depth = y * cosine + height_m * sine
    down = height_m * cosine - y * sine
    return np.stack(
        [WIDTH_PX / 2 + focal_px * x / depth, HEIGHT_PX / 2 + focal_px * down / depth], axis=1
    )


def a_roadside(chance: np.random.Generator, *, exact: bool = False) -> Roadside:
    """Draw a camera 5 to 12 m high whose picture's middle lies 16 to 30 m away; pick 9 points.

    Picks are 1 px off, their places on the map 5 to 30 cm; ``exact`` leaves all errors out.
    """
    height_m, middle_m = chance.uniform(5, 12), chance.uniform(16, 30)
    pitch_rad, focal_px = float(np.arctan2(height_m, middle_m)), chance.uniform(1000, 2000)
    sigma_m = float(chance.uniform(0.05, 0.3))
    sine, cosine = np.sin(pitch_rad), np.cos(pitch_rad)
    edge = 0.95 * HEIGHT_PX / 2 / focal_px
    near_m = height_m * (cosine - edge * sine) / (sine + edge * cosine)
    rise = sine - edge * cosine
    far_m = min(40.0, height_m * (cosine + edge * sine) / rise if rise > 0 else 40.0)
    north = np.repeat([near_m + 1.5, (near_m + far_m) / 2, far_m - 1.5], 3)
    north += chance.uniform(-1, 1, 9)
    half_m = 0.9 * WIDTH_PX / 2 / focal_px * (north * cosine + height_m * sine)
    east = np.tile([-0.8, 0.0, 0.8], 3) * np.minimum(half_m, 7.0) + chance.uniform(-0.5, 0.5, 9)
    places = np.stack([east, north], axis=1)
    px = seen_from(height_m, pitch_rad, focal_px, places)
    off_px, off_m = chance.normal(0, 1, (9, 2)), chance.normal(0, sigma_m, (9, 2))
    if not exact:
        px, places = px + off_px, places + off_m
    spec = PlaneSpec(
        points_px=tuple((float(u), float(v)) for u, v in px),
        points_m=tuple((float(x), float(y)) for x, y in places),
        sigma_px=1.0,
        sigma_m=(sigma_m,),
    )
    plane = fit_plane(
        spec, width_px=WIDTH_PX, height_px=HEIGHT_PX, seed=int(chance.integers(10**9))
    )
    return Roadside(height_m=height_m, pitch_rad=pitch_rad, focal_px=focal_px, plane=plane)


def wandering(chance: np.random.Generator, n: int, rho: float) -> Array:
    """Return AR(1) noise (n, 2) of variance 1."""
    noise = np.empty((n, 2))
    noise[0] = chance.normal(0, 1, 2)
    fresh = chance.normal(0, np.sqrt(1 - rho * rho), (n, 2))
    for k in range(1, n):
        noise[k] = rho * noise[k - 1] + fresh[k]
    return noise


@dataclass(frozen=True, kw_only=True)
class Ride:
    """How a road user passes the line at ``line_m`` north of the camera at time 0."""

    kind: int
    speed_mps: float
    accel_mps2: float = 0.0
    turn_per_m: float = 0.0
    away: bool = True
    east_m: float = 2.0
    line_m: float = 22.0
    fps: float = 10.0
    rho: float = 0.0
    sigma_px: float = 1.0
    jitter_s: float = 0.0

    def reach_m(self, t_s: Array) -> Array:
        """Return how far from the line the user is (n,); who brakes does not drive back."""
        stop_s = -self.speed_mps / self.accel_mps2 if self.accel_mps2 else np.inf
        t = np.minimum(t_s, stop_s) if stop_s > 0 else np.maximum(t_s, stop_s)
        return np.asarray(self.speed_mps * t + self.accel_mps2 * t * t / 2)

    def place_m(self, t_s: Array) -> Array:
        s, c = self.reach_m(t_s), self.turn_per_m
        x = self.east_m + (s * s * c / 2 if abs(c) < 1e-9 else (1 - np.cos(c * s)) / c)
        y = s if abs(c) < 1e-9 else np.sin(c * s) / c
        return np.stack([x, self.line_m + (y if self.away else -y)], axis=1)


def _seen(
    chance: np.random.Generator, roadside: Roadside, ride: Ride
) -> tuple[NDArray[np.int64], Array]:
    """Return trembling time stamps (n,) and noisy pixels (n, 2)."""
    t_s = np.arange(-9.0, 9.0, 1 / ride.fps) + chance.uniform(0, 1 / ride.fps)
    places = ride.place_m(t_s)
    near = (np.abs(ride.reach_m(t_s)) < 24) & (places[:, 1] > 6) & (places[:, 1] < 48)
    t_s, places = t_s[near], places[near]
    px = roadside.to_px(places)
    px = px + ride.sigma_px * wandering(chance, len(px), ride.rho)
    sides = (px[:, 1] > 0) & (px[:, 1] < HEIGHT_PX) & (px[:, 0] > 0) & (px[:, 0] < WIDTH_PX)
    t_s, px = t_s[sides], px[sides]
    stamps = np.round((t_s + chance.normal(0, ride.jitter_s, len(t_s))) * 1e9).astype(np.int64)
    return stamps, px


def a_course(chance: np.random.Generator, roadside: Roadside, ride: Ride) -> Course:
    """Return what the tracker would hand on: places from noisy boxes with trembling time stamps."""
    return courses_of([chance], [(roadside, ride)])[0]


def courses_of(
    chances: list[np.random.Generator], stage: list[tuple[Roadside, Ride]]
) -> list[Course]:
    """Return one course for each camera and ride, smoothed together."""
    seen = [_seen(c, *pair) for c, pair in zip(chances, stage, strict=True)]
    counts = [len(px) for _, px in seen]
    xy_m = [roadside.plane.to_m(px) for (roadside, _), (_, px) in zip(stage, seen, strict=True)]
    cov_m2 = [
        roadside.plane.cov_m2(px, [ride.sigma_px, ride.sigma_px])
        for (roadside, ride), (_, px) in zip(stage, seen, strict=True)
    ]
    kinds = np.repeat(np.array([ride.kind for _, ride in stage], np.uint8), counts)
    path = smoothed_tracks(
        np.repeat(np.arange(len(stage)), counts),
        t_ns=np.concatenate([t_ns for t_ns, _ in seen]),
        xy_m=np.concatenate(xy_m),
        cov_m2=np.concatenate(cov_m2),
        q=agitation_of(kinds),
    )
    cuts = np.cumsum(counts)[:-1]
    parts = zip(np.split(path.xy_m, cuts), np.split(path.velocity_mps, cuts), strict=True)
    courses = []
    for k, (smooth_m, velocity) in enumerate(parts):
        (roadside, ride), (t_ns, px) = stage[k], seen[k]
        way = velocity / np.maximum(np.hypot(*velocity.T), 1e-6)[:, None]
        courses.append(
            Course(
                t_ns=t_ns,
                xy_m=xy_m[k],
                cov_m2=cov_m2[k],
                smooth_m=smooth_m,
                velocity_mps=velocity,
                flags=np.zeros(len(px), np.uint8),
                usable=np.ones(len(px), bool),
                m_per_px=roadside.plane.metres_per_px(px, way),
                kind=ride.kind,
            )
        )
    return courses


def a_ride(chance: np.random.Generator) -> Ride:
    """Draw somebody: mostly cars of 20 to 90 km/h, some cyclists and people on foot."""
    kind = int(chance.choice([Kind.CAR, Kind.BICYCLE, Kind.PEDESTRIAN], p=[0.8, 0.12, 0.08]))
    kmh = {
        Kind.CAR: float(chance.choice([20.0, 30.0, 50.0, 70.0, 90.0])),
        Kind.BICYCLE: chance.uniform(12, 24),
        Kind.PEDESTRIAN: chance.uniform(4, 7),
    }[Kind(kind)]
    accel = {Kind.CAR: 1.0, Kind.BICYCLE: 0.3, Kind.PEDESTRIAN: 0.03}[Kind(kind)]
    return Ride(
        kind=kind,
        speed_mps=kmh / 3.6,
        accel_mps2=float(np.clip(chance.normal(0, accel), -2 * accel, 2 * accel)),
        turn_per_m=float(chance.choice([0.0, 0.0, 0.0, 1 / 40, -1 / 60])),
        away=bool(chance.integers(2)),
        east_m=float(chance.choice([-2.0, 2.0])),
        line_m=float(chance.uniform(18, 26)),
        fps=float(chance.choice([10.0, 12.5, 25.0])),
        rho=float(chance.choice([0.0, 0.3, 0.6, 0.9])),
        sigma_px=float(chance.choice([1.0, 2.0])),
        jitter_s=float(chance.choice([0.0, 0.005, 0.01, 0.02])),
    )
