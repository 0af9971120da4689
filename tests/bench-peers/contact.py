"""Our TTC of boxes against the public two-dimensional TTC (Jiao, MIT), on the same random pairs.

That package is one file on GitHub (Yiru-Jiao/Two-Dimensional-Time-To-Collision, src/TwoDimSSM.py)
and not on the package index: put its folder into the variable TWO_DIM_SSM. Without it this
comparison says so and is left out.
"""

import importlib
import os
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.contact import Footprints, box_ttc, make_footprints

PAIRS = 20_000
TARGET = 4.0


def random_boxes(seed: int) -> Footprints:
    """Return boxes that drive about on a square of 80 m."""
    draw = np.random.default_rng(seed)
    heading = draw.uniform(-np.pi, np.pi, PAIRS)
    speed = draw.uniform(0, 15, PAIRS)
    return make_footprints(
        draw.uniform(-40, 40, (PAIRS, 2)),
        heading_rad=heading,
        length_m=draw.uniform(0.5, 12, PAIRS),
        width_m=draw.uniform(0.5, 2.5, PAIRS),
        velocity_mps=np.stack([np.cos(heading), np.sin(heading)], axis=1) * speed[:, None],
    )


def as_table(a: Footprints, b: Footprints) -> dict[str, NDArray[np.float64]]:
    """Return the columns under the names of the public package."""
    columns: dict[str, NDArray[np.float64]] = {}
    for side, boxes in (("i", a), ("j", b)):
        columns |= {
            f"x_{side}": boxes.x_m,
            f"y_{side}": boxes.y_m,
            f"vx_{side}": boxes.vx_mps,
            f"vy_{side}": boxes.vy_mps,
            f"hx_{side}": boxes.cos_heading,
            f"hy_{side}": boxes.sin_heading,
            f"length_{side}": boxes.length_m,
            f"width_{side}": boxes.width_m,
        }
    return columns


def least_s(work: Callable[[], object]) -> float:
    """Return the least process time of five runs."""
    spent = []
    for _ in range(5):
        start_s = time.process_time()
        work()
        spent.append(time.process_time() - start_s)
    return min(spent)


def main() -> int:
    """Compare and print; return the exit code."""
    folder = os.environ.get("TWO_DIM_SSM", "")
    if not folder:
        print("left out: TWO_DIM_SSM names no folder with TwoDimSSM.py")
        return 0
    sys.path.insert(0, folder)
    pandas, peer = (importlib.import_module(name) for name in ("pandas", "TwoDimSSM"))
    a, b = random_boxes(1), random_boxes(2)
    table = pandas.DataFrame(as_table(a, b))
    theirs = np.asarray(peer.TTC(table, "values"))
    ours, overlap = box_ttc(a, b)
    apart = ~overlap & (theirs >= 0)
    same = np.isfinite(ours[apart]) == np.isfinite(theirs[apart])
    both = apart & np.isfinite(ours) & np.isfinite(theirs)
    far = float(np.abs(ours[both] - theirs[both]).max())
    ratio = least_s(lambda: peer.TTC(table, "values")) / least_s(lambda: box_ttc(a, b))
    print(
        f"{PAIRS} pairs: {int(both.sum())} touch, {int((~same).sum())} told otherwise,",
        f"largest difference {far:.1e} s, {ratio:.1f} times as fast (target {TARGET})",
    )
    return int(ratio < TARGET or far > 1e-9 or not bool(same.all()))


if __name__ == "__main__":
    sys.exit(main())
