"""Faults and refusals in the languages of the desk, as far as somebody wrote them."""

import re

from calmstreet.report.said import OTHER_LANGUAGES, in_language

__all__ = ["said"]

_PLACED = re.compile(r'(\S+(?: \("[^"]*"\))?) (.+)', re.DOTALL)


def said(sentence: str) -> dict[str, str]:
    """Return a sentence by language; English is always there.

    A fault may begin with the key that it is about, which is the same in every language.

    >>> said('gate[0].points_px ("stop") is missing; add it')["ru"]
    'gate[0].points_px ("stop"): отсутствует; добавьте'
    >>> sorted(said("something new"))
    ['en']
    """
    told = {"en": sentence}
    for lang in OTHER_LANGUAGES:
        words = in_language(sentence, lang) or _placed(sentence, lang)
        if words is not None:
            told[lang] = words
    return told


def _placed(sentence: str, lang: str) -> str | None:
    found = _PLACED.fullmatch(sentence)
    words = in_language(found[2], lang) if found else None
    return f"{found[1]}: {words}" if found and words else None
