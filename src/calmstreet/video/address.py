"""The address of a camera: read by us, checked, and its password never shown.

FFmpeg is never handed what a user wrote. The address is taken apart here, its scheme must be rtsp,
rtsps or file, its host is resolved once for each connection, every answer must lie in the networks
that the node allows, and the connection goes to the very number that was checked.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from calmstreet.errors import InputError

__all__ = [
    "DEFAULT_NETWORKS",
    "Address",
    "Credentials",
    "Network",
    "parse_address",
    "parse_networks",
    "resolved",
]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[..., Sequence[Any]]

DEFAULT_NETWORKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7"),
    )
)
"""Loopback and private networks. Link-local (169.254, where clouds keep secrets) is not in it."""

_PORTS = {"rtsp": 554, "rtsps": 322}
_MOST = 2000
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """User name and password of a camera. Neither is ever printed.

    >>> Credentials(user="operator", password="secret")
    Credentials(***)
    """

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the pictures come from. ``path`` carries the query of an rtsp address.

    ``ip`` is the number that was resolved and allowed, empty until ``resolved()``; ``loop`` says
    that a file begins again at its end. The text of an Address is ``redacted``.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""
    ip: str = ""
    loop: bool = False
    credentials: Credentials | None = field(default=None, repr=False)

    @property
    def is_file(self) -> bool:
        """Return whether a file is played."""
        return self.scheme == "file"

    @property
    def redacted(self) -> str:
        """Return the address for logs and pages: no credentials, and nothing behind a "?"."""
        if self.is_file:
            return f"file:{self.path}{'?loop=1' if self.loop else ''}"
        path, _, query = self.path.partition("?")
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}{path}{'?***' if query else ''}"

    def __str__(self) -> str:
        return self.redacted

    def url(self) -> str:
        """Return the address for FFmpeg alone: the checked number, credentials escaped.

        Raises InputError for one that was not resolved.
        """
        if not self.ip:
            raise InputError(f"{self.redacted} was not resolved and must not be opened")
        sign = ""
        if self.credentials is not None:
            user, password = self.credentials.user, self.credentials.password
            sign = f"{quote(user, safe='')}:{quote(password, safe='')}@"
        return f"{self.scheme}://{sign}{_bracketed(self.ip)}:{self.port}{self.path}"

    def secrets(self) -> tuple[str, ...]:
        """Return what must stand in no text: password and query, plain and escaped."""
        found = [] if self.credentials is None else [self.credentials.password]
        found += [self.path.partition("?")[2]]
        return tuple({form for text in found if text for form in (text, quote(text, safe=""))})


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def parse_address(text: str, *, home: Path | None = None) -> Address:
    """Return the address in a text such as ``rtsp://user:password@10.0.0.7/live``.

    A ``file:`` path is taken from ``home``. Raises InputError without repeating the text, for it
    may hold a password.

    >>> parse_address("rtsp://root:p%40ss@10.0.0.7/live?channel=1").redacted
    'rtsp://10.0.0.7:554/live?***'
    >>> parse_address("file:clip.mp4?loop=1").loop
    True
    """
    cleaned = text.strip()
    scheme, colon, rest = cleaned.partition(":")
    if not colon or scheme.lower() not in {"rtsp", "rtsps", "file"}:
        raise InputError(
            "the address of a camera must begin with rtsp://, rtsps:// or file:; "
            "write it as rtsp://user:password@10.0.0.7:554/path"
        )
    if len(cleaned) > _MOST or re.search(r"[\x00-\x20\x7f]", rest if scheme != "file" else ""):
        raise InputError(
            f"the address of a camera is longer than {_MOST} signs or holds blanks; escape them"
        )
    return _file(rest, home) if scheme.lower() == "file" else _rtsp(scheme.lower(), rest)


def _file(rest: str, home: Path | None) -> Address:
    name, _, query = rest.partition("?")
    settings = dict(parse_qsl(query, keep_blank_values=True))
    wrong = set(settings) - {"loop"}
    if not name or "\x00" in name or wrong or settings.get("loop", "0") not in {"0", "1"}:
        raise InputError("a file camera is written as file:clip.mp4 or file:clip.mp4?loop=1")
    path = Path(name.removeprefix("//") if name.startswith("///") else name)
    whole = path if path.is_absolute() or home is None else home / path
    return Address(scheme="file", path=str(whole), loop=settings.get("loop") == "1")


def _rtsp(scheme: str, rest: str) -> Address:
    if not rest.startswith("//"):
        raise InputError(
            f"the address of a camera lacks // behind {scheme}:; write {scheme}://host/path"
        )
    place, slash, path = rest[2:].partition("/")
    if not slash and "?" in place:
        place, _, path = place.partition("?")
        slash, path = "/", f"?{path}"
    sign, at, host_port = place.rpartition("@")
    host, port = _host_port(host_port, _PORTS[scheme])
    if "@" in path.partition("?")[0]:
        raise InputError(
            "the address of a camera has an @ behind its host; "
            "escape /, ? and @ of a password as %2F, %3F and %40"
        )
    user, _, password = sign.partition(":")
    return Address(
        scheme=scheme,
        host=host,
        port=port,
        path=f"{slash}{path.partition('#')[0]}" or "/",
        credentials=Credentials(user=unquote(user), password=unquote(password)) if at else None,
    )


def _host_port(text: str, usual_port: int) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(\d{1,5}))?", text)
    if found is None:
        raise InputError("the address of a camera names no host; write rtsp://host:port/path")
    host = found[1].strip("[]")
    port = int(found[2]) if found[2] else usual_port
    if ":" not in host and not _HOST.fullmatch(host):
        raise InputError("the host in the address of a camera holds signs that no host has")
    if not 0 < port < 65_536:
        raise InputError("the port in the address of a camera must be 1 to 65535")
    return host, port


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return networks such as 10.8.0.0/16; raise InputError for one that does not read.

    >>> parse_networks(["10.8.0.0/16"])
    (IPv4Network('10.8.0.0/16'),)
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text.strip()))
        except ValueError:
            raise InputError(
                f"camera network {text!r} does not read; write it as 10.8.0.0/16"
            ) from None
    return tuple(found)


def resolved(
    address: Address,
    *,
    networks: Sequence[Network] = DEFAULT_NETWORKS,
    resolve: Resolve = socket.getaddrinfo,
) -> Address:
    """Return the address with the number to connect to; every answer must lie in ``networks``.

    Raises InputError where the host is not known or one of its numbers is not allowed.

    >>> answer = lambda *_, **__: [(2, 1, 6, "", ("10.0.0.7", 554))]
    >>> resolved(parse_address("rtsp://north.lan/live"), resolve=answer).ip
    '10.0.0.7'
    """
    if address.is_file:
        return address
    try:
        answers = resolve(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InputError(f"host {address.host} of a camera is not known; check its name") from error
    numbers = [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
    if not numbers:
        raise InputError(f"host {address.host} of a camera has no address; check its name")
    plain = [getattr(number, "ipv4_mapped", None) or number for number in numbers]
    for number in plain:
        if not any(number.version == net.version and number in net for net in networks):
            raise InputError(
                f"host {address.host} lies at {number}, outside the camera networks of this node; "
                "add its network to node.camera_networks"
            )
    return replace(address, ip=str(plain[0]))
