"""Doors: every way into the desk, with the right that opens it. What is no door stays shut."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["ROLE_RIGHTS", "SMALL_BYTES", "Door", "Right"]

SMALL_BYTES = 1_000_000


class Right(StrEnum):
    """What somebody may do. OPEN needs nothing, OWN a session, the others a role that has them."""

    OPEN = "open"
    OWN = "own"
    LOOK = "look"
    EXPORT = "export"
    DRAW = "draw"
    JUDGE = "judge"
    ADMINISTER = "administer"


ROLE_RIGHTS: dict[str, frozenset[Right]] = {
    "viewer": frozenset({Right.LOOK}),
    "analyst": frozenset({Right.LOOK, Right.EXPORT, Right.DRAW}),
    "reviewer": frozenset({Right.LOOK, Right.EXPORT, Right.JUDGE}),
    "administrator": frozenset(
        {Right.LOOK, Right.EXPORT, Right.DRAW, Right.JUDGE, Right.ADMINISTER}
    ),
}
"""The rights of each role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One route: ``call`` answers ``method`` on ``path`` for those who have ``right``.

    ``tag`` groups it in the documentation; ``status`` is that of success; ``largest_bytes``
    bounds the body, 0 for the node's upload limit; ``noted`` doors write every passage into the
    audit log before they answer.
    """

    method: str
    path: str
    call: Callable[..., Any]
    right: Right
    tag: str
    status: int = 200
    largest_bytes: int = SMALL_BYTES
    noted: bool = False
