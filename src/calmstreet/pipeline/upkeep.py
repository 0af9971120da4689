"""Checking the result folders of a person or of a node against their catalogues."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from calmstreet.config.node import load_node
from calmstreet.errors import InputError
from calmstreet.pipeline.live_camera import results_folder
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.checking import LEVELS, check_folder, forget_missing
from calmstreet.store.folder import CATALOGUE_NAME
from calmstreet.store.proof import mark_anew

__all__ = ["LEVELS", "check_folders", "node_result_folders"]


def node_result_folders(config: Path) -> dict[str, Path]:
    """Return the folders of a node's live cameras that hold a result; InputError for none."""
    settings = load_node(config)
    parent = results_folder(settings, config)
    folders = {camera.id: parent / camera.id for camera in settings.camera}
    found = {name: path for name, path in folders.items() if (path / CATALOGUE_NAME).is_file()}
    if not found:
        raise InputError(f"{config}: none of its cameras has a result yet; start calmstreet watch")
    return found


def check_folders(
    folders: Mapping[str, Path], *, level: str, forget: bool = False
) -> dict[str, Any]:
    """Check each folder; with ``forget`` drop the rows of missing files and take it as it is.

    Returns {name: {level, files, size_bytes, written, faults, forgotten}}. Raises StoreError for
    a folder that is no result or cannot be read.
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
