"""What the desk says about a junction: counts, turns, speeds, queues, headways, conflicts."""

from typing import Literal

from calmstreet.web.answers import Answer, Note, PictureSize, TimeKnown

__all__ = [
    "ComparedRow",
    "Comparison",
    "ConflictCell",
    "ConflictPage",
    "ConflictSums",
    "CountSeries",
    "CountsPage",
    "DayRate",
    "DayRow",
    "Direction",
    "EndPlace",
    "Feature",
    "FeatureCollection",
    "Geometry",
    "HeadwayGroup",
    "HeadwayPage",
    "JunctionPage",
    "MapPage",
    "MovementCell",
    "MovementRow",
    "Period",
    "PlaceShape",
    "QueuePage",
    "QueueSeries",
    "SpeedGroup",
    "SpeedPage",
    "TurningPage",
]

Direction = Literal["to_left", "to_right", ""]


class Period(Answer):
    """From (included) until (excluded), in the time zone of the place."""

    start_ms: int
    end_ms: int
    tz: str
    time_known: TimeKnown


class PlaceShape(Answer):
    """A gate or zone: picture pixels, metres of the site frame, degrees, as far as known."""

    id: str
    name: str
    camera_id: str
    what: Literal["gate", "zone"]
    kind: str
    points_px: list[tuple[float, float]]
    points_m: list[tuple[float, float]]
    points_lonlat: list[tuple[float, float]]
    speed_limit_kmh: float | None


class MovementRow(Answer):
    """A movement as the site names it."""

    movement_id: str
    from_id: str
    to_id: str
    turn: str
    forbidden: bool


class DayRow(Answer):
    """One local day: how long it was watched and how many were counted."""

    day: str
    start_ms: int
    watched_s: float
    count: float | None


class JunctionPage(Answer):
    """What there is to show of one camera."""

    result_id: str
    camera_id: str
    site_version: str
    period: Period
    watched_s: float
    size_px: PictureSize | None
    picture_id: str | None
    plane: Literal["none", "sketch", "trusted"]
    kinds: list[str]
    not_observed: list[str]
    gates: list[PlaceShape]
    zones: list[PlaceShape]
    movements: list[MovementRow]
    days: list[DayRow]
    measures: list[Literal["counts", "turns", "speeds", "queues", "headways", "conflicts"]]
    warnings: list[Note]


class CountSeries(Answer):
    """Counts of one kind over the slices of a page; null where nobody watched."""

    what: str
    place_id: str
    direction: Direction
    from_id: str
    to_id: str
    kind: str
    total: float | None
    counts: list[float | None]


class CountsPage(Answer):
    """Counts by class and slice of time.

    ``starts_ms`` has every slice of the period that was watched at all and those between them;
    ``exposure_s`` and ``flags`` belong to the slices: of each what the least watched series has.
    ``exposures_s`` holds exposure by ``what`` where it differs from that.
    """

    period: Period
    width_s: float
    starts_ms: list[int]
    exposure_s: list[float]
    flags: list[list[str]]
    series: list[CountSeries]
    exposures_s: dict[str, list[float]]
    kinds: list[str]
    not_observed: list[str]
    peak_start_ms: int | None
    peak_count: float | None
    peak_hour_factor: float | None


class EndPlace(Answer):
    """Where movements begin or end; ``angle_deg`` clockwise from up around the diagram."""

    id: str
    name: str
    angle_deg: float


class MovementCell(Answer):
    """How many made one movement; ``low`` and ``high`` a 95 % interval of the hourly rate."""

    movement_id: str
    from_id: str
    to_id: str
    turn: str
    forbidden: bool
    total: int
    by_kind: dict[str, int]
    per_hour: float | None
    per_hour_low: float | None
    per_hour_high: float | None


class TurningPage(Answer):
    """The turning-movement diagram; ``unknown`` road users fit no movement."""

    period: Period
    exposure_s: float
    ends: list[EndPlace]
    movements: list[MovementCell]
    unknown: int
    unknown_by_kind: dict[str, int]
    metric: bool


class SpeedGroup(Answer):
    """Speeds at one gate in one direction of one kind ("total" for all).

    ``counts`` are by the page's edges. ``v85`` and its 95 % interval allow for sampling and for
    the error of each speed and of the scale. ``withheld`` says why speeds were not published.
    """

    place_id: str
    direction: Direction
    kind: str
    n: int
    counts: list[int]
    mean_kmh: float | None
    v50_kmh: float | None
    v85_kmh: float | None
    v85_low_kmh: float | None
    v85_high_kmh: float | None
    sigma_kmh: float | None
    limit_kmh: float | None
    over_limit_share: float | None
    over_limit_low_share: float | None
    over_limit_high_share: float | None
    withheld: dict[str, int]


class SpeedPage(Answer):
    """Speed distributions; ``reason`` is a code saying why there are none."""

    period: Period
    available: bool
    reason: str
    edges_kmh: list[float]
    groups: list[SpeedGroup]


class QueueSeries(Answer):
    """Mean occupancy of one gate or queue of one zone over the slices; null: not watched."""

    what: str
    place_id: str
    unit: Literal["vehicles", "share"]
    values: list[float | None]


class QueuePage(Answer):
    """Queues and how long gates were covered."""

    period: Period
    width_s: float
    starts_ms: list[int]
    exposure_s: list[float]
    series: list[QueueSeries]


class HeadwayGroup(Answer):
    """Headways (front to front) at a gate in a direction, by the page's edges in seconds."""

    place_id: str
    direction: Direction
    n: int
    counts: list[int]
    median_s: float | None
    mean_s: float | None
    below_2s_share: float | None
    gap_median_s: float | None


class HeadwayPage(Answer):
    """Headways and gaps."""

    period: Period
    edges_s: list[float]
    groups: list[HeadwayGroup]


class ConflictCell(Answer):
    """What happened of one kind and level in one movement and one local hour of the day."""

    movement_id: str
    hour: int
    kind: str
    level: int
    n: int


class DayRate(Answer):
    """A rate with its 95 % interval over whole days, null with fewer than three of them.

    ``enough`` says whether the interval is narrow enough to compare; ``more_days`` how many more
    that takes, null where it cannot be told.
    """

    rate: float | None
    low: float | None
    high: float | None
    days: int
    enough: bool
    more_days: int | None


class ConflictSums(Answer):
    """Conflicts of every level, without those that were rejected.

    ``why_not`` is a code saying why nobody looked for them, "" where somebody did. Exposure is
    the time watched with a plane that carries speeds; ``pairs`` are interacting road users.
    ``by_level`` has "1" to "4", ``by_type`` the types that occurred.
    """

    why_not: str
    exposure_s: float
    hours_exposure_s: list[float]
    pairs: int
    total: int
    by_level: dict[str, int]
    by_type: dict[str, int]
    per_hour: DayRate
    per_1000_pairs: DayRate


class ConflictPage(Answer):
    """Conflicts of every level and other events by movement and hour.

    ``exposure_s`` and ``hours_exposure_s`` are the seconds watched at all, in each local hour.
    ``per_hour`` is the rate of all cells together; that of conflicts is in ``conflicts``.
    """

    period: Period
    available: bool
    reason: str
    exposure_s: float
    hours_exposure_s: list[float]
    cells: list[ConflictCell]
    by_kind: dict[str, int]
    per_hour: float | None
    per_hour_low: float | None
    per_hour_high: float | None
    conflicts: ConflictSums


class ComparedRow(Answer):
    """One measure before and after over the matched hours; the ratio with its 95 % interval."""

    what: str
    place_id: str
    direction: Direction
    from_id: str
    to_id: str
    kind: str
    unit: str
    before: float | None
    after: float | None
    before_exposure_s: float
    after_exposure_s: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    verdict: Literal["more", "fewer", "no difference shown", "not comparable"]


class Comparison(Answer):
    """Two periods over the weekday-hours watched in both, and only those.

    ``warning_code`` names the sentence about regression to the mean, ``warning`` is that sentence
    in the asked language; ``reason`` says why nothing could be compared.
    """

    before: Period
    after: Period
    matched_hours: int
    matched: list[tuple[int, int]]
    before_exposure_s: float
    after_exposure_s: float
    rows: list[ComparedRow]
    warning_code: str
    warning: str
    reason: str


class Geometry(Answer):
    """A GeoJSON geometry."""

    type: Literal["Point", "LineString", "Polygon"]
    coordinates: list[float] | list[list[float]] | list[list[list[float]]]


class Feature(Answer):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: Geometry
    properties: dict[str, str | float | int | bool | None]


class FeatureCollection(Answer):
    """A GeoJSON feature collection."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class MapPage(Answer):
    """Layers of the map.

    ``frame`` says what coordinates are: degrees (lon, lat), metres (east, north), or picture
    pixels with y counted downwards as negative numbers, so that north is up in all of them.
    """

    frame: Literal["lonlat", "metres", "pixels"]
    bounds: tuple[float, float, float, float] | None
    size_px: PictureSize | None
    picture_id: str | None
    cameras: FeatureCollection
    gates: FeatureCollection
    zones: FeatureCollection
    flows: FeatureCollection
    events: FeatureCollection
