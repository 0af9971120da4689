"""Pictures of a result: the empty street, the ways of the road users, the site. All blurred."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import StoreError
from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kept import BlurredFrame
from calmstreet.model.run import Run
from calmstreet.model.site import Site
from calmstreet.perception.detector import Detector
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.findings import Picture
from calmstreet.store.folder import sha256_of, write_whole
from calmstreet.video.blur import blur_still

__all__ = ["drawn", "empty_street", "keep_background", "load_picture", "png_bytes"]


def empty_street(
    bgr: NDArray[np.uint8],
    *,
    site: Site,
    camera_id: str,
    t_ns: int,
    size_px: tuple[int, int],
    net: Detector | None,
) -> BlurredFrame:
    """Return the median picture ``bgr`` of a clip, blurred where the net sees parked road users.

    ``size_px`` is (width, height) of the camera. Raises PrivacyError.
    """
    ratio = size_px[0] / bgr.shape[1]
    seen = _seen_in(bgr, net, camera_id=camera_id, t_ns=t_ns)
    return blur_still(
        bgr,
        camera_id=camera_id,
        t_ns=t_ns,
        camera_width_px=size_px[0],
        camera_height_px=size_px[1],
        box_px=np.empty((0, 4), np.float32) if seen is None else seen.box_px * np.float32(ratio),
        kind=np.empty(0, np.uint8) if seen is None else seen.kind,
        masks=tuple(mask.polygon_px for mask in site.masks),
        strict=site.strict_blur,
    )


def _seen_in(
    bgr: NDArray[np.uint8], net: Detector | None, *, camera_id: str, t_ns: int
) -> Detections | None:
    if net is None:
        return None
    frame = Frame(
        camera_id=camera_id,
        t_ns=t_ns,
        index=0,
        luma=np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8),
        to_bgr=lambda width, height: np.asarray(
            cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA), np.uint8
        ),
    )
    return net.detect(frame)


def keep_background(
    catalogue: Catalogue, run: Run, site: Site, bgr: NDArray[np.uint8], net: Detector | None
) -> None:
    """Keep the empty street of a run, blurred, in ``pictures/``; ``bgr`` is its raw median."""
    picture = empty_street(
        bgr,
        site=site,
        camera_id=run.camera_id,
        t_ns=run.start_ns,
        size_px=(run.width_px, run.height_px),
        net=net,
    )
    name = f"pictures/{run.run_id}-background.png"
    target = catalogue.folder / name
    write_whole(target, lambda part: _put(part, png_bytes(picture.bgr)))
    catalogue.save_picture(
        run.run_id,
        Picture(
            path=name,
            what="background",
            t_ns=run.start_ns,
            width_px=picture.bgr.shape[1],
            height_px=picture.bgr.shape[0],
            size_bytes=target.stat().st_size,
            sha256=sha256_of(target),
        ),
    )


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def load_picture(path: Path) -> NDArray[np.uint8]:
    """Return a kept picture as uint8 (h, w, 3); raise StoreError when it is gone."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise StoreError(f"{path} is missing or damaged; analyse the video again")
    return np.asarray(bgr, np.uint8)


def drawn(bgr: NDArray[np.uint8], *draw: Callable[[NDArray[np.uint8]], None]) -> bytes:
    """Return a PNG of a kept (blurred) picture on which the functions drew, one after the other."""
    copy = bgr.copy()
    for one in draw:
        one(copy)
    return png_bytes(copy)


def png_bytes(bgr: NDArray[np.uint8]) -> bytes:
    """Return uint8 (h, w, 3) as PNG."""
    done, data = cv2.imencode(".png", bgr)
    if not done:
        raise StoreError("a picture could not be packed as PNG")
    return data.tobytes()
