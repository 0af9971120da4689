"""What pydantic found, said in the words of SITE.toml with a cure."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from calmstreet.config.references import Fault, nearest
from calmstreet.config.schema import TABLES

__all__ = ["key_path", "model_faults"]

Loc = tuple[int | str, ...]
Tables = Mapping[str, type[BaseModel]]

_ID_CURE = "write 1 to 40 of a-z, 0-9 and -"


def key_path(loc: Loc) -> str:
    """Return the place in the file as one reads it.

    >>> key_path(("gate", 2, "points_px"))
    'gate[2].points_px'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _table_of(loc: Loc) -> str:
    return ".".join(str(part) for part in loc if not isinstance(part, int))


def _known_keys(loc: Loc, tables: Tables) -> list[str]:
    model = tables.get(_table_of(loc))
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown_key(error: ErrorDetails, tables: Tables) -> str:
    known = _known_keys(error["loc"][:-1], tables)
    return f"is not a known key; {nearest(str(error['loc'][-1]), known)}"


def _missing(error: ErrorDetails, tables: Tables) -> str:
    if isinstance(error["loc"][-1], int):
        return "is missing; a point is written as [x, y], a box as [left, top, right, bottom]"
    table = _table_of(error["loc"])
    return f"is missing; add [{table}]" if table in tables else "is missing; add it"


def _not_a_list(error: ErrorDetails, tables: Tables) -> str:
    table = _table_of(error["loc"])
    if table in tables and isinstance(error["input"], dict):
        return f"is a single table; write [[{table}]] with double brackets"
    return f"is {_shown(error)}; write a list such as [[120, 410], [560, 395]]"


def _not_a_table(error: ErrorDetails) -> str:
    table = _table_of(error["loc"])
    if isinstance(error["input"], list):
        return f"is a list of tables; write [{table}] with single brackets"
    return f"is {_shown(error)}; write it as a table with keys"


def _shown(error: ErrorDetails) -> str:
    text = repr(error["input"])
    return text if len(text) <= 60 else text[:57] + "..."


def _context(error: ErrorDetails, key: str) -> Any:
    return error.get("ctx", {})[key]


_BY_TABLE: Mapping[str, Callable[[ErrorDetails, Tables], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "tuple_type": _not_a_list,
}
_SAYINGS: Mapping[str, Callable[[ErrorDetails], str]] = {
    "model_type": _not_a_table,
    "string_pattern_mismatch": lambda e: f"is {_shown(e)}, which is no id; {_ID_CURE}",
    "string_type": lambda e: f'is {_shown(e)}; write a text in quotes, such as "north"',
    "string_too_long": lambda e: f"is longer than {_context(e, 'max_length')} letters; shorten it",
    "float_type": lambda e: f"is {_shown(e)}; write a number without quotes",
    "finite_number": lambda e: f"is {_shown(e)}, which is no place or size; write a finite number",
    "bool_type": lambda e: f"is {_shown(e)}; write true or false",
    "literal_error": lambda e: f"is {_shown(e)}; write one of {_context(e, 'expected')}",
    "greater_than": lambda e: f"is {_shown(e)}; it must be more than {_context(e, 'gt'):g}",
    "greater_than_equal": lambda e: f"is {_shown(e)}; it must be {_context(e, 'ge'):g} or more",
    "less_than": lambda e: f"is {_shown(e)}; it must be less than {_context(e, 'lt'):g}",
    "less_than_equal": lambda e: f"is {_shown(e)}; it must be {_context(e, 'le'):g} or less",
    "value_error": lambda e: str(_context(e, "error")),
    "too_short": lambda e: (
        f"has {_context(e, 'actual_length')} entries; give at least {_context(e, 'min_length')}"
    ),
    "too_long": lambda e: f"has too many entries; give {_context(e, 'max_length')}",
}


def model_faults(error: ValidationError, *, tables: Tables = TABLES) -> list[Fault]:
    """Return key path and sentence of everything pydantic found; ``tables`` by dotted name."""
    faults = []
    for detail in error.errors(include_url=False):
        say, ask = _SAYINGS.get(detail["type"]), _BY_TABLE.get(detail["type"])
        sentence = f"is {_shown(detail)}; {detail['msg'].lower()}"
        sentence = say(detail) if say else ask(detail, tables) if ask else sentence
        faults.append((key_path(detail["loc"]), sentence))
    return faults
