"""Speeds of rendered streets through detector and tracker beside the truth, printed as found.

Run: ``PYTHONPATH=src:. python -m tests.bench.speeds [--seconds S] [--street NAME]``. Each street
has a camera of its own, surveyed with faulty picks; a record of speeds.csv is compared with the
true passage of the same gate and side at about that time whose road user keeps nearest to the track
for a second before and after it: at one instant a bicycle may be nearer than the truck beside it.
"""

import argparse
import csv
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.bench.speed_streets import STREETS, SpeedStreet, speed_scene

from calmstreet.config.site import dump_site_toml
from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.points import TrackPoints, concat_points
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.planning import Request
from calmstreet.scene.film import render_film
from calmstreet.scene.truth import SceneTruth, TruthRow
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import NS_PER_S, from_iso

FPS = 20.0
START_ISO = "2026-03-02T07:30:00+05:00"
NEAREST_S, NEAREST_M, BESIDE_S = 1.5, 6.0, 1.0
GOAL_KMH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One record beside its true passage; ``speed_kmh`` is NaN where it was withheld."""

    street: str
    kind: str
    way: str
    true_kmh: float
    speed_kmh: float
    low95_kmh: float
    high95_kmh: float
    flag: str

    @property
    def error_kmh(self) -> float:
        """Return measured minus true."""
        return self.speed_kmh - self.true_kmh


def compared(place: SpeedStreet, folder: Path, *, duration_s: float) -> list[Compared]:
    """Render a street, analyse it and return every record with a true passage."""
    scene = speed_scene(place, duration_s)
    film, site = folder / f"{place.name}.mp4", folder / f"{place.name}.toml"
    truth = render_film(scene, film, fps=FPS, start_ns=from_iso(START_ISO, "UTC"))
    site.write_text(dump_site_toml(scene.site), encoding="utf-8")
    out = folder / place.name
    request = Request(videos=(film,), out=out, site=site, start=START_ISO, video="none")
    analyse_videos(request)
    return list(_matched(place.name, out, truth))


def _matched(street: str, out: Path, truth: SceneTruth) -> Iterator[Compared]:
    free = list(truth.crossings())
    start_ns = int(truth.t_ns[0])
    actors = dict(truth.by_actor())
    with Catalogue.open(out) as catalogue:
        run = catalogue.runs()[0]
        rows = concat_points([p for _, p in step_blocks(catalogue, run) if len(p)])
    with (out / "speeds.csv").open(encoding="utf-8", newline="") as text:
        for record in csv.DictReader(text):
            t_s = (from_iso(record["time"], "UTC") - start_ns) / 1e9
            left = record["to"].endswith("left")
            mine = rows[rows.track_id == int(record["track_id"])]
            near = [
                (_apart_m(truth, actors[c.actor], mine, start_ns, t_s), c.actor, c)
                for c in free
                if c.gate == record["gate"] and c.to_left == left and abs(c.t_s - t_s) < NEAREST_S
            ]
            if not near or not min(near)[0] < NEAREST_M:
                continue
            best = min(near)[2]
            free.remove(best)
            state = _state(truth, actors[best.actor], t_s)
            yield Compared(
                street=street,
                kind=KIND_NAMES[best.kind],
                way="away" if state[3] > 0 else "toward",
                true_kmh=3.6 * float(np.hypot(state[2], state[3])),
                speed_kmh=float(record["speed_kmh"] or "nan"),
                low95_kmh=float(record["low95_kmh"] or "nan"),
                high95_kmh=float(record["high95_kmh"] or "nan"),
                flag=record["flag"],
            )


def _apart_m(
    truth: SceneTruth, rows: list[TruthRow], points: TrackPoints, start_ns: int, t_s: float
) -> float:
    """Return how far a track lies from a road user at about an instant, the median in metres."""
    times_s = (points.t_ns - start_ns) / NS_PER_S
    near = (np.abs(times_s - t_s) <= BESIDE_S) & np.isfinite(points.xy_m[:, 0])
    true_m = np.array([_state(truth, rows, t)[:2] for t in times_s[near].tolist()]).reshape(-1, 2)
    away = np.hypot(*(true_m - points.xy_m[near]).T)
    return float(np.median(away)) if len(away) else float("inf")


def _state(truth: SceneTruth, rows: list[TruthRow], t_s: float) -> NDArray[np.float64]:
    """Return east, north, and speed to both, of a road user at an instant, (4,)."""
    times = np.array([truth.t_s[row.frame] for row in rows])
    states = np.array([(*row.xy_m, *row.velocity_mps) for row in rows])
    return np.array([np.interp(t_s, times, column) for column in states.T])


def told(found: list[Compared]) -> Iterator[str]:
    """Yield the figures line by line."""
    groups: dict[tuple[str, ...], list[Compared]] = defaultdict(list)
    for one in found:
        keys: list[tuple[str, ...]] = [("all streets",), (one.street,)]
        for key in (*keys, ("all streets", one.kind, one.way)):
            groups[key].append(one)
    yield "who | records | given | bias | median error | 90 % | inside 95 % | half width"
    for key, ones in sorted(groups.items()):
        given = [one for one in ones if np.isfinite(one.speed_kmh)]
        if not given:
            yield f"{' '.join(key)} | {len(ones)} | 0"
            continue
        error = np.array([one.error_kmh for one in given])
        inside = np.mean([one.low95_kmh <= one.true_kmh <= one.high95_kmh for one in given])
        half = np.median([(one.high95_kmh - one.low95_kmh) / 2 for one in given])
        yield (
            f"{' '.join(key)} | {len(ones)} | {len(given)} | {error.mean():+.2f} | "
            f"{np.median(np.abs(error)):.2f} | {np.percentile(np.abs(error), 90):.2f} | "
            f"{inside:.0%} | {half:.1f}"
        )
    flags = Counter(one.flag or "given" for one in found)
    yield "withheld: " + ", ".join(f"{flag} {n}" for flag, n in sorted(flags.items()))


def main() -> int:
    """Print the figures of all streets; return 1 where the median error misses its goal."""
    ask = argparse.ArgumentParser(prog="python -m tests.bench.speeds", description=__doc__)
    ask.add_argument("--seconds", type=float, default=60.0)
    ask.add_argument("--street", default="")
    asked = ask.parse_args()
    found: list[Compared] = []
    with tempfile.TemporaryDirectory() as folder:
        for place in STREETS:
            if asked.street in ("", place.name):
                found += compared(place, Path(folder), duration_s=asked.seconds)
    print(*told(found), sep="\n")
    error = [abs(one.error_kmh) for one in found if np.isfinite(one.speed_kmh)]
    return int(not error or float(np.median(error)) > GOAL_KMH)


if __name__ == "__main__":
    sys.exit(main())
