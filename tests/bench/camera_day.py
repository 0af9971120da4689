"""A camera-day of 17 million points replayed whole: minutes, memory, events and conflicts.

Run: ``PYTHONPATH=src:. python -m tests.bench.camera_day [--form parquet|fcd] [--hours H]``. The
day has 18 busy hours of the generated junction (``traffic_days``) at 10 steps a second, one after
another, and nobody in the other six. ``calmstreet replay`` runs in a process of its own; its
memory is the greatest resident size that the system saw.
"""

import argparse
import csv
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.bench.traffic_days import S, camera_hours, site_text, the_signals

from calmstreet.interop.points_parquet import write_points_parquet
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.points import TrackPoints, track_id_of
from calmstreet.model.signals import SignalState

FPS = 10.0
BUSY_HOURS = 18
DAY_HOURS = 24
TRACKS_OF_HOUR = 1_000_000


def hours_of_day(hours: int, *, lasts_s: float = 3600.0) -> Iterator[TrackPoints]:
    """Yield the rows of a day hour by hour, tracks of each hour with numbers of their own."""
    for hour in range(hours):
        rows = next(camera_hours(1, seed=500 + hour, lasts_s=lasts_s, fps=FPS))
        number = rows.track_id - track_id_of(1, 0) + hour * TRACKS_OF_HOUR
        yield replace(
            rows,
            t_ns=rows.t_ns + round(hour * lasts_s) * S,
            track_id=track_id_of(1, 0) + number,
        )


def write_day(folder: Path, *, hours: int, form: str, lasts_s: float = 3600.0) -> tuple[Path, int]:
    """Write site, signals and rows of a day; return the file of rows and how many there are."""
    (folder / "SITE.toml").write_text(site_text(), encoding="utf-8")
    _write_signals(folder / "signals.csv", hours * lasts_s / 3600)
    counted = 0

    def blocks() -> Iterator[TrackPoints]:
        nonlocal counted
        for rows in hours_of_day(hours, lasts_s=lasts_s):
            counted += len(rows)
            yield rows

    steps: NDArray[np.int64] = np.arange(round(DAY_HOURS * lasts_s * FPS)) * (S // round(FPS))
    if form == "parquet":
        path = folder / "day.parquet"
        write_points_parquet(path, blocks(), steps)
    else:
        path = folder / "day.fcd.csv.gz"
        _write_fcd(path, blocks())
    return path, counted


def _write_signals(path: Path, hours: float) -> None:
    changes = the_signals(hours)
    with path.open("w", encoding="utf-8", newline="") as text:
        out = csv.writer(text)
        out.writerow(("t_s", "signal", "state"))
        for t_ns, head, state in zip(changes.t_ns, changes.signal_id, changes.state, strict=True):
            name = SignalState(int(state)).name.lower().replace("_", "-")
            out.writerow((f"{t_ns / 1e9:.3f}", head, name))


def _write_fcd(path: Path, blocks: Iterator[TrackPoints]) -> None:
    """Write rows as SUMO does: the middle of the front, compass angles."""
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8", newline="") as text:
        text.write("t_s,id,kind,x_m,y_m,angle_deg,speed_mps\n")
        for rows in blocks:
            heading = rows.heading_rad.astype(float)
            way = np.column_stack([np.cos(heading), np.sin(heading)])
            front = rows.xy_m + way * rows.length_m[:, None] / 2
            speed = np.hypot(*rows.velocity_mps.T.astype(float))
            columns = zip(
                (rows.t_ns / 1e9).tolist(),
                (rows.track_id & 0xFFFFFFFF).tolist(),
                rows.kind.tolist(),
                front.tolist(),
                np.rad2deg(np.pi / 2 - heading).tolist(),
                speed.tolist(),
                strict=True,
            )
            text.writelines(
                f"{t:.1f},{who},{KIND_NAMES[kind]},{x:.3f},{y:.3f},{angle:.2f},{v:.3f}\n"
                for t, who, kind, (x, y), angle, v in columns
            )


def replayed(path: Path, out: Path) -> dict[str, float]:
    """Replay a file in a process of its own; return minutes, memory and what was found."""
    begin_s = time.monotonic()
    command = [sys.executable, "-m", "calmstreet.cli", "replay", str(path), "--out", str(out)]
    command += ["--site", str(path.parent / "SITE.toml")]
    command += ["--signals", str(path.parent / "signals.csv")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    conflicts = summary.get("conflicts", {})
    return {
        "minutes": round((time.monotonic() - begin_s) / 60, 1),
        "cpu_minutes": round((used.ru_utime + used.ru_stime) / 60, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
        "events": sum(1 for _ in (out / "events.csv").open(encoding="utf-8")) - 1,
        "conflicts": sum(1 for _ in (out / "conflicts.csv").open(encoding="utf-8")) - 1,
        "told": len(json.dumps(conflicts)),
    }


def main() -> int:
    """Write the day, replay it, print the figures."""
    ask = argparse.ArgumentParser(prog="python -m tests.bench.camera_day", description=__doc__)
    ask.add_argument("--form", choices=("parquet", "fcd"), default="parquet")
    ask.add_argument("--hours", type=int, default=BUSY_HOURS)
    ask.add_argument("--keep", type=Path, help="a folder that is kept")
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path, rows = write_day(folder, hours=asked.hours, form=asked.form)
        print(json.dumps({"rows": rows, "size_mb": round(path.stat().st_size / 1e6)}), flush=True)
        print(json.dumps(replayed(path, folder / "out"), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
