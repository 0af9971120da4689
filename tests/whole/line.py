"""The command line as a user types it: in this process, or in one of its own."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from calmstreet.cli import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Exit code and what was said."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """Return what `--json` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def faults(self) -> list[str]:
        """Return the sentences on standard error."""
        return [line for line in self.err.splitlines() if line.startswith("calmstreet: ")]


def calm(*words: object) -> Outcome:
    """Run `calmstreet WORDS` in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        patch.object(sys, "argv", ["calmstreet", *map(str, words)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
    return Outcome(code=code, out=out.getvalue(), err=err.getvalue())


def watched(*words: object) -> dict[str, Any]:
    """Run `calmstreet analyse WORDS --json` with the motion eye; return the summary."""
    done = calm("analyse", *words, "--detector", "motion", "--json")
    assert done.code == 0, done.err
    return done.summary


def refused(*words: object, says: str) -> str:
    """Run words that must be refused in one sentence that holds ``says``; return the sentence."""
    done = calm(*words)
    assert done.code == 2, (done.code, done.out, done.err)
    assert done.out == ""
    assert len(done.faults) == 1, done.err
    assert "Traceback" not in done.err
    assert says in done.faults[0], done.faults[0]
    return done.faults[0]


def gate(summary: dict[str, Any], name: str = "middle") -> tuple[int, int]:
    """Return totals to_left and to_right of a gate."""
    (row,) = [row for row in summary["gates"] if row["gate"] == name]
    return row["to_left"]["total"], row["to_right"]["total"]


def codes(summary: dict[str, Any]) -> set[str]:
    """Return the codes of the warnings."""
    return {row["code"] for row in summary["warnings"]}


def spawned(*words: object, **more: Any) -> "subprocess.Popen[str]":
    """Start `calmstreet WORDS` as a process of its own."""
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "calmstreet.cli", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        **more,
    )


def tree(folder: Path) -> dict[str, int]:
    """Return every file below a folder with its size."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
