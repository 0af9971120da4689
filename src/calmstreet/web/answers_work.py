"""What the desk says and takes about uploads, jobs, users, storage and the audit log."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from calmstreet.web.answers import Answer, Ask, Language, RoleName, UserName

__all__ = [
    "AnalyseWish",
    "AuditPage",
    "AuditRow",
    "ChainCheck",
    "ChangeUser",
    "Health",
    "JobRow",
    "NewUser",
    "OneTimePassword",
    "ResultStorage",
    "SessionRow",
    "StoragePage",
    "UploadRow",
    "UserRow",
]

CameraId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
UploadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class UploadRow(Answer):
    """One uploaded clip that waits to be analysed, or was."""

    upload_id: str
    name: str
    size_bytes: int
    sha256: str
    by: str
    t_ms: int


class AnalyseWish(Ask):
    """Asks for clips of one camera to be analysed.

    ``result_id`` adds them to a result and uses its site; without it a new result is made,
    counted under ``draft_id`` when given. ``start`` is ISO 8601, in the time zone of the site.
    """

    upload_ids: Annotated[list[UploadId], Field(min_length=1, max_length=50)]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] | None = None
    result_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")] | None = None
    camera_id: CameraId | None = None
    start: Annotated[str, StringConstraints(max_length=40)] | None = None
    language: Language = "en"


class JobRow(Answer):
    """One job: asked for, running with a share done, done with a result, or failed with why."""

    job_id: int
    kind: Literal["analyse", "recount"]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    asked_ms: int
    asked_by: str
    started_ms: int | None
    ended_ms: int | None
    doing: str
    share: float
    result_id: str | None
    uploads: list[str]
    failure: str


class NewUser(Ask):
    """A new account; ``cameras`` null opens all of them."""

    name: UserName
    role: RoleName
    cameras: Annotated[list[CameraId], Field(max_length=1000)] | None = None


class ChangeUser(Ask):
    """What changes; absent keys stay. Give ``all_cameras`` to open all of them."""

    role: RoleName | None = None
    cameras: Annotated[list[CameraId], Field(max_length=1000)] | None = None
    all_cameras: bool = False
    disabled: bool | None = None


class UserRow(Answer):
    """One account."""

    user_id: int
    name: str
    role: RoleName
    cameras: list[str] | None
    created_ms: int
    disabled: bool
    must_change_password: bool
    sessions: int


class OneTimePassword(Answer):
    """A password that is shown once and must be changed at the first sign-in."""

    user: UserRow
    password: str


class SessionRow(Answer):
    """One open session."""

    session_id: int
    user_name: str
    role: RoleName
    created_ms: int
    seen_ms: int
    expires_ms: int
    address: str
    agent: str
    mine: bool


class ResultStorage(Answer):
    """What one result takes on the disk, by part."""

    result_id: str
    name: str
    size_bytes: int
    parts: dict[str, int]
    start_ms: int | None
    end_ms: int | None


class StoragePage(Answer):
    """Disk use of the node."""

    total_bytes: int
    free_bytes: int
    results: list[ResultStorage]
    uploads_bytes: int
    desk_bytes: int


class AuditRow(Answer):
    """One entry of the audit log."""

    audit_id: int
    t_ms: int
    actor: str
    action: str
    detail: dict[str, Any]
    sha256: str


class AuditPage(Answer):
    """Part of the audit log, newest first."""

    total: int
    offset: int
    rows: list[AuditRow]


class ChainCheck(Answer):
    """Whether every entry follows from the one before; ``broken_at`` is the first that does not."""

    whole: bool
    entries: int
    broken_at: int | None
    last_sha256: str


class Health(Answer):
    """Alive; nothing that helps a stranger."""

    ok: bool
