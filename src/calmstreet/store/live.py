"""The newest blurred picture of a camera: one file, replaced as a whole, gone after 60 s."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import PrivacyError, StoreError
from calmstreet.model.columns import checked
from calmstreet.model.kept import BlurredFrame
from calmstreet.store.folder import remove_quietly
from calmstreet.units import ns_from_s

__all__ = ["LONGEST_LIFE_S", "LivePicture", "live_path", "read_live", "save_live", "sweep_live"]

LONGEST_LIFE_S = 60.0
"""A live picture older than this is removed, and never shown."""

_MAGIC = b"calmlive"
_HEAD = struct.Struct(">8sI")
_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LivePicture:
    """The newest picture: JPEG bytes, its size, and the road users of its moment.

    ``box_px`` float32 (n, 4) left, top, right, bottom in pixels of the stored picture; ``kind``
    uint8 (n,); ``track_id`` int64 (n,); ``note`` what a person should know, "" for nothing.
    """

    camera_id: str
    t_ns: int
    width_px: int
    height_px: int
    jpeg: bytes
    box_px: NDArray[np.float32]
    kind: NDArray[np.uint8]
    track_id: NDArray[np.int64]
    note: str = ""


def live_path(folder: Path, camera_id: str) -> Path:
    """Return where the live picture of a camera lies.

    >>> live_path(Path("r"), "north").as_posix()
    'r/live/north.live'
    """
    return folder / "live" / f"{camera_id}.live"


def save_live(
    folder: Path,
    picture: BlurredFrame,
    *,
    box_px: NDArray[np.float32],
    kind: NDArray[np.uint8],
    track_id: NDArray[np.int64],
    note: str = "",
) -> None:
    """Put a picture in the place of the last one; it is not forced to the disk.

    Boxes are in pixels of the camera; they are stored in pixels of the picture. ``folder`` must be
    there: one whose disk was unmounted is not made anew. Raises PrivacyError for anything but a
    BlurredFrame, StoreError when the disk refuses.
    """
    if not isinstance(picture, BlurredFrame):
        raise PrivacyError(f"only blurred pictures are shown, not {type(picture).__name__}")
    done, jpeg = cv2.imencode(".jpg", picture.bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise StoreError(
            f"the live picture of {picture.camera_id} cannot be made; please report it"
        )
    boxes = checked("box_px", box_px, np.float32, 4) * np.float32(picture.scale)
    head: dict[str, Any] = {
        "camera_id": picture.camera_id,
        "t_ns": picture.t_ns,
        "size_px": picture.bgr.shape[1::-1],
        "box_px": np.round(boxes.astype(np.float64), 1).tolist(),
        "kind": kind.tolist(),
        "track_id": track_id.tolist(),
        "note": note,
    }
    words = json.dumps(head).encode()
    _replace(
        live_path(folder, picture.camera_id),
        b"".join((_HEAD.pack(_MAGIC, len(words)), words, jpeg.tobytes())),
    )


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        remove_quietly(temporary)
        raise StoreError(
            f"{path} cannot be written ({error.strerror}); free the disk or choose another folder"
        ) from error


def read_live(folder: Path, camera_id: str, *, now_ns: int) -> LivePicture | None:
    """Return the live picture; None where there is none, it is older than 60 s, or of the future.

    Raises StoreError for a file that is none of ours.
    """
    path = live_path(folder, camera_id)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); check the disk") from error
    try:
        magic, size = _HEAD.unpack_from(content)
        head = json.loads(content[_HEAD.size : _HEAD.size + size])
        found = _picture(head, content[_HEAD.size + size :])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} is no live picture; remove it") from error
    if magic != _MAGIC:
        raise StoreError(f"{path} is no live picture; remove it")
    return found if abs(now_ns - found.t_ns) <= ns_from_s(LONGEST_LIFE_S) else None


def _picture(head: dict[str, Any], jpeg: bytes) -> LivePicture:
    width_px, height_px = head["size_px"]
    return LivePicture(
        camera_id=head["camera_id"],
        t_ns=head["t_ns"],
        width_px=width_px,
        height_px=height_px,
        jpeg=jpeg,
        box_px=np.array(head["box_px"], np.float32).reshape(-1, 4),
        kind=np.array(head["kind"], np.uint8),
        track_id=np.array(head["track_id"], np.int64),
        note=head["note"],
    )


def sweep_live(folder: Path, *, now_ns: int) -> int:
    """Remove live pictures, and what a crash left of them, older than 60 s; return how many."""
    gone = 0
    for path in [*(folder / "live").glob("*.live"), *(folder / "live").glob(".*.tmp")]:
        try:
            age_ns = now_ns - path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if abs(age_ns) > ns_from_s(LONGEST_LIFE_S):
            remove_quietly(path)
            gone += 1
    return gone
