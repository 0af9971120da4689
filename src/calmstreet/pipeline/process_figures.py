"""What this process takes of the machine: memory, open files, processor time. No core dumps."""

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["forbid_core_dumps", "process_figures"]

_SELF = Path("/proc/self")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def process_figures() -> dict[str, Any]:
    """Return rss_bytes, open_files, cpu_s and pid of this process; None where the system tells not.

    >>> process_figures()["cpu_s"] > 0
    True
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures: dict[str, Any] = {
        "rss_bytes": None,
        "open_files": None,
        "cpu_s": used.ru_utime + used.ru_stime,
        "pid": os.getpid(),
    }
    with suppress(OSError, ValueError, IndexError):
        pages = int((_SELF / "statm").read_text(encoding="ascii").split()[1])
        figures["rss_bytes"] = pages * _PAGE_BYTES
    with suppress(OSError):
        figures["open_files"] = sum(1 for _ in (_SELF / "fd").iterdir())
    return figures


def forbid_core_dumps() -> None:
    """Let a crash leave no memory behind: raw pictures lie in it.

    The limit holds for files, the filter for dumps that are piped to a program.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    with suppress(OSError):
        (_SELF / "coredump_filter").write_text("0\n", encoding="ascii")
