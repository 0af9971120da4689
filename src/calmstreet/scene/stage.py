"""A scene and its pictures: who is where at an instant, drawn, with the truth of it."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.model.kinds import PEOPLE, Kind
from calmstreet.model.site import Site
from calmstreet.scene.bodies import size_m, vehicle
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.figures import STRIDE_M, Figure, figure
from calmstreet.scene.heads import Head, draw_on_pole
from calmstreet.scene.lights import add_head_lights, sweep_shadow
from calmstreet.scene.paint import Drawn, Pose, draw_figure, draw_shadow, draw_solid, to_world
from calmstreet.scene.solids import Light
from calmstreet.scene.street import Street, paint_street
from calmstreet.scene.traffic import Actor
from calmstreet.scene.truth import TruthRow

__all__ = ["DAY", "NIGHT", "Scene", "Stage"]

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]
DAY = Light()
NIGHT = Light(sun=0.0, sky=1.0, sky_bgr=(40, 40, 46), exposure=0.26, lamps=True)
_NOISE_TILES = 6
_SEEN_PX = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """Everything that a film needs: place, light, road users, and how bad the camera is.

    ``noise`` deviation of the sensor in grey levels; ``sweep_s`` seconds in which a cloud's shadow
    passes over the street, none when 0; ``flicker`` share by which the light swings slowly.
    ``turns`` says from which second on which other camera at the same place looks; ``sway_rad``
    by how much, ``sway_hz`` how often a second the mast nods; the truth's boxes are as it sees.
    ``heads`` are signal heads; who is nearer to the camera hides them.
    """

    name: str
    site: Site
    actors: tuple[Actor, ...]
    duration_s: float
    seed: int = 0
    camera: Pinhole = field(default_factory=Pinhole)
    street: Street = field(default_factory=Street)
    light: Light = DAY
    wet: bool = False
    rain: bool = False
    noise: float = 2.5
    sweep_s: float = 0.0
    flicker: float = 0.0
    turns: tuple[tuple[float, Pinhole], ...] = ()
    sway_rad: float = 0.0
    sway_hz: float = 1.0
    heads: tuple[Head, ...] = ()

    def resting_camera(self, t_s: float) -> Pinhole:
        """Return the camera that looks at an instant, as it hangs without wind."""
        looking = [camera for since_s, camera in self.turns if since_s <= t_s]
        return looking[-1] if looking else self.camera

    def camera_at(self, t_s: float) -> Pinhole:
        """Return the camera that looks at an instant, nodding in the wind."""
        camera = self.resting_camera(t_s)
        if self.sway_rad == 0:
            return camera
        nod = self.sway_rad * float(np.sin(2 * np.pi * self.sway_hz * t_s))
        return replace(camera, pitch_rad=camera.pitch_rad + nod)

    @property
    def camera_id(self) -> str:
        """Return the id of the scene's only camera."""
        return self.site.cameras[0].id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cast:
    """A road user at one instant."""

    actor: Actor
    pose: Pose
    speed_mps: float
    along_m: float
    limbs: Figure | None


class Stage:
    """Draws a scene. The empty street is drawn once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._camera = scene.camera
        self._dice = np.random.default_rng(scene.seed)

    @cached_property
    def empty(self) -> Picture:
        """Return the street with nobody in it, uint8 (h, w, 3)."""
        return self._painted(self.scene.camera)

    def _painted(self, camera: Pinhole) -> Picture:
        scene = self.scene
        return paint_street(
            scene.street,
            camera=camera,
            seed=scene.seed,
            night=scene.light.lamps,
            wet=scene.wet or scene.rain,
        )

    def _street(self, t_s: float) -> Picture:
        """Return the empty street as the camera sees it at an instant."""
        rest = self.scene.resting_camera(t_s)
        street = self._painted(rest)
        if self._camera == rest:
            return street
        size = (rest.width_px, rest.height_px)
        return np.asarray(
            cv2.warpPerspective(
                street,
                self._camera.seen_from(rest),
                size,
                flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.uint8,
        )

    @cached_property
    def _noise(self) -> list[tuple[Picture, Picture]]:
        """Return pairs of what the sensor adds and takes away."""
        dice = np.random.default_rng(self.scene.seed + 1)
        shape = self.empty.shape
        tiles = []
        for _ in range(_NOISE_TILES):
            level = 0.4 * dice.standard_normal(shape, np.float32)
            level += dice.standard_normal((*shape[:2], 1), np.float32)
            level *= self.scene.noise
            tiles.append(
                (np.clip(level, 0, 255).astype(np.uint8), np.clip(-level, 0, 255).astype(np.uint8))
            )
        return tiles

    def picture(self, t_s: float, frame: int = 0) -> tuple[Picture, list[TruthRow]]:
        """Return the picture at an instant and everybody who is in it."""
        scene = self.scene
        self._camera = scene.camera_at(t_s)
        canvas = self._street(t_s).copy()
        cast = self._cast(t_s)
        for one in cast:
            draw_shadow(canvas, _outline(one), one.pose, camera=self._camera, light=scene.light)
        if scene.light.lamps:
            beams = [one.pose for one in cast if one.limbs is None and _drives(one)]
            add_head_lights(canvas, beams, camera=self._camera)
        heads = self._heads()
        drawn = []
        for one in cast:
            while heads and self._away_m(*heads[0].place_m[:2]) >= self._away_m(
                one.pose.x_m, one.pose.y_m
            ):
                self._draw_head(canvas, heads.pop(0), t_s)
            drawn.append(self._draw(canvas, one))
        for head in heads:
            self._draw_head(canvas, head, t_s)
        rows = self._truth(cast, drawn, frame)
        return self._seen(canvas, t_s, frame), rows

    def _cast(self, t_s: float) -> list[_Cast]:
        """Return who is there at an instant, far ones first."""
        cast = []
        for actor in self.scene.actors:
            state = actor.state(t_s)
            if state is not None:
                cast.append(_one(actor, *state))
        return sorted(cast, key=lambda one: -self._away_m(one.pose.x_m, one.pose.y_m))

    def _heads(self) -> list[Head]:
        """Return the signal heads, far ones first."""
        return sorted(self.scene.heads, key=lambda head: -self._away_m(*head.place_m[:2]))

    def _away_m(self, x_m: float, y_m: float) -> float:
        """Return how far a place on the ground is from the camera's foot."""
        place = self._camera.place_m
        return float(np.hypot(x_m - place[0], y_m - place[1]))

    def _draw_head(self, canvas: Picture, head: Head, t_s: float) -> None:
        light = self.scene.light
        draw_on_pole(
            canvas, head, t_s, camera=self._camera, exposure=light.exposure, night=light.lamps
        )

    def _draw(self, canvas: Picture, one: _Cast) -> Drawn:
        camera, light = self._camera, self.scene.light
        if light.lamps and not _drives(one):
            light = replace(light, lamps=False)
        if one.limbs is not None:
            return draw_figure(canvas, one.limbs, one.pose, camera=camera, light=light)
        body = vehicle(one.actor.plan.kind, one.actor.plan.look)
        return draw_solid(canvas, body, one.pose, camera=camera, light=light)

    def _seen(self, canvas: Picture, t_s: float, frame: int) -> Picture:
        """Return what the sensor makes of a picture: cloud, light, rain, blur and noise."""
        scene = self.scene
        if scene.sweep_s > 0:
            sweep_shadow(canvas, t_s / scene.sweep_s)
        if scene.flicker > 0:
            gain = 1 + scene.flicker * np.sin(2 * np.pi * t_s / 7.0)
            canvas = np.asarray(cv2.convertScaleAbs(canvas, alpha=gain), np.uint8)
        if scene.rain:
            self._rain(canvas, frame)
        canvas = np.asarray(cv2.GaussianBlur(canvas, (3, 3), 0.6), np.uint8)
        if scene.noise > 0:
            more, less = self._noise[int(self._dice.integers(_NOISE_TILES))]
            shift = int(self._dice.integers(canvas.shape[0]))
            for rows in (slice(None, shift), slice(shift, None)):
                moved = slice(-shift, None) if rows.start is None else slice(None, -shift or None)
                if canvas[rows].size:
                    canvas[rows] = cv2.subtract(cv2.add(canvas[rows], more[moved]), less[moved])
        return canvas

    def _rain(self, canvas: Picture, frame: int) -> None:
        dice = np.random.default_rng((self.scene.seed, frame))
        height, width = canvas.shape[:2]
        streaks = np.zeros((height, width), np.uint8)
        for x, y, long in dice.uniform((0, 0, 8), (width, height, 26), (220, 3)).astype(int):
            cv2.line(streaks, (int(x), int(y)), (int(x) - 2, int(y) + int(long)), 34, 1)
        cv2.add(canvas, cv2.cvtColor(cv2.blur(streaks, (2, 3)), cv2.COLOR_GRAY2BGR), dst=canvas)

    def _truth(self, cast: list[_Cast], drawn: list[Drawn], frame: int) -> list[TruthRow]:
        """Return a row for everybody of whom at least one pixel lies in the frame."""
        owner = np.zeros(self.empty.shape[:2], np.uint8)
        for number, mark in enumerate(drawn, start=1):
            _window(owner, mark)[mark.mask > 127] = number
        rows = []
        for number, (one, mark) in enumerate(zip(cast, drawn, strict=True), start=1):
            whole = int(np.count_nonzero(mark.mask > 127))
            box = self._cut(mark.box_px)
            if whole == 0 or min(box[2] - box[0], box[3] - box[1]) < _SEEN_PX:
                continue
            visible = _window(owner, mark) == number
            rows.append(self._row(one, box, mark, visible, frame))
        return rows

    def _cut(self, box_px: Floats) -> Box:
        width, height = self._camera.width_px, self._camera.height_px
        left, top, right, bottom = np.clip(box_px, 0, (width, height, width, height))
        return float(left), float(top), float(right), float(bottom)

    def _row(
        self, one: _Cast, box: Box, mark: Drawn, visible: NDArray[np.bool_], frame: int
    ) -> TruthRow:
        plan, pose = one.actor.plan, one.pose
        whole = int(np.count_nonzero(mark.mask > 127))
        length_m, width_m, _ = size_m(plan.kind)
        way = (np.cos(pose.heading_rad), np.sin(pose.heading_rad))
        return TruthRow(
            frame=frame,
            actor=one.actor.number,
            kind=int(plan.kind),
            box_px=box,
            visible_px=_bounds(visible, mark),
            visible_share=float(np.count_nonzero(visible)) / whole,
            head_px=self._head(one),
            plate_px=self._plate(one),
            xy_m=(pose.x_m, pose.y_m),
            velocity_mps=(float(way[0] * one.speed_mps), float(way[1] * one.speed_mps)),
            heading_rad=pose.heading_rad,
            length_m=length_m,
            width_m=width_m,
        )

    def _head(self, one: _Cast) -> Box | None:
        if one.limbs is None:
            return None
        px, depth_m = self._camera.project(to_world(one.limbs.head_m[None], one.pose))
        radius = self._camera.focal_px * one.limbs.head_r_m / float(depth_m[0])
        x, y = float(px[0, 0]), float(px[0, 1])
        return x - radius, y - radius, x + radius, y + radius

    def _plate(self, one: _Cast) -> tuple[tuple[float, float], ...] | None:
        """Return the corners of the plate whose front the camera sees."""
        if one.limbs is not None:
            return None
        for plate in vehicle(one.actor.plan.kind, one.actor.plan.look).plates_m:
            a, b, c, d = self._camera.project(to_world(plate, one.pose))[0]
            if (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0]) > 0:
                return tuple((float(x), float(y)) for x, y in (a, b, c, d))
        return None


def _drives(one: _Cast) -> bool:
    """Tell whether a road user takes part in traffic; parked cars have their lamps off."""
    return one.actor.plan.speed_mps > 0


def _one(actor: Actor, along_m: float, speed_mps: float) -> _Cast:
    x, y, heading = actor.plan.path.place(along_m)
    kind, limbs = actor.plan.kind, None
    if kind in PEOPLE:
        stride = STRIDE_M if kind == Kind.PEDESTRIAN else 4.0
        limbs = figure(
            kind,
            look=actor.plan.look,
            phase_rad=2 * np.pi * along_m / stride,
            moving=speed_mps > 0.1,
        )
    return _Cast(
        actor=actor,
        pose=Pose(x_m=x, y_m=y, heading_rad=heading),
        speed_mps=speed_mps,
        along_m=along_m,
        limbs=limbs,
    )


def _outline(one: _Cast) -> Floats:
    """Return points of a body that shape its shadow."""
    if one.limbs is not None:
        return np.concatenate([one.limbs.a_m, one.limbs.b_m])
    return np.asarray(vehicle(one.actor.plan.kind, one.actor.plan.look).vertices_m)


def _window(canvas: Picture, mark: Drawn) -> Picture:
    height, width = mark.mask.shape
    return canvas[mark.top_px : mark.top_px + height, mark.left_px : mark.left_px + width]


def _bounds(visible: NDArray[np.bool_], mark: Drawn) -> Box:
    """Return the box around the visible pixels, NaN where there are none."""
    if not visible.any():
        return (float("nan"),) * 4
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    return (
        float(mark.left_px + columns[0]),
        float(mark.top_px + rows[0]),
        float(mark.left_px + columns[-1] + 1),
        float(mark.top_px + rows[-1] + 1),
    )
