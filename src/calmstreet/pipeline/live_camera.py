"""A live camera as calmstreet.toml describes it: address, site, folder, checked before a start."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calmstreet.config.cameras import NodeCamera, camera_url
from calmstreet.config.node import NodeFile, load_node
from calmstreet.config.site import default_site, load_site
from calmstreet.errors import ConfigError, InputError
from calmstreet.model.site import Site
from calmstreet.video.address import Address, Network, parse_address, parse_networks

__all__ = ["LiveCamera", "live_camera", "live_cameras", "results_folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCamera:
    """One camera ready to be watched; ``folder`` is the result folder that it alone writes.

    ``main`` is its main stream for clips, None where it has none.
    """

    settings: NodeCamera
    address: Address
    main: Address | None = None
    networks: tuple[Network, ...]
    site: Site
    site_text: str
    site_file: Path | None
    folder: Path

    @property
    def id(self) -> str:
        """Return the camera's id."""
        return self.settings.id

    @property
    def version(self) -> str:
        """Return what changes when anything that the camera's process rests on changes."""
        parts = [self.settings.model_dump_json(), self.site.site_version, str(self.folder)]
        for address in (self.address, *([self.main] if self.main else [])):
            parts += [repr(self.networks), *address.secrets(), str(address)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def results_folder(settings: NodeFile, config: Path) -> Path:
    """Return the parent of the results; raise InputError where it is not there."""
    folder = config.resolve().parent / settings.node.results
    if not folder.is_dir():
        raise InputError(f"{config}: node.results names {folder}, which is not there; make it")
    return folder


def live_camera(
    settings: NodeFile,
    camera_id: str,
    *,
    config: Path,
    environ: Mapping[str, str] | None = None,
) -> LiveCamera:
    """Return one camera of a node. Raises InputError naming file, key and cure, secrets never."""
    known = {camera.id: camera for camera in settings.camera}
    if camera_id not in known:
        names = ", ".join(known) or "none"
        raise InputError(f"{config} has no [[camera]] {camera_id!r}; it has {names}")
    camera = known[camera_id]
    home = config.resolve().parent
    try:
        address = parse_address(camera_url(camera, source=config, environ=environ), home=home)
        main_url = camera_url(camera, source=config, environ=environ, main=True)
        main = parse_address(main_url, home=home) if main_url else None
        networks = parse_networks(settings.node.camera_networks)
    except InputError as error:
        said = str(error)
        place = "" if said.startswith(str(config)) else f'{config}: [[camera]] "{camera.id}": '
        raise InputError(f"{place}{said}") from error
    site_file = home / camera.site if camera.site else None
    site, text = load_site(site_file) if site_file else (default_site(camera.id), "")
    if camera.id not in {one.id for one in site.cameras}:
        names = ", ".join(one.id for one in site.cameras)
        raise InputError(
            f'{config}: [[camera]] "{camera.id}" is not in {camera.site}, which has {names}; '
            "give the camera the id that it has in its site"
        )
    return LiveCamera(
        settings=camera,
        address=address,
        main=main,
        networks=networks,
        site=site,
        site_text=text,
        site_file=site_file,
        folder=results_folder(settings, config) / camera.id,
    )


def live_cameras(
    config: Path, *, environ: Mapping[str, str] | None = None
) -> tuple[NodeFile, list[LiveCamera]]:
    """Return the settings of a node and all its cameras; raise ConfigError with every fault."""
    settings = load_node(config)
    faults: list[str] = []
    found: list[LiveCamera] = []
    for camera in settings.camera:
        try:
            found.append(live_camera(settings, camera.id, config=config, environ=environ))
        except ConfigError as error:
            faults += error.faults
        except InputError as error:
            faults.append(str(error))
    if not settings.camera:
        faults.append(f"{config} names no camera; add [[camera]] with an id and a url")
    if faults:
        raise ConfigError(*faults)
    return settings, found
