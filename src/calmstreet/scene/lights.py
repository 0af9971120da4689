"""Light that moves: beams of head lamps on the road at night, and the shadow of a cloud."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.scene.camera import Pinhole
from calmstreet.scene.paint import Pose, to_world

__all__ = ["add_head_lights", "sweep_shadow"]

Picture = NDArray[np.uint8]
_BEAM_M = ((2.2, 0.8, 0.42), (11.0, 2.6, 0.25))
_WARM = (205.0, 232.0, 245.0)
_SHADE = 0.45


def add_head_lights(canvas: Picture, poses: Iterable[Pose], *, camera: Pinhole) -> None:
    """Lay the beams of vehicles on the ground (in place); those behind the camera are left out."""
    glow = np.zeros((canvas.shape[0] // 4, canvas.shape[1] // 4), np.uint8)
    for pose in poses:
        (near, narrow, strong), (far, broad, weak) = _BEAM_M
        for share in (1.0, 0.7, 0.45):
            reach = near + (far - near) * share
            wide = narrow + (broad - narrow) * share
            beam = np.array(
                [(near, -narrow, 0), (reach, -wide, 0), (reach, wide, 0), (near, narrow, 0)],
                np.float64,
            )
            px, depth_m = camera.project(to_world(beam, pose))
            if depth_m.min() > 0.5:
                layer = np.zeros_like(glow)
                level = 90 * (weak + (strong - weak) * (1 - share))
                cv2.fillConvexPoly(layer, np.round(px * 4).astype(np.int32), level, cv2.LINE_8, 4)
                cv2.add(glow, layer, dst=glow)
    soft = cv2.resize(cv2.blur(glow, (7, 7)), (canvas.shape[1], canvas.shape[0]))
    warm = cv2.merge([cv2.convertScaleAbs(soft, alpha=tone / 160) for tone in _WARM])
    cv2.add(canvas, warm, dst=canvas)


def sweep_shadow(canvas: Picture, share: float) -> None:
    """Darken what a cloud's shadow covers; its soft edge runs from left to right and on.

    At ``share`` 0 it begins to come in, at 0.5 all is dark, at 1 it has left.
    """
    width = canvas.shape[1]
    columns = np.arange(width) / width
    into = np.clip((share * 4 - columns) / 0.25, 0, 1)
    out = np.clip((share * 4 - 2.75 - columns) / 0.25, 0, 1)
    level = 1 - _SHADE * (into - out)
    canvas[:] = np.round(canvas * level[None, :, None]).astype(np.uint8)
