"""What rules said, in another language.

Rules put their reasons into English sentences, and these are stored with the event: they are part
of the evidence and do not change with a reader. Each sentence has a key in ``texts/rules.*.toml``;
a stored one is recognised by its English pattern, which gives back the key and what was filled in.
"""

import re
from functools import cache

from calmstreet.report.texts import Texts, texts

__all__ = ["recognised", "said_in"]

_VERDICTS = ("same", "not_found", "another", "other_values", "other_exceptions")
_PLACEHOLDER = re.compile(r"\\\{([a-z_]+)\\\}")
_NUMBER = re.compile(r"[-+]?\d+\.\d+")
_FAMILIES = {"side": "turn", "type": "conflicts.type", "why": "conflicts.reason"}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return key and pattern of each sentence, those with the most words of their own first."""
    english = texts("en").entries
    keys = [key for key in english if key.startswith("said.")]
    keys += [f"explain.{name}" for name in _VERDICTS]
    keys.sort(key=lambda key: -len(re.sub(r"\{[a-z_]+\}", "", english[key])))
    return tuple(
        (key, re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+?)", re.escape(english[key])), re.DOTALL))
        for key in keys
    )


def recognised(sentence: str) -> tuple[str, dict[str, str]] | None:
    """Return key and values of a rule's English sentence, None for one that nobody here wrote.

    >>> recognised("stood in north with nobody close ahead")
    ('said.stood_alone', {'zone': 'north'})
    """
    for key, pattern in _patterns():
        match = pattern.fullmatch(sentence)
        if match is not None:
            return key, match.groupdict()
    return None


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
