"""Errors that we measured on real clips, to be shown where a camera was not audited yet."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import NotRequired, TypedDict

__all__ = ["KnownError", "known_errors"]


class KnownError(TypedDict):
    """One real clip: what was there (``truth``) and what was ``counted``.

    ``light`` is day, dusk or night; ``points_px`` the gate at which was counted, absent where all
    road users of the clip were compared; ``file`` the name of the clip, which is not ours to give.
    """

    clip: str
    file: str
    view: str
    light: str
    truth: int
    counted: int
    note: str
    points_px: NotRequired[list[list[float]]]


@cache
def known_errors() -> tuple[KnownError, ...]:
    """Return the rows of known_errors.toml, in the order of the file.

    >>> sorted({row["light"] for row in known_errors()})
    ['day']
    """
    source = files("calmstreet.report").joinpath("known_errors.toml")
    rows: list[KnownError] = tomllib.loads(source.read_text(encoding="utf-8"))["clip"]
    return tuple(rows)
