"""Words of the reports in four languages, and how each language writes numbers and times.

The catalogues are ``report/texts/LANG.toml``, which a translator can edit without Python: every
value is one sentence or word with ``{placeholders}``. Sentences avoid forms that change with a
number ("Road users: 21"), because four languages count in four ways.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from calmstreet.errors import InputError
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.units import local_datetime

__all__ = ["LANGUAGES", "Texts", "number", "placeholders", "texts"]

LANGUAGES: Final[tuple[str, ...]] = ("en", "ru", "kk", "uz")
_THIN_SPACE: Final = "\u202f"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def number(value: float, lang: str, decimals: int | None = None) -> str:
    """Return a number as the language writes it; whole unless ``decimals`` are asked for.

    Without ``decimals`` a whole number has none and any other has up to two. NaN is a dash.

    >>> number(12345.6, "en"), number(12345.6, "ru", 2)
    ('12,345.6', '12\u202f345,60')
    >>> number(7, "kk"), number(float("nan"), "uz")
    ('7', '–')
    """
    if value != value:
        return "–"
    text = f"{value:,.{2 if decimals is None else decimals}f}"
    if decimals is None:
        text = text.rstrip("0").rstrip(".")
    text = text.replace("-", "−") if text.strip("-0,.") else text.lstrip("-")
    if lang == "en":
        return text
    return text.replace(",", _THIN_SPACE).replace(".", ",")


def placeholders(text: str) -> frozenset[str]:
    """Return the names of the placeholders of a text.

    >>> sorted(placeholders("{a} of {b}"))
    ['a', 'b']
    """
    return frozenset(_PLACEHOLDER.findall(text))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys and texts of nested tables."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


@cache
def _catalogue(lang: str) -> Mapping[str, str]:
    """Return the words of one language, of all families together."""
    folder = files("calmstreet.report").joinpath("texts")
    found: dict[str, str] = {}
    for family in ("", "speeds.", "conflicts.", "rules.", "outlook.", "desk."):
        name = f"{family}{lang}.toml"
        text = folder.joinpath(name).read_text(encoding="utf-8")
        found |= _flat(tomllib.loads(text))
    return MappingProxyType(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of one language."""

    lang: str
    entries: Mapping[str, str]

    def t(self, key: str, **values: object) -> str:
        """Return the text of ``key`` with its placeholders filled; numbers are localised.

        Raises KeyError for an unknown key or a placeholder without a value.

        >>> texts("ru").t("workbook.not_enough", minutes=12)
        'недостаточно данных: 12 из 60 мин'
        """
        written = {
            name: number(v, self.lang) if isinstance(v, (int, float)) else str(v)
            for name, v in values.items()
        }
        return _PLACEHOLDER.sub(lambda match: written[match[1]], self.entries[key])

    def has(self, key: str) -> bool:
        """Say whether the catalogue holds ``key``."""
        return key in self.entries

    def or_raw(self, family: str, word: str) -> str:
        """Return the text of ``family.word``, or the word itself where there is none.

        >>> texts("en").or_raw("turn", "through"), texts("en").or_raw("turn", "loop")
        ('through', 'loop')
        """
        return self.entries.get(f"{family}.{word}", word)

    def number(self, value: float, decimals: int | None = None) -> str:
        """Return a number as this language writes it."""
        return number(value, self.lang, decimals)

    def percent(self, share: float, decimals: int = 0) -> str:
        """Return a share as percent.

        >>> texts("en").percent(0.125, 1), texts("ru").percent(0.5)
        ('12.5%', '50\u202f%')
        """
        space = "" if self.lang == "en" else _THIN_SPACE
        return f"{self.number(share * 100, decimals)}{space}%"

    def date(self, t_ns: int, tz: str) -> str:
        """Return the local date.

        >>> texts("en").date(0, "UTC"), texts("uz").date(0, "UTC")
        ('1970-01-01', '01.01.1970')
        """
        form = "%Y-%m-%d" if self.lang == "en" else "%d.%m.%Y"
        return local_datetime(t_ns, tz).strftime(form)

    def date_time(self, t_ns: int, tz: str) -> str:
        """Return local date and time to the second.

        >>> texts("kk").date_time(0, "Asia/Almaty")
        '01.01.1970 06:00:00'
        """
        return f"{self.date(t_ns, tz)} {local_datetime(t_ns, tz):%H:%M:%S}"

    def clock_time(self, t_ns: int, tz: str) -> str:
        """Return local hours and minutes.

        >>> texts("en").clock_time(0, "Asia/Almaty")
        '06:00'
        """
        return f"{local_datetime(t_ns, tz):%H:%M}"

    def duration(self, duration_s: float) -> str:
        """Return a duration in hours, minutes and seconds.

        >>> texts("en").duration(3725), texts("ru").duration(59.96)
        ('1 h 2 min 5 s', '1 мин')
        >>> texts("uz").duration(4.25)
        '4,3 s'
        """
        if duration_s != duration_s:
            return "–"
        if duration_s < 10:
            return f"{self.number(duration_s + 1e-9, 1)} {self.entries['unit.s']}"
        whole = round(duration_s)
        parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
        return " ".join(f"{n} {self.entries['unit.' + unit]}" for n, unit in parts if n)

    def kinds(self) -> tuple[str, ...]:
        """Return short words of the kinds in the order of their codes, for pictures."""
        return tuple(self.entries[f"mark.{name}"] for name in KIND_NAMES)


def texts(lang: str) -> Texts:
    """Return the words of a language; raise InputError for one we do not speak."""
    if lang not in LANGUAGES:
        raise InputError(f"--lang {lang!r} is not known; choose one of {', '.join(LANGUAGES)}")
    return Texts(lang=lang, entries=_catalogue(lang))
