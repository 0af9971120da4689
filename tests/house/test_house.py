"""The house rules that a program can check."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "calmstreet").rglob("*.py"))
MODULES = [path for path in SOURCES if path.name != "__init__.py"]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "src"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400, f"{name_of(path)} has {lines} lines; split it"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= 60, f"{name_of(path)}: {function.name} has {length} lines"


def test_median_function_is_ten_lines_or_less() -> None:
    lengths = sorted(
        (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
    )
    assert lengths[len(lengths) // 2] <= 10


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_say_what_they_export(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{name_of(path)} has no docstring"
    exported = next(
        (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ),
        None,
    )
    assert exported is not None, f"{name_of(path)} has no __all__"
    defined = {
        name
        for node in tree.body
        for name in (
            [node.name]
            if isinstance(node, (*FUNCTIONS, ast.ClassDef))
            else [t.id for t in ast.walk(node) if isinstance(t, ast.Name)]
            + [alias.asname or alias.name for alias in getattr(node, "names", [])]
        )
    }
    assert set(exported) <= defined, f"{name_of(path)} exports what it does not define"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_words_that_say_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert not re.search(r"(Manager|Handler|Helper|Util|Base|Impl)$", node.name), node.name


def test_only_the_clock_asks_for_the_time() -> None:
    pattern = re.compile(r"\btime\.(time|time_ns|monotonic)\(|datetime\.(now|utcnow|today)\(")
    guilty = [
        name_of(path)
        for path in SOURCES
        if path.name != "clock.py" and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert not guilty


def test_room_inits_are_empty() -> None:
    inits = [path for path in SOURCES if path.name == "__init__.py" and path.parent.parent.name]
    full = [
        name_of(path)
        for path in inits
        if path.parent.name != "calmstreet" and path.read_text(encoding="utf-8").strip()
    ]
    assert not full


def test_errors_form_one_tree() -> None:
    from calmstreet import errors

    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.CalmstreetError)
    raised = re.compile(r"class (\w+)\((?:Exception|RuntimeError|OSError)\)")
    for path in SOURCES:
        if path.name != "errors.py":
            assert not raised.search(path.read_text(encoding="utf-8")), name_of(path)


FORBIDDEN_WORDS = re.compile(
    r"face_recogni|recogni[sz]e_face|face_embedding|gait|plate_text|read_plate|licen[cs]e_plate_number"
    r"|(?<![a-z])re_?id\b|reidentif|watch_?list|blacklist|ethnic|income|arrest|crime",
    re.IGNORECASE,
)
FORBIDDEN_PACKAGES = re.compile(
    r"ultralytics|face[-_]recognition|insightface|deepface|easyocr|paddleocr|rapidocr|fast[-_]alpr"
    r"|openalpr|hyperlpr|torchreid|boxmot|requests|sentry|posthog|analytics",
    re.IGNORECASE,
)


def test_nobody_can_be_identified_by_any_name_in_the_code() -> None:
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [
                getattr(node, field)
                for field in ("id", "attr", "arg", "name")
                if isinstance(getattr(node, field, None), str)
            ]
            for name in names:
                assert not FORBIDDEN_WORDS.search(name), f"{name_of(path)}: {name}"


def test_no_column_can_identify_anybody() -> None:
    schema = (ROOT / "src/calmstreet/store/schema.sql").read_text(encoding="utf-8")
    columns = re.findall(r"^\s+(\w+) (?:TEXT|INTEGER|REAL|BLOB)", schema, re.MULTILINE)
    assert len(columns) > 50
    assert not [column for column in columns if FORBIDDEN_WORDS.search(column)]
    assert "BLOB" not in schema


def test_no_dependency_can_identify_anybody_or_phones_home() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in [*wanted, *pinned] if FORBIDDEN_PACKAGES.match(line)]


def test_units_are_in_the_names_of_nouns() -> None:
    unitless = {"duration", "speed", "distance", "angle", "timeout", "height", "width", "length"}
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                assert node.target.id not in unitless, f"{name_of(path)}: {node.target.id}"


def test_settings_room_is_read_from_above_only() -> None:
    for path in SOURCES:
        room = path.relative_to(ROOT / "src/calmstreet").parts[0]
        if room in {"video", "perception", "safety", "store", "interop", "report", "geometry"}:
            assert "calmstreet.config" not in path.read_text(encoding="utf-8"), name_of(path)
