"""Foreign files as streams: text or XML, plain or gzipped, read as far as they go."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.parsers import expat

from calmstreet.errors import FormatError, InputError

__all__ = ["opened_text", "xml_elements"]

OnCut = Callable[[str], None]
_CHUNK_BYTES = 1 << 20


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if packed:
                with gzip.open(file) as unpacked:
                    yield io.BufferedReader(unpacked)
            else:
                yield file
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{path} cannot be read ({why}); check the path") from error


@contextmanager
def opened_text(path: Path, wanted: str, *, on_cut: OnCut | None = None) -> Iterator[Iterator[str]]:
    """Give the lines of a text file in UTF-8, unpacked when it is gzipped.

    A gzip file that ends in the middle ends the lines; ``on_cut`` is told, else it is an error.
    """
    with _opened(path) as binary, io.TextIOWrapper(binary, "utf-8-sig", newline="") as text:
        yield _lines(text, path, wanted, on_cut)


def _lines(text: IO[str], path: Path, wanted: str, on_cut: OnCut | None) -> Iterator[str]:
    try:
        yield from text
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text; give it as {wanted}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        _end(path, "the file ends in the middle", on_cut, error)


def _end(path: Path, why: str, on_cut: OnCut | None, error: Exception) -> None:
    if on_cut is None:
        raise FormatError(f"{path}: {why}; copy it again") from error
    on_cut(why)


def xml_elements(
    path: Path, wanted: str, *, on_cut: OnCut | None = None
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield name and attributes of every element as it opens, unpacked when gzipped.

    A file that ends in the middle ends the stream; ``on_cut`` is told, else it is an error.
    Raises FormatError for what is no XML at all.
    """
    found: list[tuple[str, Mapping[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, given: found.append((name, given))
    seen = False
    with _opened(path) as binary:
        for chunk in _chunks(binary, path, on_cut):
            fault = _fed(parser, chunk)
            seen = seen or bool(found)
            if fault is not None and not seen:
                raise FormatError(f"{path} does not read as XML; give it as {wanted}") from fault
            yield from found
            found.clear()
            if fault is not None:
                _end(path, f"the XML breaks off at line {fault.lineno}", on_cut, fault)
                return


def _fed(parser: expat.XMLParserType, chunk: bytes) -> expat.ExpatError | None:
    try:
        parser.Parse(chunk, not chunk)
    except expat.ExpatError as error:
        return error
    return None


def _chunks(binary: IO[bytes], path: Path, on_cut: OnCut | None) -> Iterator[bytes]:
    """Yield the bytes of a file and, unless it was cut, b"" at its end."""
    try:
        while chunk := binary.read(_CHUNK_BYTES):
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        _end(path, "the file ends in the middle", on_cut, error)
        return
    yield b""
