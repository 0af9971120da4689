"""False alarms of the rules per camera-day over generated hours.

Run: ``PYTHONPATH=src:. python -m tests.bench.rules [--hours H] [--seed N] [--shape NAME]``. The
upper bound is the exact one-sided 97.5 % bound of a Poisson rate (Garwood 1936), the upper end
of a 95 % interval.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
from scipy.stats import chi2
from tests.bench.traffic_days import (
    PLAIN,
    SHAPES,
    Shape,
    camera_hours,
    the_signals,
    the_site,
)

from calmstreet.model.event import Event
from calmstreet.model.points import TrackPoints
from calmstreet.model.site import Site
from calmstreet.model.speeds import GateSpeeds
from calmstreet.pipeline.speeds import courses_of
from calmstreet.safety.flow import FlowCounter
from calmstreet.safety.rule import RuleWatch
from calmstreet.safety.rules import BUILT_IN
from calmstreet.safety.speeds import gate_speeds, wanted_tracks

STEPS_PER_BLOCK = 1500
AT_ONCE = 12


def upper_bound(count: int) -> float:
    """Return the upper 97.5 % bound of a Poisson count.

    >>> round(upper_bound(0), 2), round(upper_bound(3), 2)
    (3.69, 8.77)
    """
    return float(chi2.ppf(0.975, 2 * (count + 1)) / 2)


def found_in_hours(
    hours: int, *, seed: int = 1, lasts_s: float = 3600.0, shape: Shape = PLAIN
) -> Iterator[list[Event]]:
    """Yield what the rules find in each hour; ``speeding`` needs more rows a second than these."""
    site, signals = the_site(shape), the_signals(lasts_s / 3600)
    for rows in camera_hours(hours, seed=seed, lasts_s=lasts_s, shape=shape):
        watch = RuleWatch.over(
            site,
            camera_id="camera",
            run_id=1,
            factories=BUILT_IN.values(),
            metric=True,
            signals=signals,
        )
        steps = np.unique(rows.t_ns)
        for block in np.array_split(steps, max(1, len(steps) // STEPS_PER_BLOCK)):
            low, high = np.searchsorted(rows.t_ns, [block[0], block[-1] + 1])
            watch.update(block, rows[low:high])
        yield watch.close()


def speeds_of(site: Site, rows: TrackPoints) -> GateSpeeds:
    """Return the speeds at the gates of rows in metres, measured as those of a run are."""
    counter = FlowCounter(site=site, camera_id=rows.camera_id, run_id=1, width_px=0, height_px=0)
    counter.update(np.unique(rows.t_ns), rows)
    flow = counter.finish()
    crossed = rows[np.isin(rows.track_id, wanted_tracks(flow))]
    return gate_speeds(flow, courses_of(crossed, None), plane=None)


def main() -> None:
    """Print false alarms of each rule over the hours asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rules", description=__doc__)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", choices=tuple(SHAPES), default="straight")
    asked = parser.parse_args()
    hours, shape = asked.hours, SHAPES[asked.shape]
    alarms: Counter[str] = Counter()
    noted: Counter[str] = Counter()
    samples: dict[str, list[str]] = {}
    for begin in range(0, hours, AT_ONCE):
        part = min(AT_ONCE, hours - begin)
        for events in found_in_hours(part, seed=asked.seed + begin, shape=shape):
            for event in events:
                (noted if event.exceptions else alarms)[event.kind] += 1
                samples.setdefault(event.kind, []).append(
                    f"{event.start_ns / 1e9:.1f} {[t & 0xFFFFF for t in event.track_ids]} "
                    f"{event.reasons} {dict(event.values)}"
                )
    print(f"{hours} camera-hours")
    for name in [*BUILT_IN, "spill-back"]:
        days = hours / 24
        print(
            f"{name:20} {alarms[name]:5d} alarms, {alarms[name] / days:7.2f} a day, "
            f"below {upper_bound(alarms[name]) / days:7.2f}; exceptions {noted[name]}"
        )
        for text in samples.get(name, [])[:3]:
            print("     ", text, file=sys.stderr)


if __name__ == "__main__":
    main()
