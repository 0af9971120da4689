"""The health of a node as a small file that the desk and people can read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calmstreet.pipeline.lines import clean

__all__ = ["HEALTH_NAME", "write_health"]

HEALTH_NAME = "node-health.json"


def write_health(
    path: Path, *, t_ns: int, cameras: Mapping[str, Mapping[str, Any]], broken: str
) -> None:
    """Put the newest health in the place of the last; ``broken`` says what settings cannot be used.

    It is not forced to the disk: after a power cut the next one comes soon.
    """
    words = clean({"t_ns": t_ns, "broken_settings": broken, "cameras": dict(cameras)})
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(words, ensure_ascii=False, indent=1), encoding="utf-8")
    temporary.replace(path)
