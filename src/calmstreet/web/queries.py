"""What may stand in the address of a request: ids, spans of time, filters. Ids, never paths."""

from typing import Annotated, Literal

from fastapi import Depends, Path, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from calmstreet.web.answers import Language

__all__ = [
    "AuditQuery",
    "CameraId",
    "CameraQuery",
    "ClipName",
    "CompareQuery",
    "EventId",
    "ExportForm",
    "LanguageQuery",
    "MediumId",
    "PlaceQuery",
    "QueueQuery",
    "ResultId",
    "RowId",
    "Span",
    "SpanQuery",
    "TilesId",
    "UploadIdPath",
    "VersionQuery",
    "WidthS",
]


def _whole(value: object) -> object:
    """Return digits of an address as the number they are; pydantic compares literals as given."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


LATEST_MS = 4_102_444_800_000
_CAMERA = r"^[a-z0-9-]{1,40}$"
_RESULT = r"^[a-z0-9-]{1,60}$"
_PLACE = r"^[^\x00-\x1f\x7f/\\]{1,80}$"

ResultId = Annotated[str, Path(pattern=_RESULT)]
CameraId = Annotated[str, Path(pattern=_CAMERA)]
EventId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
MediumId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$")]
TilesId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}\.pmtiles$")]
RowId = Annotated[int, Path(ge=1, le=2**53)]
UploadIdPath = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
ClipName = Annotated[str, Query(min_length=1, max_length=200)]
CameraQuery = Annotated[str | None, Query(pattern=_CAMERA)]
PlaceQuery = Annotated[str | None, Query(pattern=_PLACE)]
LanguageQuery = Annotated[Language, Query()]
VersionQuery = Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")]
WidthS = Annotated[Literal[900, 3600, 86400], BeforeValidator(_whole), Query()]
ExportForm = Literal[
    "counts.csv",
    "counts.xlsx",
    "movements.csv",
    "speeds.csv",
    "headways.csv",
    "events.csv",
    "counts.png",
    "turns.png",
    "report.pdf",
]
Instant = Annotated[int, Field(ge=0, le=LATEST_MS)]


class SpanQuery(BaseModel):
    """From (included) until (excluded), UTC ms; absent: all there is."""

    model_config = ConfigDict(extra="ignore")

    start_ms: Instant | None = None
    end_ms: Instant | None = None


def _span_of(
    start_ms: Annotated[Instant | None, Query()] = None,
    end_ms: Annotated[Instant | None, Query()] = None,
) -> SpanQuery:
    return SpanQuery(start_ms=start_ms, end_ms=end_ms)


Span = Annotated[SpanQuery, Depends(_span_of)]


class _Compare(BaseModel):
    """Two periods of one camera, of one result or two."""

    model_config = ConfigDict(extra="forbid")

    before_result: Annotated[str, StringConstraints(pattern=_RESULT)]
    after_result: Annotated[str, StringConstraints(pattern=_RESULT)]
    camera_id: Annotated[str, StringConstraints(pattern=_CAMERA)]
    before_start_ms: Instant
    before_end_ms: Instant
    after_start_ms: Instant
    after_end_ms: Instant
    language: Language = "en"

    @model_validator(mode="after")
    def _ordered(self) -> "_Compare":
        if self.before_start_ms >= self.before_end_ms or self.after_start_ms >= self.after_end_ms:
            raise ValueError("a period ends after it starts; give an end_ms above its start_ms")
        return self


CompareQuery = Annotated[_Compare, Query()]


class _Queue(BaseModel):
    """Which events of the queue."""

    model_config = ConfigDict(extra="forbid")

    result_id: Annotated[str, StringConstraints(pattern=_RESULT)] | None = None
    camera_id: Annotated[str, StringConstraints(pattern=_CAMERA)] | None = None
    state: Literal["open", "accepted", "rejected", "escalated", "all"] = "open"
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z0-9 _-]{1,60}$")] | None = None
    severity_min: Annotated[int, Field(ge=0, le=4)] = 0
    start_ms: Instant | None = None
    end_ms: Instant | None = None
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


QueueQuery = Annotated[_Queue, Query()]


class _Audit(BaseModel):
    """Which entries of the audit log."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[str, StringConstraints(max_length=40)] | None = None
    action: Annotated[str, StringConstraints(max_length=60)] | None = None
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


AuditQuery = Annotated[_Audit, Query()]
