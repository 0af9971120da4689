"""All rules by name: ours, and those that other packages bring along."""

from collections.abc import Iterable, Mapping

from calmstreet.model.site import Site
from calmstreet.safety.conduct_collision import collision
from calmstreet.safety.conduct_lane import bus_lane, reversing, solid_line, wrong_way
from calmstreet.safety.conduct_people import (
    crossing_outside,
    pedestrian_on_red,
    vulnerable_user,
)
from calmstreet.safety.conduct_queue import congestion, queue
from calmstreet.safety.conduct_signal import red_light, stop_line
from calmstreet.safety.conduct_speed import speeding
from calmstreet.safety.conduct_standing import (
    blocked_junction,
    no_stopping,
    object_on_road,
    stopped_vehicle,
)
from calmstreet.safety.conduct_turn import forbidden_turn, stop_sign
from calmstreet.safety.conduct_yield import failure_to_yield
from calmstreet.safety.rule import RuleFactory
from calmstreet.safety.rule_settings import settings_of

__all__ = ["BUILT_IN", "chosen_rules"]

BUILT_IN: Mapping[str, RuleFactory] = {
    "red-light": red_light,
    "stop-line": stop_line,
    "stop-sign": stop_sign,
    "speeding": speeding,
    "wrong-way": wrong_way,
    "reversing": reversing,
    "forbidden-turn": forbidden_turn,
    "solid-line": solid_line,
    "bus-lane": bus_lane,
    "stopped-vehicle": stopped_vehicle,
    "no-stopping": no_stopping,
    "blocked-junction": blocked_junction,
    "failure-to-yield": failure_to_yield,
    "pedestrian-on-red": pedestrian_on_red,
    "crossing-outside": crossing_outside,
    "vulnerable-user": vulnerable_user,
    "queue": queue,
    "congestion": congestion,
    "object": object_on_road,
    "collision": collision,
}
"""Our rules by the name that ``[rules.NAME]`` and events carry."""

_OFF_OVER_TRACKS = frozenset({"collision"})
"""One false alarm in 72 generated hours leaves up to 1.9 a camera-day: too many for such a word."""


def chosen_rules(
    site: Site,
    *,
    more: Mapping[str, RuleFactory] | None = None,
    only: Iterable[str] = (),
    eyes: bool = True,
) -> list[RuleFactory]:
    """Return the rules that a site has not turned off, ours first, then ``more``.

    ``only`` names the ones wanted, whether on or off. Rules that cry wolf through the ``eyes`` are
    off by default there; over trajectories that came as such only those that do so there too.

    >>> site = Site(id="x", rules={"solid-line": {"on": True}})
    >>> len(chosen_rules(site)) - len(chosen_rules(Site(id="x")))
    1
    >>> len(BUILT_IN) - len(chosen_rules(Site(id="x"), eyes=False))
    1
    """
    wanted = set(only)
    every = {**BUILT_IN, **(more or {})}
    if wanted:
        return [make for name, make in every.items() if name in wanted]
    return [
        make
        for name, make in every.items()
        if name not in BUILT_IN or _is_on(site, name, eyes=eyes)
    ]


def _is_on(site: Site, name: str, *, eyes: bool) -> bool:
    said = "on" in site.rules.get(name, {})
    if eyes or said or name in _OFF_OVER_TRACKS:
        return bool(settings_of(site, name).on)
    return True
