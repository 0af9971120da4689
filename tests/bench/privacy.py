"""How much of heads and plates is covered, through the real detector; how much of the pictures.

Run: ``PYTHONPATH=src:. python -m tests.bench.privacy [--seeds N] [--seconds S]``. Prints tables;
exit code 1 when a target is missed. The rendered street is made up; photographs and clips are
outside data and left out where absent.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from tests.privacy.crowd import CAMERAS, Kept, covered_share, crowd, overheard, spots, watched
from tests.privacy.photographs import shares_of
from tests.shared_data import _DEFAULT

from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.planning import Request

TARGET, ENOUGH, MOST_AREA = 0.995, 0.95, 0.15
BANDS = {"head": (16.0, 24.0, 40.0), "plate": (8.0, 12.0, 20.0)}
CLIPS = (
    "ozlu_input_video.mp4",
    "sobral_video1_freeway.avi",
    "opencv_vtest_pets09_s2l1.mp4",
    "intel_car-detection.mp4",
    "OTVision_Testvideo_Cars-Cyclist_FR20_2020-01-01_00-00-00.mp4",
    "OTVision_Testvideo_Cars-Truck_FR20_2020-01-01_00-00-00.mp4",
)

Table = dict[tuple[str, ...], list[bool]]


def band(what: str, height_px: float) -> str:
    """Return the name of a height's band.

    >>> band("plate", 9.0)
    '8-12 px'
    """
    edges = [*BANDS[what], float("inf")]
    k = max(i for i, edge in enumerate(edges) if height_px >= edge)
    return f"{edges[k]:g}-{edges[k + 1]:g} px".replace("-inf px", "+ px")


def rendered(seeds: int, seconds: float) -> tuple[Table, dict[str, list[float]]]:
    """Return what is covered on the stage, and the mosaicked shares by camera and light."""
    table: Table = defaultdict(list)
    areas: dict[str, list[float]] = defaultdict(list)
    for seed in range(seeds):
        for name, eye in CAMERAS.items():
            for light in ("day", "night"):
                scene = crowd(seed, camera=name, night=light == "night", duration_s=seconds)
                with tempfile.TemporaryDirectory() as folder:
                    truth, kept = watched(scene, Path(folder))
                areas[f"{name} {light}"] += [float((m > 0).mean()) for m in kept.mask.values()]
                for spot in spots(truth, kept, width_px=eye.width_px, height_px=eye.height_px):
                    done = covered_share(kept.mask[spot.t_ns], spot.box_px) >= ENOUGH
                    what = spot.what
                    table[what, "all"].append(done)
                    table[what, light, band(what, spot.height_px)].append(done)
                    table[what, light, spot.kind.name.lower()].append(done)
    return table, areas


def clip_areas(folder: Path) -> dict[str, float]:
    """Return the mean mosaicked share of the clips that are here."""
    found = {}
    for name in CLIPS:
        if not (folder / name).exists():
            continue
        kept = Kept(picture={}, mask={}, raw={}, scale=1.0)
        with tempfile.TemporaryDirectory() as out, overheard(kept):
            analyse_videos(Request(videos=(folder / name,), out=Path(out) / "result"))
        found[name] = float(np.mean([(m > 0).mean() for m in kept.mask.values()]))
    return found


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=12.0)
    given = parser.parse_args()
    table, areas = rendered(given.seeds, given.seconds)
    print("Rendered street: covered by 95 % or more")
    for key in sorted(table):
        print(f"  {' / '.join(key):34} {len(table[key]):6} {100 * np.mean(table[key]):7.2f} %")
    for name, shares in areas.items():
        print(f"  mosaicked, {name:23} {100 * np.mean(shares):14.1f} %")
    missed = [key for key in table if key[1] == "all" and np.mean(table[key]) < TARGET]
    if (_DEFAULT / "privacy").exists():
        rows = shares_of(_DEFAULT / "privacy")
        print("Photographs (single pictures: no motion, no track)")
        for what, least in (("head", 16.0), ("plate", 8.0)):
            shares = [share for _, kind, height, share in rows if kind == what and height >= least]
            good = np.mean(np.array(shares) >= ENOUGH)
            print(f"  {what:34} {len(shares):6} {100 * good:7.2f} %")
    for name, share in clip_areas(_DEFAULT / "video").items():
        print(f"  mosaicked, {name:40} {100 * share:5.1f} % (target {100 * MOST_AREA:g} %)")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
