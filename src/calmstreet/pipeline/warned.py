"""Warnings by code, with an English sentence for programs and logs; reports translate by code."""

from collections.abc import Sequence

from calmstreet.model.run import Run
from calmstreet.perception.detector import Detector
from calmstreet.perception.onnx import net_is_installed
from calmstreet.pipeline.eyes import not_observed
from calmstreet.report.texts import texts
from calmstreet.store.findings import Warned
from calmstreet.video.quality import PictureVerdict
from calmstreet.video.source import SourceStats

__all__ = ["of_file", "of_run", "warn"]

FPS_APART_SHARE = 0.1
LOW_FPS = 8.0
STILL_SHARE = 0.2
REPEATED_SHARE = 0.2


def warn(code: str, **args: float | str) -> Warned:
    """Return the warning of a code; its sentence comes from the English catalogue.

    >>> warn("interrupted").code
    'interrupted'
    """
    return Warned(code=code, text=texts("en").t(f"note.{code}"), args=args)


def of_file(stats: SourceStats, name: str) -> list[Warned]:
    """Return what is to be said of one file after it was read."""
    found = []
    if stats.partial:
        found.append(warn("cut-off", file=name, note=stats.note))
    if stats.corrupt_frames:
        found.append(warn("corrupt-frames", file=name, frames=stats.corrupt_frames))
    apart = abs(stats.delivered_fps - stats.declared_fps)
    if apart > FPS_APART_SHARE * max(stats.declared_fps, 1.0):
        found.append(
            warn(
                "declared-vs-delivered-fps",
                file=name,
                declared_fps=round(stats.declared_fps, 2),
                delivered_fps=round(stats.delivered_fps, 2),
            )
        )
    if stats.repeated_frames > REPEATED_SHARE * max(stats.frames, 1):
        found.append(warn("repeated-frames", file=name, frames=stats.repeated_frames))
    return found


def of_run(
    run: Run, verdict: PictureVerdict, *, dropped: int, net: Detector | None
) -> list[Warned]:
    """Return what is to be said of one run."""
    rules: Sequence[tuple[bool, Warned]] = (
        (run.time_known == "unknown", warn("time-unknown")),
        (run.time_known == "assumed", warn("time-assumed")),
        (net is None, warn("motion-only" if net_is_installed() else "no-net")),
        (
            not verdict.countable,
            warn("scene-cuts" if verdict.reason.startswith("edited") else "moving-camera"),
        ),
        (verdict.frozen_s > STILL_SHARE * verdict.watched_s, warn("frozen")),
        (0 < run.delivered_fps < LOW_FPS, warn("low-fps", fps=round(run.delivered_fps, 2))),
        (dropped > 0, warn("pictures-dropped", pictures=dropped)),
    )
    found = [warning for holds, warning in rules if holds]
    unseen = not_observed(net)
    if unseen:
        found.append(warn("kinds-not-observed", kinds=", ".join(unseen)))
    return found
