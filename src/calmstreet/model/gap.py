"""A gap: a time in which a camera was not, or only partly, watched. It is stored, never silent."""

from dataclasses import dataclass

from calmstreet.errors import InputError

__all__ = ["AFFECTS", "GAP_REASONS", "NEW_RUN_S", "Gap"]

GAP_REASONS: tuple[str, ...] = (
    *("starting", "not-reachable", "refused", "silent", "ended", "clock-step", "stream-jump"),
    *("size-changed", "codec-changed", "no-keyframe", "damaged", "frozen", "obscured"),
    *("left-preset", "moved", "disk-full", "overload", "restart", "stopped", "blur-failed"),
    *("site-changed", "low-fps", "coarse"),
)
"""Why nothing, or less, was watched."""

AFFECTS: tuple[str, ...] = (
    *("all", "counts+speeds+conflicts", "speeds", "conflicts", "speeds+conflicts", "pictures"),
)
"""What a gap takes the exposure of; "all" says that nothing was watched at all, "pictures" takes
none, only clips are missing."""

NEW_RUN_S = 2.0
"""A gap longer than this starts a new run."""

_DEMAND_NEW_RUN = frozenset({"clock-step", "stream-jump", "size-changed", "codec-changed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From ``start_ns`` to ``end_ns`` (UTC) a camera lost what ``affects`` names.

    With the reason clock-step, stream-jump, size-changed or codec-changed it demands a new run even
    where it has no length. Raises InputError for an unknown word or an end before the start.

    >>> Gap(camera_id="north", start_ns=0, end_ns=3_000_000_000, reason="silent").demands_new_run
    True
    """

    camera_id: str
    start_ns: int
    end_ns: int
    reason: str
    affects: str = "all"
    note: str = ""

    def __post_init__(self) -> None:
        if self.reason not in GAP_REASONS:
            raise InputError(f"gap reason {self.reason!r} is none of {', '.join(GAP_REASONS)}")
        if self.affects not in AFFECTS:
            raise InputError(f"a gap affects {self.affects!r}, none of {', '.join(AFFECTS)}")
        if self.end_ns < self.start_ns:
            raise InputError(f"a gap of {self.camera_id} ends before it starts ({self.reason})")

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def demands_new_run(self) -> bool:
        """Return whether tracks must not cross it."""
        if self.affects != "all":
            return False
        return self.duration_s > NEW_RUN_S or self.reason in _DEMAND_NEW_RUN
