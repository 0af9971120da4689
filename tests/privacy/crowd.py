"""Scenes with people and plates near the camera, and what became of them in the pictures kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import radians
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.kinds import Kind
from calmstreet.pipeline import keeping
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.planning import Request
from calmstreet.scene.camera import Pinhole
from calmstreet.scene.ensemble import footway, lane_plan, parked, zebra_walk
from calmstreet.scene.film import render_film
from calmstreet.scene.script import gate_counts_site
from calmstreet.scene.stage import DAY, NIGHT, Scene
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import Plan, drive
from calmstreet.scene.truth import SceneTruth, TruthRow
from calmstreet.video.blur import Blur

__all__ = ["CAMERAS", "Kept", "Spot", "crowd", "spots", "watched"]

FPS = 10.0
NAME = "crowd_2026-03-02_07-30-00.mp4"
CAMERAS = {
    "pole": Pinhole(width_px=1920, height_px=1080, focal_px=1640.0),
    "near": Pinhole(width_px=1280, height_px=720, focal_px=1250.0, height_m=5.0, pitch_rad=0.3),
    "low": Pinhole(
        width_px=960, height_px=540, focal_px=900.0, height_m=3.2, pitch_rad=radians(9.0)
    ),
}
LEAST_HEAD_PX, LEAST_PLATE_PX = 16.0, 8.0
_SEEN_SHARE = 0.2


def crowd(seed: int, *, camera: str, night: bool = False, duration_s: float = 20.0) -> Scene:
    """Return a busy street: walkers on both footways and the zebra, riders and vehicles."""
    dice = np.random.default_rng(seed)
    street, eye = Street(), CAMERAS[camera]
    plans: list[Plan] = [parked(street, 4.0, int(dice.integers(24))), parked(street, 14.0, 2)]
    for enter_s in np.arange(0.0, duration_s - 1.0, 2.2):
        plans.append(_walker(street, float(enter_s), dice))
    kinds = (Kind.CAR, Kind.BICYCLE, Kind.CAR, Kind.VAN, Kind.MOTORCYCLE, Kind.BUS, Kind.TRUCK)
    for k, enter_s in enumerate(np.arange(0.0, duration_s - 1.0, 1.3)):
        kind = kinds[(k + seed) % len(kinds)]
        plans.append(
            lane_plan(
                street,
                kind,
                (k * 3 + seed) % 4,
                enter_s=float(enter_s),
                speed_mps=5.0 if kind == Kind.BICYCLE else float(dice.uniform(6.0, 11.0)),
                look=int(dice.integers(24)),
                reds=((4.0, 11.0),),
            )
        )
    return Scene(
        name="crowd",
        site=gate_counts_site(street, eye),
        actors=tuple(drive(plans, duration_s)),
        duration_s=duration_s,
        seed=seed,
        street=street,
        camera=eye,
        light=NIGHT if night else DAY,
        noise=6.0 if night else 2.5,
    )


def _walker(street: Street, enter_s: float, dice: np.random.Generator) -> Plan:
    look, way = int(dice.integers(24)), int(dice.integers(3))
    if way == 0:
        place, left = float(dice.uniform(2.0, 17.0)), bool(dice.integers(2))
        walk = zebra_walk(street, place, leftwards=left, enter_s=enter_s, speed_mps=1.5, look=look)
        return replace(walk, at_m=float(dice.uniform(0.0, 8.0)))
    side = float(dice.choice([-8.6, -7.7, 10.6, 11.2]))
    towards = 1 if way == 1 else -1
    walk = footway(street, side, towards, enter_s=enter_s, look=look)
    return replace(walk, at_m=float(dice.uniform(0.0, 15.0) if towards > 0 else 20.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """What was kept of a film: pictures, masks by time; the scaled original in ``raw``."""

    picture: dict[int, NDArray[np.uint8]]
    mask: dict[int, NDArray[np.uint8]]
    raw: dict[int, NDArray[np.uint8]]
    scale: float


@contextmanager
def overheard(kept: Kept) -> Iterator[None]:
    """Note down what the pipeline's Blur takes in and gives out."""

    class Overheard(Blur):
        def update(self, frame: Frame, *given: object) -> list[BlurredFrame]:
            kept.raw[frame.t_ns] = frame.bgr(*self.size_px)
            return self._note(super().update(frame, *given))  # type: ignore[arg-type]

        def flush(self) -> list[BlurredFrame]:
            return self._note(super().flush())

        def _note(self, ready: list[BlurredFrame]) -> list[BlurredFrame]:
            for picture, mask in zip(ready, self.masks_out, strict=True):
                kept.picture[picture.t_ns] = picture.bgr
                kept.mask[picture.t_ns] = mask
            return ready

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "Blur", Overheard)
        yield


def watched(scene: Scene, folder: Path) -> tuple[SceneTruth, Kept]:
    """Render a scene, analyse it as a user would, and return its truth and what was kept."""
    folder.mkdir(parents=True, exist_ok=True)
    film = folder / NAME
    truth = render_film(scene, film, fps=FPS)
    kept = Kept(picture={}, mask={}, raw={}, scale=0.0)
    request = Request(
        videos=(film,), out=folder / "result", video="full", start="1970-01-01T00:00:00Z"
    )
    with overheard(kept):
        analyse_videos(request)
    first = next(iter(kept.mask.values()))
    return truth, replace(kept, scale=first.shape[1] / scene.camera.width_px)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A head or plate in one picture: height in camera pixels, box in stored pixels."""

    what: str
    kind: Kind
    actor: int
    t_ns: int
    height_px: float
    box_px: tuple[float, float, float, float]


def spots(truth: SceneTruth, kept: Kept, *, width_px: int, height_px: int) -> Iterator[Spot]:
    """Yield the heads and plates that are seen and large enough, in the pictures that were kept."""
    by_frame = dict(enumerate(truth.t_ns.tolist()))
    for row in truth.rows:
        t_ns = by_frame[row.frame]
        if t_ns not in kept.mask or row.visible_share < _SEEN_SHARE:
            continue
        for what, box, height in _marks(row):
            least = LEAST_HEAD_PX if what == "head" else LEAST_PLATE_PX
            cut = np.clip(box, 0, (width_px, height_px, width_px, height_px))
            inside = (cut[2] - cut[0]) * (cut[3] - cut[1])
            whole = (box[2] - box[0]) * (box[3] - box[1])
            if height < least or inside < 0.5 * whole or not _shown(row, box):
                continue
            left, top, right, bottom = (cut * kept.scale).tolist()
            yield Spot(
                what=what,
                kind=Kind(row.kind),
                actor=row.actor,
                t_ns=t_ns,
                height_px=height,
                box_px=(left, top, right, bottom),
            )


def _marks(row: TruthRow) -> Iterator[tuple[str, NDArray[np.float64], float]]:
    if row.head_px is not None:
        head = np.array(row.head_px)
        yield "head", head, float(head[3] - head[1])
    if row.plate_px is not None:
        corners = np.array(row.plate_px)
        height = min(np.hypot(*(corners[3] - corners[0])), np.hypot(*(corners[2] - corners[1])))
        if corners[1][0] > corners[0][0]:
            yield "plate", np.r_[corners.min(axis=0), corners.max(axis=0)], float(height)


def _shown(row: TruthRow, box: NDArray[np.float64]) -> bool:
    """Tell whether the middle of a mark lies in what nobody hides."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top, right, bottom = row.visible_px
    return bool(left <= x <= right and top <= y <= bottom)


def covered_share(mask: NDArray[np.uint8], box: tuple[float, float, float, float]) -> float:
    """Return the share of a box (stored pixels) that the mask covers, parts of pixels counted."""
    height, width = mask.shape
    left, top, right, bottom = np.clip(box, 0, (width, height, width, height))
    x0, y0 = int(left), int(top)
    x1, y1 = max(int(np.ceil(right)), x0 + 1), max(int(np.ceil(bottom)), y0 + 1)
    across = np.minimum(np.arange(x0, x1) + 1, right) - np.maximum(np.arange(x0, x1), left)
    down = np.minimum(np.arange(y0, y1) + 1, bottom) - np.maximum(np.arange(y0, y1), top)
    weight = np.clip(down, 0, None)[:, None] * np.clip(across, 0, None)[None]
    return float((weight * (mask[y0:y1, x0:x1] > 0)).sum() / max(weight.sum(), 1e-9))
