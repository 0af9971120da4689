"""A small TOML writer: tables, lists of tables, and values in one line."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["to_toml"]


def _number(value: float) -> str:
    whole = math.isfinite(value) and value.is_integer() and 0 < abs(value) < 1e15
    return str(int(value)) if whole else repr(value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(float(value))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return "[" + ", ".join(_value(item) for item in value) + "]"


def _is_tables(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) > 0
        and all(isinstance(item, Mapping) for item in value)
    )


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Return the lines of one table: its values first, then the tables in it."""
    lines = [
        f"{key} = {_inline(value, path)}"
        for key, value in table.items()
        if not _is_table(value, path)
    ]
    for key, value in table.items():
        if not _is_table(value, path):
            continue
        inner = (*path, key)
        for item in value if _is_tables(value) else [value]:
            mark = ("[[", "]]") if _is_tables(value) else ("[", "]")
            lines += ["", f"{mark[0]}{'.'.join(inner)}{mark[1]}", *_lines(item, inner)]
    return lines


def _is_table(value: Any, path: tuple[str, ...]) -> bool:
    """Tell whether a value gets a heading; lists of tables do only at the top."""
    return isinstance(value, Mapping) or (_is_tables(value) and not path)


def _inline(value: Any, path: tuple[str, ...]) -> str:
    if path and _is_tables(value):
        return "[\n" + "".join(f"    {_value(item)},\n" for item in value) + "]"
    return _value(value)


def to_toml(document: Mapping[str, Any]) -> str:
    r"""Return the text of a document whose keys are bare words.

    >>> to_toml({"site": {"id": "a"}, "gate": [{"id": "g", "points_px": [(1.0, 2.5), (3, 4)]}]})
    '[site]\nid = "a"\n\n[[gate]]\nid = "g"\npoints_px = [[1, 2.5], [3, 4]]\n'
    """
    return "\n".join(_lines(document, ())).strip("\n") + "\n"
