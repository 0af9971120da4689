"""Which net looks: the shipped one, one of the user's own, a plug-in, or none."""

import cv2

from calmstreet.errors import InputError, ModelError
from calmstreet.model.kinds import KIND_NAMES, Kind
from calmstreet.perception.detector import Detector
from calmstreet.perception.onnx import load_net, net_is_installed
from calmstreet.plugins import DETECTORS, find_plugin

__all__ = ["chosen_net", "detector_version", "not_observed"]

SHIPPED = "nanodet"
MOTION = "motion"


def chosen_net(name: str) -> Detector | None:
    """Return the net called ``name``; None for "motion", or where the shipped net is not there.

    ``name`` is "nanodet", "motion", "onnx:PATH" or a plug-in's name. Raises ModelError or
    InputError in one sentence.
    """
    cv2.setNumThreads(1)
    if name == MOTION or (name == SHIPPED and not net_is_installed()):
        return None
    if name == "onnx:":
        raise InputError("--detector onnx: names no file; write onnx:PATH")
    if name == SHIPPED or name.startswith("onnx:"):
        return load_net(name)
    made = find_plugin(DETECTORS, name).load()()
    if not isinstance(getattr(made, "version", None), str):
        raise ModelError(f"plug-in {name!r} makes no detector: it has no version")
    detector: Detector = made
    return detector


def detector_version(net: Detector | None) -> str:
    """Return what is stored with each run.

    >>> detector_version(None)
    'motion/1'
    """
    return "motion/1" if net is None else f"{net.version}+motion/1"


def not_observed(net: Detector | None) -> list[str]:
    """Return the kinds that cannot be told; they are never written as 0.

    >>> not_observed(None)
    ['pedestrian', 'bicycle', 'motorcycle', 'car', 'van', 'bus', 'truck']
    """
    told = frozenset() if net is None else net.kinds
    return [KIND_NAMES[kind] for kind in Kind if kind not in told and kind != Kind.UNKNOWN]
