"""The long trials of ``make faults``: 200 kills, 50 power cuts, minutes with a bad camera."""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.faults.bad_days import bad_day
from tests.faults.rtsp_server import gst_python
from tests.faults.trials import Loss, kill_trials, power_cut_trials, why_no_mounts, worst

_WORST_S = {"kill -9": 2.1, "power cut": 4.0}


def main() -> None:
    """Run the trials; exit with 1 where a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--camera-minutes", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="calmstreet-faults-") as name:
        work = Path(name)
        kills = kill_trials(work / "north", work / "acks", trials=asked.kills, seed=asked.seed)
        held = told("kill -9", kills)
        reason = why_no_mounts(work)
        if reason:
            print(f"power cut: not tried, {reason}")
        else:
            cuts = power_cut_trials(work, trials=asked.cuts, seed=asked.seed)
            held = told("power cut", cuts) and held
        if gst_python() is None:
            print("bad camera: not tried, GStreamer's RTSP server is not installed")
        else:
            day = bad_day(work, lasting_s=asked.camera_minutes * 60, seed=asked.seed)
            print(f"bad camera: {day}", flush=True)
            held = day.is_held and held
    sys.exit(0 if held else 1)


def told(name: str, trials: Iterable[Loss]) -> bool:
    """Print the figures of some trials; return whether every bar was held."""
    losses = list(trials)
    print(f"{name}: {worst(losses)}", flush=True)
    bad = [loss for loss in losses if _is_bad(loss, _WORST_S[name])]
    for loss in bad:
        print(f"  {loss}")
    return not bad


def _is_bad(loss: Loss, worst_s: float) -> bool:
    lost_s = max(loss.video_s, loss.points_s)
    return bool(loss.faults or loss.committed_lost or lost_s > worst_s) or (
        loss.accounted_share < 0.999
    )


if __name__ == "__main__":
    main()
