"""Rules over a run on its way: events at once, before the run is whole and judged.

The rules and the rows are those of ``pipeline.judging``; what is found here is provisional until
the run has been judged, and the two are compared. Where a site has lamps, blocks wait until the
states of the heads are told for good, but never longer than ``LAMPS_NS``. Conflicts need the
usual paths of a whole run: here those of the last judged run are used, to cut clips, and nothing
of it is kept as an event.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.event import Event
from calmstreet.model.points import TrackPoints, concat_points, no_points
from calmstreet.model.run import Run
from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Site
from calmstreet.perception.lamp_state import Change
from calmstreet.pipeline.judging import rules_over
from calmstreet.safety.conflict_events import conflict_events
from calmstreet.safety.conflict_rules import conflict_settings
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.paths import Paths
from calmstreet.safety.rule import RuleWatch
from calmstreet.units import NS_PER_S

__all__ = ["LiveRules"]

BLOCK_NS = NS_PER_S // 2
LAMPS_NS = 6 * NS_PER_S
LAMPS_LEARN_NS = 60 * NS_PER_S


class LiveRules:
    """The rules of one open run; ``paths`` are usual paths of this camera, None for none."""

    def __init__(self, *, run: Run, site: Site, paths: Paths | None = None) -> None:
        mine = site.of_camera(run.camera_id)
        self._run, self._site = run, site
        self._has_lamps = any(signal.lamps_px for signal in mine.signals)
        self._watch: RuleWatch | None = None
        self._steps: deque[tuple[int, TrackPoints]] = deque()
        self._changes: list[tuple[str, Change]] = []
        self._since_ns: int | None = None
        self._settings = conflict_settings(site.rules)
        self._conflicts: ConflictWatch | None = None
        if paths is not None and len(paths) and self._settings.on:
            self._conflicts = ConflictWatch(settings=self._settings, paths=paths)

    def add(self, t_ns: int, points: TrackPoints) -> None:
        """Take one analysed step with its rows."""
        self._since_ns = t_ns if self._since_ns is None else self._since_ns
        self._steps.append((t_ns, points))

    def ready(self, told: list[tuple[str, Change]], *, settled_ns: int = 0) -> list[Event]:
        """Take what the lamps told; return the events that are found or go on by now.

        Before ``settled_ns`` no lamp will tell anything new.
        """
        self._changes += told
        if not self._steps:
            return []
        newest_ns = self._steps[-1][0]
        if self._watch is None and not self._begins(newest_ns):
            return []
        until_ns = newest_ns
        if self._has_lamps:
            until_ns = min(newest_ns, max(settled_ns - 1, newest_ns - LAMPS_NS))
        if until_ns - self._steps[0][0] < BLOCK_NS:
            return []
        return self._ask(until_ns)

    def near_misses(self) -> list[Event]:
        """Return conflicts by the usual paths of an earlier run, to cut clips of."""
        if self._conflicts is None:
            return []
        return conflict_events(self._conflicts.ready(), settings=self._settings)

    def last_near_misses(self) -> list[Event]:
        """Return the conflicts that are still being judged: the run ends, or is cut."""
        watch, self._conflicts = self._conflicts, None
        return [] if watch is None else conflict_events(watch.close(), settings=self._settings)

    def close(self, told: list[tuple[str, Change]]) -> list[Event]:
        """End the run; return every event of it."""
        self._changes += told
        if not self._steps and self._watch is None:
            return []
        if self._steps:
            self._ask(self._steps[-1][0])
        return self._rules().close()

    def _begins(self, newest_ns: int) -> bool:
        """Return whether rules may begin: the lamps have told something, or never will."""
        since_ns = newest_ns if self._since_ns is None else self._since_ns
        return not self._has_lamps or newest_ns - since_ns >= LAMPS_LEARN_NS

    def _rules(self) -> RuleWatch:
        if self._watch is None:
            known, self._changes = self._changes, []
            self._watch = rules_over(self._run, self._site, _columns(known))
        return self._watch

    def _ask(self, until_ns: int) -> list[Event]:
        """Give the rules all steps up to an instant."""
        rules = self._rules()
        times, blocks = [], []
        while self._steps and self._steps[0][0] <= until_ns:
            t_ns, points = self._steps.popleft()
            times.append(t_ns)
            blocks.append(points)
        nothing = no_points(camera_id=self._run.camera_id, run_id=self._run.run_id)
        rows = concat_points([nothing, *(block for block in blocks if len(block))])
        known = [change for change in self._changes if change[1].t_ns <= until_ns]
        self._changes = [change for change in self._changes if change[1].t_ns > until_ns]
        if self._conflicts is not None:
            self._conflicts.update(rows)
            self._conflicts.pass_until(until_ns)
        steps: NDArray[np.int64] = np.array(times, np.int64)
        return rules.update(steps, rows, _columns(known))


def _columns(told: list[tuple[str, Change]]) -> SignalChanges:
    ordered = sorted(told, key=lambda row: (row[1].t_ns, row[0]))
    return SignalChanges(
        t_ns=np.array([change.t_ns for _, change in ordered], np.int64),
        signal_id=np.array([head for head, _ in ordered], np.str_),
        state=np.array([int(change.state) for _, change in ordered], np.uint8),
        confidence=np.array([change.confidence for _, change in ordered], np.float32),
    )
