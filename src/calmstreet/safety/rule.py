"""What a rule is, and how rules are run over blocks of whole steps: the same live and in replay.

A rule is a small object that is asked with every block what it found (``update``) and at the end
of the run once more (``finish``). It takes time from the rows only. An event that goes on is told
again under the same id; the last word counts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.event import Event, event_id_of
from calmstreet.model.points import TrackPoints
from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Site
from calmstreet.safety.continuity import Continuity
from calmstreet.safety.ground_plan import GroundPlan, PlanZone, ground_plan
from calmstreet.safety.rows import Block, Follower
from calmstreet.safety.rule_settings import settings_of
from calmstreet.safety.signal_log import SignalLog

__all__ = ["Post", "Rule", "RuleFactory", "RuleWatch", "ended", "new_event", "run_rules"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Post:
    """Where rules stand: camera, run, the site's plan, what is known of places and clocks.

    ``metric`` says that rows carry metres, ``trusted`` that these may carry speeds; ``continuity``
    tells of each block where tracks go over to somebody else.
    """

    camera_id: str
    run_id: int
    site: Site
    plan: GroundPlan
    metric: bool
    trusted: bool
    signals: SignalLog
    clock_sigma_s: float = 0.0
    continuity: Continuity = field(default_factory=Continuity)

    def settings(self, name: str) -> Any:
        """Return the thresholds of a rule."""
        return settings_of(self.site, name)

    def zones(self, *kinds: str) -> tuple[PlanZone, ...]:
        """Return the zones of these kinds."""
        return self.plan.of_kind(*kinds)


class Rule(Protocol):
    """One rule at its post. ``why_not`` says why it cannot run here, "" when it runs."""

    name: str
    version: int
    why_not: str

    def update(self, block: Block) -> Iterable[Event]:
        """Take the next block; return what was found or goes on."""
        ...

    def finish(self) -> Iterable[Event]:
        """End the run; return what is left to be told."""
        ...


RuleFactory = Callable[[Post], Rule]


def new_event(
    post: Post,
    rule: Rule,
    *,
    start_ns: int,
    end_ns: int,
    track_ids: Sequence[int],
    place_m: tuple[float, float] = (float("nan"), float("nan")),
    values: Mapping[str, float] | None = None,
    reasons: Sequence[str] = (),
    exceptions: Sequence[str] = (),
    severity: int = 1,
    kind: str = "",
) -> Event:
    """Return an event of a rule; with an exception it is noted but no violation (severity 0).

    ``kind`` is the rule's name unless given.
    """
    name = f"{rule.name}/{rule.version}"
    tracks = tuple(int(track_id) for track_id in track_ids)
    return Event(
        event_id=event_id_of(
            camera_id=post.camera_id, rule=name, track_ids=tracks, start_ns=start_ns
        ),
        kind=kind or rule.name,
        camera_id=post.camera_id,
        start_ns=int(start_ns),
        end_ns=int(end_ns),
        place_m=place_m,
        track_ids=tracks,
        values=dict(values or {}),
        severity=0 if exceptions else severity,
        rule=name,
        reasons=tuple(reasons),
        exceptions=tuple(exceptions),
    )


@dataclass(slots=True, kw_only=True, eq=False)
class RuleWatch:
    """Runs rules over one run of one camera, from blocks of whole steps."""

    post: Post
    rules: list[Rule]
    eye_m: tuple[float, float] | None = None
    _follower: Follower = field(init=False)
    _found: dict[str, Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._follower = Follower(metric=self.post.metric, eye_m=self.eye_m)

    @classmethod
    def over(
        cls,
        site: Site,
        *,
        camera_id: str,
        run_id: int,
        factories: Iterable[RuleFactory],
        metric: bool,
        trusted: bool = True,
        signals: SignalChanges | None = None,
        eye_m: tuple[float, float] | None = None,
    ) -> "RuleWatch":
        """Set up rules for a camera of a site; ``signals`` are states known beforehand.

        ``eye_m`` (east, north) is where the camera hangs, None where there is none or unknown.
        """
        mine = site.of_camera(camera_id)
        post = Post(
            camera_id=camera_id,
            run_id=run_id,
            site=mine,
            plan=ground_plan(mine, metric=metric),
            metric=metric,
            trusted=metric and trusted,
            signals=SignalLog(signals),
            clock_sigma_s=settings_of(mine, "signals").clock_sigma_s,
        )
        return cls(post=post, rules=[make(post) for make in factories], eye_m=eye_m)

    @property
    def running(self) -> list[Rule]:
        """Return the rules that can run here."""
        return [rule for rule in self.rules if not rule.why_not]

    def update(
        self,
        t_ns: NDArray[np.int64],
        points: TrackPoints,
        changes: SignalChanges | None = None,
    ) -> list[Event]:
        """Take the next whole steps, all rows in them and the changes of signals up to their end.

        Returns what was found or goes on.
        """
        if changes is not None and len(changes):
            self.post.signals.add(changes)
        if not len(t_ns):
            return []
        block = self._follower.take(t_ns, points)
        return self._kept(event for rule in self.running for event in rule.update(block))

    def close(self) -> list[Event]:
        """End the run; return every event of it by start, then id."""
        self._kept(event for rule in self.running for event in rule.finish())
        return sorted(self._found.values(), key=lambda event: (event.start_ns, event.event_id))

    def _kept(self, events: Iterable[Event]) -> list[Event]:
        told = []
        for event in events:
            self._found[event.event_id] = event
            told.append(event)
        return told


def run_rules(
    watch: RuleWatch, blocks: Iterable[tuple[NDArray[np.int64], TrackPoints]]
) -> list[Event]:
    """Run rules over all blocks of a run; return the events by start, then id."""
    for t_ns, points in blocks:
        watch.update(t_ns, points)
    return watch.close()


def ended(event: Event, end_ns: int, **values: float) -> Event:
    """Return an event that lasted until ``end_ns``."""
    return replace(event, end_ns=max(event.end_ns, end_ns), values={**event.values, **values})
