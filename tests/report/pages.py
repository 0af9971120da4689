"""A summary, pictures and charts for the tests of the report."""

from typing import Any

import cv2
import numpy as np

__all__ = ["HOSTILE", "a_picture", "a_summary"]

HOSTILE = '</h1><script>alert(1)</script> "quoted" {{lang}} & <img src=x onerror=y>'


def a_picture() -> bytes:
    """Return a small PNG."""
    return bytes(cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())


def a_summary(**changes: Any) -> dict[str, Any]:
    """Return a summary of two hours at one gate."""
    counts = {"car": 1234, "truck": 40, "unknown": 3, "total": 1277}
    nothing = {"car": 0, "truck": 0, "unknown": 0, "total": 0}
    return {
        "calmstreet": "0.1.0",
        "site": {
            "id": "abay",
            "name": "Abay / Dostyk",
            "tz": "Asia/Almaty",
            "site_version": "ab12",
        },
        "cameras": ["north"],
        "runs": [
            {
                "run_id": 1,
                "camera": "north",
                "source": "north.mp4",
                "start": "2026-03-02T02:00:00+00:00",
                "end": "2026-03-02T04:00:00+00:00",
                "state": "complete",
                "time_known": "name",
            }
        ],
        "video": {"frames": 180000, "duration_s": 7200.0, "delivered_fps": 24.87},
        "exposure_s": 3600.0,
        "tracks": {"total": 1277, "by_kind": {"car": 1234, "truck": 40}, "parked": 5},
        "gates": [{"camera": "north", "gate": "line", "to_left": counts, "to_right": nothing}],
        "movements": [
            {"movement": "n-s", "from": "n", "to": "s", "turn": "through", "counts": counts},
            {"movement": "unknown", "from": "unknown", "to": "unknown", "counts": {"total": 7}},
        ],
        "not_observed": ["van"],
        "peak_hour": {"north": {"start": "2026-03-02T07:15:00+05:00", "volume": 1532, "phf": 0.91}},
        "light": {"day": 90, "dusk": 30},
        "audit": "not audited on this camera",
        "detector": ["nanodet-g/1"],
        "warnings": [{"code": "gap", "text": "There are gaps.", "args": {"runs": 2}}],
        "assumptions": [{"code": "class-sizes", "text": "Sizes.", "args": {}}],
        **changes,
    }
