"""The thresholds of every rule, ``[rules.NAME]`` of SITE.toml: seconds, metres, m/s and shares.

Each is a frozen dataclass; a field's ``metadata`` holds its least and greatest value and what it
means, from which ``config`` makes the checked table and ``docs/rules.md`` its rows. Sources of the
defaults are named in docs/rules.md.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from calmstreet.model.site import Site

__all__ = ["SETTINGS", "RuleSettings", "settings_of", "thresholds"]


def _of(default: float, low: float, high: float, meaning: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "meaning": meaning})


_OFF: Any = field(default=False, metadata={"meaning": "whether the rule runs"})
"""Off unless a site turns it on: more than one false alarm a camera-day through the eyes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What every rule has: ``on`` runs it; the default is off where it cried wolf in our test."""

    on: bool = field(default=True, metadata={"meaning": "whether the rule runs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsSettings:
    """``[rules.signals]``: the clock of states that come from outside."""

    clock_offset_s: float = _of(0.0, -3600, 3600, "added to the times of a file of states")
    clock_sigma_s: float = _of(0.0, 0, 60, "standard uncertainty of that clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLight(RuleSettings):
    """Enters on red and goes on."""

    on: bool = _OFF
    delay_s: float = _of(0.3, 0, 5, "time into red that is let pass, with 2 sigma on top")
    entry_m: float = _of(5.0, 0, 50, "how far beyond the line the front must go")
    entry_s: float = _of(5.0, 0.5, 30, "within which time")
    entry_mps: float = _of(2.78, 0, 20, "speed it must have reached by then")
    yielding: float = _of(2, 1, 20, "users standing at green that suggest an emergency vehicle")
    yielding_s: float = _of(3.0, 1, 30, "since when their head must show green")
    turn_before_m: float = _of(5.0, 0.5, 30, "where one who may turn on red must have stopped")
    turn_stop_mps: float = _of(1.39, 0, 5, "as slow as this is a stop there")
    turn_rad: float = _of(0.6, 0.2, 1.5, "change of heading that is a turn")
    turn_m: float = _of(25.0, 8, 100, "who is as far beyond the line goes straight on")
    turn_s: float = _of(15.0, 2, 60, "who has not turned in this time goes straight on")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine(RuleSettings):
    """Stands beyond the stop line on red."""

    on: bool = _OFF
    past_m: float = _of(0.5, 0, 5, "how far past the line, with 2 sigma on top")
    past_most_m: float = _of(8.0, 1, 30, "further is in the junction, not at the line")
    zebra_share: float = _of(0.1, 0.01, 1, "or of its footprint on a crossing, with 2 sigma on top")
    still_mps: float = _of(0.83, 0, 3, "speed of one who stands")
    still_s: float = _of(2.0, 0.5, 60, "for how long")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSign(RuleSettings):
    """Passes a STOP sign without stopping."""

    on: bool = _OFF
    before_m: float = _of(5.0, 1, 30, "stretch before the line in which the least speed counts")
    rolling_mps: float = _of(1.39, 0.1, 5, "least speed above which it rolled through")
    no_attempt_mps: float = _of(4.17, 0.5, 15, "least speed above which it did not try")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeding(RuleSettings):
    """Drives faster than the limit, beyond doubt."""

    tolerance_mps: float = _of(0.833, 0, 10, "added to the limit")
    tolerance_share: float = _of(0.03, 0, 0.5, "share of the limit, where that is more")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongWay(RuleSettings):
    """Drives against a lane."""

    angle_rad: float = _of(2.618, 1.6, 3.14, "least angle between course and lane")
    back_m: float = _of(5.0, 1, 100, "displacement against the lane")
    path_m: float = _of(15.0, 1, 200, "length of the way")
    lasted_s: float = _of(1.0, 0.2, 30, "for how long")
    age_s: float = _of(1.5, 0, 30, "age of the track")
    least_mps: float = _of(2.22, 0.5, 20, "slower is parking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversing(RuleSettings):
    """Drives backwards in a lane."""

    on: bool = _OFF
    angle_rad: float = _of(2.618, 1.6, 3.14, "least angle between course and lane")
    path_m: float = _of(5.0, 1, 100, "displacement against the lane")
    most_mps: float = _of(5.0, 1, 20, "faster is wrong way")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(RuleSettings):
    """Stands in a lane where nobody else does."""

    on: bool = _OFF
    still_mps: float = _of(1.0, 0.1, 3, "speed of one who stands")
    drift_m: float = _of(1.5, 0.1, 10, "displacement that is let pass")
    lasted_s: float = _of(20.0, 2, 3600, "for how long")
    leader_m: float = _of(10.0, 1, 50, "gap to one who stands ahead: then it is a queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStopping(RuleSettings):
    """Stands in a no-stopping zone."""

    on: bool = _OFF
    still_mps: float = _of(1.0, 0.1, 3, "speed of one who stands")
    drift_m: float = _of(1.5, 0.1, 10, "displacement that is let pass")
    lasted_s: float = _of(15.0, 2, 3600, "for how long")
    leader_m: float = _of(10.0, 1, 50, "gap to one who stands ahead: then it is a queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedJunction(RuleSettings):
    """Stands in the junction while others have green."""

    still_mps: float = _of(1.0, 0.1, 3, "speed of one who stands")
    green_s: float = _of(2.0, 0, 60, "since when another head must show green")
    lasted_s: float = _of(2.0, 0.5, 600, "for how long it stood")
    unsignalled_s: float = _of(10.0, 1, 600, "for how long where no head is known")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenTurn(RuleSettings):
    """Makes a movement marked ``forbidden``."""

    on: bool = _OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class SolidLine(RuleSettings):
    """Crosses a solid line from side to side."""

    on: bool = _OFF
    beside_m: float = _of(0.5, 0, 5, "how far beside the line on either side")


@dataclass(frozen=True, slots=True, kw_only=True)
class BusLane(RuleSettings):
    """Drives in a bus lane and is no bus."""

    on: bool = _OFF
    path_m: float = _of(20.0, 1, 500, "how far")
    lasted_s: float = _of(2.0, 0.2, 60, "for how long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Yielding(RuleSettings):
    """Does not give way to a pedestrian at a crossing, though it could."""

    on: bool = _OFF
    near_m: float = _of(1.0, 0, 5, "how near the crossing a pedestrian claims it")
    towards_mps: float = _of(0.3, 0, 3, "how fast towards it")
    beside_m: float = _of(3.0, 0.5, 10, "how near the vehicle's way it must be")
    ahead_s: float = _of(1.5, 0, 5, "or within which time it would be there")
    reaction_s: float = _of(1.0, 0, 3, "reaction time in the stopping distance")
    braking_mps2: float = _of(3.0, 1, 9, "comfortable braking in it")


@dataclass(frozen=True, slots=True, kw_only=True)
class PedestrianRed(RuleSettings):
    """Steps on a crossing while its head is red."""

    on: bool = _OFF
    delay_s: float = _of(1.0, 0, 10, "time into red that is let pass, with 2 sigma on top")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingOutside(RuleSettings):
    """Crosses the carriageway where no crossing is."""

    path_m: float = _of(3.0, 0.5, 30, "how far over the carriageway")
    lasted_s: float = _of(1.5, 0.2, 60, "for how long")
    near_m: float = _of(2.0, 0, 20, "nearer to a crossing it counts as on it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerable(RuleSettings):
    """On foot or on a bicycle where only motors may be, or walking along a carriageway."""

    on: bool = _OFF
    lasted_s: float = _of(2.0, 0.5, 60, "for how long on a motorway")
    walking_s: float = _of(15.0, 2, 600, "for how long along a carriageway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(RuleSettings):
    """How long the queue before a signal is, and when it reaches too far."""

    still_mps: float = _of(2.0, 0.1, 5, "speed of one who queues")
    gap_m: float = _of(10.0, 1, 50, "gap that ends the queue")
    beside_m: float = _of(2.5, 0.5, 20, "how far beside the line's ends one still belongs to it")
    storage_m: float = _of(0.0, 0, 2000, "room for the queue; 0: as far as the approach reaches")
    lasted_s: float = _of(5.0, 0, 600, "for how long it must reach too far")


@dataclass(frozen=True, slots=True, kw_only=True)
class Congestion(RuleSettings):
    """Many crawl for long."""

    slow_mps: float = _of(2.78, 0.5, 15, "mean speed below which it is congestion")
    least_users: float = _of(3, 1, 50, "users at least")
    lasted_s: float = _of(120.0, 5, 3600, "for how long; longer than a cycle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle(RuleSettings):
    """Something unknown lies on the carriageway."""

    on: bool = _OFF
    drift_m: float = _of(0.7, 0.1, 5, "displacement that is let pass")
    lasted_s: float = _of(20.0, 2, 3600, "for how long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision(RuleSettings):
    """Two touch, and at least one changes its speed abruptly or stops; off unless turned on."""

    on: bool = _OFF
    touch_m: float = _of(0.2, 0, 1, "gap at which footprints touch: the error of their places")
    approach_mps: float = _of(1.5, 0.3, 20, "speed between the two before it")
    change_mps: float = _of(2.5, 0.5, 20, "change of speed within change_s")
    change_s: float = _of(0.5, 0.1, 3, "time of the change")
    stop_mps: float = _of(0.5, 0.1, 3, "or slower than this at once")
    after_s: float = _of(2.0, 0.5, 10, "within which time after the contact")


SETTINGS: Mapping[str, type[RuleSettings]] = {
    "red-light": RedLight,
    "stop-line": StopLine,
    "stop-sign": StopSign,
    "speeding": Speeding,
    "wrong-way": WrongWay,
    "reversing": Reversing,
    "forbidden-turn": ForbiddenTurn,
    "solid-line": SolidLine,
    "bus-lane": BusLane,
    "stopped-vehicle": Standing,
    "no-stopping": NoStopping,
    "blocked-junction": BlockedJunction,
    "failure-to-yield": Yielding,
    "pedestrian-on-red": PedestrianRed,
    "crossing-outside": CrossingOutside,
    "vulnerable-user": Vulnerable,
    "queue": Queue,
    "congestion": Congestion,
    "object": Obstacle,
    "collision": Collision,
}
"""The settings of each rule by its name in ``[rules]``."""


def settings_of(site: Site, name: str) -> Any:
    """Return the thresholds of a rule under a site; keys it does not know are passed over.

    >>> settings_of(Site(id="x", rules={"red-light": {"delay_s": 1}}), "red-light").delay_s
    1.0
    """
    kind: Any = SignalsSettings if name == "signals" else SETTINGS[name]
    known = {f.name: f.default for f in fields(kind)}
    given = dict(site.rules.get(name, {}))
    values = {
        key: value if isinstance(known[key], bool) else float(value)
        for key, value in given.items()
        if key in known
    }
    return kind(**values)


def thresholds(settings: Any) -> dict[str, float]:
    """Return thresholds as plain numbers, for evidence.

    >>> thresholds(SolidLine())
    {'on': 0.0, 'beside_m': 0.5}
    """
    return {name: float(value) for name, value in asdict(settings).items()}
