"""Camera-hours of generated tracks in which nobody breaks a rule: what cries wolf shows here.

A signalled junction with queues (Intelligent Driver Model, Treiber, Hennecke and Helbing 2000),
a zebra at which drivers stop, buses at a stop, pedestrians on a signalled crossing, and two side
streets: parking with reversing into a gap, and roadworks that lead over the solid line. Rows carry
the errors of a camera: places that tremble and wander, noisy speeds and headings, missing rows,
tracks that break into two, kinds mistaken. Many hours are driven side by side as arrays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.config.site import parse_site
from calmstreet.model.kinds import LENGTH_M, WIDTH_M, Flag, Kind, SizeSource
from calmstreet.model.points import TrackPoints, make_points, track_id_of
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Site

Array = NDArray[np.float64]
S = 1_000_000_000
FPS = 5.0
CYCLE_S = 80.0
GREENS = {"ew": (0.0, 36.0), "ns": (42.0, 74.0), "ped": (44.0, 62.0)}
AMBER_S = 4.0
FAR_M = 200.0
SITE = """
[site]
id = "days"
speed_limit_kmh = 60
"""
FASTEST_MPS = 16.0
"""Nobody wants to drive faster than this at a gate: less than the limit of 60 km/h."""


_BENT_BELOW_M = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the place lies on the ground, and how bad its camera is.

    The street bends to the right with ``radius_m`` (the far side streets stay straight), is turned
    by ``turned_rad`` and ``mirrored`` (traffic on the left). Places wander by ``sigma_m``; shares
    of tracks that break in two (``broken``) and of kinds mistaken (``mistaken``).
    """

    radius_m: float = np.inf
    turned_rad: float = 0.0
    mirrored: bool = False
    sigma_m: float = 0.15
    broken: float = 0.03
    mistaken: float = 0.02

    @property
    def is_plain(self) -> bool:
        """Return whether places stay where they are."""
        return np.isinf(self.radius_m) and not self.turned_rad and not self.mirrored

    def laid(self, xy: Array) -> Array:
        """Return where places (n, 2) of the straight street lie."""
        about, off = xy[:, 0] / self.radius_m, self.radius_m + xy[:, 1]
        if np.isfinite(self.radius_m):
            bent = np.column_stack([off * np.sin(about), off * np.cos(about) - self.radius_m])
            xy = np.where(xy[:, 1:] < _BENT_BELOW_M, bent, xy)
        if self.mirrored:
            xy = xy * np.array([1.0, -1.0])
        cos, sin = np.cos(self.turned_rad), np.sin(self.turned_rad)
        return np.asarray(xy @ np.array([[cos, sin], [-sin, cos]]))

    def course(self, xy: Array, course_rad: Array) -> Array:
        """Return courses (n,) at places (n, 2) of the straight street as they lie."""
        bent = course_rad - np.where(xy[:, 1] < _BENT_BELOW_M, xy[:, 0] / self.radius_m, 0.0)
        return np.asarray((-bent if self.mirrored else bent) + self.turned_rad)


PLAIN = Shape()
SHAPES = {
    "straight": PLAIN,
    "bent": Shape(radius_m=420.0, turned_rad=0.7, sigma_m=0.2, broken=0.05, mistaken=0.03),
    "left-hand": Shape(mirrored=True, turned_rad=2.3, sigma_m=0.2, broken=0.05, mistaken=0.03),
}


def _zone(
    shape: Shape, name: str, kind: str, box: tuple[float, float, float, float], more: str = ""
) -> str:
    l, b, r, t = box  # noqa: E741
    if more.startswith("direction_deg"):
        middle = np.array([[(l + r) / 2, (b + t) / 2]])
        given = np.radians(90.0 - float(more.split("=")[1]))
        lies = shape.course(middle, np.array([given]))[0]
        more = f"direction_deg = {(90.0 - np.degrees(lies)) % 360:.3f}"
    pieces = 1 if np.isinf(shape.radius_m) else max(1, round((r - l) / 8))
    x = np.linspace(l, r, pieces + 1)
    corners = np.concatenate(
        [np.column_stack([x, x * 0 + b]), np.column_stack([x, x * 0 + t])[::-1]]
    )
    return (
        f'[[zone]]\nid = "{name}"\nkind = "{kind}"\n{more}\n'
        f"polygon_m = {shape.laid(corners).round(3).tolist()}\n"
    )


def _gate(shape: Shape, name: str, points: list[list[float]], signal: str, side: str) -> str:
    ends = shape.laid(np.array(points, np.float64)).round(3).tolist()
    if shape.mirrored:
        side = {"to_left": "to_right", "to_right": "to_left"}[side]
    return (
        f'[[gate]]\nid = "{name}"\npoints_m = {ends}\nsignal = "{signal}"\ndirection = "{side}"\n'
    )


def the_site(shape: Shape = PLAIN) -> Site:
    """Return the place with most kinds of zones and gates."""
    return parse_site(site_text(shape))


def site_text(shape: Shape = PLAIN) -> str:
    """Return the place as the text of its SITE.toml."""
    text = SITE
    text += _gate(shape, "west", [[0, -6.4], [0, 0]], "ew", "to_right")
    text += _gate(shape, "east", [[18, 0], [18, 6.4]], "ew", "to_left")
    text += _gate(shape, "south", [[9, -10], [12.2, -10]], "ns", "to_left")
    text += _gate(shape, "north", [[5.8, 10], [9, 10]], "ns", "to_right")
    text += _zone(shape, "box", "junction", (4, -6.4, 16, 6.4))
    text += _zone(shape, "eb", "lane", (-FAR_M, -6.4, -2, 0), "direction_deg = 90")
    text += _zone(shape, "wb", "lane", (18, 0, FAR_M, 6.4), "direction_deg = 270")
    text += _zone(shape, "sb", "lane", (5.8, 10, 9, 150), "direction_deg = 180")
    text += _zone(shape, "nb", "approach", (9, -150, 12.2, -10), "direction_deg = 0")
    text += _zone(shape, "zebra", "crossing", (-121, -6.4, -117, 0), 'control = "zebra"')
    text += _zone(
        shape, "walk", "crossing", (0.5, -6.4, 3.5, 6.4), 'control = "signal"\nsignal = "ped"'
    )
    text += _zone(shape, "halt", "bus-stop", (-75, -6.4, -50, -3.2))
    text += _zone(shape, "never", "no-stopping", (-180, -6.4, -125, 0))
    text += _zone(shape, "side", "lane", (-200, -33, 0, -30), "direction_deg = 90")
    text += _zone(shape, "works-e", "lane", (-200, 460, 100, 463), "direction_deg = 90")
    text += _zone(shape, "works-w", "lane", (-200, 463, 100, 466), "direction_deg = 270")
    text += _zone(shape, "line", "solid-line", (-200, 462.9, 100, 463.1))
    text += _zone(shape, "works", "roadworks", (-90, 459, 30, 467))
    text += _zone(shape, "fast", "motorway", (-200, 500, 100, 507))
    text += _zone(shape, "buses", "bus-lane", (-200, 520, 100, 523.5))
    for name, a, b in (("u", "eb", "eb"), ("back", "eb", "nb")):
        text += f'[[movement]]\nid = "{name}"\nfrom = "{a}"\nto = "{b}"\nforbidden = true\n'
        text += 'turn = "u"\n' if a == b else ""
    return text


def the_signals(hours: float) -> SignalChanges:
    """Return all changes of a number of hours."""
    rows = []
    for begin_s in np.arange(0.0, hours * 3600, CYCLE_S).tolist():
        for head, (green, end) in GREENS.items():
            rows += [(begin_s, head, SignalState.RED)] if green else []
            rows += [
                (begin_s + green, head, SignalState.GREEN),
                (begin_s + end, head, SignalState.AMBER),
                (begin_s + end + AMBER_S, head, SignalState.RED),
            ]
    rows.sort(key=lambda row: row[0])
    t_s, heads, states = zip(*rows, strict=True)
    return SignalChanges(
        t_ns=np.rint(np.array(t_s) * S).astype(np.int64),
        signal_id=np.array(heads, np.str_),
        state=np.array(states, np.uint8),
        confidence=np.ones(len(rows), np.float32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane: where its line lies along it (0), how it lies on the ground, who governs it."""

    start: tuple[float, float]
    way: tuple[float, float]
    head: str
    per_hour: float
    zebra: bool = False
    buses: bool = False


LANES = (
    Lane(start=(0, -1.6), way=(1, 0), head="ew", per_hour=330, zebra=True),
    Lane(start=(0, -4.8), way=(1, 0), head="ew", per_hour=300, zebra=True, buses=True),
    Lane(start=(18, 1.6), way=(-1, 0), head="ew", per_hour=360),
    Lane(start=(18, 4.8), way=(-1, 0), head="ew", per_hour=260),
    Lane(start=(10.6, -10), way=(0, 1), head="ns", per_hour=380),
    Lane(start=(7.4, 10), way=(0, -1), head="ns", per_hour=300),
)


class Driven:
    """Vehicles of all lanes of ``hours`` independent hours, driven side by side."""

    def __init__(
        self, hours: int, dice: np.random.Generator, lasts_s: float, fps: float = FPS
    ) -> None:
        self.rows = hours * len(LANES)
        self.lasts_s, self.fps = lasts_s, fps
        most = int(max(lane.per_hour for lane in LANES) * lasts_s / 3600 * 1.4) + 12
        mean_s = np.array([3600 / lane.per_hour for lane in LANES] * hours)[:, None]
        gaps = dice.exponential(mean_s - 1.8, (self.rows, most)) + 1.8
        self.enter_s = np.cumsum(gaps, axis=1)
        kinds = np.array([Kind.CAR, Kind.MOTORCYCLE, Kind.TRUCK, Kind.VAN], np.uint8)
        self.kind = dice.choice(kinds, (self.rows, most), p=[0.84, 0.05, 0.06, 0.05])
        buses = np.array([lane.buses for lane in LANES] * hours)[:, None]
        self.kind[buses & (dice.random((self.rows, most)) < 0.05)] = Kind.BUS
        self.long = np.array(LENGTH_M)[self.kind]
        self.want = np.clip(dice.normal(13.0, 1.4, (self.rows, most)), 9, FASTEST_MPS)
        self.dwell_s = dice.uniform(12, 35, (self.rows, most))
        self.claims = self._zebra(hours, dice)

    def _zebra(self, hours: int, dice: np.random.Generator) -> list[Array]:
        """Return when pedestrians step on the zebra in each hour."""
        return [
            np.cumsum(dice.exponential(60.0, int(self.lasts_s / 60) + 3) + 16.0)
            for _ in range(hours)
        ]

    def drive(self) -> dict[str, NDArray[np.generic]]:
        """Drive; return rows: step, lane row, vehicle, place along the lane, speed."""
        n_steps = int(self.lasts_s * self.fps)
        s = np.full(self.enter_s.shape, -FAR_M)
        v = self.want.copy()
        served = np.full(self.enter_s.shape, np.nan)
        committed = np.zeros(self.enter_s.shape, bool)
        through = np.zeros(self.enter_s.shape, bool)
        found: list[tuple[NDArray[np.int64], ...]] = []
        speeds: list[tuple[Array, Array]] = []
        shut_before = np.zeros(self.rows, bool)
        for step in range(n_steps):
            t_s = step / self.fps
            on = (self.enter_s <= t_s) & (s < 120.0)
            lane, car = np.nonzero(on)
            found.append((np.full(len(lane), step), lane, car))
            speeds.append((s[lane, car], v[lane, car]))
            red, fresh = self._lights(t_s)
            committed &= red[:, None]
            committed |= fresh[:, None] & (-s < v * v / 6.0 + 0.9 * v)
            shut = self._shut(t_s)
            through &= shut[:, None]
            newly = (shut & ~shut_before)[:, None]
            through |= newly & (-122.0 - s < v * v / 6.0 + 1.0 * v)
            shut_before = shut
            gap, closing = self._ahead(s, v, on)
            for stop, held in (
                (0.0, red[:, None] & ~committed),
                (-122.0, shut[:, None] & ~through),
                (-60.0, (self.kind == Kind.BUS) & ~(t_s >= served)),
            ):
                room = stop - s
                wall = held & (room > -0.3) & (room - 1.2 < gap)
                gap = np.where(wall, np.maximum(room - 1.2, 0.05), gap)
                closing = np.where(wall, v, closing)
            waits = (self.kind == Kind.BUS) & (np.abs(s + 60.0) < 4.0) & (v < 0.3)
            served = np.where(waits & np.isnan(served), t_s + self.dwell_s, served)
            s, v = self._step(s, v, gap, closing, on)
        step_, lane_, car_ = (np.concatenate(column) for column in zip(*found, strict=True))
        place, speed = (np.concatenate(column) for column in zip(*speeds, strict=True))
        return {"step": step_, "lane": lane_, "car": car_, "s": place, "v": speed}

    def _lights(self, t_s: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows must not pass, and which see amber begin now."""
        phase = t_s % CYCLE_S
        must, fresh = [], []
        for lane in LANES:
            green, end = GREENS[lane.head]
            must.append(not green <= phase < end)
            fresh.append(end <= phase < end + 1 / self.fps)
        hours = self.rows // len(LANES)
        return np.array(must * hours), np.array(fresh * hours)

    def _shut(self, t_s: float) -> NDArray[np.bool_]:
        """Return in which rows somebody is at the zebra (drivers see them three seconds before)."""
        shut = np.zeros(self.rows, bool)
        for hour, claims in enumerate(self.claims):
            if ((claims - 3.0 <= t_s) & (t_s < claims + 6.6)).any():
                for number, lane in enumerate(LANES):
                    shut[hour * len(LANES) + number] = lane.zebra
        return shut

    def _ahead(self, s: Array, v: Array, on: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Return gap to and speed over the vehicle ahead (the one that entered before)."""
        gap = np.full(s.shape, 500.0)
        closing = np.zeros(s.shape)
        led = on[:, 1:] & on[:, :-1]
        gap[:, 1:] = np.where(led, s[:, :-1] - self.long[:, :-1] - s[:, 1:], 500.0)
        closing[:, 1:] = np.where(led, v[:, 1:] - v[:, :-1], 0.0)
        return gap, closing

    def _step(
        self, s: Array, v: Array, gap: Array, closing: Array, on: NDArray[np.bool_]
    ) -> tuple[Array, Array]:
        wish = 2.0 + np.maximum(0.0, v * 1.2 + v * closing / (2 * np.sqrt(1.5 * 2.2)))
        a = 1.5 * (1 - (v / self.want) ** 4 - (wish / np.maximum(gap, 0.1)) ** 2)
        a = np.clip(a, -7.0, 1.5)
        new = np.maximum(v + a / self.fps, 0.0)
        moved = np.where(on, s + (v + new) / 2 / self.fps, s)
        return moved, np.where(on, new, v)


def camera_hours(
    hours: int, *, seed: int, lasts_s: float = 3600.0, fps: float = FPS, shape: Shape = PLAIN
) -> Iterator[TrackPoints]:
    """Yield the rows of ``hours`` hours as a camera and tracker would give them."""
    dice = np.random.default_rng(seed)
    driven = Driven(hours, dice, lasts_s, fps)
    rows = driven.drive()
    for hour in range(hours):
        mine = rows["lane"] // len(LANES) == hour
        lane = (rows["lane"][mine] % len(LANES)).astype(int)
        car = rows["car"][mine]
        start = np.array([ln.start for ln in LANES])[lane]
        way = np.array([ln.way for ln in LANES], float)[lane]
        kind = driven.kind[rows["lane"][mine].astype(int), car.astype(int)]
        long = np.array(LENGTH_M)[kind]
        front = start + way * rows["s"][mine][:, None]
        parts = [
            _Rows(
                step=rows["step"][mine].astype(np.int64),
                serial=1 + lane * 1000 + car.astype(np.int64),
                kind=kind,
                xy=front - way * long[:, None] / 2,
                v=way * rows["v"][mine][:, None],
                heading=np.arctan2(way[:, 1], way[:, 0]),
            ),
            *_walkers(driven.claims[hour], lasts_s, dice, fps),
            *_side_streets(lasts_s, dice, fps),
        ]
        yield _as_seen(parts, dice, fps, shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    step: NDArray[np.int64]
    serial: NDArray[np.int64]
    kind: NDArray[np.uint8]
    xy: Array
    v: Array
    heading: Array
    parked: bool = False


def _way(
    via: list[tuple[float, float, float]],
    kind: Kind,
    serial: int,
    *,
    backs: bool = False,
    fps: float = FPS,
) -> _Rows:
    """Return one user through timed places; ``backs``: it moves backwards on the second leg."""
    times, x, y = np.array(via).T
    step = np.arange(int(np.ceil(times[0] * fps)), int(times[-1] * fps) + 1)
    at = step / fps
    leg = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    v = np.stack([np.diff(x)[leg], np.diff(y)[leg]], axis=1) / np.diff(times)[leg][:, None]
    course = np.arctan2(v[:, 1], v[:, 0])
    still = np.abs(v).sum(axis=1) < 1e-9
    course[still] = 0.0 if not (~still).any() else course[~still][0]
    if backs:
        course = np.zeros(len(at))
    return _Rows(
        step=step,
        serial=np.full(len(step), serial),
        kind=np.full(len(step), kind, np.uint8),
        xy=np.stack([np.interp(at, times, x), np.interp(at, times, y)], axis=1),
        v=v,
        heading=course,
    )


def _walkers(
    claims: Array, lasts_s: float, dice: np.random.Generator, fps: float
) -> Iterator[_Rows]:
    """Yield pedestrians of the zebra, of the signalled crossing and of the footway."""
    for number, t_s in enumerate(claims[claims < lasts_s - 30].tolist()):
        x = -119 + dice.uniform(-1, 1)
        via = [(t_s - 6, x - 5, -9.5), (t_s - 2, x, -8.5), (t_s, x, -8.2), (t_s + 8.2, x, 2.0)]
        yield _way(via, Kind.PEDESTRIAN, 10_000 + number, fps=fps)
    for number, begin in enumerate(np.arange(CYCLE_S, lasts_s - CYCLE_S, CYCLE_S).tolist()):
        t_s = begin + GREENS["ped"][0] + dice.uniform(0.5, 6)
        x = dice.uniform(1, 3)
        via = [(t_s - 9, x, -9.0), (t_s, x, -8.9), (t_s + 13, x, 9.0)]
        yield _way(via, Kind.PEDESTRIAN, 11_000 + number, fps=fps)
    for number, t_s in enumerate(np.arange(5.0, lasts_s - 150, 40.0).tolist()):
        via = [(t_s, -150.0, -11.0), (t_s + 110, 0.0, -11.0 + dice.uniform(-0.5, 0.5))]
        yield _way(via, Kind.PEDESTRIAN, 12_000 + number, fps=fps)


def _side_streets(lasts_s: float, dice: np.random.Generator, fps: float) -> Iterator[_Rows]:
    """Yield parking with reversing into a gap, and roadworks that lead over the solid line."""
    for number, t_s in enumerate(np.arange(60.0, lasts_s - 120, 600.0).tolist()):
        x = dice.uniform(-100, -60)
        via = [(t_s, -190.0, -31.5), (t_s + 20, x, -31.5), (t_s + 23, x, -31.5),
               (t_s + 28, x - 4.5, -34.5), (t_s + 80, x - 4.5, -34.5)]  # fmt: skip
        yield _way(via, Kind.CAR, 13_000 + number, backs=True, fps=fps)
    for number, t_s in enumerate(np.arange(20.0, min(lasts_s, 900.0) - 60, 60.0).tolist()):
        via = [(t_s, -190.0, 461.5), (t_s + 12, -80.0, 461.5), (t_s + 15, -60.0, 464.5),
               (t_s + 27, 0.0, 464.5), (t_s + 30, 20.0, 461.5),
               (t_s + 40, 95.0, 461.5)]  # fmt: skip
        yield _way(via, Kind.CAR, 14_000 + number, fps=fps)
    for number, t_s in enumerate(np.arange(7.0, lasts_s - 60, 45.0).tolist()):
        yield _way(
            [(t_s, -190.0, 503.0), (t_s + 14, 95.0, 503.0)], Kind.CAR, 15_000 + number, fps=fps
        )
        bus = [(t_s, -190.0, 521.7), (t_s + 24, 95.0, 521.7)]
        yield _way(bus, Kind.BUS, 16_000 + number, fps=fps)


def _wander(serial: NDArray[np.int64], dice: np.random.Generator, sigma: float) -> Array:
    """Return noise (n, 2) that hangs together along each track (rows sorted by track)."""
    n = len(serial)
    white = dice.normal(0.0, sigma, (n, 2))
    keep = 0.9
    slow = np.empty((n, 2))
    fresh = np.append(True, np.diff(serial) != 0)
    last = np.zeros(2)
    scale = np.sqrt(1 - keep * keep)
    for row in range(n):
        last = white[row] if fresh[row] else keep * last + scale * white[row]
        slow[row] = last
    return slow


def _as_seen(
    parts: list[_Rows], dice: np.random.Generator, fps: float = FPS, shape: Shape = PLAIN
) -> TrackPoints:
    """Return rows with the errors of a camera and tracker, by time, then track."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("step", "serial", "kind", "xy", "v", "heading")
    }
    order = np.lexsort((columns["step"], columns["serial"]))
    columns = {name: column[order] for name, column in columns.items()}
    serial, n = columns["serial"], len(order)
    noise = _wander(serial, dice, shape.sigma_m)
    fresh = np.flatnonzero(np.append(True, np.diff(serial) != 0))
    mistaken = dice.random(len(fresh)) < shape.mistaken
    split_at = np.full(len(fresh), np.iinfo(np.int64).max)
    broken = dice.random(len(fresh)) < shape.broken
    ends = np.append(fresh[1:], n)
    split_at[broken] = fresh[broken] + ((ends - fresh)[broken] * dice.random(broken.sum())).astype(
        np.int64
    )
    which = np.repeat(np.arange(len(fresh)), ends - fresh)
    number = serial + np.where(np.arange(n) >= split_at[which], 50_000, 0)
    kind = np.where(mistaken[which] & (columns["kind"] == Kind.CAR), Kind.VAN, columns["kind"])
    kept = dice.random(n) > 0.02
    place, v, heading = columns["xy"], columns["v"], columns["heading"]
    if not shape.is_plain:
        course = shape.course(place, np.arctan2(v[:, 1], v[:, 0]))
        pace = np.hypot(v[:, 0], v[:, 1])[:, None]
        v = pace * np.column_stack([np.cos(course), np.sin(course)])
        place, heading = shape.laid(place), shape.course(place, heading)
    real = np.minimum(columns["kind"], len(LENGTH_M) - 1)
    rows = make_points(
        camera_id="camera",
        run_id=1,
        t_ns=np.rint(columns["step"] * (S / fps)).astype(np.int64),
        track_id=track_id_of(1, 0) + number,
        kind=kind,
        score=np.full(n, 0.8),
        flags=np.full(n, Flag.NONE),
        xy_m=place + noise,
        velocity_mps=v + dice.normal(0, 0.2, (n, 2)),
        heading_rad=heading + dice.normal(0, 0.04, n),
        length_m=np.array(LENGTH_M)[real],
        width_m=np.array(WIDTH_M)[real],
        size_source=np.full(n, SizeSource.CLASS_DEFAULT),
        cov_m2=np.tile([shape.sigma_m**2, 0.0, shape.sigma_m**2], (n, 1)),
    )[kept]
    return rows[np.lexsort((rows.track_id, rows.t_ns))]
