"""``[[camera]]`` of calmstreet.toml: where pictures come from and what is kept of them."""

import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from calmstreet.config.schema import Id
from calmstreet.errors import InputError
from calmstreet.model.kept import PURPOSES

__all__ = ["CREDENTIALS", "NETWORKS", "NodeCamera", "camera_url", "doubled_ids", "network_list"]

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd lays what it decrypted for a service (``LoadCredentialEncrypted=``)."""

NETWORKS: tuple[str, ...] = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("::1/128", "fc00::/7"),
)

_LONGEST_SECRET = 4096
_WITH_PASSWORD = re.compile(r"^[a-z]+://.*@", re.IGNORECASE)

Text = Annotated[str, StringConstraints(max_length=500)]
EnvName = Annotated[str, Field(max_length=100)]
Whole = Annotated[int, Field(strict=True)]
Hours = Annotated[float, Field(gt=0, le=87_600)]


def _env_name(name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("is no name of an environment variable; write one such as NORTH_URL")
    return name


def _without_secret(url: str) -> str:
    if _WITH_PASSWORD.match(url):
        raise ValueError(
            "holds a name or password; put the whole address into an environment variable and "
            "name that as url_env, or main_url_env for the main stream"
        )
    return url


class NodeCamera(BaseModel):
    """One live camera. Its results lie in a folder of its own, named by ``id``.

    ``url`` is "rtsp://...", "rtsps://..." without a password or "file:clip.mp4?loop=1";
    ``url_env`` names what holds it instead: an environment variable, or a systemd credential.
    ``main_url`` or ``main_url_env``, where given, is the same camera's main stream, for clips.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Id
    url: Annotated[Text, AfterValidator(_without_secret)] = ""
    url_env: Annotated[EnvName, AfterValidator(_env_name)] = ""
    main_url: Annotated[Text, AfterValidator(_without_secret)] = ""
    main_url_env: Annotated[EnvName, AfterValidator(_env_name)] = ""
    site: Text = ""
    transport: Literal["tcp", "udp"] = "tcp"
    detector: Text = "nanodet"
    analysed_fps: Annotated[float, Field(ge=1, le=60)] = 10.0
    net_every: Annotated[Whole, Field(ge=1, le=50)] = 2
    record: Literal["events", "continuous", "none"] = "events"
    purpose: Text = ""
    retention_h: Hours = 72.0
    retention_by_purpose_h: dict[Literal["event", "audit", "continuous"], Hours] = {}
    pre_roll_s: Annotated[float, Field(ge=0, le=20)] = 5.0
    post_roll_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    audit_windows_per_hour: Annotated[Whole, Field(ge=0, le=30)] = 4
    audit_window_s: Annotated[float, Field(ge=1, le=60)] = 15.0
    audit_seed: Annotated[Whole, Field(ge=0)] = 0

    @property
    def has_main(self) -> bool:
        """Return whether a main stream is named.

        >>> NodeCamera(id="a", url="file:x", main_url="file:y").has_main
        True
        """
        return bool(self.main_url or self.main_url_env)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the names of the variables that hold this camera's addresses."""
        return frozenset(name for name in (self.url_env, self.main_url_env) if name)

    def kept_s(self) -> dict[str, float]:
        """Return how long video of each purpose, and stills, are kept, seconds.

        >>> NodeCamera(id="a", url="file:x", retention_by_purpose_h={"audit": 1}).kept_s()["audit"]
        3600.0
        """
        own = {str(purpose): hours for purpose, hours in self.retention_by_purpose_h.items()}
        purposes = (*PURPOSES, "pictures")
        return {purpose: own.get(purpose, self.retention_h) * 3600.0 for purpose in purposes}

    @model_validator(mode="after")
    def _whole(self) -> "NodeCamera":
        if bool(self.url) == bool(self.url_env):
            said = "both are given" if self.url else "none is given"
            raise ValueError(f"wants either url or url_env, {said}; write one of them")
        if self.main_url and self.main_url_env:
            raise ValueError("holds both main_url and main_url_env; keep one of them")
        if self.has_main and self.record != "events":
            raise ValueError(
                'names a main stream, which only clips of events use; leave record at "events" or '
                "take main_url or main_url_env out"
            )
        if self.record == "continuous" and not self.purpose.strip():
            raise ValueError(
                'record = "continuous" needs a purpose; say in purpose what the video is kept for, '
                'or leave record at "events"'
            )
        return self


def network_list(names: Sequence[str]) -> tuple[str, ...]:
    """Return networks as they are; raise ValueError for what is none.

    >>> network_list(["192.168.7.0/24"])
    ('192.168.7.0/24',)
    """
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError as error:
            raise ValueError(
                f"holds {name!r}, which is no network; write one such as 192.168.7.0/24"
            ) from error
    return tuple(names)


def doubled_ids(cameras: Sequence[NodeCamera]) -> list[str]:
    """Return the ids that several cameras have, each once.

    >>> doubled_ids([NodeCamera(id="a", url="file:x"), NodeCamera(id="a", url="file:y")])
    ['a']
    """
    ids = [camera.id for camera in cameras]
    return sorted({name for name in ids if ids.count(name) > 1})


def camera_url(
    camera: NodeCamera,
    *,
    source: Path,
    environ: Mapping[str, str] | None = None,
    main: bool = False,
) -> str:
    """Return the address of a camera, from the file, the environment or a systemd credential.

    ``main`` asks for its main stream, "" where it names none. Raises InputError naming file, key
    and cure; what it holds is in no sentence.
    """
    key = "main_url" if main else "url"
    url, name = (camera.main_url, camera.main_url_env) if main else (camera.url, camera.url_env)
    if url or (main and not name):
        return url
    known = os.environ if environ is None else environ
    found = known.get(name, "").strip() or _credential(name, known)
    if not found:
        raise InputError(
            f'{source}: [[camera]] "{camera.id}" {key}_env names {name}, which is not set; '
            f"set that environment variable, or give a systemd credential of that name"
        )
    return found


def _credential(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get(CREDENTIALS, "")
    path = Path(folder) / name
    if not folder or not path.is_file():
        return ""
    with path.open("rb") as stream:
        return stream.read(_LONGEST_SECRET).decode("utf-8", errors="replace").strip()
