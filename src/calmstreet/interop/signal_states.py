"""Signal states from outside: SUMO tlsState XML, a plain CSV, or a controller's event log.

- SUMO ``SaveTLSStates`` XML: signal ids are "LIGHT/INDEX", such as "C/3" for the link index 3.
- CSV ``t_s,signal,state``: seconds on the clock of the trajectories (zero = its zero), or ``time``
  in ISO 8601 in the place of ``t_s``. States are words (red, red-amber, amber, green, dark,
  flashing) or SUMO's letters.
- Controller event log, CSV ``time,event,phase`` (or ``t_s,event,phase``) with the codes of the
  high-resolution event log of Indiana/Purdue (Sturdevant et al. 2012): 1 green, 8 amber, 10 red of
  "phase-N"; 21 walk, 22 clearance, 23 don't walk of "ped-N". Other codes are passed over.
"""

import csv
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from calmstreet.errors import FormatError
from calmstreet.interop.packed import opened_text, xml_elements
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.units import from_iso, ns_from_s

__all__ = ["STATE_BY_LETTER", "STATE_BY_WORD", "read_signal_states"]

STATE_BY_LETTER: Mapping[str, SignalState] = {
    "r": SignalState.RED,
    "R": SignalState.RED,
    "u": SignalState.RED_AMBER,
    "y": SignalState.AMBER,
    "Y": SignalState.AMBER,
    "g": SignalState.GREEN,
    "G": SignalState.GREEN,
    "s": SignalState.FLASHING,
    "o": SignalState.FLASHING,
    "O": SignalState.DARK,
}
"""SUMO's letters; "s" (turn right after a stop) and "o" (blinking) are neither red nor green."""

STATE_BY_WORD: Mapping[str, SignalState] = {
    **{state.name.lower().replace("_", "-"): state for state in SignalState},
    "yellow": SignalState.AMBER,
    "red-yellow": SignalState.RED_AMBER,
    "off": SignalState.DARK,
}
_EVENTS: Mapping[int, tuple[str, SignalState]] = {
    1: ("phase", SignalState.GREEN),
    8: ("phase", SignalState.AMBER),
    10: ("phase", SignalState.RED),
    21: ("ped", SignalState.GREEN),
    22: ("ped", SignalState.FLASHING),
    23: ("ped", SignalState.RED),
}
_WANTED = "it should hold t_s,signal,state (or time,event,phase), or be SUMO tlsState XML"
_TIMES = ("t_s", "time", "time_s", "timestamp")

Change = tuple[int, str, SignalState]


def read_signal_states(
    path: Path, *, start_ns: int = 0, clock_offset_s: float = 0.0, tz: str = "UTC"
) -> SignalChanges:
    """Return every change of state, by signal within time; repeated states are one.

    ``start_ns`` is where the clock of the trajectories has its zero; ``clock_offset_s`` is added
    to every time of this file. Raises FormatError naming file, line and cure.
    """
    zero_ns = start_ns + ns_from_s(clock_offset_s)
    shift_ns = ns_from_s(clock_offset_s)
    if path.name.removesuffix(".gz").endswith(".xml"):
        found = _from_xml(path, zero_ns)
    else:
        found = _from_csv(path, zero_ns, shift_ns, tz)
    changes = _changes(sorted(found, key=lambda row: row[0]))
    if not changes:
        raise FormatError(f"{path} holds no signal state; {_WANTED}")
    t_ns, ids, states = zip(*changes, strict=True)
    return SignalChanges(
        t_ns=np.array(t_ns, np.int64),
        signal_id=np.array(ids, np.str_),
        state=np.array(states, np.uint8),
        confidence=np.ones(len(changes), np.float32),
    )


def _changes(states: list[Change]) -> list[Change]:
    last: dict[str, SignalState] = {}
    kept = []
    for row in states:
        if last.get(row[1]) != row[2]:
            last[row[1]] = row[2]
            kept.append(row)
    return sorted(kept, key=lambda row: (row[0], row[1]))


def _from_xml(path: Path, zero_ns: int) -> list[Change]:
    """Return changes only: a file repeats every light at every step."""
    before: dict[str, str] = {}
    found: list[Change] = []
    for name, given in xml_elements(path, "SUMO tlsState XML"):
        if name != "tlsState":
            continue
        light, letters = given.get("id", ""), given.get("state", "")
        old = before.get(light, "")
        if letters == old:
            continue
        before[light] = letters
        t_ns = zero_ns + ns_from_s(_seconds(given.get("time", ""), f"{path}: tlsState {light}"))
        for index, letter in enumerate(letters):
            if letter not in STATE_BY_LETTER:
                raise FormatError(f'{path}: state "{letter}" of light {light} is not known')
            if index >= len(old) or old[index] != letter:
                found.append((t_ns, f"{light}/{index}", STATE_BY_LETTER[letter]))
    return found


def _from_csv(path: Path, zero_ns: int, shift_ns: int, tz: str) -> list[Change]:
    with opened_text(path, "CSV") as lines:
        head = next(lines, "")
        mark = ";" if head.count(";") > head.count(",") else ","
        names = [name.strip().lower() for name in head.strip().split(mark)]
        when = next((names.index(name) for name in _TIMES if name in names), -1)
        columns = _picked(names, ("signal", "state")) or _picked(names, ("event", "phase"))
        if when < 0 or columns is None:
            raise FormatError(f"{path} has the columns {', '.join(names)}; {_WANTED}")
        is_log = "signal" not in names
        rows = csv.reader(lines, delimiter=mark)
        found = []
        for number, words in enumerate(rows, start=2):
            if not any(words):
                continue
            where = f"{path}, line {number}"
            if len(words) <= max(when, *columns):
                raise FormatError(f"{where} has {len(words)} columns; {_WANTED}")
            first, second = (words[place].strip() for place in columns)
            state = _event(first, second, where) if is_log else (first, _state(second, where))
            if state is not None:
                t_ns = _time(words[when].strip(), where, zero_ns, shift_ns, tz)
                found.append((t_ns, *state))
    return found


def _picked(names: list[str], wanted: tuple[str, str]) -> tuple[int, int] | None:
    if not set(wanted) <= set(names):
        return None
    return names.index(wanted[0]), names.index(wanted[1])


def _event(code: str, phase: str, where: str) -> tuple[str, SignalState] | None:
    known = _EVENTS.get(int(_seconds(code, where)))
    return None if known is None else (f"{known[0]}-{int(_seconds(phase, where))}", known[1])


def _state(word: str, where: str) -> SignalState:
    for states, key in ((STATE_BY_LETTER, word), (STATE_BY_WORD, word.lower())):
        if key in states:
            return states[key]
    known = ", ".join(STATE_BY_WORD)
    raise FormatError(f'{where}: state "{word}" is not known; write one of {known}')


def _time(text: str, where: str, zero_ns: int, shift_ns: int, tz: str) -> int:
    if _is_number(text):
        return zero_ns + ns_from_s(_seconds(text, where))
    return from_iso(text, tz) + shift_ns


def _is_number(text: str) -> bool:
    with suppress(ValueError):
        float(text)
        return True
    return False


def _seconds(text: str, where: str) -> float:
    value = float(text) if _is_number(text) else math.nan
    if not math.isfinite(value):
        raise FormatError(f'{where}: "{text}" is no number; {_WANTED}')
    return value
