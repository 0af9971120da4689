"""Conflicts of rendered streets through detector and tracker beside those of the truth.

Run: ``PYTHONPATH=src:. python -m tests.bench.conflicts_street [--seconds S] [--street NAME]``. The
same ConflictWatch judges the true places of every frame and what the eyes found; each learns its
usual paths from its own tracks. A pair is the same where both road users are.
"""

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tests.bench.conflict_streets import PLACES, conflict_scene
from tests.bench.speed_streets import SpeedStreet

from calmstreet.config.site import dump_site_toml
from calmstreet.model.conflicts import CONFLICT_TYPES, Conflicts
from calmstreet.model.kinds import SizeSource
from calmstreet.model.points import TrackPoints, concat_points, make_points, track_id_of
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.planning import Request
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.learn_paths import learn_paths
from calmstreet.scene.film import render_film
from calmstreet.scene.truth import SceneTruth
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import from_iso

FPS = 20.0
START_ISO = "2026-03-02T07:30:00+05:00"
NEAREST_M = 2.5
LONGEST_TTC_S = 5.0

Pair = frozenset[int]


@dataclass(slots=True, kw_only=True)
class Compared:
    """Found, missed and extra conflicts by type, and errors (ours minus true) of measures."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)
    errors: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)


def true_points(truth: SceneTruth) -> TrackPoints:
    """Return the true footprints of all frames, as trajectories that no camera saw."""
    rows = truth.rows
    n = len(rows)
    return make_points(
        camera_id="stage",
        run_id=0,
        t_ns=np.array([truth.t_ns[row.frame] for row in rows], np.int64),
        track_id=np.array([track_id_of(0, row.actor) for row in rows], np.int64),
        kind=np.array([row.kind for row in rows]),
        score=np.ones(n),
        xy_m=np.array([row.xy_m for row in rows]),
        velocity_mps=np.array([row.velocity_mps for row in rows]),
        heading_rad=np.array([row.heading_rad for row in rows]),
        length_m=np.array([row.length_m for row in rows]),
        width_m=np.array([row.width_m for row in rows]),
        size_source=np.full(n, SizeSource.GIVEN),
        cov_m2=np.zeros((n, 3)),
    )


def judged(points: TrackPoints) -> Conflicts:
    """Return the interacting pairs of rows, along usual paths learned from them."""
    watch = ConflictWatch(paths=learn_paths(points))
    watch.update(points)
    return watch.close()


def actors_of(seen: TrackPoints, true: TrackPoints) -> dict[int, int]:
    """Return for each track of the eyes the actor that was nearest for most of its rows."""
    found: dict[int, int] = {}
    at = {int(t): k for k, t in enumerate(np.unique(true.t_ns))}
    order = np.argsort(true.t_ns, kind="stable")
    cuts = np.append(np.flatnonzero(np.diff(true.t_ns[order], prepend=-1)), len(order))
    for track in seen.tracks():
        votes: Counter[int] = Counter()
        for t_ns, place in zip(track.points.t_ns.tolist(), track.points.xy_m, strict=True):
            if t_ns not in at or not np.isfinite(place).all():
                continue
            rows = order[cuts[at[t_ns]] : cuts[at[t_ns] + 1]]
            far = np.hypot(*(true.xy_m[rows] - place).T)
            if far.min() <= NEAREST_M:
                votes[int(true.track_id[rows[int(far.argmin())]])] += 1
        if votes:
            actor, n = votes.most_common(1)[0]
            if n > 0.5 * votes.total():
                found[track.track_id] = actor
    return found


def by_pair(found: Conflicts, actors: dict[int, int]) -> tuple[dict[Pair, int], list[int]]:
    """Return the row of each pair of actors (a conflict first), and conflicts of nobody known."""
    rows: dict[Pair, int] = {}
    strange = []
    for k in np.lexsort((np.arange(len(found)), ~found.is_conflict)).tolist():
        users = [actors.get(int(u), -1) for u in (found.user_a[k], found.user_b[k])]
        if -1 in users or users[0] == users[1]:
            if found.is_conflict[k]:
                strange.append(k)
            continue
        rows.setdefault(frozenset(users), k)
    return rows, strange


def compare(into: Compared, true: Conflicts, seen: Conflicts, actors: dict[int, int]) -> None:
    """Add one street."""
    same = {int(track): int(track) for track in np.unique([*true.user_a, *true.user_b])}
    wanted, _ = by_pair(true, same)
    ours, strange = by_pair(seen, actors)
    into.extra.update(str(seen.type[k]) for k in strange)
    for pair, k in wanted.items():
        j = ours.get(pair)
        kind = str(true.type[k])
        if true.is_conflict[k]:
            hit = j is not None and bool(seen.is_conflict[j])
            (into.found if hit else into.missed)[kind] += 1
            if not hit:
                into.notes.append(f"missed {kind} {_told(true, k)}; ours {_told(seen, j)}")
        if j is not None:
            _measure(into, true, k, seen, j)
    for pair, j in ours.items():
        if seen.is_conflict[j] and not (pair in wanted and true.is_conflict[wanted[pair]]):
            into.extra[str(seen.type[j])] += 1
            into.notes.append(
                f"extra {seen.type[j]} {_told(seen, j)}; truth {_told(true, wanted.get(pair))}"
            )


def _told(found: Conflicts, k: int | None) -> str:
    if k is None:
        return "no pair"
    parts = f"{found.type[k]} {found.why[k] or '-'} {found.rejected_because[k]}".strip()
    return f"{parts} PET {found.pet_s[k]:.2f} TTC {found.min_ttc_s[k]:.2f}"


def _measure(into: Compared, true: Conflicts, k: int, seen: Conflicts, j: int) -> None:
    if np.isfinite(true.pet_s[k]) and np.isfinite(seen.pet_s[j]):
        into.errors["PET s"].append(float(seen.pet_s[j] - true.pet_s[k]))
    if max(true.min_ttc_s[k], seen.min_ttc_s[j]) <= LONGEST_TTC_S:
        into.errors["TTC s"].append(float(seen.min_ttc_s[j] - true.min_ttc_s[k]))


def street(into: Compared, place: SpeedStreet, folder: Path, *, duration_s: float) -> None:
    """Render a street, analyse it and compare its conflicts with the truth."""
    scene = conflict_scene(place, duration_s)
    film, site = folder / f"{place.name}.mp4", folder / f"{place.name}.toml"
    truth = render_film(scene, film, fps=FPS, start_ns=from_iso(START_ISO, "UTC"))
    site.write_text(dump_site_toml(scene.site), encoding="utf-8")
    out = folder / place.name
    analyse_videos(Request(videos=(film,), out=out, site=site, start=START_ISO, video="none"))
    true = true_points(truth)
    true = true[np.lexsort((true.track_id, true.t_ns))]
    with Catalogue.open(out) as catalogue:
        run = catalogue.runs()[0]
        seen = catalogue.conflicts(run.run_id, run.camera_id)
        rows = concat_points([points for _, points in step_blocks(catalogue, run) if len(points)])
    compare(into, judged(true), seen, actors_of(rows, true))


def told(found: Compared) -> Iterator[str]:
    """Yield the figures line by line."""
    yield "type | found | missed | extra"
    for kind in CONFLICT_TYPES:
        yield f"{kind} | {found.found[kind]} | {found.missed[kind]} | {found.extra[kind]}"
    yield f"all | {found.found.total()} | {found.missed.total()} | {found.extra.total()}"
    yield "measure | pairs | bias | median error | sd"
    for name, values in sorted(found.errors.items()):
        error = np.array(values)
        yield (
            f"{name} | {len(error)} | {error.mean():+.2f} | {np.median(np.abs(error)):.2f} | "
            f"{error.std():.2f}"
        )
    yield from found.notes


def main() -> int:
    """Print the figures of all streets; return 1 where less than half is found."""
    ask = argparse.ArgumentParser(
        prog="python -m tests.bench.conflicts_street", description=__doc__
    )
    ask.add_argument("--seconds", type=float, default=100.0)
    ask.add_argument("--street", default="")
    asked = ask.parse_args()
    found = Compared()
    with tempfile.TemporaryDirectory() as folder:
        for place in PLACES:
            if asked.street in ("", place.name):
                street(found, place, Path(folder), duration_s=asked.seconds)
                print(f"{place.name} done", file=sys.stderr, flush=True)
    print(*told(found), sep="\n")
    return int(found.found.total() <= found.missed.total())


if __name__ == "__main__":
    sys.exit(main())
