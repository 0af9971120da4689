"""How many of staged violations the rules find, with the errors of a camera on every row.

Run: ``PYTHONPATH=src:. python -m tests.bench.violations [--seed N] [--shape NAME]``.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from tests.bench.rules import speeds_of
from tests.bench.traffic_days import (
    FPS,
    GREENS,
    PLAIN,
    SHAPES,
    Shape,
    _as_seen,
    _Rows,
    _way,
    the_signals,
    the_site,
)

from calmstreet.config.site import parse_site
from calmstreet.model.kinds import Kind
from calmstreet.model.points import TrackPoints
from calmstreet.pipeline.judging import too_fast
from calmstreet.safety.rule import RuleWatch
from calmstreet.safety.rules import chosen_rules

SPEEDS_FPS = 10.0
Timed = tuple[float, float, float]
STOP = """
[site]
id = "stop"
[[gate]]
id = "stop"
points_m = [[0, -6.4], [0, 0]]
control = "stop"
direction = "to_right"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A violation: the rule that should find it and the timed ways of its road users.

    ``fps`` rows a second; fast ones need more than five for a speed.
    """

    rule: str
    ways: Sequence[tuple[Sequence[Timed], Kind]]
    site: str = ""
    fps: float = FPS
    backs: bool = field(default=False)


def staged(rule: str, dice: np.random.Generator) -> Staged:
    """Return one violation of a rule, somewhat different every time."""
    return _STAGES[rule](dice)


def _red_light(dice: np.random.Generator) -> Staged:
    red_s = GREENS["ew"][1] + 4.0
    mps, into_s = dice.uniform(6, 15), dice.uniform(0.6, 20)
    at = red_s + into_s
    via = [(at - 60 / mps, -62.25, -1.6), (at + 50 / mps, 47.75, -1.6)]
    return Staged(rule="red-light", ways=[(via, Kind.CAR)])


def _too_fast(dice: np.random.Generator) -> Staged:
    mps, y = dice.uniform(18.5, 26.0), -1.6 if dice.random() < 0.5 else -4.8
    via = [(1.0, -130.0, y), (1.0 + 190 / mps, 60.0, y)]
    return Staged(rule="speeding", ways=[(via, Kind.CAR)], fps=SPEEDS_FPS)


def _stop_line(dice: np.random.Generator) -> Staged:
    past, at = dice.uniform(1.2, 3.0) - 2.25, GREENS["ew"][1] + 2.0
    via = [(at - 6, -60.0, -1.6), (at, past, -1.6), (at + 25, past, -1.6)]
    return Staged(rule="stop-line", ways=[(via, Kind.CAR)])


def _stop_sign(dice: np.random.Generator) -> Staged:
    mps = dice.uniform(2.5, 10)
    via = [(0.0, -60.0, -1.6), (6.0, -6.0, -1.6), (6 + 10 / mps, 4.0, -1.6), (20.0, 60.0, -1.6)]
    return Staged(rule="stop-sign", ways=[(via, Kind.CAR)], site=STOP)


def _wrong_way(dice: np.random.Generator) -> Staged:
    mps = dice.uniform(4, 14)
    return Staged(
        rule="wrong-way", ways=[([(1, -20.0, -4.8), (1 + 80 / mps, -100.0, -4.8)], Kind.CAR)]
    )


def _reversing(dice: np.random.Generator) -> Staged:
    far = dice.uniform(8, 15)
    via = [(0.0, -90.0, -4.8), (5.0, -40.0, -4.8), (7.0, -40.0, -4.8),
           (7 + far / 1.5, -40 - far, -4.8)]  # fmt: skip
    return Staged(rule="reversing", ways=[(via, Kind.CAR)], backs=True)


def _turn(dice: np.random.Generator) -> Staged:
    y = dice.uniform(1.5, 5)
    via = [(0.0, -60.0, -1.6), (6.0, -8.0, -1.6), (10.0, 8.0, -1.6), (13.0, 8.0, y),
           (19.0, -20.0, y), (23.0, -40.0, -5.0)]  # fmt: skip
    return Staged(rule="forbidden-turn", ways=[(via, Kind.CAR)])


def _solid(dice: np.random.Generator) -> Staged:
    x, mps = dice.uniform(-170, -120), dice.uniform(6, 14)
    at = (x + 195) / mps
    via = [(0.0, -195.0, 461.5), (at, x, 461.5), (at + 15 / mps, x + 15, 464.5),
           (at + 45 / mps, x + 45, 464.5)]  # fmt: skip
    return Staged(rule="solid-line", ways=[(via, Kind.CAR)])


def _bus_lane(dice: np.random.Generator) -> Staged:
    return Staged(
        rule="bus-lane",
        ways=[([(0, -190.0, 521.7), (300 / dice.uniform(6, 16), 95.0, 521.7)], Kind.CAR)],
    )


def _standing(dice: np.random.Generator) -> Staged:
    x, long = dice.uniform(-110, -30), dice.uniform(26, 60)
    via = [(0.0, x - 60, -1.6), (6.0, x, -1.6), (6 + long, x, -1.6), (12 + long, x + 60, -1.6)]
    return Staged(rule="stopped-vehicle", ways=[(via, Kind.CAR)])


def _no_stopping(dice: np.random.Generator) -> Staged:
    x, long = dice.uniform(-170, -135), dice.uniform(19, 60)
    via = [(0.0, -195, -4.8), (6.0, x, -4.8), (6 + long, x, -4.8), (12 + long, x + 60, -4.8)]
    return Staged(rule="no-stopping", ways=[(via, Kind.CAR)])


def _blocked(dice: np.random.Generator) -> Staged:
    x = dice.uniform(6, 12)
    via = [(30.0, -40.0, -1.6), (36.0, x, -1.6), (60.0, x, -1.6), (66.0, 60.0, -1.6)]
    return Staged(rule="blocked-junction", ways=[(via, Kind.CAR)])


def _unyielding(dice: np.random.Generator) -> Staged:
    mps, waits_s = dice.uniform(6, 14), dice.uniform(5, 7)
    at, y = 14.0, dice.uniform(-6.2, -4.2)
    car = [(at - 70 / mps, -191.0 - 2.25, -3.2), (at + 60 / mps, -61.0, -3.2)]
    steps = at - waits_s
    walk = [(steps - 5, -119.0, y - 6), (steps, -119.0, y), (at + 1, -119.0, y),
            (at + 8, -119.0, 2.4)]  # fmt: skip
    return Staged(rule="failure-to-yield", ways=[(car, Kind.CAR), (walk, Kind.PEDESTRIAN)])


def _ped_red(dice: np.random.Generator) -> Staged:
    at = dice.uniform(4, 30)
    return Staged(
        rule="pedestrian-on-red",
        ways=[([(at - 5, 2.0, -13.0), (at + 12, 2.0, 9.0)], Kind.PEDESTRIAN)],
    )


def _outside(dice: np.random.Generator) -> Staged:
    x = dice.uniform(-45, -20)
    return Staged(
        rule="crossing-outside", ways=[([(2, x, -9.5), (16, x + 2, 9.0)], Kind.PEDESTRIAN)]
    )


def _soft(dice: np.random.Generator) -> Staged:
    kind = Kind.PEDESTRIAN if dice.random() < 0.5 else Kind.BICYCLE
    return Staged(rule="vulnerable-user", ways=[([(1, -50.0, 502), (9, -30.0, 503)], kind)])


def _spill(dice: np.random.Generator) -> Staged:
    ways = []
    for i in range(29):
        t_s, x = 40.0 + 0.3 * i, -2.3 - 7 * i
        via = [(t_s, -195.0 - i, -1.6), (t_s + 10, x, -1.6), (79.0, x, -1.6)]
        ways.append((via, Kind.CAR))
    return Staged(rule="queue", ways=ways)


def _crawl(dice: np.random.Generator) -> Staged:
    mps = dice.uniform(0.5, 2.0)
    ways = [
        ([(0.0, -180.0 + 12 * i, 503.0), (150.0, -180 + 12 * i + 150 * mps / 3, 503.0)], Kind.CAR)
        for i in range(6)
    ]
    return Staged(rule="congestion", ways=ways)


def _lies(dice: np.random.Generator) -> Staged:
    x = dice.uniform(-150, -10)
    return Staged(rule="object", ways=[([(1, x, -3.0), (40, x, -3.0)], Kind.UNKNOWN)])


def _crash(dice: np.random.Generator) -> Staged:
    mps, x = dice.uniform(5, 14), -60.0
    hits = x - 4.3
    car = [(0.0, hits - 50, -1.6), (50 / mps, hits, -1.6), (50 / mps + 12, hits + 0.5, -1.6)]
    return Staged(
        rule="collision",
        ways=[(car, Kind.CAR), ([(0.0, x, -1.6), (50 / mps + 12, x, -1.6)], Kind.CAR)],
    )


_STAGES = {
    "red-light": _red_light,
    "stop-line": _stop_line,
    "stop-sign": _stop_sign,
    "speeding": _too_fast,
    "wrong-way": _wrong_way,
    "reversing": _reversing,
    "forbidden-turn": _turn,
    "solid-line": _solid,
    "bus-lane": _bus_lane,
    "stopped-vehicle": _standing,
    "no-stopping": _no_stopping,
    "blocked-junction": _blocked,
    "failure-to-yield": _unyielding,
    "pedestrian-on-red": _ped_red,
    "crossing-outside": _outside,
    "vulnerable-user": _soft,
    "queue": _spill,
    "congestion": _crawl,
    "object": _lies,
    "collision": _crash,
}


def rows_of(stage: Staged, dice: np.random.Generator, shape: Shape = PLAIN) -> TrackPoints:
    """Return the rows of a staged violation as a camera would give them."""
    parts: list[_Rows] = [
        _way(list(via), kind, 1 + number, backs=stage.backs, fps=stage.fps)
        for number, (via, kind) in enumerate(stage.ways)
    ]
    return _as_seen(parts, dice, stage.fps, shape)


def detection_rates(
    times: int, *, seed: int = 7, shape: Shape = PLAIN
) -> Iterator[tuple[str, int]]:
    """Yield each rule with how many of ``times`` staged violations it found."""
    signals = the_signals(0.1)
    for name in _STAGES:
        dice = np.random.default_rng(seed)
        found = 0
        for _ in range(times):
            stage = staged(name, dice)
            site = parse_site(stage.site) if stage.site else the_site(shape)
            lies = PLAIN if stage.site else shape
            watch = RuleWatch.over(
                site, camera_id="camera", run_id=1, metric=True, signals=signals,
                factories=chosen_rules(site, only=[name]),
            )  # fmt: skip
            rows = rows_of(stage, dice, lies)
            watch.update(np.unique(rows.t_ns), rows)
            events = watch.close()
            if name == "speeding":
                events = list(too_fast(watch, speeds_of(site, rows)))
            found += bool(events)
        yield name, found


def wilson(found: int, times: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share.

    >>> [round(end, 3) for end in wilson(48, 50)]
    [0.865, 0.989]
    """
    z, p = 1.959964, found / times
    middle = p + z * z / (2 * times)
    half = z * np.sqrt(p * (1 - p) / times + z * z / (4 * times * times))
    low, high = (middle - half) / (1 + z * z / times), (middle + half) / (1 + z * z / times)
    return float(low), float(high)


def main() -> None:
    """Print the share of staged violations that each rule finds."""
    ask = argparse.ArgumentParser(prog="python -m tests.bench.violations", description=__doc__)
    ask.add_argument("--seed", type=int, default=7)
    ask.add_argument("--shape", choices=tuple(SHAPES), default="straight")
    asked = ask.parse_args()
    times = 100
    for name, found in detection_rates(times, seed=asked.seed, shape=SHAPES[asked.shape]):
        low, high = wilson(found, times)
        print(f"{name:20} {found:4d} of {times}, {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
