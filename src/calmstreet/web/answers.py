"""What the desk says and takes: sessions, results, sites of a node. Times are whole UTC ms.

Ids of tracks are text: they need more digits than a browser's numbers have. A number that is
not known is null. Speeds are km/h here and only here.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "Answer",
    "Ask",
    "CameraCard",
    "ChangePassword",
    "Language",
    "Me",
    "Named",
    "NodeFacts",
    "Note",
    "Password",
    "PictureSize",
    "ResultCard",
    "ResultDetail",
    "RightName",
    "RoleName",
    "RunRow",
    "SignIn",
    "TimeKnown",
    "UserName",
]

RoleName = Literal["viewer", "analyst", "reviewer", "administrator"]
RightName = Literal["look", "export", "draw", "judge", "administer"]
Language = Literal["en", "ru", "kk", "uz"]
TimeKnown = Literal["given", "name", "assumed", "unknown"]
UserName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$"), Field(examples=["aliya"])
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
PictureSize = tuple[int, int]


class Answer(BaseModel):
    """What is said to the browser; NaN and infinity become null."""

    model_config = ConfigDict(ser_json_inf_nan="null")

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Return an answer of values whose words are checked when it is made."""
        return cls(**values)


class Ask(BaseModel):
    """What the browser asks; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Ask):
    """Name and password."""

    name: UserName
    password: Password


class ChangePassword(Ask):
    """The old password and a new one of at least 12 characters."""

    old: Password
    new: Annotated[str, StringConstraints(min_length=12, max_length=256)]


class Me(Answer):
    """Who is signed in and what they may do; ``cameras`` null means all of them."""

    name: str
    role: RoleName
    rights: list[RightName]
    cameras: list[str] | None
    must_change_password: bool
    expires_ms: int


class NodeFacts(Answer):
    """What the pages need to know about this installation.

    ``tiles_url`` is where tiles of the map are, "" for none; ``tiles_layers`` are their layers
    where they hold vectors, empty where they are pictures.
    """

    version: str
    languages: list[Language]
    language: Language
    tiles_url: str
    tiles_layers: list[str]
    upload_limit_bytes: int
    upload_suffixes: list[str]
    reject_reasons: list[str]
    now_ms: int


class Named(Answer):
    """Something with an id and a name for people."""

    id: str
    name: str


class CameraCard(Answer):
    """One camera of a result; ``picture_id`` is a medium, the empty street, or null."""

    camera_id: str
    name: str
    start_ms: int | None
    end_ms: int | None
    watched_s: float
    size_px: PictureSize | None
    has_plane: bool
    lonlat_deg: tuple[float, float] | None
    gates: int
    zones: int
    movements: int
    events: int
    open_events: int
    picture_id: str | None


class ResultCard(Answer):
    """One result folder as far as the asker may see it."""

    result_id: str
    name: str
    site_id: str
    site_name: str
    site_version: str
    tz: str
    time_known: TimeKnown
    state: Literal["empty", "partial", "complete"]
    start_ms: int | None
    end_ms: int | None
    cameras: list[CameraCard]


class RunRow(Answer):
    """One unbroken watch of one camera."""

    run_id: int
    camera_id: str
    site_version: str
    source: str
    start_ms: int
    end_ms: int
    state: str
    time_known: TimeKnown
    size_px: PictureSize
    delivered_fps: float | None
    analysed_frames: int
    detector: str
    counted: bool
    note: str


class Note(Answer):
    """One warning: ``code`` for translation, ``text`` in English, ``args`` for the sentence."""

    code: str
    text: str
    args: dict[str, float | str]


class ResultDetail(ResultCard):
    """A result with its runs and what a person should know about them."""

    runs: list[RunRow]
    warnings: list[Note]
