"""Files to take away: tables, a workbook, pictures and the report of one camera and period."""

import csv
import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typst
from fastapi import HTTPException

from calmstreet.model.bins import Bins
from calmstreet.model.flow import MovementTurn
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.report.charts import counts_chart
from calmstreet.report.events_csv import write_events
from calmstreet.report.speed_tables import write_speeds
from calmstreet.report.svg import standalone
from calmstreet.report.tables import HEADWAY_COLUMNS, time_text, write_counts, write_movements
from calmstreet.report.texts import Texts, texts
from calmstreet.report.turning import turning_chart
from calmstreet.report.workbook import CameraCounts, write_workbook
from calmstreet.safety.bins import peak_hour_of
from calmstreet.store.queue import EventFilter, Queue
from calmstreet.web.answers_junction import TurningPage
from calmstreet.web.counting import STORED_S
from calmstreet.web.numbers import flag_words
from calmstreet.web.printing import fonts, report_pdf
from calmstreet.web.spans import View
from calmstreet.web.turning import turning_page

__all__ = ["Exported", "counts_svg", "export", "turns_svg"]

_NS = 1_000_000_000
_LONGEST_NS = 62 * 86_400 * _NS
_PICTURE = """#set page(width: auto, height: auto, margin: 8pt)
#set text(font: "DejaVu Sans")
#image("chart.svg", width: 17cm)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One file: its content, its type and the name to save it by."""

    content: bytes
    type: str
    name: str


def export(view: View, form: str, *, language: str) -> Exported:
    """Return a file of one of the forms that ``queries.ExportForm`` names."""
    if view.end_ns - view.start_ns > _LONGEST_NS:
        raise HTTPException(422, "a file holds at most 62 days; choose a shorter period")
    content = _FORMS[form](view, texts(language))
    suffix = form.rpartition(".")[2]
    day = time_text(view.start_ns, view.tz, time_known="given")[:10]
    return Exported(content=content, type=_TYPES[suffix], name=f"{view.camera_id}-{day}-{form}")


def _quarters(view: View) -> Bins:
    rows = view.seen.bins(
        view.camera_id,
        start_ns=view.start_ns,
        end_ns=view.end_ns,
        width_ns=STORED_S[0] * _NS,
    )
    return Bins(
        camera_id=view.camera_id,
        site_version=view.row.site_version,
        width_s=float(STORED_S[0]),
        what=rows.what,
        kind=rows.kind,
        start_ns=rows.start_ns,
        count=rows.count.astype(np.float32),
        exposure_s=rows.exposure_s.astype(np.float32),
        flags=np.array([";".join(flag_words(str(text))) for text in rows.flags], np.str_),
    )


def _turns(page: TurningPage) -> list[MovementTurn]:
    return [
        MovementTurn(
            id=cell.movement_id,
            from_id=cell.from_id,
            to_id=cell.to_id,
            turn=cell.turn,
            source="",
            journeys=cell.total,
        )
        for cell in page.movements
    ]


def _written(name: str, write: Callable[[Path], None]) -> bytes:
    """Return what a writer of files writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _clock(view: View) -> dict[str, Any]:
    return {"tz": view.tz, "time_known": view.row.time_known}


def _counts_csv(view: View, _words: Texts) -> bytes:
    return _written("x.csv", lambda path: write_counts(path, [_quarters(view)], **_clock(view)))


def _movements_csv(view: View, _words: Texts) -> bytes:
    turns = _turns(turning_page(view))
    return _written(
        "x.csv",
        lambda path: write_movements(path, [_quarters(view)], turns=turns, **_clock(view)),
    )


def _counts_xlsx(view: View, words: Texts) -> bytes:
    bins = _quarters(view)
    counts = CameraCounts(
        bins=bins,
        turns=_turns(turning_page(view)),
        peaks={str(what): peak_hour_of(bins, whats=[str(what)]) for what in np.unique(bins.what)},
    )
    notes = [
        words.t(f"note.{w.code}") if words.has(f"note.{w.code}") else w.text
        for w in view.seen.warnings(view.camera_id)
    ]
    return _written(
        "x.xlsx",
        lambda path: write_workbook(path, [counts], words=words, notes=notes, **_clock(view)),
    )


def _speeds_csv(view: View, _words: Texts) -> bytes:
    speeds = view.seen.gate_speeds(view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    check = view.seen.passed_check(view.camera_id, view.row.site_version)
    verified = {} if check is None else {view.camera_id: check}
    return _written(
        "x.csv", lambda path: write_speeds(path, [speeds], verified=verified, **_clock(view))
    )


def _headways_csv(view: View, _words: Texts) -> bytes:
    names = ("gate_id", "direction", "track_id", "kind", "t_ns", "headway_s", "gap_s", "counted")
    rows = view.seen.passages(
        "crossings", names, view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADWAY_COLUMNS)
    for row in np.flatnonzero(rows["counted"]):
        writer.writerow(
            (
                view.camera_id,
                rows["gate_id"][row],
                rows["direction"][row],
                rows["track_id"][row],
                KIND_NAMES[rows["kind"][row]],
                time_text(int(rows["t_ns"][row]), decimals=3, **_clock(view)),
                *(_cell(float(rows[name][row])) for name in ("headway_s", "gap_s")),
            )
        )
    return text.getvalue().encode()


def _cell(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if np.isfinite(value) else ""


def _events_csv(view: View, _words: Texts) -> bytes:
    wanted = EventFilter(camera_id=view.camera_id, start_ns=view.start_ns, end_ns=view.end_ns)
    found = Queue(seen=view.seen).page(wanted, limit=100_000)
    events = sorted((one.event for one in found), key=lambda event: event.start_ns)
    return _written("x.csv", lambda path: write_events(path, events, **_clock(view)))


def counts_svg(view: View, words: Texts) -> str:
    """Return the counts of all movements, else of all gates, by class over time."""
    bins = _quarters(view)
    moving = np.char.startswith(bins.what, "movement:")
    chosen = moving if moving.any() else np.char.startswith(bins.what, "gate:")
    mine = {
        name: getattr(bins, name)[chosen]
        for name in ("what", "kind", "start_ns", "count", "exposure_s", "flags")
    }
    shown = Bins(
        camera_id=bins.camera_id, site_version=bins.site_version, width_s=bins.width_s, **mine
    )
    tz = None if view.row.time_known == "unknown" else view.tz
    return standalone(counts_chart(shown, texts=words, tz=tz))


def turns_svg(view: View, words: Texts) -> str:
    """Return the turning-movement diagram."""
    rows: list[Mapping[str, Any]] = [
        {
            "from": cell.from_id,
            "to": cell.to_id,
            "turn": cell.turn,
            "counts": {**cell.by_kind, "total": cell.total},
        }
        for cell in turning_page(view).movements
    ]
    return standalone(turning_chart(rows, texts=words))


def _png(svg: str) -> bytes:
    content: bytes = typst.compile(
        {"main.typ": _PICTURE.encode(), "chart.svg": svg.encode()},
        format="png",
        ppi=160,
        **fonts(),
    )
    return content


_FORMS: dict[str, Callable[[View, Texts], bytes]] = {
    "counts.csv": _counts_csv,
    "counts.xlsx": _counts_xlsx,
    "movements.csv": _movements_csv,
    "speeds.csv": _speeds_csv,
    "headways.csv": _headways_csv,
    "events.csv": _events_csv,
    "counts.png": lambda view, words: _png(counts_svg(view, words)),
    "turns.png": lambda view, words: _png(turns_svg(view, words)),
    "report.pdf": lambda view, words: report_pdf(
        view, words, counts=counts_svg(view, words), turns=turns_svg(view, words)
    ),
}
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "pdf": "application/pdf",
}
