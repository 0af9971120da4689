"""Holds a converted net against stored detections: a small street picture with a walker in it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from build_net.convert import INPUT
from calmstreet.perception.decode import Candidates, decode_nanodet, select

__all__ = ["check_net", "detect"]

_STORED = Path(__file__).with_name("check.npz")
_MEAN_BGR = (103.53, 116.28, 123.675)
_DEVIATION_BGR = (57.375, 57.12, 58.395)
_SURE_SCORE = 0.2
_SCORE_SLACK = 1e-3
_BOX_SLACK_PX = 0.1


def check_net(content: bytes) -> None:
    """Raise ValueError when the net in ``content`` does not find the stored boxes."""
    with np.load(_STORED) as stored:
        found = detect(content, stored["picture"])
        sure = stored["score"] > _SURE_SCORE
        wanted = Candidates(
            box_px=stored["box_px"][sure], score=stored["score"][sure], kind=stored["kind"][sure]
        )
    first = found.rows(np.arange(min(len(wanted), len(found))))
    same = (
        len(first) == len(wanted)
        and np.array_equal(first.kind, wanted.kind)
        and np.allclose(first.score, wanted.score, rtol=0, atol=_SCORE_SLACK)
        and np.allclose(first.box_px, wanted.box_px, rtol=0, atol=_BOX_SLACK_PX)
    )
    if not same:
        raise ValueError("the converted net does not find what it found when it was accepted")


def detect(content: bytes, picture: NDArray[np.uint8]) -> Candidates:
    """Return what the net finds in a picture (height, width, 3) in BGR, multiples of 32.

    ONNX's reference run time is slow and needs nothing but numpy.
    """
    fed = (picture - np.array(_MEAN_BGR, np.float32)) / np.array(_DEVIATION_BGR, np.float32)
    net = ReferenceEvaluator(onnx.load_from_string(content))
    outputs: Any = net.run(None, {INPUT: fed.transpose(2, 0, 1)[None].astype(np.float32)})
    return select(decode_nanodet(outputs, picture.shape[1]))
