"""What the desk says and takes when a camera is calibrated and a site is drawn."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from calmstreet.web.answers import Answer, Ask
from calmstreet.web.answers_junction import PlaceShape

__all__ = [
    "CalibrationReport",
    "CheckedLength",
    "CheckedPoint",
    "Confirm",
    "Draft",
    "DraftRow",
    "Fault",
    "GridLine",
    "KnownLength",
    "Picks",
    "SiteCheck",
    "SitePage",
    "SiteVersion",
    "SiteWish",
]

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Pair = tuple[Number, Number]
Pixels = Annotated[int, Field(ge=16, le=16384)]


class KnownLength(Ask):
    """A length measured on the ground between two places of the picture."""

    a_px: Pair
    b_px: Pair
    length_m: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
    sigma_m: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = None


class Picks(Ask):
    """Places picked on the picture with their place on the ground, in metres or degrees."""

    width_px: Pixels
    height_px: Pixels
    points_px: Annotated[list[Pair], Field(max_length=200)]
    points_m: Annotated[list[Pair], Field(max_length=200)] | None = None
    points_lonlat: Annotated[list[Pair], Field(max_length=200)] | None = None
    check_lengths: Annotated[list[KnownLength], Field(max_length=50)] = Field(default_factory=list)
    k1: Annotated[float, Field(ge=-1, le=1)] = 0.0
    focal_px: Annotated[float, Field(gt=0, le=1e6)] | None = None
    sigma_m: Annotated[float, Field(gt=0, le=100)] | None = None


class CheckedPoint(Answer):
    """One picked point: how far the plane puts it from where it was measured."""

    x_px: float
    y_px: float
    east_m: float | None
    north_m: float | None
    residual_m: float | None
    residual_px: float | None
    left_out_m: float | None
    used: bool


class CheckedLength(Answer):
    """One known length and what the plane makes of it when it is left out."""

    measured_m: float
    predicted_m: float | None
    sigma_m: float | None
    off_share: float | None
    agrees: bool


class GridLine(Answer):
    """One line of the metric grid on the picture; ``axis`` is what stays the same along it."""

    axis: Literal["east", "north"]
    at_m: float
    points_px: list[tuple[float, float]]


class CalibrationReport(Answer):
    """The plane and how good it is. ``refused`` says in one sentence why there is none.

    ``refused_said`` and ``reasons_said`` are the same by language; English is always there.
    """

    state: Literal["refused", "sketch", "trusted"]
    refused: str
    refused_said: dict[str, str]
    reasons: list[str]
    reasons_said: list[dict[str, str]]
    points: list[CheckedPoint]
    check_lengths: list[CheckedLength]
    grid: list[GridLine]
    grid_step_m: float | None
    hull_px: list[tuple[float, float]]
    scale_median_share: float | None
    scale_worst_share: float | None
    camera_height_m: float | None
    camera_height_sigma_m: float | None
    focal_px: float | None
    focal_sigma_px: float | None
    suggested_k1: float | None
    point_to_add_px: tuple[float, float] | None
    origin_lonlat: tuple[float, float] | None
    plane_table: dict[str, Any] | None


class Fault(Answer):
    """One thing that is impossible, where, and its cure; a warning does not stop anything.

    ``said`` is the sentence by language; English, ``sentence``, is always there.
    """

    where: str
    sentence: str
    said: dict[str, str]
    severity: Literal["fault", "warning"]


class SiteWish(Ask):
    """A whole site, as the tables of SITE.toml (``document``) or as its text (``toml``)."""

    document: dict[str, Any] | None = None
    toml: Annotated[str, StringConstraints(max_length=500_000)] | None = None
    note: Annotated[str, StringConstraints(max_length=500)] = ""
    based_on: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class SiteCheck(Answer):
    """What speaks against a site; it can be proposed when no fault is left.

    ``from_metres`` are the gates and zones that are given in metres, where the plane puts them.
    """

    possible: bool
    faults: list[Fault]
    site_version: str | None
    toml: str
    from_metres: list[PlaceShape]


class SiteVersion(Answer):
    """One version of a site that was used or proposed here."""

    site_version: str
    saved_ms: int
    used: bool
    confirmed_by: str
    note: str


class SitePage(Answer):
    """The site of a result: tables as in SITE.toml, its text, and its versions."""

    result_id: str
    site_version: str
    current: bool
    document: dict[str, Any]
    toml: str
    versions: list[SiteVersion]


class DraftRow(Answer):
    """One proposed site."""

    draft_id: int
    result_id: str
    site_version: str
    based_on: str
    state: Literal["proposed", "confirmed", "withdrawn"]
    note: str
    by: str
    t_ms: int
    decided_by: str
    decided_ms: int | None


class Draft(DraftRow):
    """A proposed site with what it changes, as lines of a unified diff."""

    document: dict[str, Any]
    toml: str
    diff: list[str]
    warnings: list[Fault]


class Confirm(Ask):
    """Confirms a draft; ``rerun`` asks for the stored points to be counted under it."""

    rerun: bool = False
