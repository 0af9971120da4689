"""The health of one live camera: what its process tells with every beat of its heart."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from calmstreet.units import NS_PER_S
from calmstreet.video.live_source import LiveStats

__all__ = ["Health"]


@dataclass(slots=True, kw_only=True)
class Health:
    """Counters since the process began, and figures of the last seconds.

    ``state`` is "starting", "watching", "waiting" (nothing comes), "blind" (frozen or obscured) or
    "paused" (the disk refuses); ``reason`` a word of GAP_REASONS, "" while watching. ``main`` are
    the fields that tell of the main stream, where there is one.
    """

    camera_id: str
    state: str = "starting"
    reason: str = ""
    note: str = ""
    run_id: int = 0
    frames: int = 0
    analysed: int = 0
    passed_over: int = 0
    analysed_fps: float = float("nan")
    lag_s: float = 0.0
    busy_share: float = 0.0
    shed: str = ""
    net_every: int = 0
    runs: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    gap_s: float = 0.0
    events: int = 0
    clips: int = 0
    clip_pictures: int = 0
    clip_pictures_dropped: int = 0
    clip_failures: int = 0
    blur_failures: int = 0
    store_failures: int = 0
    light: str = ""
    moved: bool = False
    frame_ns: int = 0
    main: dict[str, Any] = field(default_factory=dict)

    def watching(self, run_id: int) -> None:
        """Note that pictures come and are looked at."""
        self.state, self.reason, self.note, self.run_id = "watching", "", "", run_id

    def idle(self, state: str, reason: str, note: str = "") -> None:
        """Note why nothing is looked at."""
        self.state, self.reason, self.note, self.run_id = state, reason, note, 0

    def gap(self, reason: str, duration_s: float) -> None:
        """Count a gap."""
        self.gaps[reason] += 1
        self.gap_s += duration_s

    def row(self, stats: LiveStats, *, now_ns: int) -> dict[str, Any]:
        """Return the fields of a beat."""
        return {
            "beat": self.camera_id,
            "t_ns": now_ns,
            "state": self.state,
            "reason": self.reason,
            "note": self.note,
            "run_id": self.run_id,
            "silent_s": max(0.0, (now_ns - self.frame_ns) / NS_PER_S) if self.frame_ns else None,
            "connected": stats.connected,
            "codec": stats.codec,
            "width_px": stats.width_px,
            "height_px": stats.height_px,
            "declared_fps": stats.declared_fps,
            "delivered_fps": stats.delivered_fps,
            "analysed_fps": self.analysed_fps,
            "net_every": self.net_every,
            "lag_s": self.lag_s,
            "busy_share": self.busy_share,
            "shed": self.shed,
            "frames": stats.frames,
            "analysed": self.analysed,
            "passed_over": self.passed_over,
            "corrupt_frames": stats.corrupt_frames,
            "repeated": stats.repeated,
            "dropped": stats.dropped,
            "reconnects": stats.reconnects,
            "clock_steps": stats.clock_steps,
            "drift_ppm": stats.drift_ppm,
            "runs": self.runs,
            "gaps": dict(self.gaps),
            "gap_s": self.gap_s,
            "events": self.events,
            "clips": self.clips,
            "clip_pictures": self.clip_pictures,
            "clip_pictures_dropped": self.clip_pictures_dropped,
            "clip_failures": self.clip_failures,
            "blur_failures": self.blur_failures,
            "store_failures": self.store_failures,
            "light": self.light,
            "moved": self.moved,
            **self.main,
        }
