"""A net that looks at the parts of a picture as well finds what is too small in the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Eye, Kind
from calmstreet.perception.tiles import TILE_SHARE, TiledNet, tiles_px
from calmstreet.video.zones import NET_SIDE_PX, longest_stored_side_px


class SpotNet:
    """Finds the bright patch of the picture where it is at least eight pixels high in its eyes."""

    name, version, kinds = "spot", "spot/1", frozenset({Kind.PEDESTRIAN})

    def detect(self, frame: Frame) -> Detections:
        scale = NET_SIDE_PX / max(frame.width_px, frame.height_px)
        size = (round(frame.width_px * scale), round(frame.height_px * scale))
        bright = frame.bgr(*size)[:, :, 0] > 128
        rows, columns = np.nonzero(bright)
        found = len(rows) > 0 and int(np.ptp(rows)) + 1 >= 8
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if found else ()
        return Detections(
            camera_id=frame.camera_id,
            t_ns=frame.t_ns,
            box_px=np.array(box, np.float32).reshape(-1, 4) / np.float32(scale),
            score=np.full(int(found), 0.5),
            kind=np.full(int(found), Kind.PEDESTRIAN),
            source=np.full(int(found), Eye.NET),
            looked=Eye.NET,
        )


def a_frame(left: int, top: int, side: int) -> Frame:
    bgr = np.zeros((1080, 1920, 3), np.uint8)
    bgr[top : top + side, left : left + side] = 255

    def to_bgr(width_px: int, height_px: int) -> NDArray[np.uint8]:
        import cv2

        return np.asarray(cv2.resize(bgr, (width_px, height_px)), np.uint8)

    return Frame(camera_id="n", t_ns=0, index=0, luma=bgr[:, :, 0].copy(), to_bgr=to_bgr)


@given(left=st.integers(0, 1890), top=st.integers(0, 1050))
def test_what_the_whole_does_not_show_a_part_does(left: int, top: int) -> None:
    frame, net = a_frame(left, top, 28), SpotNet()
    assert len(net.detect(frame)) == 0
    found = TiledNet(net=net, size_px=(1280, 720)).detect(frame)
    off_px = np.abs(found.box_px - np.array([left, top, left + 28, top + 28])).max(axis=1)
    assert off_px.min() < 8


def test_what_both_see_is_told_once() -> None:
    found = TiledNet(net=SpotNet(), size_px=(1280, 720)).detect(a_frame(300, 300, 60))
    assert len(found) == 1


@given(width_px=st.integers(700, 4000), height_px=st.integers(400, 4000))
def test_parts_cover_the_picture_and_none_is_wider_than_the_net_allows(
    width_px: int, height_px: int
) -> None:
    covered = np.zeros((height_px // 10, width_px // 10), np.bool_)
    for left, top, right, bottom in tiles_px(width_px, height_px):
        assert 0 <= left < right <= width_px
        assert 0 <= top < bottom <= height_px
        covered[top // 10 : -(-bottom // 10), left // 10 : -(-right // 10)] = True
    assert covered.all()


def test_a_picture_of_720_lines_may_be_stored_where_its_parts_were_looked_at() -> None:
    assert longest_stored_side_px() < 1280
    assert longest_stored_side_px(NET_SIDE_PX / TILE_SHARE) >= 1280
    (left, _, right, _), *_ = tiles_px(1280, 720)
    assert right - left <= longest_stored_side_px()
