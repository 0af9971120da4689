"""What the program said in English, in another language.

Rules put their reasons into English sentences that are stored with the event: they are part of the
evidence and do not change with a reader. Faults of a site and refusals of a calibration are told
in English where they are found. Either is recognised by the pattern that it was written after,
which gives back what was filled in. Words of rules stand in ``texts/rules.*.toml``, those of faults
in ``sentences.toml``.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from calmstreet.report.texts import LANGUAGES, Texts, texts

__all__ = ["OTHER_LANGUAGES", "Pattern", "in_language", "patterns", "recognised", "said_in"]

OTHER_LANGUAGES: tuple[str, ...] = tuple(lang for lang in LANGUAGES if lang != "en")
"""Languages besides English, in which the sentences are written."""

_VERDICTS = ("same", "not_found", "another", "other_values", "other_exceptions")
_HOLE = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"[-+]?\d+\.\d+")
_FAMILIES = {"side": "turn", "type": "conflicts.type", "why": "conflicts.reason"}
_INNER = ("cure", "what")


class Pattern(NamedTuple):
    """One sentence: its key ("" for faults), English as a pattern, the words in each language."""

    key: str
    english: re.Pattern[str]
    words: Mapping[str, str]


def _patterns_of(rows: Mapping[str, Mapping[str, str]] | list[dict[str, str]]) -> list[Pattern]:
    """Return the patterns of sentences by language, those with the most words of their own first.

    What stands in a hole is a group of its name.
    """
    keyed = rows.items() if isinstance(rows, Mapping) else (("", row) for row in rows)
    found = []
    for key, words in sorted(keyed, key=lambda row: -len(_HOLE.sub("", row[1]["en"]))):
        parts = [
            f"(?P<{part}>.+?)" if place % 2 else re.escape(part)
            for place, part in enumerate(_HOLE.split(words["en"]))
        ]
        found.append(Pattern(key, re.compile("".join(parts), re.DOTALL), words))
    return found


@cache
def _of_rules() -> list[Pattern]:
    keys = [key for key in texts("en").entries if key.startswith("said.")]
    keys += [f"explain.{name}" for name in _VERDICTS]
    return _patterns_of({key: {lang: texts(lang).entries[key] for lang in LANGUAGES}
                         for key in keys})  # fmt: skip


@cache
def patterns() -> list[Pattern]:
    """Return every fault that is known; those with most words of their own come first.

    >>> patterns()[0].english.groups >= 0
    True
    """
    source = files("calmstreet.report").joinpath("sentences.toml")
    return _patterns_of(tomllib.loads(source.read_text(encoding="utf-8"))["sentence"])


def _found(sentence: str, known: list[Pattern]) -> tuple[Pattern, dict[str, str]] | None:
    for pattern in known:
        match = pattern.english.fullmatch(sentence)
        if match is not None:
            return pattern, match.groupdict()
    return None


def recognised(sentence: str) -> tuple[str, dict[str, str]] | None:
    """Return key and values of a rule's English sentence, None for one that nobody here wrote.

    >>> recognised("stood in north with nobody close ahead")
    ('said.stood_alone', {'zone': 'north'})
    """
    found = _found(sentence, _of_rules())
    return None if found is None else (found[0].key, found[1])


def said_in(sentence: str, words: Texts) -> str:
    """Return a rule's English sentence in a language; itself where its words are not known.

    >>> said_in("(a) one came 1.50 s after the other had left", texts("ru"))
    '(а) один пришёл через 1,50 с после того, как другой ушёл'
    >>> said_in("a plug-in's own words", texts("kk"))
    "a plug-in's own words"
    """
    found = None if words.lang == "en" else recognised(sentence)
    if found is None:
        return sentence
    key, values = found
    return words.t(key, **{name: _told(name, value, words) for name, value in values.items()})


def _told(name: str, value: str, words: Texts) -> str:
    """Return what was filled in: a word of a family, a number with the language's comma."""
    if name in _FAMILIES:
        return words.or_raw(_FAMILIES[name], value)
    return value.replace(".", ",") if _NUMBER.fullmatch(value) else value


def in_language(sentence: str, lang: str) -> str | None:
    """Return a fault in a language, None where nobody wrote it in that.

    What was filled in stays as it stands in the site's file, except a fault within a fault.

    >>> in_language("is missing; add it", "ru")
    'отсутствует; добавьте'
    >>> in_language("nobody wrote this", "ru") is None
    True
    """
    if lang not in OTHER_LANGUAGES:
        return sentence
    found = _found(sentence, patterns())
    if found is None:
        return None
    told = {
        name: (in_language(text, lang) or text) if name in _INNER else text
        for name, text in found[1].items()
    }
    return _HOLE.sub(lambda hole: told[hole[1]], found[0].words[lang])
