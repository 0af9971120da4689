"""calmstreet.toml: where results lie, how the desk is opened, which cameras are watched."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from calmstreet.config.cameras import NETWORKS, NodeCamera, doubled_ids, network_list
from calmstreet.config.tiles import tile_address, tile_layers
from calmstreet.config.wording import model_faults
from calmstreet.errors import ConfigError, InputError

__all__ = [
    "Desk",
    "Limits",
    "NodeFile",
    "NodeFolders",
    "NodeTable",
    "load_node",
    "node_folders",
    "node_json_schema",
    "parse_node",
]

Text = Annotated[str, StringConstraints(max_length=500)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeTable(_Table):
    """Folders, relative to calmstreet.toml, and what all cameras share.

    Results lie in ``results``, one folder each, and in ``also``; ``desk`` keeps accounts, audit
    log, jobs and uploads. The map has tiles of ``tiles_url`` or of the PMTiles file
    ``tiles_file``, or none. Cameras are reached in ``camera_networks`` only, and
    ``fenced_network`` says that a firewall sees to it too, which ``transport = "udp"`` needs;
    ``metrics_port`` is open on this machine alone, 0 for none. A live run is cut to be judged
    where the street is empty after ``cut_minutes``, at the latest after ``longest_minutes``. The
    points of its runs go after ``points_retention_days``, 0 for never; counts, events and their
    evidence stay.
    """

    results: Text = "results"
    also: tuple[Text, ...] = ()
    desk: Text = "desk"
    language: Literal["en", "ru", "kk", "uz"] = "en"
    tiles_url: Annotated[Text, AfterValidator(tile_address)] = ""
    tiles_file: Text = ""
    disk_budget_gb: Annotated[float, Field(gt=0, le=1_000_000)] = 200.0
    points_retention_days: Annotated[float, Field(ge=0, le=36_500)] = 30.0
    camera_networks: Annotated[tuple[Text, ...], AfterValidator(network_list)] = NETWORKS
    fenced_network: Annotated[bool, Field(strict=True)] = False
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    cut_minutes: Annotated[float, Field(gt=0, le=720)] = 15.0
    longest_minutes: Annotated[float, Field(gt=0, le=1440)] = 60.0

    @model_validator(mode="after")
    def _one_map(self) -> "NodeTable":
        if self.tiles_url and self.tiles_file:
            raise ValueError("holds both tiles_url and tiles_file; keep one of them")
        return self


class Desk(_Table):
    """How people come in; ``hosts`` are the names by which the desk may be called."""

    hosts: tuple[Text, ...] = ()
    session_hours: Annotated[float, Field(gt=0, le=720)] = 12.0
    idle_minutes: Annotated[float, Field(gt=0, le=1440)] = 60.0
    behind_tls: Annotated[bool, Field(strict=True)] = False


class Limits(_Table):
    """How much at once: sizes in megabytes, numbers per minute."""

    upload_mb: Annotated[int, Field(ge=1, le=200_000)] = 4096
    requests_per_minute: Annotated[int, Field(ge=10, le=100_000)] = 3000
    wrong_passwords_per_minute: Annotated[int, Field(ge=1, le=100)] = 5


class NodeFile(_Table):
    """A whole calmstreet.toml."""

    node: NodeTable = NodeTable()
    desk: Desk = Desk()
    limits: Limits = Limits()
    camera: tuple[NodeCamera, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> "NodeFile":
        doubled = doubled_ids(self.camera)
        if doubled:
            raise ValueError(f"holds the id {doubled[0]!r} twice; give every camera its own")
        loose = [camera.id for camera in self.camera if camera.transport == "udp"]
        if loose and not self.node.fenced_network:
            raise ValueError(
                f'{loose[0]!r} has transport = "udp", over which a camera that answers "moved" '
                'could send us elsewhere; leave "tcp", or let a firewall allow its network alone, '
                "as IPAddressAllow in the unit does, and say so: [node] fenced_network = true"
            )
        return self


_TABLES: dict[str, type[BaseModel]] = {
    "": NodeFile, "node": NodeTable, "desk": Desk, "limits": Limits, "camera": NodeCamera,
}  # fmt: skip


def parse_node(text: str, *, source: str = "calmstreet.toml") -> NodeFile:
    r"""Return the settings of a text; raise ConfigError with every fault at once.

    >>> parse_node('[node]\nresults = "results"').node.language
    'en'
    """
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: does not read as TOML: {error}; mend that line") from error
    try:
        return NodeFile.model_validate(raw)
    except ValidationError as error:
        found = model_faults(error, tables=_TABLES)
        faults = [f"{source}: {path or '[[camera]]'} {wrong}" for path, wrong in found]
        raise ConfigError(*faults) from error


def node_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of calmstreet.toml.

    >>> sorted(node_json_schema()["properties"])
    ['camera', 'desk', 'limits', 'node']
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **NodeFile.model_json_schema(by_alias=True),
        "title": "calmstreet.toml",
    }


def load_node(path: Path) -> NodeFile:
    """Read calmstreet.toml; raise ConfigError naming file, key and cure."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise ConfigError(f"{path}: {why}; give the path of a calmstreet.toml") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not text in UTF-8; save it as UTF-8") from error
    return parse_node(text, source=str(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFolders:
    """The folders of a node: parent of the results, results elsewhere, the desk's own.

    ``tiles`` is the PMTiles file beneath its map, None for none; ``tiles_layers`` are its layers
    where it holds vectors, () where it holds pictures.
    """

    results: Path
    also: tuple[Path, ...] = ()
    desk: Path
    tiles: Path | None = None
    tiles_layers: tuple[str, ...] = ()


def node_folders(settings: NodeFile, path: Path) -> NodeFolders:
    """Return the folders that a calmstreet.toml at ``path`` names.

    Raises InputError naming file, key and cure where one is not there.
    """
    home = path.resolve().parent
    results = home / settings.node.results
    also = tuple(home / name for name in settings.node.also)
    if not results.is_dir():
        raise InputError(f"{path}: node.results names {results}, which is not there; make it")
    for folder in also:
        if not folder.is_dir():
            raise InputError(f"{path}: node.also names {folder}, which is not there; remove it")
    tiles = home / settings.node.tiles_file if settings.node.tiles_file else None
    return NodeFolders(
        results=results,
        also=also,
        desk=home / settings.node.desk,
        tiles=tiles,
        tiles_layers=() if tiles is None else tile_layers(tiles),
    )
