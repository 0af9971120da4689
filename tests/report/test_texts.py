import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.errors import InputError
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.report.texts import LANGUAGES, number, placeholders, texts

SOURCE = Path(__file__).resolve().parents[2] / "src" / "calmstreet"
SAME_EVERYWHERE = {"label.geh", "speeds.chart.v85"}
LATIN_IN_CYRILLIC = {"Calmstreet", "calmstreet", "audit", "counts", "start", "GEH", "PHF"}
LATIN_IN_CYRILLIC |= {"k", "Hauer", "LightGBM", "MSTL", "MASE", "WIS", "backtest", "z", "p", "FDR"}
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|not|no|with|by|from|to|road|users?|gates?|time|camera|"
    r"frames?|counts?|unknown|watched|left|right|through)\b"
)
FAMILY = re.compile(r"(label|workbook|section|chart|picture|unit|word|kind)\.[a-z_.]*[a-z]")
LATIN_IN_CYRILLIC |= {"explain"}
LATIN_IN_CYRILLIC |= {"PDF", "PET", "TTC"}
LATIN_IN_CYRILLIC |= {"STOP", "U", "control", "stop"}
LATIN_IN_CYRILLIC |= {"GPS", "v", "n", "calibrate", "verify", "speed"}
OTHERS = [lang for lang in LANGUAGES if lang != "en"]


@pytest.mark.parametrize("lang", OTHERS)
def test_every_language_has_the_same_keys_and_placeholders(lang: str) -> None:
    english, other = texts("en").entries, texts(lang).entries
    assert set(other) == set(english)
    differing = [k for k in english if placeholders(english[k]) != placeholders(other[k])]
    assert differing == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_empty_and_no_brace_is_left_over(lang: str) -> None:
    for key, text in texts(lang).entries.items():
        assert text.strip() == text != "", key
        assert not re.search(r"[{}]", re.sub(r"\{[a-z_]+\}", "", text)), key


@pytest.mark.parametrize("lang", OTHERS)
def test_nothing_is_left_in_english(lang: str) -> None:
    english = texts("en").entries
    for key, text in texts(lang).entries.items():
        words = re.sub(r"\{[a-z_]+\}|calmstreet audit --counts|--start", "", text)
        assert not ENGLISH.search(words.lower()), (key, text)
        if len(english[key]) > 12 and key not in SAME_EVERYWHERE:
            assert text != english[key], key


@pytest.mark.parametrize("lang", ["ru", "kk"])
def test_cyrillic_texts_hold_latin_only_where_a_name_demands_it(lang: str) -> None:
    for key, text in texts(lang).entries.items():
        latin = set(re.findall(r"[A-Za-z]+", re.sub(r"\{[a-z_]+\}", "", text)))
        assert latin <= LATIN_IN_CYRILLIC, key


def test_uzbek_is_latin_with_its_own_comma() -> None:
    for key, text in texts("uz").entries.items():
        assert not re.search(r"[А-Яа-яЁё]", text), key
        assert not re.search(r"\b[^ʻ]*[oOgG]['’`‘]", text), key


def test_kazakh_uses_its_own_letters() -> None:
    assert set("әғқңөұүһі") <= set("".join(texts("kk").entries.values()).lower()) | {"һ"}


def _choices(node: ast.expr) -> list[ast.expr]:
    """Return what an argument may be: itself, or both sides of a choice."""
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _keys_used() -> set[str]:
    """Return every whole text key that stands in the source as an argument or by its family."""
    keys = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            word = str(node.value) if isinstance(node, ast.Constant) else ""
            if FAMILY.fullmatch(word) and not word.endswith(".svg"):
                keys.add(word)
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            for value in _choices(node.args[0]):
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    if name == "t":
                        keys.add(value.value)
                    elif name == "warn":
                        keys.add(f"note.{value.value}")
    return keys


def test_every_key_used_in_the_source_exists() -> None:
    used = _keys_used()
    assert "workbook.total" in used
    assert "note.interrupted" in used
    assert {key for key in used if not texts("en").has(key)} == set()


@pytest.mark.parametrize("family", ["kind", "mark"])
def test_every_kind_has_its_words(family: str) -> None:
    assert all(texts("en").has(f"{family}.{name}") for name in KIND_NAMES)
    assert len(texts("uz").kinds()) == len(KIND_NAMES)


def test_a_missing_value_or_key_is_a_fault_of_the_caller() -> None:
    with pytest.raises(KeyError):
        texts("en").t("workbook.not_enough")
    with pytest.raises(KeyError):
        texts("en").t("no.such.key")


def test_a_language_that_we_do_not_speak_is_refused_with_a_cure() -> None:
    with pytest.raises(InputError, match="en, ru, kk, uz"):
        texts("de")


@given(st.integers(-(10**12), 10**12), st.sampled_from(LANGUAGES))
def test_a_whole_number_keeps_its_digits(value: int, lang: str) -> None:
    text = number(value, lang)
    assert re.sub(r"\D", "", text) == str(abs(value))
    assert text.startswith("−") == (value < 0)
    assert re.fullmatch(r"−?\d{1,3}([,\u202f]\d{3})*", text)


@given(st.floats(-1e9, 1e9), st.integers(0, 4), st.sampled_from(LANGUAGES))
def test_a_written_number_reads_back(value: float, decimals: int, lang: str) -> None:
    text = number(value, lang, decimals).replace("−", "-").replace("\u202f", "")
    text = text.replace(",", "") if lang == "en" else text.replace(",", ".")
    assert float(text) == pytest.approx(value, abs=0.51 * 10**-decimals)


def test_zero_has_no_sign() -> None:
    assert number(-0.0, "en") == "0"
    assert number(-0.001, "ru", 1) == "0,0"
