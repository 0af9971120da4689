"""Every sentence of our rules is known in every language, and reads back as it was filled in."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from calmstreet.report.said import recognised, said_in
from calmstreet.report.texts import LANGUAGES, placeholders, texts

SAFETY = Path(__file__).resolve().parents[2] / "src" / "calmstreet" / "safety"
RULES = sorted([*SAFETY.glob("conduct*.py"), SAFETY / "conflict_events.py"])
OTHERS = [lang for lang in LANGUAGES if lang != "en"]
SAID = [key for key in texts("en").entries if key.startswith("said.")]
SUFFIXES = {" while others had green": "stood in 7"}


def docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what only says what code does: a constant that stands as a statement of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def variants(node: ast.JoinedStr) -> list[str]:
    """Return what an f-string says, with 7 for each value and every word that it may choose."""
    said = [""]
    for part in node.values:
        words = ["7"]
        if isinstance(part, ast.Constant):
            words = [str(part.value)]
        elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp):
            chosen = (part.value.body, part.value.orelse)
            words = [str(c.value) for c in chosen if isinstance(c, ast.Constant)]
        said = [before + word for before in said for word in words]
    return said


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of whatever a module may say to people: strings of several words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(node) for node in docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(inner) for inner in ast.walk(node) if inner is not node}
    for node in ast.walk(tree):
        texts_of: list[str] = []
        if id(node) in silent:
            continue
        if isinstance(node, ast.JoinedStr):
            texts_of = variants(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts_of = [node.value]
        for text in texts_of:
            if " " in text:
                yield node.lineno, SUFFIXES.get(text, "") + text  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_sentence_of_a_rule_has_its_words(path: Path) -> None:
    missing = [f"{path.name}:{line}: {text}" for line, text in sentences(path)
               if recognised(text) is None]  # fmt: skip
    assert missing == [], "add it to report/texts/rules.*.toml"


@pytest.mark.parametrize("key", SAID)
def test_a_sentence_reads_back_as_it_was_filled_in(key: str) -> None:
    english = texts("en")
    values = {name: f"x{k}.5" for k, name in enumerate(sorted(placeholders(english.entries[key])))}
    assert recognised(english.t(key, **values)) == (key, values)


@pytest.mark.parametrize("lang", OTHERS)
def test_values_are_kept_and_words_are_not_english(lang: str) -> None:
    said = said_in("turning right is allowed on red; whether it turned was not seen", texts(lang))
    assert texts(lang).t("turn.right") in said
    assert not re.search(r"[a-z]+ allowed", said)
    said = said_in("the front passed line stop-1 2.25 s after signal C/3 turned red", texts(lang))
    assert {"stop-1", "2,25", "C/3"} <= set(re.findall(r"[\w/,-]+", said))
    said = said_in("crossing, level 3 of 4 on our own scale", texts(lang))
    assert texts(lang).t("conflicts.type.crossing") in said


def test_english_and_unknown_words_stay() -> None:
    assert said_in("stood in north", texts("en")) == "stood in north"
    assert said_in("what a plug-in says", texts("uz")) == "what a plug-in says"
