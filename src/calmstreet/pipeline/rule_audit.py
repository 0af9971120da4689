"""`calmstreet audit DIR --rule R`: random events and candidates to judge, then what they say.

Precision rests on events that were drawn at random; a verdict on one of them may stand in the
sheet or in the desk. What somebody chose to look at in the desk is told apart and never counted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.errors import InputError
from calmstreet.model.event import Event
from calmstreet.pipeline.collected import Collected, collect
from calmstreet.pipeline.conflict_run import near_conflicts
from calmstreet.pipeline.counting import step_blocks, with_points
from calmstreet.pipeline.explaining import explain_event
from calmstreet.pipeline.judging import events_of_run
from calmstreet.pipeline.rule_sheet import (
    Row,
    event_rows,
    filled_in,
    read_sheet,
    spell_row,
    watched_of,
    write_sheet,
)
from calmstreet.safety.rule_audit import RuleScore, Share, loosened, score_rule
from calmstreet.safety.rules import BUILT_IN
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer

__all__ = ["CONFLICT", "draw_events", "score_events"]

CONFLICT = "conflict"
"""What conflicts are called beside the rules."""

SPELL_NS = 600 * 1_000_000_000
SHEET = "verdicts.csv"
_BY_DESK = {"accepted": True, "rejected": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Verdicts on drawn events: ``right`` by id; how many the desk gave; where both disagree.

    ``by_choice`` are (accepted, judged) of the rule's events that were not drawn.
    """

    right: Mapping[str, bool]
    from_desk: int
    disputes: Sequence[str] = field(default_factory=list)
    by_choice: tuple[int, int] = (0, 0)


def draw_events(folder: Path, *, rule: str, events: int, spells: int, seed: int) -> dict[str, Any]:
    """Draw random events, near-threshold candidates and spells; write the sheet to be filled.

    Each drawn event is also drawn from above, from its evidence. Verdicts that the sheet had are
    kept. Raises InputError for a rule that is not known.
    """
    _check(rule)
    dice = np.random.default_rng(seed)
    target = folder / "audit" / f"rule-{rule}"
    with only_writer(folder), Catalogue.open(folder) as catalogue:
        found = collect(catalogue)
        mine = _events_of(catalogue, found, rule)
        near = _candidates(catalogue, found, rule, mine)
        drawn = _drawn(mine, events, dice)
        tz = found.tz or "UTC"
        rows = [
            *event_rows("event", drawn, tz=tz),
            *event_rows("near", _drawn(near, events, dice), tz=tz),
            *_spells(found, _all_starts(catalogue, found, rule, mine), spells, dice),
        ]
        write_sheet(target / SHEET, rows)
    for event in drawn:
        explain_event(folder, event.event_id, out=target / f"{event.event_id}.svg")
    sheet = target / SHEET
    text = (
        f"{sheet} written: {len(drawn)} of {len(mine)} events, candidates and spells to watch; "
        "write right or wrong into verdict (of a spell: how many you saw), then: "
        f"calmstreet audit {folder} --rule {rule} --hand {sheet}; or judge the drawn events in "
        f"the desk, then: calmstreet audit {folder} --rule {rule} --desk"
    )
    return {"rule": rule, "events": len(mine), "near": len(near), "sheet": str(sheet),
            "text": text}  # fmt: skip


def _check(rule: str) -> None:
    known = sorted([*BUILT_IN, CONFLICT])
    if rule not in known:
        raise InputError(f"no rule is called {rule}; there are: {', '.join(known)}")


def _events_of(catalogue: Catalogue, found: Collected, rule: str) -> list[Event]:
    """Return what a rule found and did not excuse."""
    every = catalogue.events([run.run_id for run in found.runs])
    return [e for e in every if e.rule.split("/")[0] == rule and not e.exceptions]


def _candidates(
    catalogue: Catalogue, found: Collected, rule: str, known: Sequence[Event]
) -> list[Event]:
    """Return what the rule finds with loosened thresholds and did not find before."""
    if rule == CONFLICT:
        runs = with_points(catalogue, found.runs)
        return [e for run in runs for e in near_conflicts(catalogue, run, found.site)]
    site = loosened(found.site, rule)
    taken = [(event.track_ids, event.start_ns, event.end_ns) for event in known]
    near = []
    for run in with_points(catalogue, found.runs):
        changes = catalogue.signal_changes([run.run_id])
        speeds = catalogue.speeds(run.run_id, run.camera_id)
        blocks = step_blocks(catalogue, run)
        for event in events_of_run(run, site, changes, blocks, speeds=speeds, only=[rule]):
            again = any(
                event.track_ids == tracks and event.start_ns <= end and start <= event.end_ns
                for tracks, start, end in taken
            )
            if not again and not event.exceptions:
                near.append(event)
    return near


def _drawn(events: Sequence[Event], n: int, dice: np.random.Generator) -> list[Event]:
    if not events:
        return []
    picked = dice.choice(len(events), min(n, len(events)), replace=False)
    return [events[int(place)] for place in sorted(picked)]


def _all_starts(
    catalogue: Catalogue, found: Collected, rule: str, events: Sequence[Event]
) -> list[tuple[str, int]]:
    """Return camera and start of all that was found; of conflicts also those without evidence."""
    if rule != CONFLICT:
        return [(event.camera_id, event.start_ns) for event in events]
    parts = [catalogue.conflicts(run.run_id, run.camera_id) for run in found.runs]
    return [(p.camera_id, at) for p in parts for at in p.start_ns[p.is_conflict].tolist()]


def _spells(
    found: Collected, starts: Sequence[tuple[str, int]], n: int, dice: np.random.Generator
) -> Iterator[Row]:
    """Yield random spells of ten minutes to be watched fully, with how many the rule found."""
    begins = [
        (run.camera_id, start_ns)
        for run in found.runs
        for start_ns in range(run.start_ns, run.end_ns, SPELL_NS)
    ]
    for place in sorted(dice.choice(len(begins), min(n, len(begins)), replace=False)):
        camera_id, start_ns = begins[int(place)]
        end_ns = start_ns + SPELL_NS
        inside = sum(camera == camera_id and start_ns <= at < end_ns for camera, at in starts)
        yield spell_row(camera_id, start_ns, end_ns, found=inside, tz=found.tz or "UTC")


def score_events(folder: Path, *, rule: str, hand: Path | None = None) -> dict[str, Any]:
    """Return precision and recall from a filled sheet and the desk, kept as audit/rule-R.json.

    ``hand`` None takes the sheet that was drawn last. Verdicts of the desk count for events that
    were drawn and have none in the sheet. Raises InputError when nothing was drawn, FormatError
    for a sheet that cannot be used.
    """
    _check(rule)
    target = folder / "audit" / f"rule-{rule}"
    sheet = hand or target / SHEET
    if not sheet.is_file() and hand is None:
        raise InputError(
            f"{folder}: nothing was drawn for {rule}; calmstreet audit {folder} --rule {rule} "
            "draws at random, what is looked at by choice says nothing of precision"
        )
    rows = read_sheet(sheet, drawn_in=target)
    drawn = [row["id"] for row in rows if row["part"] == "event"]
    judged = _judged(folder, rule, drawn, filled_in(rows, "event", sheet))
    near = filled_in(rows, "near", sheet)
    score = score_rule(
        events=(sum(judged.right.values()), len(judged.right)),
        drawn=len(drawn),
        candidates=(sum(near.values()), len(near)),
        watched=watched_of(rows, sheet),
    )
    result = {"rule": rule, "publishable": score.publishable, **_plain(score, judged)}
    path = folder / "audit" / f"rule-{rule}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return {**result, "text": "\n".join(_told(rule, score, judged))}


def _judged(folder: Path, rule: str, drawn: Sequence[str], by_hand: Mapping[str, bool]) -> _Judged:
    """Return the verdicts on the drawn events, the sheet before the desk."""
    with Catalogue.open(folder) as catalogue:
        mine = {event.event_id for event in _events_of(catalogue, collect(catalogue), rule)}
        states = catalogue.event_states()
    desk = {name: _BY_DESK[state] for name, state in states.items() if state in _BY_DESK}
    given = {name: desk[name] for name in drawn if name in desk and name not in by_hand}
    words = {True: "right", False: "wrong"}
    disputes = [
        f"{name}: the sheet says {words[said]}, the desk {states[name]} it"
        for name, said in by_hand.items()
        if name in desk and desk[name] != said
    ]
    chosen = [right for name, right in desk.items() if name in mine and name not in set(drawn)]
    return _Judged(
        right={**given, **by_hand},
        from_desk=len(given),
        disputes=disputes,
        by_choice=(sum(chosen), len(chosen)),
    )


def _plain(score: RuleScore, judged: _Judged) -> dict[str, Any]:
    accepted, n = judged.by_choice
    return {
        "precision": asdict(score.precision) if score.precision.n else None,
        "candidates": asdict(score.candidates) if score.candidates.n else None,
        "recall": asdict(score.recall) if score.recall else "unknown",
        "drawn": score.drawn,
        "from_desk": judged.from_desk,
        "by_choice": {"accepted": accepted, "n": n},
    }


def _told(rule: str, score: RuleScore, judged: _Judged) -> Iterator[str]:
    if score.precision.n:
        yield f"{rule}: precision {_share(score.precision)}"
    else:
        yield f"{rule}: precision unknown, no drawn event was judged"
    yield (
        f"{score.precision.n} of {score.drawn} drawn events have a verdict, "
        f"{judged.from_desk} of them from the desk"
    )
    yield from judged.disputes
    if judged.by_choice[1]:
        accepted, n = judged.by_choice
        yield (
            f"besides, {accepted} of {n} that were reviewed by choice were accepted: "
            "not a random sample, no precision follows"
        )
    yield (
        "it may be published"
        if score.publishable
        else (
            "it may NOT be published: the lower end of precision must be 0.85 or more, with drawn "
            "events that have no verdict taken as wrong"
        )
    )
    if score.candidates.n:
        yield f"of near-threshold candidates {_share(score.candidates)} were right (misses)"
    if score.recall is None:
        yield "recall unknown: watch spells in which something happens"
    else:
        yield f"recall {_share(score.recall)}"


def _share(share: Share) -> str:
    return f"{share.right} of {share.n} ({share.low:.2f} to {share.high:.2f})"
