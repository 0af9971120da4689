"""Proof that a folder is the one we mean, before anything in it is removed or begun anew.

Every part of a live folder carries a file with the folder's id, so that a disk that is not
mounted, or another disk in its place, is told from an empty folder.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from calmstreet.errors import StoreError
from calmstreet.store.catalogue import LIVE_CAMERA, Catalogue
from calmstreet.store.folder import CATALOGUE_NAME, write_whole

__all__ = [
    "MARK",
    "any_place_left",
    "mark_anew",
    "prove_folder",
    "prove_live",
    "prove_place",
    "refuse_lost_place",
]

MARK = ".calmstreet-folder"
"""Name of the file that holds a folder's id."""

_FOLDER_ID = "folder_id"
_TABLE_OF = {
    "points": "point_files",
    "steps": "step_files",
    "segments": "segments",
    "pictures": "pictures",
    "evidence": "evidence_files",
}


def prove_folder(catalogue: Catalogue, *, camera_id: str) -> str:
    """Return the id of a live camera's folder; mark it where it is new.

    Raises StoreError where a part that should hold files carries no mark or another one, or where
    another camera's results lie: nothing may then be removed, nor written.
    """
    folder = catalogue.folder
    known = catalogue.fact(LIVE_CAMERA)
    if known and known != camera_id:
        raise StoreError(
            f"{folder} holds {known}, not {camera_id}; give each camera its own folder"
        )
    folder_id = catalogue.fact(_FOLDER_ID)
    if folder_id:
        unmarked = [
            folder / part
            for part, table in _TABLE_OF.items()
            if not _is_proved(catalogue, folder / part, table, folder_id)
        ]
        for place in unmarked:
            _mark(place, folder_id)
        return folder_id
    folder_id = secrets.token_hex(8)
    for part in _TABLE_OF:
        _mark(folder / part, folder_id)
    catalogue.set_fact(LIVE_CAMERA, camera_id)
    catalogue.set_fact(_FOLDER_ID, folder_id)
    return folder_id


def prove_live(catalogue: Catalogue) -> None:
    """Prove the folder of a live camera that is known already; StoreError for any other folder."""
    camera_id = catalogue.fact(LIVE_CAMERA)
    if not camera_id:
        raise StoreError(
            f"{catalogue.folder} is no live camera's: nothing in it is removed; name another folder"
        )
    prove_folder(catalogue, camera_id=camera_id)


def mark_anew(catalogue: Catalogue) -> None:
    """Take the folder as it is now, when a person says that what is missing is lost."""
    folder_id = catalogue.fact(_FOLDER_ID)
    for part in _TABLE_OF if folder_id else ():
        _mark(catalogue.folder / part, folder_id)


def _is_proved(catalogue: Catalogue, part: Path, table: str, folder_id: str) -> bool:
    """Return whether a part carries the mark; False for a new one; StoreError for a lost one."""
    found = _read(part / MARK)
    if found == folder_id:
        return True
    if found or _has_rows(catalogue, table):
        raise StoreError(
            f"{part} is not the folder that belongs to its catalogue; is its disk mounted? Nothing "
            "was removed. Mount it, or give up what is missing: calmstreet check --forget-missing"
        )
    return False


def _mark(part: Path, folder_id: str) -> None:
    write_whole(part / MARK, lambda path: _write(path, folder_id))


def _has_rows(catalogue: Catalogue, table: str) -> bool:
    with catalogue.database.guarded() as connection:
        return connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); check the disk") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def prove_place(register: Path, *, camera_id: str, folder: Path) -> None:
    """Raise StoreError where a camera's folder was there before and is not there now.

    ``register`` is a small file outside the folder, such as in the desk's: JSON of camera to
    folder. A camera is written into it once its folder holds a catalogue; take it out to begin
    anew. Call it before the folder is opened with ``create``, and again when it is there.
    """
    refuse_lost_place(register, camera_id=camera_id, folder=folder)
    known, place = _places(register), str(folder.resolve())
    if known.get(camera_id) == place or not (folder / CATALOGUE_NAME).is_file():
        return
    text = json.dumps({**known, camera_id: place}, indent=1, sort_keys=True)
    write_whole(register, lambda path: _write(path, text))


def refuse_lost_place(register: Path, *, camera_id: str, folder: Path) -> None:
    """Do what ``prove_place`` does, writing nothing."""
    if _is_lost(_places(register), camera_id, folder):
        raise StoreError(
            f"{folder} held results of {camera_id} and is empty; is its disk mounted? "
            f"Mount it, or take {camera_id} out of {register} to begin anew"
        )


def any_place_left(register: Path, *, folders: Mapping[str, Path]) -> bool:
    """Return whether any folder that the register knows is still there, or it knows none of them.

    Writes nothing; raises StoreError for a register that does not read.
    """
    known = _places(register)
    mine = [name for name, folder in folders.items() if known.get(name) == str(folder.resolve())]
    return not mine or any(not _is_lost(known, name, folders[name]) for name in mine)


def _is_lost(known: Mapping[str, str], camera_id: str, folder: Path) -> bool:
    was_there = known.get(camera_id) == str(folder.resolve())
    return was_there and not (folder / CATALOGUE_NAME).is_file()


def _places(register: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(_read(register) or "{}")
    except ValueError as error:
        raise StoreError(f"{register} is damaged ({error}); remove it") from error
    return known
