"""What the desk says and takes in the review of events."""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from calmstreet.web.answers import Answer, Ask
from calmstreet.web.answers_junction import PlaceShape

__all__ = [
    "REJECT_REASONS",
    "Curve",
    "EventCard",
    "EventDetail",
    "EventPage",
    "EventState",
    "MediumCard",
    "RejectReason",
    "ReviewRow",
    "Threshold",
    "TrackPath",
    "ValueRow",
    "Verdict",
    "VerdictName",
]

EventState = Literal["open", "accepted", "rejected", "escalated"]
VerdictName = Literal["accept", "reject", "escalate", "note"]
RejectReason = Literal[
    "wrong-track",
    "wrong-kind",
    "not-a-road-user",
    "wrong-place",
    "wrong-signal",
    "permitted",
    "emergency-vehicle",
    "blocked-lane",
    "picture-too-poor",
    "duplicate",
    "other",
]
REJECT_REASONS: tuple[str, ...] = get_args(RejectReason)


class EventCard(Answer):
    """One event in the queue."""

    result_id: str
    event_id: str
    kind: str
    camera_id: str
    start_ms: int
    end_ms: int
    severity: int
    rule: str
    state: EventState
    reviewed_by: str
    reviewed_ms: int | None
    values: dict[str, float | None]
    has_clip: bool


class EventPage(Answer):
    """Part of the queue; ``total`` counts all that fit, ``states`` all by state."""

    total: int
    offset: int
    events: list[EventCard]
    states: dict[str, int]
    kinds: dict[str, int]


class ValueRow(Answer):
    """One number of an event with its standard error and unit."""

    name: str
    value: float | None
    sigma: float | None
    unit: str


class Threshold(Answer):
    """One threshold that the rule went by."""

    name: str
    value: float | None
    unit: str


class TrackPath(Answer):
    """One road user of the event: places over time, in metres and picture pixels.

    ``t_s`` counts from the start of the event; gaps are null.
    """

    track_id: str
    label: str
    kind: str
    involved: bool
    t_s: list[float]
    x_m: list[float | None]
    y_m: list[float | None]
    foot_px: list[tuple[float, float] | None]
    speed_kmh: list[float | None]
    sigma_m: list[float | None]
    heading_deg: list[float | None]
    length_m: float | None
    width_m: float | None


class Curve(Answer):
    """One measure against time since the start of the event, with its threshold."""

    name: str
    unit: str
    track_ids: list[str]
    t_s: list[float]
    values: list[float | None]
    threshold: float | None
    below_is_worse: bool


class ReviewRow(Answer):
    """One verdict or note."""

    review_id: int
    verdict: VerdictName
    reason: str
    note: str
    by: str
    t_ms: int


class MediumCard(Answer):
    """One blurred picture or clip, fetched from /api/media/{result_id}/{medium_id}."""

    medium_id: str
    what: str
    type: Literal["video/mp4", "image/png", "image/jpeg"]
    camera_id: str
    start_ms: int | None
    end_ms: int | None
    size_px: tuple[int, int] | None
    size_bytes: int
    sha256: str


class EventDetail(EventCard):
    """Everything about one event: why, what speaks against it, and the evidence."""

    track_ids: list[str]
    place_m: tuple[float, float] | None
    place_lonlat: tuple[float, float] | None
    explained: list[str]
    reasons: list[str]
    exceptions: list[str]
    numbers: list[ValueRow]
    thresholds: list[Threshold]
    tracks: list[TrackPath]
    curves: list[Curve]
    shapes: list[PlaceShape]
    signals: list[tuple[str, float, str]]
    media: list[MediumCard]
    clip_offset_s: float | None
    reviews: list[ReviewRow]
    site_version: str
    size_px: tuple[int, int] | None
    next_event_id: str | None


class Verdict(Ask):
    """What a reviewer found; a rejection names its reason, a note its words."""

    verdict: VerdictName
    reason: RejectReason | None = None
    note: Annotated[str, StringConstraints(max_length=2000)] = Field(default="")

    @model_validator(mode="after")
    def _complete(self) -> "Verdict":
        if (self.verdict == "reject") != (self.reason is not None):
            raise ValueError("a rejection, and nothing else, names its reason")
        if self.verdict == "note" and not self.note.strip():
            raise ValueError("a note wants words")
        return self
