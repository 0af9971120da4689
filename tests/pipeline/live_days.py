"""A live camera's folder with whole days of counts, made through the store as its judge does."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.store.rows import a_run
from tests.store.test_catalogue import a_flow

from calmstreet.clock import FakeClock
from calmstreet.model.bins import Bins
from calmstreet.model.gap import Gap
from calmstreet.model.site import Camera, Gate, Site
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_folder
from calmstreet.units import NS_PER_S, zone_info

TZ = "Asia/Almaty"
DAY_NS = 86_400 * NS_PER_S
WIDTHS_S = (900.0, 3600.0, 86_400.0)
KINDS = (4,)


def first_midnight_ns() -> int:
    """Return a Monday's midnight on the local clock."""
    return int(datetime(2026, 3, 2, tzinfo=zone_info(TZ)).timestamp()) * NS_PER_S


def a_site(gates: int) -> Site:
    """Return a site with some gates."""
    made = tuple(
        Gate(id=f"gate-{i}", camera_id="north", points_px=((0.0, 50.0 + i), (640.0, 50.0 + i)))
        for i in range(gates)
    )
    return Site(id="abay", tz=TZ, cameras=(Camera(id="north"),), gates=made)


def a_node(home: Path, *, days: int, runs_a_day: int, gates: int = 1) -> Path:
    """Write a node whose camera was watched for whole days; return its calmstreet.toml."""
    (home / "results").mkdir(parents=True)
    config = home / "calmstreet.toml"
    config.write_text('[[camera]]\nid = "north"\nurl = "file:clip.mp4"\n', encoding="utf-8")
    clock = FakeClock(start_ns=first_midnight_ns())
    with Catalogue.open(home / "results" / "north", create=True, clock=clock) as catalogue:
        prove_folder(catalogue, camera_id="north")
        catalogue.save_site(a_site(gates))
        for day in range(days):
            add_a_day(catalogue, day=day, runs_a_day=runs_a_day, gates=gates)
    return config


def add_a_day(
    catalogue: Catalogue, *, day: int, runs_a_day: int, gates: int = 1, missing: int = 0
) -> None:
    """Add the runs of a day with its rush hours and quiet Sundays; the first are a gap."""
    quarters, dice = round(96 / runs_a_day), np.random.default_rng(day)
    for number in range(runs_a_day):
        start_ns = first_midnight_ns() + day * DAY_NS + number * quarters * 900 * NS_PER_S
        end_ns = start_ns + quarters * 900 * NS_PER_S
        if number < missing:
            lost = Gap(camera_id="north", start_ns=start_ns, end_ns=end_ns, reason="silent")
            catalogue.save_gap(lost)
        else:
            a_judged_run(catalogue, a_site(gates), dice, start_ns=start_ns, quarters=quarters)


def a_judged_run(
    catalogue: Catalogue, site: Site, dice: np.random.Generator, *, start_ns: int, quarters: int
) -> None:
    """Keep a run with its counts as ``pipeline.closing`` does."""
    end_ns = start_ns + quarters * 900 * NS_PER_S
    run_id = catalogue.new_run(replace(a_run(site, start_ns=start_ns), end_ns=end_ns))
    catalogue.save_flow(a_flow(run_id))
    series = [
        (f"gate:{gate.id}:{to}", kind)
        for gate in site.gates
        for to in ("to_left", "to_right")
        for kind in KINDS
    ]
    at = start_ns + 900 * NS_PER_S * np.arange(quarters)
    counts = dice.poisson(usual(at)[:, None] / (1 + np.arange(len(series)) % 3))
    for width_s in WIDTHS_S:
        catalogue.save_bins(run_id, summed(site, series, at, counts, width_s))
    catalogue.publish([run_id])


def usual(at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many pass in a quarter of an hour, by hour and weekday."""
    moments = [datetime.fromtimestamp(t // NS_PER_S, zone_info(TZ)) for t in at.tolist()]
    hour = np.array([m.hour + m.minute / 60 for m in moments])
    sunday = np.array([m.weekday() == 6 for m in moments])
    rush = np.exp(-(((hour - 8) / 2) ** 2)) + np.exp(-(((hour - 18) / 2.5) ** 2))
    return np.asarray((6 + 40 * rush) * np.where(sunday, 0.5, 1.0), np.float64)


def summed(
    site: Site,
    series: list[tuple[str, int]],
    at: NDArray[np.int64],
    counts: NDArray[np.int64],
    width_s: float,
) -> Bins:
    """Return quarters (n,) with counts (n, s) as slices of a width, on the local clock."""
    slot = np.array([_slot_ns(t, width_s) for t in at.tolist()], np.int64)
    starts, place = np.unique(slot, return_inverse=True)
    sums = np.zeros((len(starts), len(series)))
    np.add.at(sums, place, counts)
    exposure = np.bincount(place) * 900.0
    return Bins(
        camera_id="north",
        site_version=site.site_version,
        width_s=width_s,
        what=np.tile(np.array([what for what, _ in series]), len(starts)),
        kind=np.tile(np.array([kind for _, kind in series], np.uint8), len(starts)),
        start_ns=np.repeat(starts, len(series)),
        count=sums.reshape(-1).astype(np.float32),
        exposure_s=np.repeat(exposure, len(series)).astype(np.float32),
        flags=np.full(sums.size, ""),
    )


def _slot_ns(t_ns: int, width_s: float) -> int:
    moment = datetime.fromtimestamp(t_ns // NS_PER_S, zone_info(TZ))
    midnight = moment.replace(hour=0, minute=0)
    into = (moment - midnight) // timedelta(seconds=width_s)
    return round((midnight + into * timedelta(seconds=width_s)).timestamp()) * NS_PER_S
