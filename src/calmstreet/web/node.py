"""The node as the desk sees it: its folders, its settings, its clock. Ids in, folders out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from calmstreet.clock import Clock, SystemClock
from calmstreet.config.node import NodeFile, NodeFolders, load_node, node_folders
from calmstreet.errors import InputError
from calmstreet.store.desk import Desk
from calmstreet.store.shelf import ResultFolder, result_folders

__all__ = ["Node", "node_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Folders, settings and clock of a node."""

    folders: NodeFolders
    settings: NodeFile = field(default_factory=NodeFile)
    clock: Clock = field(default_factory=SystemClock)

    @property
    def results(self) -> Path:
        """Return the parent of the result folders."""
        return self.folders.results

    @property
    def desk_folder(self) -> Path:
        """Return the folder of the desk."""
        return self.folders.desk

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open the desk's folder for one thread."""
        with Desk.open(self.desk_folder, clock=self.clock) as desk:
            yield desk

    def result_folders(self) -> list[ResultFolder]:
        """Return every result by name."""
        return result_folders(self.results, also=self.folders.also, desk=self.desk_folder)

    def result(self, result_id: str) -> ResultFolder | None:
        """Return the result of an id, None when there is none."""
        return next((r for r in self.result_folders() if r.result_id == result_id), None)

    def new_result_folder(self, name: str) -> Path:
        """Return a folder for a new result; ``name`` is an id, never a path."""
        if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
            raise InputError(f"{name!r} is no name of a result; write 1 to 40 of a-z, 0-9 and -")
        return self.results / name


def node_of(path: Path, *, clock: Clock | None = None) -> Node:
    """Return the node that a calmstreet.toml describes.

    Raises ConfigError with every fault, InputError when a folder that it names is not there.
    """
    settings = load_node(path)
    return Node(
        folders=node_folders(settings, path), settings=settings, clock=clock or SystemClock()
    )
