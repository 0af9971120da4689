"""Makes the net that comes along: fetches, converts, checks, and only then puts it in its place."""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

from build_net.fetch import FILES, PACKAGE, NetAbsent, fetch_weights

__all__ = ["NET", "NET_FOLDER", "VERSION", "make_net", "net_is_made"]

NET_FOLDER = Path("src/calmstreet/perception/nets")
NET = "nanodet-g.onnx"
VERSION = "nanodet-g/1"


def net_is_made(root: Path) -> bool:
    """Return whether the whole net of this version lies in the source tree ``root``."""
    path = root / NET_FOLDER / NET
    try:
        note = json.loads(path.with_suffix(".json").read_text())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return False
    return bool(note == _note(digest))


def make_net(root: Path) -> None:
    """Put the net and the note of what it was made from into the source tree ``root``.

    Raises NetAbsent when the weights or the packages for it cannot be had; ValueError when the
    files are not the published ones or the net does not find what it found before.
    """
    with tempfile.TemporaryDirectory() as folder:
        fetch_weights(Path(folder))
        content = _converted(root, Path(folder))
    place = root / NET_FOLDER
    place.mkdir(parents=True, exist_ok=True)
    note = json.dumps(_note(hashlib.sha256(content).hexdigest()), indent=1) + "\n"
    _publish((place / NET).with_suffix(".json"), note.encode())
    _publish(place / NET, content)


def _converted(root: Path, folder: Path) -> bytes:
    # What finds boxes at run time finds them here too; it needs no more than numpy.
    sys.path.insert(0, str(root / "src"))
    try:
        from build_net.check import check_net
        from build_net.convert import convert_files
    except ImportError as error:
        raise NetAbsent(f"{error.name} is not installed, which converts the net") from error
    finally:
        sys.path.remove(str(root / "src"))
    content = convert_files(folder / "nanodet.json")
    check_net(content)
    return content


def _note(digest: str) -> dict[str, object]:
    return {"net": VERSION, "sha256": digest, "made_from": {"package": PACKAGE, "files": FILES}}


def _publish(path: Path, content: bytes) -> None:
    """Write a file so that others see all of it or nothing."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
