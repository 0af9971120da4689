"""The pages: files that the build put into the package, found by name in a list made at start."""

from importlib import resources
from pathlib import Path

from starlette.responses import FileResponse, Response

__all__ = ["Pages", "built_pages"]

_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".pbf": "application/x-protobuf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


def built_pages() -> Path:
    """Return the folder of the built pages; it may be missing."""
    return Path(str(resources.files("calmstreet.web").joinpath("static")))


class Pages:
    """Files by their address. Every address that is neither a file nor the API is the desk."""

    def __init__(self, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self._files = {
            f"/{path.relative_to(folder).as_posix()}": path
            for path in files
            if path.suffix in _TYPES and path.name != "built.json"
        }
        self._index = self._files.get("/index.html")
        if "/docs.html" in self._files:
            self._files["/docs"] = self._files["/docs.html"]

    @property
    def are_built(self) -> bool:
        """Return whether the desk's page is there."""
        return self._index is not None

    def addresses(self) -> list[str]:
        """Return the address of every file."""
        return sorted(self._files)

    def find(self, address: str) -> Response | None:
        """Return the answer to an address of a page, None for the API and unknown files."""
        if address == "/api" or address.startswith("/api/"):
            return None
        path = self._files.get(address)
        if path is None and "." not in address.rsplit("/", 1)[-1]:
            path = self._index
        if path is None or not path.is_file():  # replaced by a newer version while this one runs
            return None
        lasting = address.startswith("/assets/")
        return FileResponse(
            path,
            media_type=_TYPES[path.suffix],
            headers={"cache-control": _FOREVER if lasting else "no-cache"},
        )
