"""Single pixels have the colours of the whole picture, whatever the format and rotation."""

import av
import numpy as np
import pytest

from calmstreet.model.frame import Frame
from calmstreet.video.picture import Planes


@pytest.mark.parametrize("name", ["yuv420p", "yuv444p", "nv12", "nv21", "yuv420p10le", "gray"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_picked_pixel_has_its_colour(name: str, turns: int) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32], picture[24:, :32], picture[:24, 32:] = (40, 40, 230), (30, 200, 60), 120
    planes = Planes(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=name))
    planes._quarter_turns = turns
    width, height = (48, 64) if turns % 2 else (64, 48)
    x, y = (part.ravel() for part in np.meshgrid([4, 12, width - 6], [5, 15, height - 4]))
    whole = planes.to_bgr(width, height)
    picked = planes.pick_bgr(x, y)
    assert np.abs(picked.astype(int) - whole[y, x].astype(int)).max() <= 3


def test_without_colours_a_shrunk_luma_answers_in_grey() -> None:
    luma = np.arange(12, dtype=np.uint8).reshape(3, 4)
    frame = Frame(
        camera_id="c",
        t_ns=0,
        index=0,
        luma=luma,
        to_bgr=lambda width, height: np.zeros((height, width, 3), np.uint8),
        whole_px=(8, 6),
    )
    assert frame.colours(np.array([0, 7]), np.array([0, 5])).tolist() == [[0] * 3, [11] * 3]
