"""Sentences of the program in other languages, found by the pattern that they were written after.

Faults are told in English where they are found, with names and numbers in them; ``sentences.toml``
holds the pattern of each and what it is in the other languages.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["OTHER_LANGUAGES", "in_language", "patterns"]

OTHER_LANGUAGES: tuple[str, ...] = ("ru", "kk", "uz")
"""Languages besides English, in which the sentences are written."""

_INNER = ("cure", "what")
_HOLE = re.compile(r"\{(\w+)\}")


class Pattern(NamedTuple):
    """One sentence: the English as a pattern, and the words in each language."""

    english: re.Pattern[str]
    words: dict[str, str]


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return every sentence that is known; those with most words of their own come first.

    >>> patterns()[0].english.groups >= 0
    True
    """
    source = files("calmstreet.report").joinpath("sentences.toml")
    rows: list[dict[str, str]] = tomllib.loads(source.read_text(encoding="utf-8"))["sentence"]
    rows.sort(key=lambda row: -len(_HOLE.sub("", row["en"])))
    return tuple(Pattern(english=_pattern(row["en"]), words=row) for row in rows)


def _pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of a sentence; what stands in a hole is a group of its name."""
    parts = _HOLE.split(text)
    found = [
        f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    ]
    return re.compile("".join(found), re.DOTALL)


def in_language(sentence: str, lang: str) -> str | None:
    """Return a sentence in a language, None where nobody wrote it in that.

    >>> in_language("is missing; add it", "ru")
    'отсутствует; добавьте'
    >>> in_language("nobody wrote this", "ru") is None
    True
    """
    if lang not in OTHER_LANGUAGES:
        return sentence
    for pattern in patterns():
        found = pattern.english.fullmatch(sentence)
        if found is not None:
            return _filled(pattern.words[lang], found.groupdict(), lang)
    return None


def _filled(words: str, values: Mapping[str, str], lang: str) -> str:
    told = {name: _inner(name, text, lang) for name, text in values.items()}
    return _HOLE.sub(lambda hole: told[hole[1]], words)


def _inner(name: str, text: str, lang: str) -> str:
    return (in_language(text, lang) or text) if name in _INNER else text
