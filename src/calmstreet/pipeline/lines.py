"""Lines of JSON between the processes of a node and in its log. No secret may stand in them.

A camera's address is named by what ``Address.redacted`` gives; whatever else holds something that
looks like an address with a password is covered all the same.
"""

import json
import math
import re
import sys
from typing import IO, Any

__all__ = ["clean", "read_line", "tell_line"]

_SECRET = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s'\"]*@")


def clean(value: Any) -> Any:
    """Return a value fit for a line: no password, no NaN.

    >>> clean({"url": "rtsp://root:secret@10.0.0.7/live", "fps": float("nan")})
    {'url': 'rtsp://***@10.0.0.7/live', 'fps': None}
    """
    if isinstance(value, str):
        return _SECRET.sub(r"\1***@", value)
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def tell_line(stream: IO[str] | None = None, **fields: Any) -> None:
    """Write one line of JSON, at once; standard output unless another stream is given."""
    out = sys.stdout if stream is None else stream
    out.write(json.dumps(clean(fields), ensure_ascii=False, separators=(",", ":")) + "\n")
    out.flush()


def read_line(text: str) -> dict[str, Any] | None:
    """Return the fields of a line, None for one that is none of ours.

    >>> read_line('{"beat":1}'), read_line("Traceback")
    ({'beat': 1}, None)
    """
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
