"""One process of the node: started, listened to, asked to stop, killed."""

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

__all__ = ["Child"]

_LONGEST_LINE = 65_536


class Child:
    """``python -m MODULE WORDS``; its lines go to ``lines`` with its ``name``.

    Never a fork of this process, never through a shell; secrets come through ``environ`` alone.
    """

    def __init__(
        self,
        *,
        module: str,
        words: Sequence[str],
        name: str,
        lines: "queue.SimpleQueue[tuple[str, str]]",
        environ: Mapping[str, str],
        since_s: float,
    ) -> None:
        self.name, self.since_s = name, since_s
        self.asked_s = float("inf")
        self._lines = lines
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(environ),
        )
        self._reader = threading.Thread(target=self._read, name=f"hear {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with suppress(OSError, ValueError):
            while line := stream.readline(_LONGEST_LINE):
                if line.strip():
                    self._lines.put((self.name, line.strip()))

    def code(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._process.poll()

    def ask_to_stop(self, now_s: float) -> None:
        """Ask it to end in peace."""
        self.asked_s = min(self.asked_s, now_s)
        with suppress(OSError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a word."""
        with suppress(OSError):
            self._process.kill()

    def end(self, longest_s: float) -> None:
        """Wait until it ends, ask, then kill; close it."""
        try:
            self._process.wait(longest_s)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self.close()

    def close(self) -> None:
        """Close the pipes of one that ended."""
        self._reader.join(1.0)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
