"""The net eye: finds road users in one picture with a neural net, on one thread.

The net that comes along is NanoDet-g (see NOTICE); own nets are read from ``onnx:PATH``. The
picture is never seen whole: it is asked for at the size that the net looks at.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from calmstreet.errors import ModelError
from calmstreet.model.detections import Detections
from calmstreet.model.frame import Frame
from calmstreet.model.kinds import Eye, Kind
from calmstreet.perception.decode import (
    COCO_CLASSES,
    COCO_KINDS,
    Candidates,
    cell_count,
    decode_nanodet,
    decode_yolov8,
    decode_yolox,
    decode_yolox_raw,
    select,
)

__all__ = ["Letterbox", "Net", "fit_letterbox", "load_net", "net_is_installed"]

_FOLDER = Path(__file__).with_name("nets")
_NANODET = "nanodet"
_NANODET_FILE = "nanodet-g.onnx"
_NANODET_VERSION = "nanodet-g/1"
_NANODET_LONGEST_PX = 416
_OWN_LONGEST_PX = 640
_OWN_PREFIX = "onnx:"
_MULTIPLE_PX = 32
_PAD_LEVEL = 114
# No net says "a box 10 strides-to-the-e wide", every decoded one has a box above 10 px.
_LARGEST_LOG_SIZE = 10.0
_FAULTS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How a picture lies in the net's picture: scaled to ``inner``, top left, the rest is grey."""

    width_px: int
    height_px: int
    inner_width_px: int
    inner_height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What a net wants to be fed with and how its output is read."""

    decode: Callable[[Sequence[Floats], int], Candidates]
    mean_bgr: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation_bgr: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rgb: bool = False


_NANODET_FORM = _Form(
    decode=decode_nanodet,
    mean_bgr=(103.53, 116.28, 123.675),
    deviation_bgr=(57.375, 57.12, 58.395),
)
_YOLOX_FORM = _Form(decode=decode_yolox)
_YOLOX_RAW_FORM = _Form(decode=decode_yolox_raw)
_YOLOV8_FORM = _Form(decode=decode_yolov8, deviation_bgr=(255.0, 255.0, 255.0), rgb=True)


def fit_letterbox(
    width_px: int,
    height_px: int,
    *,
    longest_px: int = _NANODET_LONGEST_PX,
    fixed_px: tuple[int, int] | None = None,
) -> Letterbox:
    """Lay a picture into the smallest multiple of 32, or into ``fixed_px`` (width, height).

    >>> fit_letterbox(1920, 1080)
    Letterbox(width_px=416, height_px=256, inner_width_px=416, inner_height_px=234)
    >>> fit_letterbox(800, 600).height_px
    320
    """
    room_px = fixed_px or (longest_px, longest_px)
    scale = min(room_px[0] / width_px, room_px[1] / height_px)
    inner_px = [max(1, round(side * scale)) for side in (width_px, height_px)]
    outer_px = fixed_px or [-(-side // _MULTIPLE_PX) * _MULTIPLE_PX for side in inner_px]
    return Letterbox(
        width_px=outer_px[0],
        height_px=outer_px[1],
        inner_width_px=inner_px[0],
        inner_height_px=inner_px[1],
    )


class Net:
    """A neural net that finds road users. ``kinds`` are those it can tell; others it never sees."""

    def __init__(
        self,
        *,
        session: onnxruntime.InferenceSession,
        form: _Form,
        name: str,
        version: str,
        longest_px: int,
    ) -> None:
        self.name = name
        self.version = version
        self.kinds: frozenset[Kind] = frozenset(COCO_KINDS.values())
        self._session = session
        self._form = form
        self._longest_px = longest_px
        self._input = session.get_inputs()[0].name
        self._fixed_px = _fixed_size_px(session)
        self._factor = (1.0 / np.array(form.deviation_bgr, np.float32)).reshape(3, 1, 1)
        self._shift = -np.array(form.mean_bgr, np.float32).reshape(3, 1, 1) * self._factor

    def detect(self, frame: Frame) -> Detections:
        """Return every box with a score of 0.15 or more, in pixels of the frame, cut at its edge.

        Raises ModelError when the net fails on this picture.
        """
        box = fit_letterbox(
            frame.width_px, frame.height_px, longest_px=self._longest_px, fixed_px=self._fixed_px
        )
        picture = frame.bgr(box.inner_width_px, box.inner_height_px)
        outputs = _run(self._session, self._input, self._feed(picture, box), self.name)
        found = select(self._form.decode(outputs, box.width_px))
        box_px = _to_frame(found.box_px, box, frame)
        seen = (box_px[:, 2:] > box_px[:, :2]).all(axis=1)
        return Detections(
            camera_id=frame.camera_id,
            t_ns=frame.t_ns,
            box_px=box_px,
            score=found.score,
            kind=found.kind,
            source=np.full(len(found), Eye.NET, np.uint8),
            looked=Eye.NET,
        )[seen]

    def _feed(self, picture: NDArray[np.uint8], box: Letterbox) -> Floats:
        """Return the net's input (1, 3, height, width) from a picture (h, w, 3) in BGR."""
        fed = np.empty((1, 3, box.height_px, box.width_px), np.float32)
        inner = fed[0, :, : box.inner_height_px, : box.inner_width_px]
        np.multiply(picture.transpose(2, 0, 1), self._factor, out=inner, dtype=np.float32)
        inner += self._shift
        grey = _PAD_LEVEL * self._factor + self._shift
        fed[0, :, box.inner_height_px :, :] = grey
        fed[0, :, :, box.inner_width_px :] = grey
        return np.ascontiguousarray(fed[:, ::-1]) if self._form.rgb else fed


def _to_frame(box_px: Floats, box: Letterbox, frame: Frame) -> Floats:
    """Return boxes of the net's picture in pixels of the frame, cut at its edge."""
    factor = np.array([frame.width_px / box.inner_width_px, frame.height_px / box.inner_height_px])
    scaled = box_px * np.tile(factor, 2).astype(np.float32)
    limit = np.tile(np.array([frame.width_px, frame.height_px], np.float32), 2)
    return np.clip(scaled, 0.0, limit)


def net_is_installed() -> bool:
    """Return whether the net that comes along lies where it belongs."""
    return (_FOLDER / _NANODET_FILE).is_file()


def load_net(name: str = _NANODET) -> Net:
    """Return the net called "nanodet", or the one in a file for "onnx:PATH".

    A file must give YOLOX-shaped (1, cells, 85) or YOLOv8-shaped (1, 84, cells) output over the 80
    COCO classes at strides 8, 16, 32. Raises ModelError when the net is absent, damaged or shaped
    otherwise.
    """
    if name.startswith(_OWN_PREFIX):
        return _load_own(Path(name.removeprefix(_OWN_PREFIX)))
    if name != _NANODET:
        raise ModelError(f"no net {name!r}; there are: {_NANODET}, {_OWN_PREFIX}PATH")
    return Net(
        session=_open(_read_nanodet(_FOLDER), _NANODET),
        form=_NANODET_FORM,
        name=_NANODET,
        version=_NANODET_VERSION,
        longest_px=_NANODET_LONGEST_PX,
    )


def _read_nanodet(folder: Path) -> bytes:
    path = folder / _NANODET_FILE
    try:
        content = path.read_bytes()
        promised = json.loads(path.with_suffix(".json").read_text())["sha256"]
    except OSError as error:
        raise ModelError(
            f"the net {_NANODET} is not installed ({Path(str(error.filename)).name} is absent): "
            "install Calmstreet from a complete wheel, or let the motion eye work alone"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the net {_NANODET} is damaged: install Calmstreet again") from error
    if hashlib.sha256(content).hexdigest() != promised:
        raise ModelError(f"the net {_NANODET} is damaged: install Calmstreet again")
    return content


def _load_own(path: Path) -> Net:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the net {path} cannot be read: {error.strerror}") from error
    session = _open(content, str(path))
    return Net(
        session=session,
        form=_own_form(session, path),
        name=path.stem,
        version=f"{path.stem}/{hashlib.sha256(content).hexdigest()[:8]}",
        longest_px=_OWN_LONGEST_PX,
    )


def _open(content: bytes, name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _FAULTS as error:
        raise ModelError(
            f"the net {name} does not read as an ONNX file: {_short(error)}"
        ) from error


def _run(
    session: onnxruntime.InferenceSession, input_name: str, fed: Floats, name: str
) -> list[Floats]:
    try:
        outputs: list[Floats] = session.run(None, {input_name: fed})
    except _FAULTS as error:
        raise ModelError(f"the net {name} fails on a picture: {_short(error)}") from error
    return outputs


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _fixed_size_px(session: onnxruntime.InferenceSession) -> tuple[int, int] | None:
    """Return the (width, height) that the net insists on, None when it is free."""
    _, _, height, width = session.get_inputs()[0].shape
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _own_form(session: onnxruntime.InferenceSession, path: Path) -> _Form:
    """Return how an own net is fed and read, found out by showing it a grey picture."""
    inputs = session.get_inputs()
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or inputs[0].type != "tensor(float)":
        raise ModelError(
            f"the net {path} wants {inputs[0].type} of shape {shape}; "
            "accepted is one picture, tensor(float) (1, 3, height, width)"
        )
    width_px, height_px = _fixed_size_px(session) or (_OWN_LONGEST_PX, _OWN_LONGEST_PX)
    grey = np.full((1, 3, height_px, width_px), _PAD_LEVEL, np.float32)
    outputs = _run(session, inputs[0].name, grey, str(path))
    cells = cell_count(width_px, height_px)
    if [output.shape for output in outputs] == [(1, 4 + COCO_CLASSES, cells)]:
        return _YOLOV8_FORM
    if [output.shape for output in outputs] == [(1, cells, 5 + COCO_CLASSES)]:
        return _YOLOX_FORM if outputs[0][0, :, 2:4].max() > _LARGEST_LOG_SIZE else _YOLOX_RAW_FORM
    seen = ", ".join(str(tuple(output.shape)) for output in outputs)
    raise ModelError(
        f"the net {path} gives output of shape {seen}; accepted for its {width_px}x{height_px} "
        f"picture are YOLOX (1, {cells}, 85) and YOLOv8 (1, 84, {cells})"
    )
