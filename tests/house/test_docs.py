"""The documents: complete, true to the code, and without what must not be in them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from calmstreet import __version__
from calmstreet.cli import app
from calmstreet.config.site import parse_site
from calmstreet.interop.points_csv import COLUMNS as POINT_COLUMNS
from calmstreet.model.kinds import KIND_NAMES, Flag
from calmstreet.model.run import TIME_KNOWN
from calmstreet.model.site import TURNS
from calmstreet.perception.light import LIGHTS
from calmstreet.pipeline.audit import COLUMNS as AUDIT_COLUMNS
from calmstreet.report.events_csv import EVENT_COLUMNS
from calmstreet.report.known_errors import known_errors
from calmstreet.report.tables import COUNT_COLUMNS, HEADWAY_COLUMNS, MOVEMENT_COLUMNS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "calmstreet"
DOCS = sorted(path for folder in (".", "docs", "design") for path in (ROOT / folder).glob("*.md"))
PAPERS = [path for path in DOCS if path.parent.name == "design" and path.stem != "glossary"]
HOSTS = {"github.com"}
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|tmp|home|root|usr|mnt|opt|var|Users)\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ORDINARY_WORDS = {"class", "type", "line", "section", "counter", "hit", "area", "region", "image"}
ORDINARY_WORDS |= {"detection", "trajectory", "flow", "missing", "other", "reference", "interval"}
ORDINARY_WORDS |= {"scene", "static", "session", "bucket"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Return a document without its fenced blocks."""
    return FENCE.sub("", text)


def slugs(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def part(text: str, heading: str) -> str:
    """Return what stands below a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """Return the words in backticks of the first column of all tables."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        assert file.exists(), f"{name_of(path)}: {target}"
        if anchor:
            assert anchor in slugs(file.read_text(encoding="utf-8")), f"{name_of(path)}: {target}"


@pytest.mark.parametrize("path", [*DOCS, ROOT / "NOTICE"], ids=name_of)
def test_no_foreign_hosts_and_no_paths_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\s)>]+)", text)) <= HOSTS
    assert MACHINE_PATH.findall(text) == []


def test_a_path_of_a_machine_would_be_found() -> None:
    assert MACHINE_PATH.findall("see /" + "home/me/clip.mp4")
    assert not MACHINE_PATH.findall("in result/home, src/tmp and either/or")


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_files_that_are_named_are_there(path: Path) -> None:
    for word in re.findall(r"`([\w./*-]+/[\w.*-]+\.\w+)`", prose(path.read_text(encoding="utf-8"))):
        first = word.partition("/")[0]
        homes = [home for home in (ROOT, SOURCE) if (home / first).is_dir()]
        if homes:
            assert any(list(home.glob(word)) for home in homes), f"{name_of(path)}: {word}"


def test_every_picture_is_shown_and_small() -> None:
    shown = {
        (path.parent / target).resolve()
        for path in DOCS
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if target.endswith(".png")
    }
    folders = (ROOT / "docs" / "images", ROOT / "docs" / "pictures")
    there = {path for folder in folders for path in folder.iterdir()}
    assert shown == there
    assert {path.name for path in there if path.stat().st_size > 300_000} == set()


@pytest.mark.parametrize("path", PAPERS, ids=name_of)
def test_design_papers_have_their_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "**Status**" in text or "## Status" in text
    for wanted in ("Goals", "Non-goals", "Design", "Caveats", "Alternatives"):
        assert f"## {wanted}\n" in text, f"{name_of(path)} lacks {wanted}"


@pytest.mark.parametrize(
    "name", ["README.md", "docs/user-guide.md", "docs/cli.md", "docs/formats.md"]
)
def test_words_of_the_glossary(name: str) -> None:
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|$", text_of("design/glossary.md"), re.M)
    avoided = {word.strip() for row in rows for word in re.sub(r"\([^)]*\)", "", row).split(",")}
    avoided -= ORDINARY_WORDS | {"Not", "---"}
    assert {"object", "uptime"} <= avoided
    text = prose(text_of(name))
    found = [word for word in sorted(avoided) if re.search(rf"\b{re.escape(word)}s?\b", text)]
    assert found == []


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{__version__}]" in text_of("CHANGELOG.md")


def commands() -> dict[str, list[Any]]:
    """Return the parameters of every verb, those of groups under both words."""
    found: dict[str, list[Any]] = {}
    for name, verb in typer.main.get_group(app).commands.items():
        below: dict[str, Any] = getattr(verb, "commands", {})
        found |= {f"{name} {word}": list(one.params) for word, one in below.items()}
        found |= {} if below else {name: list(verb.params)}
    return found


@pytest.mark.parametrize("verb", sorted(commands()))
def test_every_option_is_documented_with_its_default(verb: str) -> None:
    below = part(text_of("docs/cli.md"), verb)
    options = {
        param.opts[0]: param
        for param in commands()[verb]
        if param.param_type_name == "option" and param.opts[0] != "--help"
    }
    rows = {
        row[0]: row[1] for row in re.findall(r"^\| `(--[\w-]+)` \| ([^|]+) \|", below, re.MULTILINE)
    }
    assert set(rows) == set(options)
    for name, option in options.items():
        if option.required:
            assert rows[name] == "needed", name
        elif option.default not in (None, False):
            shown = getattr(option.default, "value", option.default)
            assert f"`{shown}`" in rows[name], name


def test_no_document_names_an_option_that_is_not_there() -> None:
    known = {opt for params in commands().values() for param in params for opt in param.opts}
    known |= {"--version", "--help"}
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *PAPERS):
        for line in path.read_text(encoding="utf-8").splitlines():
            named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", line))
            assert named <= known, f"{name_of(path)}: {sorted(named - known)}"


@pytest.mark.parametrize("verb", sorted(commands()))
def test_every_verb_stands_in_the_readme_or_the_guide(verb: str) -> None:
    assert f"calmstreet {verb}" in text_of("README.md") + text_of("docs/user-guide.md")


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("counts.csv", COUNT_COLUMNS),
        ("movements.csv", MOVEMENT_COLUMNS),
        ("headways.csv", HEADWAY_COLUMNS),
        ("events.csv", EVENT_COLUMNS),
    ],
)
def test_columns_are_documented_in_order(heading: str, columns: tuple[str, ...]) -> None:
    told = first_cells(part(text_of("docs/formats.md"), heading))
    assert tuple(told[: len(columns)]) == columns


def test_words_in_columns_are_documented() -> None:
    formats = text_of("docs/formats.md")
    assert ", ".join([*KIND_NAMES[1:], KIND_NAMES[0]]) in formats
    for word in (*LIGHTS, *TIME_KNOWN, *TURNS, "light-unknown", "unvalidated", "partial"):
        assert f"`{word}`" in formats, word
    for column in AUDIT_COLUMNS:
        assert f"`{column}`" in part(formats, "Audit"), column
    exported = part(formats, "Exported road users")
    for flag in Flag:
        assert f"{flag.value} " in exported, flag.name
    for column in POINT_COLUMNS[: POINT_COLUMNS.index("box_b_px") + 1]:
        name = "camera" if column == "camera_id" else column
        assert name in exported, column


def site_examples() -> list[tuple[str, str]]:
    return [
        (name_of(path), body)
        for path in DOCS
        for kind, body in FENCE.findall(path.read_text(encoding="utf-8"))
        if kind == "toml" and "[site]" in body
    ]


@pytest.mark.parametrize(("name", "body"), site_examples())
def test_examples_of_sites_are_good_sites(name: str, body: str) -> None:
    site = parse_site(body, source=name)
    assert site.cameras
    assert tomllib.loads(body)["site"]["id"] == site.id


def known_errors_table() -> str:
    """Return the table of docs/accuracy.md."""
    lines = [
        "| Clip | View | Light | By hand | Counted | Remark |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['clip']} | {row['view']} | {row['light']} | {row['truth']} | "
            f"{row['counted']} | {row['note']} |"
            for row in known_errors()
        ),
    ]
    return "\n".join(lines)


def test_the_table_of_errors_is_that_of_the_reports() -> None:
    between = re.compile(r"<!-- known-errors -->\n(.*?)\n<!-- /known-errors -->", re.DOTALL)
    found = between.search(text_of("docs/accuracy.md"))
    assert found
    assert found[1] == known_errors_table(), "replace the table by:\n" + known_errors_table()
