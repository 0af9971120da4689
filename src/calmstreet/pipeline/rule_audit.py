"""`calmstreet audit DIR --rule R`: random events and candidates to judge, then what they say."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from calmstreet.errors import FormatError, InputError
from calmstreet.model.event import Event
from calmstreet.pipeline.collected import Collected, collect
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.explaining import explain_event
from calmstreet.pipeline.judging import events_of_run
from calmstreet.safety.rule_audit import RuleScore, Share, loosened, score_rule
from calmstreet.safety.rules import BUILT_IN
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer
from calmstreet.units import to_iso

__all__ = ["RULE_AUDIT_COLUMNS", "draw_events", "score_events"]

RULE_AUDIT_COLUMNS = (
    "part", "id", "camera", "start", "end", "start_ns", "road_users", "found", "why", "verdict"
)  # fmt: skip
SPELL_NS = 600 * 1_000_000_000
VERDICTS = {"right": 1, "wrong": 0}


def draw_events(folder: Path, *, rule: str, events: int, spells: int, seed: int) -> dict[str, Any]:
    """Draw random events, near-threshold candidates and spells; write the sheet to be filled.

    Each drawn event is also drawn from above, from its evidence. Raises InputError for a rule
    that is not known or found nothing at all.
    """
    if rule not in BUILT_IN:
        raise InputError(f"no rule is called {rule}; there are: {', '.join(sorted(BUILT_IN))}")
    dice = np.random.default_rng(seed)
    target = folder / "audit" / f"rule-{rule}"
    with only_writer(folder), Catalogue.open(folder) as catalogue:
        found = collect(catalogue)
        mine = [e for e in _events(catalogue, found) if _is_of(e, rule) and not e.exceptions]
        near = _candidates(catalogue, found, rule, mine)
        target.mkdir(parents=True, exist_ok=True)
        drawn = _drawn(mine, events, dice)
        rows = [
            *_rows("event", drawn, found),
            *_rows("near", _drawn(near, events, dice), found),
            *_spells(found, mine, spells, dice),
        ]
    for event in drawn:
        explain_event(folder, event.event_id, out=target / f"{event.event_id}.svg")
    sheet = target / "verdicts.csv"
    with sheet.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, RULE_AUDIT_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    text_ = (
        f"{sheet} written: {len(drawn)} of {len(mine)} events, candidates and spells to watch; "
        "write right or wrong into verdict (of a spell: how many you saw), then: "
        f"calmstreet audit {folder} --rule {rule} --hand {sheet}"
    )
    return {"rule": rule, "events": len(mine), "near": len(near), "sheet": str(sheet),
            "text": text_}  # fmt: skip


def _is_of(event: Event, rule: str) -> bool:
    return event.rule.split("/")[0] == rule


def _events(catalogue: Catalogue, found: Collected) -> list[Event]:
    return catalogue.events([run.run_id for run in found.runs])


def _candidates(
    catalogue: Catalogue, found: Collected, rule: str, known: Sequence[Event]
) -> list[Event]:
    """Return what the rule finds with loosened thresholds and did not find before."""
    site = loosened(found.site, rule)
    taken = [(event.track_ids, event.start_ns, event.end_ns) for event in known]
    near = []
    for run in found.runs:
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


def _rows(part: str, events: Sequence[Event], found: Collected) -> Iterator[dict[str, Any]]:
    for event in events:
        yield {
            "part": part,
            "id": event.event_id,
            "camera": event.camera_id,
            "start": to_iso(event.start_ns, found.tz or "UTC"),
            "end": to_iso(event.end_ns, found.tz or "UTC"),
            "start_ns": event.start_ns,
            "road_users": " ".join(str(track & 0xFFFFFFFF) for track in event.track_ids),
            "found": 1 if part == "event" else 0,
            "why": "; ".join(event.reasons),
            "verdict": "",
        }


def _spells(
    found: Collected, events: Sequence[Event], n: int, dice: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Yield random spells of ten minutes to be watched fully, with how many the rule found."""
    begins = [
        (run.camera_id, start_ns)
        for run in found.runs
        for start_ns in range(run.start_ns, run.end_ns, SPELL_NS)
    ]
    for place in sorted(dice.choice(len(begins), min(n, len(begins)), replace=False)):
        camera_id, start_ns = begins[int(place)]
        inside = [
            e
            for e in events
            if e.camera_id == camera_id and start_ns <= e.start_ns < start_ns + SPELL_NS
        ]
        yield {
            "part": "spell",
            "id": f"{start_ns}",
            "camera": camera_id,
            "start": to_iso(start_ns, found.tz or "UTC"),
            "end": to_iso(start_ns + SPELL_NS, found.tz or "UTC"),
            "start_ns": start_ns,
            "road_users": "",
            "found": len(inside),
            "why": "watch it fully and write how many there were",
            "verdict": "",
        }


def score_events(folder: Path, *, rule: str, hand: Path) -> dict[str, Any]:
    """Return precision and recall from a filled sheet, kept as audit/rule-R.json."""
    rows = _read(hand)
    score = score_rule(
        events=_judged(rows, "event", hand),
        candidates=_judged(rows, "near", hand),
        watched=_watched(rows, hand),
    )
    result = {"rule": rule, "publishable": score.publishable, **_plain(score)}
    path = folder / "audit" / f"rule-{rule}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return {**result, "text": "\n".join(_told(rule, score))}


def _read(hand: Path) -> list[dict[str, str]]:
    try:
        with hand.open(encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text))
    except OSError as error:
        raise InputError(f"{hand} cannot be read ({error.strerror}); check the path") from error
    if not rows or not set(RULE_AUDIT_COLUMNS) <= set(rows[0]):
        raise FormatError(f"{hand} is not the sheet that audit --rule wrote; draw it again")
    return rows


def _judged(rows: list[dict[str, str]], part: str, hand: Path) -> tuple[int, int]:
    """Return how many were right and how many were judged."""
    said = [row["verdict"].strip().lower() for row in rows if row["part"] == part]
    wrong = [word for word in said if word and word not in VERDICTS]
    if wrong:
        raise FormatError(f'{hand}: verdict "{wrong[0]}" is none; write right or wrong')
    told = [VERDICTS[word] for word in said if word]
    return sum(told), len(told)


def _watched(rows: list[dict[str, str]], hand: Path) -> tuple[int, int]:
    """Return how many the rule found and how many were seen in the spells that were watched."""
    found = seen = 0
    for row in rows:
        word = row["verdict"].strip()
        if row["part"] != "spell" or not word:
            continue
        if not word.isdigit():
            raise FormatError(f'{hand}: "{word}" is no count of a watched spell; write 0, 1, 2 ...')
        found, seen = found + int(row["found"]), seen + int(word)
    return found, seen


def _plain(score: RuleScore) -> dict[str, Any]:
    return {
        "precision": asdict(score.precision) if score.precision.n else None,
        "candidates": asdict(score.candidates) if score.candidates.n else None,
        "recall": asdict(score.recall) if score.recall else "unknown",
    }


def _told(rule: str, score: RuleScore) -> Iterator[str]:
    if score.precision.n:
        yield f"{rule}: precision {_share(score.precision)}"
    else:
        yield f"{rule}: precision unknown, no event was judged"
    yield (
        "it may be published"
        if score.publishable
        else ("it may NOT be published: the lower end of precision must be 0.85 or more")
    )
    if score.candidates.n:
        yield f"of near-threshold candidates {_share(score.candidates)} were right (misses)"
    if score.recall is None:
        yield "recall unknown: watch spells in which something happens"
    else:
        yield f"recall {_share(score.recall)}"


def _share(share: Share) -> str:
    return f"{share.right} of {share.n} ({share.low:.2f} to {share.high:.2f})"
