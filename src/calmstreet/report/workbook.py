"""counts.xlsx: quarter hours in local time by approach, turn and class; gates; peak hour; notes.

A cell is empty where a kind is not observed or nobody watched: only what was watched has a zero.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from calmstreet.model.bins import Bins
from calmstreet.model.flow import DIRECTIONS, UNMATCHED, MovementTurn, PeakHour
from calmstreet.model.kinds import KIND_NAMES, Kind
from calmstreet.model.site import TURNS
from calmstreet.report.tables import replacing, time_text
from calmstreet.report.texts import Texts
from calmstreet.units import NS_PER_S

__all__ = ["CameraCounts", "write_workbook"]

_APART = (Kind.PEDESTRIAN, Kind.BICYCLE)
_LONGEST_HOLE = 2_000
_BOLD, _CENTRE = Font(bold=True), Alignment(horizontal="center", vertical="center")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCounts:
    """What one camera's pages of the workbook show.

    ``bins`` of one width (15 min); ``turns`` of its movements; ``peaks`` the peak hour per series.
    """

    bins: Bins
    turns: Sequence[MovementTurn]
    peaks: Mapping[str, PeakHour]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column: up to three lines of heading and the cells (series, kind) that are summed."""

    heading: tuple[str, str, str]
    parts: tuple[tuple[str, int], ...]


def write_workbook(
    path: Path,
    cameras: Sequence[CameraCounts],
    *,
    words: Texts,
    tz: str,
    time_known: str = "given",
    notes: Sequence[str] = (),
    more: Mapping[str, Sequence[Sequence[Any]]] | None = None,
) -> None:
    """Write the workbook; raises InputError where the place cannot be written.

    ``notes`` are sentences in the language of ``words``: what was assumed, what is not audited.
    ``more`` are further pages by title, the first row of each its heading.
    """
    book = Workbook()
    book.remove(book.active)

    def clock(t_ns: int) -> str:
        return time_text(t_ns, tz, time_known=time_known)

    for camera in cameras:
        mark = f" {camera.bins.camera_id}" if len(cameras) > 1 else ""
        moving = _movement_columns(camera, words)
        crossing = _gate_columns(camera.bins, words)
        for key, columns, none in (
            ("counts", moving, "text.no_movements"),
            ("gates", crossing, "text.no_gates"),
        ):
            page = book.create_sheet(_title(words.t(f"workbook.sheet.{key}") + mark))
            if columns:
                _fill(page, camera.bins, columns, words, clock)
            else:
                page.append([words.t(none)])
    _fill_peaks(book.create_sheet(_title(words.t("workbook.sheet.peak"))), cameras, words, clock)
    for title, rows in (more or {}).items():
        _fill_plain(book.create_sheet(_title(title)), rows)
    _fill_notes(book.create_sheet(_title(words.t("workbook.sheet.notes"))), words, notes)
    with replacing(path) as draft:
        book.save(draft)


def _fill_plain(page: Any, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows as they are, the heading bold, columns as wide as their words."""
    for row in rows:
        page.append(list(row))
    for cell in page[1]:
        cell.font, cell.alignment = _BOLD, Alignment(wrap_text=True, vertical="center")
    for place, column in enumerate(zip(*rows, strict=True), start=1):
        longest = max(len(str(value)) for value in column[1:] or column)
        page.column_dimensions[get_column_letter(place)].width = min(max(longest + 2, 11), 30)
    page.freeze_panes = "A2"


def _title(text: str) -> str:
    """Return a name that a sheet may have.

    >>> _title("Counts north/south")
    'Counts north-south'
    """
    for sign in "[]:*?/\\":
        text = text.replace(sign, "-")
    return text[:31]


def _kinds_of(bins: Bins) -> list[int]:
    """Return the observed kinds, unknown last."""
    kinds = [int(kind) for kind in np.unique(bins.kind)]
    return sorted(kinds, key=lambda kind: (kind == Kind.UNKNOWN, kind))


def _movement_columns(camera: CameraCounts, words: Texts) -> list[_Column]:
    """Return approaches x turns x classes, then pedestrians and bicycles, the unmatched, all."""
    kinds = _kinds_of(camera.bins)
    motor = [kind for kind in kinds if kind not in _APART]
    apart = [kind for kind in kinds if kind in _APART]
    approaches = list(dict.fromkeys(turn.from_id for turn in camera.turns))
    columns = []
    for approach in approaches:
        for turn in (*TURNS, ""):
            series = _series(camera.turns, approach, turn)
            for kind in motor if series else ():
                columns.append(
                    _Column(
                        heading=(approach, _turn_word(turn, words), _kind_word(kind, words)),
                        parts=tuple((name, kind) for name in series),
                    )
                )
    for kind in apart:
        for approach in approaches:
            series = _series(camera.turns, approach)
            heading = (_kind_word(kind, words), approach, "")
            columns.append(_Column(heading=heading, parts=tuple((n, kind) for n in series)))
    if not columns:
        return []
    lost = f"movement:{UNMATCHED}:{UNMATCHED}"
    every = [*_series(camera.turns), lost]
    unmatched = words.or_raw("turn", UNMATCHED)
    columns.append(_Column(heading=(unmatched, "", ""), parts=tuple((lost, k) for k in kinds)))
    total = tuple((name, kind) for name in every for kind in kinds)
    columns.append(_Column(heading=(words.t("workbook.total"), "", ""), parts=total))
    return columns


def _series(
    turns: Sequence[MovementTurn], approach: str | None = None, turn: str | None = None
) -> list[str]:
    """Return the series of all movements from an approach that make a turn (None: any)."""
    return [
        f"movement:{movement.from_id}:{movement.to_id}"
        for movement in turns
        if approach in (None, movement.from_id) and turn in (None, movement.turn)
    ]


def _turn_word(turn: str, words: Texts) -> str:
    return words.t(f"workbook.{turn}") if turn else words.or_raw("turn", UNMATCHED)


def _kind_word(kind: int, words: Texts) -> str:
    return words.t(f"kind.{KIND_NAMES[kind]}")


def _gate_columns(bins: Bins, words: Texts) -> list[_Column]:
    """Return gates x directions x kinds, each direction with its total."""
    series = dict.fromkeys(str(what) for what in bins.what if str(what).startswith("gate:"))
    gates = dict.fromkeys(name.split(":")[1] for name in series)
    kinds = _kinds_of(bins)
    columns = []
    for gate in gates:
        for direction in DIRECTIONS:
            name, side = f"gate:{gate}:{direction}", words.t(f"direction.{direction}")
            for kind in kinds:
                heading = (gate, side, _kind_word(kind, words))
                columns.append(_Column(heading=heading, parts=((name, kind),)))
            heading = (gate, side, words.t("workbook.total"))
            columns.append(_Column(heading=heading, parts=tuple((name, k) for k in kinds)))
    return columns


def _fill(
    page: Any, bins: Bins, columns: Sequence[_Column], words: Texts, clock: Callable[[int], str]
) -> None:
    """Write headings, one row per slice of time, and the sums."""
    count = {
        (str(what), int(kind), int(start)): float(number)
        for what, kind, start, number in zip(
            bins.what, bins.kind, bins.start_ns, bins.count, strict=True
        )
    }
    share, flag = _exposures(bins)
    for line in range(3):
        first = words.t("workbook.time") if line == 2 else None
        last = [words.t("workbook.exposure_share"), words.t("label.light")] if line == 2 else []
        page.append([first, *(column.heading[line] or None for column in columns), *last])
    sums: list[float] = [0.0] * len(columns)
    for start in _slices(bins):
        if not share.get(start):
            page.append([clock(start), words.t("workbook.not_watched")])
            continue
        cells = [sum(count.get((n, k, start), 0.0) for n, k in c.parts) for c in columns]
        sums = [whole + cell for whole, cell in zip(sums, cells, strict=True)]
        page.append([clock(start), *cells, round(share[start], 4), flag[start]])
    page.append([words.t("workbook.total"), *sums])
    _dress(page, [column.heading for column in columns])


def _exposures(bins: Bins) -> tuple[dict[int, float], dict[int, str]]:
    """Return share watched and flag per slice; they are the same for all its series."""
    share: dict[int, float] = {}
    flag: dict[int, str] = {}
    for start, exposure_s, text in zip(bins.start_ns, bins.exposure_s, bins.flags, strict=True):
        share[int(start)] = float(exposure_s) / bins.width_s
        flag[int(start)] = str(text)
    return share, flag


def _slices(bins: Bins) -> list[int]:
    """Return all slices from first to last, also those that nobody watched (short holes only)."""
    starts = [int(start) for start in np.unique(bins.start_ns)]
    width_ns = round(bins.width_s * NS_PER_S)
    found: list[int] = []
    for start in starts:
        hole = (start - found[-1]) // width_ns - 1 if found else 0
        if 0 < hole <= _LONGEST_HOLE:
            found += [found[-1] + width_ns * (n + 1) for n in range(hole)]
        found.append(start)
    return found


def _dress(page: Any, headings: Sequence[tuple[str, str, str]]) -> None:
    """Join equal headings, make them bold and keep them in sight."""
    for line in (1, 2):
        start = 0
        for column in range(1, len(headings) + 1):
            if column < len(headings) and headings[column][:line] == headings[start][:line]:
                continue
            if column - start > 1 and headings[start][line - 1]:
                page.merge_cells(
                    start_row=line, end_row=line, start_column=start + 2, end_column=column + 1
                )
            start = column
    for line in (1, 2, 3, page.max_row):
        for cell in page[line]:
            cell.font = _BOLD
            if line < 4:
                cell.alignment = _CENTRE
    page.column_dimensions["A"].width = 28
    for column in range(2, len(headings) + 4):
        page.column_dimensions[get_column_letter(column)].width = 13
    page.freeze_panes = "B4"


def _fill_peaks(
    page: Any, cameras: Iterable[CameraCounts], words: Texts, clock: Callable[[int], str]
) -> None:
    """Write one row per series with its peak hour and factor, or why there is none."""
    keys = ("label.camera", "label.count", "workbook.peak_hour", "label.peak_volume")
    page.append([*(words.t(key) for key in keys), words.t("workbook.phf")])
    for camera in cameras:
        for what, peak in camera.peaks.items():
            name = [camera.bins.camera_id, what]
            if not peak.known:
                page.append([*name, words.t("workbook.not_enough", minutes=peak.watched_min)])
                continue
            factor = round(peak.phf, 4) if peak.phf == peak.phf else None
            page.append([*name, clock(peak.start_ns), peak.volume, factor])
    for cell in page[1]:
        cell.font = _BOLD
    for letter, width in zip("ABCDE", (14, 34, 30, 22, 26), strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = "A2"


def _fill_notes(page: Any, words: Texts, notes: Sequence[str]) -> None:
    """Write the rules of reading and what was assumed or not audited."""
    page.append([words.t("workbook.notes")])
    page["A1"].font = _BOLD
    for key in ("text.total_rule", "text.side_rule"):
        page.append([words.t(key)])
    for note in notes:
        page.append([note])
    page.column_dimensions["A"].width = 110
    for row in page.iter_rows():
        row[0].alignment = Alignment(wrap_text=True, vertical="top")
