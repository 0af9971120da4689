"""Upkeep of live cameras' folders: mending at start, retention, the budget, checking."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from calmstreet.config.node import NodeFile, NodeFolders
from calmstreet.errors import StoreError
from calmstreet.model.kept import PURPOSES
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import check_folder, forget_missing
from calmstreet.store.folder import CATALOGUE_NAME
from calmstreet.store.proof import mark_anew
from calmstreet.store.retention import Freed, apply_retention, fit_budget
from calmstreet.store.upkeep import Recovered, recover
from calmstreet.video.segment_writer import salvage

__all__ = [
    "Kept",
    "camera_folders",
    "check_folders",
    "keep_s_of",
    "keep_within",
    "recover_camera",
]

_GB = 10**9
_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What upkeep did: what went by age for each camera, by budget, and what went wrong."""

    by_age: Mapping[str, Freed]
    by_budget: Freed
    faults: tuple[str, ...]


def recover_camera(catalogue: Catalogue, *, camera_id: str, now_ns: int) -> Recovered:
    """Mend a camera's folder at start, as ``store.upkeep.recover`` says; hold ``only_writer``."""
    return recover(catalogue, camera_id=camera_id, now_ns=now_ns, salvage=salvage)


def camera_folders(settings: NodeFile, folders: NodeFolders) -> dict[str, Path]:
    """Return where the results of each live camera lie, whether or not they are there yet."""
    return {camera.id: folders.results / camera.id for camera in settings.camera}


def keep_s_of(retention_h: float) -> dict[str, float]:
    """Return how long each kind of picture is kept, seconds; points and counts stay.

    >>> keep_s_of(72.0)["event"]
    259200.0
    """
    return dict.fromkeys((*PURPOSES, "pictures"), retention_h * _S_PER_H)


def keep_within(settings: NodeFile, folders: NodeFolders, *, now_ns: int) -> Kept:
    """Remove what is too old or too much in all live cameras' folders; safe at any time.

    A folder that is not there, or not proved, is left alone and named in ``faults``.
    """
    kept_s = {camera.id: keep_s_of(camera.retention_h) for camera in settings.camera}
    by_age: dict[str, Freed] = {}
    faults: list[str] = []
    with _opened(camera_folders(settings, folders), faults) as catalogues:
        for camera_id, catalogue in catalogues.items():
            try:
                by_age[camera_id] = apply_retention(
                    catalogue, keep_s=kept_s[camera_id], now_ns=now_ns
                )
            except StoreError as error:
                faults.append(str(error))
        budget_bytes = round(settings.node.disk_budget_gb * _GB)
        by_budget = fit_budget(list(catalogues.values()), budget_bytes=budget_bytes)
    return Kept(by_age=by_age, by_budget=by_budget, faults=tuple(faults))


@contextmanager
def _opened(folders: Mapping[str, Path], faults: list[str]) -> Iterator[dict[str, Catalogue]]:
    with ExitStack() as stack:
        found = {}
        for camera_id, folder in folders.items():
            if not (folder / CATALOGUE_NAME).is_file():
                continue
            try:
                found[camera_id] = stack.enter_context(Catalogue.open(folder))
            except StoreError as error:
                faults.append(str(error))
        yield found


def check_folders(
    folders: Mapping[str, Path], *, level: str, forget: bool = False
) -> dict[str, Any]:
    """Check each folder; with ``forget`` drop the rows of missing files and take it as it is.

    Returns {name: {files, size_bytes, written, faults, forgotten}}. Raises StoreError for a folder
    that is no result or cannot be read.
    """
    found: dict[str, Any] = {}
    for name, folder in folders.items():
        with Catalogue.open(folder) as catalogue:
            forgotten = 0
            if forget:
                forgotten = forget_missing(catalogue)
                mark_anew(catalogue)
            checked = check_folder(catalogue, level=level)
        found[name] = {**asdict(checked), "forgotten": forgotten}
    return found
