"""`make bench`: every figure in one table, also in ``bench-out/bench.json``; exit 1 on a miss."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from tests.bench.clips import STREET, real_clip, shared_video
from tests.bench.counts import bench_counts, hand_counted, staged
from tests.bench.desk import bench_desk
from tests.bench.loops import bench_loops, bench_pipeline
from tests.bench.measure import Row, row, table
from tests.bench.parts import bench_mosaic, bench_reading, bench_store
from tests.bench.tracking import bench_tracker

from calmstreet import __version__
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.eyes import chosen_net

OUT = Path("bench-out")


def main() -> int:
    """Run what is asked for, print and write the table; return the exit code."""
    ask = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    ask.add_argument("only", nargs="*", help="pipeline tracker counts loops desk parts (all)")
    ask.add_argument("--rounds", type=int, default=5)
    asked = ask.parse_args()
    parts = asked.only or ["pipeline", "tracker", "counts", "loops", "desk", "parts"]
    net = chosen_net("nanodet")
    rows: list[Row] = []
    for found in _rows(parts, net, asked.rounds):
        print(table([found])[0], flush=True)
        rows.append(found)
    text, records = table(rows)
    OUT.mkdir(exist_ok=True)
    _write(records)
    print(f"\n{text}\n\nCPU time, median of {asked.rounds} rounds in turns; {OUT / 'bench.json'}")
    return int(any(r.ok is False for r in rows))


def _rows(parts: list[str], net: Detector | None, rounds: int) -> Iterator[Row]:
    clips = OUT / "clips"
    if shared_video(STREET) is None:
        why = f"{STREET} is not at hand: the rendered street takes the place of real1080"
        yield row("real clips", 0, "at hand", note=why)
    if "pipeline" in parts:
        yield from bench_pipeline(real_clip(clips, 1080), rounds=rounds)
    if "tracker" in parts:
        yield from bench_tracker(rounds=rounds)
    if "counts" in parts:
        for clip in [*hand_counted(), staged(clips)]:
            yield from bench_counts(clip, net)
    if "loops" in parts:
        for height_px in (1080, 360):
            yield from bench_loops(real_clip(clips, height_px), net, rounds=rounds)
    if "desk" in parts:
        yield from bench_desk(rounds=rounds)
    if "parts" in parts:
        yield from bench_reading(real_clip(clips, 1080), rounds=rounds)
        yield from bench_mosaic(rounds=rounds)
        yield from bench_store(rounds=rounds)


def _write(records: list[dict[str, object]]) -> None:
    machine = {
        "calmstreet": __version__,
        "python": platform.python_version(),
        "av": av.__version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
    }
    data = {"machine": machine, "rows": records}
    (OUT / "bench.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
