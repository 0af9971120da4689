"""Every sentence about a site or a calibration is there in every language, holes and all."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tests.test_config as config_cases

import calmstreet
from calmstreet.config.site import parse_site
from calmstreet.errors import ConfigError
from calmstreet.report.said import OTHER_LANGUAGES, in_language, patterns
from calmstreet.web.saying import said

SOURCE = Path(calmstreet.__file__).parent
REASONS = {"_too_few", "_lengths_off", "_too_loose", "_left_out", "_suspicious"}
SHAPES = {"faulty_polyline", "faulty_polygon", "faulty_box"}


def trees(*names: str) -> Iterator[ast.Module]:
    for name in names:
        yield ast.parse((SOURCE / name).read_text(encoding="utf-8"))


def sentence(node: ast.expr) -> str:
    """Return a sentence as it might be written, with 7 for every value."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr), ast.dump(node)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant)
        else "s" if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.BinOp)
        and isinstance(part.value.op, ast.Mult) and isinstance(part.value.left, ast.Constant)
        and part.value.left.value == "s"
        else "7"
        for part in node.values
    )  # fmt: skip


def refusals() -> Iterator[str]:
    for tree in trees("geometry/picks.py", "geometry/calibrate.py", "geometry/planes.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "CalibrationError":
                yield from (sentence(arg) for arg in node.args if not isinstance(arg, ast.Name))
            if isinstance(node, ast.FunctionDef) and node.name in REASONS:
                texts = [part for part in ast.walk(node) if isinstance(part, ast.JoinedStr)]
                yield from (t for t in map(sentence, texts) if len(t.split()) > 4)


def shapes() -> Iterator[str]:
    for tree in trees("config/shapes.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in SHAPES:
                returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
                yield from (t for t in map(sentence, filter(None, returned)) if t)


def faults() -> Iterator[str]:
    (mark,) = config_cases.test_a_fault_names_file_key_and_cure.pytestmark  # type: ignore[attr-defined]
    for text, *_ in mark.args[1]:
        try:
            parse_site(text)
        except ConfigError as error:
            yield from (fault.removeprefix("SITE.toml: ") for fault in error.faults)


def test_the_holes_are_the_same_in_every_language() -> None:
    for pattern in patterns():
        holes = {
            lang: sorted(re.findall(r"\{(\w+)\}", pattern.words[lang]))
            for lang in ("en", *OTHER_LANGUAGES)
        }
        assert len({tuple(found) for found in holes.values()}) == 1, pattern.words
        assert set(pattern.words) == {"en", *OTHER_LANGUAGES}


def test_sentences_are_in_the_script_of_their_language() -> None:
    for pattern in patterns():
        for lang in OTHER_LANGUAGES:
            words = pattern.words[lang]
            assert words.strip() == words != "", pattern.words["en"]
            cyrillic = bool(re.search(r"[\u0400-\u04ff]", words))
            assert cyrillic == (lang != "uz"), words


@pytest.mark.parametrize("lang", OTHER_LANGUAGES)
@pytest.mark.parametrize("text", sorted({*refusals(), *shapes()}))
def test_every_refusal_and_every_shape_is_said(text: str, lang: str) -> None:
    words = in_language(text, lang)
    assert words is not None
    assert "{" not in words
    assert text.count("7") == words.count("7") or "0,3" in words


@pytest.mark.parametrize("fault", sorted(set(faults())))
def test_every_fault_of_a_site_is_said(fault: str) -> None:
    told = said(fault)
    assert set(told) == {"en", *OTHER_LANGUAGES}, fault
    place = fault.split(" ", 1)[0]
    assert all(words.startswith(place) for words in told.values()), told


def test_what_nobody_wrote_stays_english() -> None:
    assert said("the moon is up") == {"en": "the moon is up"}
    assert in_language("the moon is up", "en") == "the moon is up"
