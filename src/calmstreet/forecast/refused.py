"""Columns that no model of ours may see: anything that stands for who people are or were."""

import re
from collections.abc import Iterable

from calmstreet.errors import InputError

__all__ = ["refuse_columns", "smells"]

_ANYWHERE = re.compile(
    r"crime|(?<!s)crimin|arrest(?!er)|income|povert|ethnic|racial|religio|unemp|depriv|nationalit"
    r"|citizenship|immigra|migrant|minorit|felon|homicid|burglar|robber|convict|salary|wealth"
    r"|hispanic|skin_?colo|baptist|mormon|muslim|refugee|welfare"
    r"|преступ|криминал|арест|доход|бедност|этнич|национальност|расов|религи|мигрант|зарплат|безработ"
    r"|қылмыс|табыс|этникалық|ұлты|дін|жұмыссыз|jinoyat|daromad|millat|etnik|diniy|ishsiz",
    re.IGNORECASE,
)
_WORDS = {
    "race", "races", "wage", "wages", "gang", "gangs", "black", "white", "poor", "rich", "theft",
    "police", "religion", "caste", "раса",
}  # fmt: skip
_PIECE = re.compile(r"[^\W\d_]+")


def smells(name: str) -> bool:
    """Say whether a column's name smells of crime, income or ethnicity.

    >>> [smells(name) for name in ("crime_rate", "MedianIncome", "race", "trace", "aadt")]
    [True, True, True, False, False]
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = {piece.lower() for piece in _PIECE.findall(spaced)}
    return bool(_ANYWHERE.search(name)) or bool(words & _WORDS)


def refuse_columns(names: Iterable[str], *, source: str) -> None:
    """Raise InputError when a column may not be an input, with its name.

    >>> refuse_columns(["site", "observed"], source="sites.csv")
    """
    found = [name for name in names if smells(name)]
    if found:
        listed = ", ".join(found)
        raise InputError(
            f"{source}: column {listed} is refused: crime, income and ethnicity are never inputs "
            "here, because they would send measures after people; delete the column"
        )
