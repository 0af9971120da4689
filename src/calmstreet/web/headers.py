"""What every answer says to the browser besides its content."""

from collections.abc import Iterable
from urllib.parse import urlsplit

__all__ = ["content_security_policy", "is_same_site", "private_headers", "public_headers"]

Headers = list[tuple[bytes, bytes]]


def content_security_policy(tiles_url: str = "") -> str:
    """Return the policy: own files only, no inline script; a tile server when one is configured.

    >>> "unsafe-inline" in content_security_policy().split("style-src-attr")[0]
    False
    """
    origin = _origin(tiles_url)
    far = f" {origin}" if origin else ""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            f"img-src 'self' data: blob:{far}",
            "media-src 'self' blob:",
            "font-src 'self'",
            f"connect-src 'self'{far}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else ""


def public_headers(policy: str) -> Headers:
    """Return the headers of every answer."""
    return [
        (b"content-security-policy", policy.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]


def private_headers() -> Headers:
    """Return the headers of what nobody may keep."""
    return [(b"cache-control", b"private, no-store"), (b"vary", b"Cookie")]


def is_same_site(headers: Iterable[tuple[bytes, bytes]], *, scheme: str, unsafe: bool) -> bool:
    """Return whether a request comes from our own pages, or from no browser page at all.

    Browsers send Sec-Fetch-Site with every request and Origin with every unsafe one.

    >>> is_same_site([(b"host", b"desk"), (b"origin", b"http://evil")], scheme="http", unsafe=True)
    False
    >>> is_same_site([(b"host", b"desk"), (b"origin", b"http://desk")], scheme="http", unsafe=True)
    True
    """
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    fetched_from = said.get("sec-fetch-site")
    if fetched_from in {"cross-site", "same-site"}:
        return False
    origin = said.get("origin")
    if origin is None or not unsafe:
        return True
    return origin in {f"{scheme}://{said.get('host', '')}", f"https://{said.get('host', '')}"}
