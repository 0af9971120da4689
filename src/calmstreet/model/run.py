"""A run: one unbroken watch of one camera under one site."""

from dataclasses import dataclass

__all__ = ["TIME_KNOWN", "Run"]

TIME_KNOWN: tuple[str, ...] = ("given", "name", "assumed", "unknown")
"""Where time zero came from: --start, the file's name, container creation time, nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One unbroken watch. A gap > 2 s, a clock step, a new size or site starts another one.

    ``state`` is open, partial or complete; ``time_known`` one of TIME_KNOWN; ``detector``
    "name/version"; fps as the file declares them and as its timestamps deliver them;
    ``counted`` is False where the picture moved or was cut, so that nothing may be counted.
    """

    run_id: int
    camera_id: str
    site_version: str
    source: str
    start_ns: int
    end_ns: int
    state: str
    time_known: str
    width_px: int
    height_px: int
    declared_fps: float
    delivered_fps: float
    detector: str
    frames: int = 0
    repeated_frames: int = 0
    analysed_frames: int = 0
    counted: bool = True
    note: str = ""
