"""Where a node's cameras keep their results, and whether that is there: asked before any write.

The desk's folder holds a register of the folders that cameras had. It is all that tells an empty
place to mount a disk from the folder of a new camera: it must lie on a disk that is always there.
"""

from contextlib import suppress
from pathlib import Path

from calmstreet.config.node import NodeFile
from calmstreet.errors import StoreError
from calmstreet.store.proof import any_place_left, prove_place, refuse_lost_place

__all__ = ["REGISTER", "enter_place", "is_there", "prove_there", "register_of"]

REGISTER = "live-cameras.json"


def register_of(settings: NodeFile, config: Path) -> Path:
    """Return where the register of a node lies."""
    return config.resolve().parent / settings.node.desk / REGISTER


def _folders(settings: NodeFile, config: Path) -> dict[str, Path]:
    parent = config.resolve().parent / settings.node.results
    return {camera.id: parent / camera.id for camera in settings.camera}


def prove_there(settings: NodeFile, config: Path, camera_id: str) -> None:
    """Raise StoreError where a camera's folder was there before and is not there now."""
    folder = _folders(settings, config)[camera_id]
    refuse_lost_place(register_of(settings, config), camera_id=camera_id, folder=folder)


def enter_place(settings: NodeFile, config: Path, camera_id: str) -> None:
    """Do the same, and enter a new folder in the register once it holds a catalogue."""
    register = register_of(settings, config)
    try:
        register.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{register.parent} cannot be made ({error.strerror})") from error
    prove_place(register, camera_id=camera_id, folder=_folders(settings, config)[camera_id])


def is_there(settings: NodeFile, config: Path) -> bool:
    """Return whether the results are on our disk: no camera was there yet, or one still is."""
    with suppress(StoreError):
        return any_place_left(register_of(settings, config), folders=_folders(settings, config))
    return False
