"""Heads and plates marked by eye in single pictures of people and cars near the camera.

Boxes are l, t, r, b in pixels of the picture. Plates of the ``plate_eu`` pictures come with the
data. Single pictures show no motion: only the net looks, once.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.privacy.crowd import covered_share

from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.points import no_points
from calmstreet.perception.onnx import load_net
from calmstreet.video.blur import Blur

__all__ = ["HEADS_PX", "marks_of", "shares_of"]

Box = tuple[float, float, float, float]
HEADS_PX: dict[str, tuple[Box, ...]] = {
    "deface_city.jpg": (
        (49, 118, 105, 182),
        (101, 122, 131, 162),
        (176, 102, 211, 153),
        (220, 97, 261, 150),
        (256, 133, 275, 146),
        (272, 140, 297, 160),
        (305, 133, 333, 176),
        (326, 118, 366, 166),
        (368, 123, 397, 160),
        (423, 134, 447, 163),
        (470, 139, 495, 163),
        (476, 151, 508, 193),
        (508, 135, 525, 159),
        (526, 127, 554, 163),
        (580, 99, 607, 137),
        (593, 119, 625, 146),
        (551, 157, 592, 200),
        (600, 137, 644, 203),
        (636, 143, 670, 194),
        (652, 128, 672, 154),
        (672, 142, 693, 165),
        (723, 142, 738, 160),
        (757, 105, 796, 162),
    ),
    "coco01.jpg": ((231, 34, 359, 217), (341, 30, 448, 178)),
    "face_two_people.jpg": ((203, 6, 398, 238), (763, 6, 963, 256)),
    "face_obama.jpg": ((339, 28, 642, 445),),
}
_PLATES_PX: dict[str, tuple[Box, ...]] = {"fast-alpr_test_image.png": ((306, 190, 388, 211),)}


def marks_of(folder: Path) -> dict[str, list[tuple[str, Box]]]:
    """Return heads and plates of every picture in a folder."""
    marks = {name: [("head", box) for box in boxes] for name, boxes in HEADS_PX.items()}
    marks |= {name: [("plate", box) for box in boxes] for name, boxes in _PLATES_PX.items()}
    for note in sorted(folder.glob("plate_eu*.txt")):
        _, x, y, w, h = note.read_text().split()[:5]
        left, top = float(x), float(y)
        marks[note.with_suffix(".jpg").name] = [
            ("plate", (left, top, left + float(w), top + float(h)))
        ]
    return marks


def shares_of(folder: Path) -> list[tuple[str, str, float, float]]:
    """Return (picture, head or plate, height in px, share covered) through the net that ships."""
    net, found = load_net(), []
    for name, marks in marks_of(folder).items():
        bgr = np.asarray(cv2.imread(str(folder / name)), np.uint8)
        mask, scale = _mask(bgr, net.detect(_frame(bgr)))
        for what, box in marks:
            small = tuple(scale * value for value in box)
            share = covered_share(mask, (small[0], small[1], small[2], small[3]))
            found.append((name, what, box[3] - box[1], share))
    return found


def _frame(bgr: NDArray[np.uint8]) -> Frame:
    def to_bgr(width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    return Frame(camera_id="still", t_ns=0, index=0, luma=luma, to_bgr=to_bgr)


def _mask(bgr: NDArray[np.uint8], found: Detections) -> tuple[NDArray[np.uint8], float]:
    height, width = bgr.shape[:2]
    blur = Blur(camera_id="still", width_px=width, height_px=height)
    blur.update(_frame(bgr), found, no_points(camera_id="still", run_id=1))
    blur.flush()
    return blur.masks_out[0], blur.scale
