"""The sheet of `calmstreet audit --rule`: what was drawn, to be filled in by hand, and back."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from calmstreet.errors import FormatError, InputError
from calmstreet.model.event import Event
from calmstreet.store.folder import write_whole
from calmstreet.units import to_iso

__all__ = [
    "RULE_AUDIT_COLUMNS",
    "VERDICTS",
    "Row",
    "event_rows",
    "filled_in",
    "read_sheet",
    "spell_row",
    "watched_of",
    "write_sheet",
]

RULE_AUDIT_COLUMNS = (
    "part", "id", "camera", "start", "end", "start_ns", "road_users", "found", "why", "verdict"
)  # fmt: skip
VERDICTS = {"right": True, "wrong": False}
DRAWN = "drawn.json"

Row = dict[str, str]


def event_rows(part: str, events: Sequence[Event], *, tz: str) -> Iterator[Row]:
    """Yield a row for each drawn event ("event") or candidate ("near")."""
    for event in events:
        yield {
            "part": part,
            "id": event.event_id,
            "camera": event.camera_id,
            "start": to_iso(event.start_ns, tz),
            "end": to_iso(event.end_ns, tz),
            "start_ns": str(event.start_ns),
            "road_users": " ".join(str(track & 0xFFFFFFFF) for track in event.track_ids),
            "found": "1" if part == "event" else "0",
            "why": "; ".join(event.reasons),
            "verdict": "",
        }


def spell_row(camera_id: str, start_ns: int, end_ns: int, *, found: int, tz: str) -> Row:
    """Return the row of a spell to be watched fully, in which ``found`` were found."""
    return {
        "part": "spell",
        "id": f"{start_ns}",
        "camera": camera_id,
        "start": to_iso(start_ns, tz),
        "end": to_iso(end_ns, tz),
        "start_ns": str(start_ns),
        "road_users": "",
        "found": str(found),
        "why": "watch it fully and write how many there were",
        "verdict": "",
    }


def write_sheet(sheet: Path, rows: Sequence[Row]) -> None:
    """Write the sheet, and beside it the ids that were drawn; verdicts it had are kept."""
    had = {_key(row): row["verdict"] for row in _read(sheet)} if sheet.is_file() else {}
    filled = [{**row, "verdict": had.get(_key(row), "")} for row in rows]
    ids = [row["id"] for row in rows if row["part"] == "event"]

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as text:
            writer = csv.DictWriter(text, RULE_AUDIT_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(filled)

    def note(part: Path) -> None:
        part.write_text(json.dumps({"events": ids}, indent=1), encoding="utf-8")

    write_whole(sheet, write)
    write_whole(sheet.with_name(DRAWN), note)


def _key(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row["part"], row["id"], row["camera"]


def read_sheet(hand: Path, *, drawn_in: Path) -> list[Row]:
    """Return the rows of a sheet; ``drawn_in`` is the folder that it was drawn into.

    Raises InputError for a file that cannot be read, FormatError for one that is no such sheet
    or holds events that were not drawn.
    """
    rows = _read(hand)
    drawn = drawn_in / DRAWN
    if drawn.is_file():
        known = set(json.loads(drawn.read_text(encoding="utf-8"))["events"])
        more = [row["id"] for row in rows if row["part"] == "event" and row["id"] not in known]
        if more:
            raise FormatError(
                f"{hand}: event {more[0]} was not drawn at random; take its row out, precision "
                "rests on the draw"
            )
    return rows


def _read(hand: Path) -> list[Row]:
    try:
        with hand.open(encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text))
    except OSError as error:
        raise InputError(f"{hand} cannot be read ({error.strerror}); check the path") from error
    if not rows or not set(RULE_AUDIT_COLUMNS) <= set(rows[0]):
        raise FormatError(f"{hand} is not the sheet that audit --rule wrote; draw it again")
    return rows


def filled_in(rows: Sequence[Row], part: str, hand: Path) -> dict[str, bool]:
    """Return by id whether each judged row was right; raise FormatError for other words."""
    said = {row["id"]: row["verdict"].strip().lower() for row in rows if row["part"] == part}
    wrong = [word for word in said.values() if word and word not in VERDICTS]
    if wrong:
        raise FormatError(f'{hand}: verdict "{wrong[0]}" is none; write right or wrong')
    return {name: VERDICTS[word] for name, word in said.items() if word}


def watched_of(rows: Sequence[Row], hand: Path) -> tuple[int, int]:
    """Return how many were found and how many were seen in the spells that were watched."""
    found = seen = 0
    for row in rows:
        word = row["verdict"].strip()
        if row["part"] != "spell" or not word:
            continue
        if not word.isdigit():
            raise FormatError(f'{hand}: "{word}" is no count of a watched spell; write 0, 1, 2 ...')
        found, seen = found + int(row["found"]), seen + int(word)
    return found, seen
