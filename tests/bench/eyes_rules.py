"""What rules cry wolf at and what they find on long rendered films, through detector and tracker.

Run: ``PYTHONPATH=src:. python -m tests.bench.eyes_rules [--hours H] [--seed N]``. Films without a
wrong deed give false alarms per camera-day (Garwood's exact interval), films of staged deeds the
share found (Wilson). The same rules over the true footprints tell whether a film is what it says.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.bench.conflicts_street import true_points
from tests.bench.rule_deeds import DEEDS, Deed, staged_scene
from tests.bench.rule_films import QUIET, Film, quiet_scene, setting_of
from tests.bench.rules import speeds_of, upper_bound
from tests.bench.violations import wilson

from calmstreet.config.site import dump_site_toml
from calmstreet.model.event import Event
from calmstreet.model.points import POINT_COLUMNS, TrackPoints
from calmstreet.model.signals import SignalChanges
from calmstreet.perception.onnx import net_is_installed
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.counting import step_blocks
from calmstreet.pipeline.judging import events_of_run, too_fast
from calmstreet.pipeline.planes import camera_plane, on_the_ground
from calmstreet.pipeline.planning import Request
from calmstreet.safety.rule import RuleWatch
from calmstreet.safety.rules import BUILT_IN, chosen_rules
from calmstreet.scene.film import render_film
from calmstreet.scene.stage import Scene
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import from_iso

FPS = 10.0
NET_EVERY = 2
START_ISO = "2026-03-02T07:30:00+05:00"
FILM_S = 600.0
DEEDS_S = {"signal": 450.0, "zebra": 400.0, "junction": 180.0, "motorway": 320.0}
NEAR_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An event of a film: rule, kind, seconds from its start, whom and why."""

    rule: str
    kind: str
    from_s: float
    until_s: float
    tracks: list[int]
    reasons: list[str]
    exceptions: list[str]
    values: dict[str, float]
    place_m: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the rules made of a film through the eyes and of its truth, and who was on duty."""

    film: str
    seed: int
    duration_s: float
    on_duty: list[str]
    deeds: list[Deed]
    events: list[Found]
    of_truth: list[Found]


def name_of(film: Film, *, seed: int, deeds: bool) -> str:
    """Return the name of a film's files."""
    return f"{'deeds' if deeds else 'quiet'}-{film.name}-{seed}"


def watch_film(film: Film, *, seed: int, duration_s: float, folder: Path, deeds: bool) -> Path:
    """Render a film into ``folder`` and analyse it; return its folder. Done before: nothing."""
    name = name_of(film, seed=seed, deeds=deeds)
    out, video, site = (folder / f"{name}{end}" for end in ("", ".mp4", ".toml"))
    if (folder / f"{name}.npz").is_file():
        return out
    here = setting_of(film, seed=seed, duration_s=duration_s)
    scene = staged_scene(here)[0] if deeds else quiet_scene(here)
    truth = render_film(scene, video, fps=FPS, start_ns=from_iso(START_ISO, "UTC"))
    site.write_text(dump_site_toml(scene.site), encoding="utf-8")
    analyse_videos(
        Request(
            videos=(video,), out=out, site=site, start=START_ISO, video="none", net_every=NET_EVERY
        )
    )
    points = true_points(truth)
    points = points[np.lexsort((points.track_id, points.t_ns))]
    columns = {name: getattr(points, name) for name, _, _ in POINT_COLUMNS}
    np.savez_compressed(folder / f"{name}.npz", steps_ns=truth.t_ns, **columns)
    return out


def judged(film: Film, *, seed: int, duration_s: float, folder: Path, deeds: bool) -> Seen:
    """Return what the rules find in a film that was watched, and in its truth."""
    out = watch_film(film, seed=seed, duration_s=duration_s, folder=folder, deeds=deeds)
    here = setting_of(film, seed=seed, duration_s=duration_s)
    scene, staged = staged_scene(here) if deeds else (quiet_scene(here), [])
    with Catalogue.open(out) as catalogue:
        run = catalogue.runs()[0]
        changes = catalogue.signal_changes([run.run_id])
        speeds = catalogue.speeds(run.run_id, run.camera_id)
        blocks = list(step_blocks(catalogue, run))
        events = events_of_run(run, scene.site, changes, iter(blocks), speeds=speeds)
        ruling = catalogue.ruling(run.run_id)
    return Seen(
        film=film.name,
        seed=seed,
        duration_s=duration_s,
        on_duty=[row["rule"].split("/")[0] for row in ruling["rules"] if not row["why_not"]],
        deeds=staged,
        events=[_found(event, run.start_ns) for event in events],
        of_truth=[_found(event, run.start_ns) for event in _of_truth(scene, out)],
    )


def _of_truth(scene: Scene, out: Path) -> list[Event]:
    """Return what the rules find on the true footprints, with the true states of the heads."""
    with np.load(out.with_name(f"{out.name}.npz")) as stored:
        steps, columns = stored["steps_ns"], {name: stored[name] for name, _, _ in POINT_COLUMNS}
    points = _moved(TrackPoints(camera_id="stage", run_id=0, **columns))
    wide, high = scene.camera.width_px, scene.camera.height_px
    plane = camera_plane(scene.site, "stage", width_px=wide, height_px=high).plane
    site = on_the_ground(scene.site, plane)
    changes = true_changes(scene, int(steps[0]))
    watch = RuleWatch.over(
        site, camera_id="stage", run_id=0, metric=True, trusted=True,
        factories=chosen_rules(scene.site), signals=changes if len(changes) else None,
    )  # fmt: skip
    for block in np.array_split(steps, max(1, len(steps) // 600)):
        low, high = np.searchsorted(points.t_ns, [block[0], block[-1] + 1])
        watch.update(block, points[low:high])
    return [*watch.close(), *too_fast(watch, speeds_of(site, points))]


def _moved(points: TrackPoints) -> TrackPoints:
    """Return rows whose velocity is that of their places: who backs does not drive forward."""
    velocity = np.zeros((len(points), 2))
    order = np.lexsort((points.t_ns, points.track_id))
    parts = np.split(order, np.flatnonzero(np.diff(points.track_id[order])) + 1)
    for rows in (part for part in parts if len(part) > 1):
        place, t_s = points.xy_m[rows].astype(float), points.t_ns[rows] / 1e9
        velocity[rows] = np.gradient(place, t_s - t_s[0], axis=0)
    return replace(points, velocity_mps=velocity.astype(np.float32))


def true_changes(scene: Scene, start_ns: int) -> SignalChanges:
    """Return what the heads of a scene really showed."""
    rows = sorted((t_s, head.id, state) for head in scene.heads for t_s, state in head.programme)
    return SignalChanges(
        t_ns=np.array([start_ns + round(t * 1e9) for t, _, _ in rows], np.int64),
        signal_id=np.array([head for _, head, _ in rows], np.str_),
        state=np.array([int(state) for _, _, state in rows], np.uint8),
        confidence=np.ones(len(rows), np.float32),
    )


def _found(event: Event, start_ns: int) -> Found:
    return Found(
        rule=event.rule.split("/")[0],
        kind=event.kind,
        from_s=(event.start_ns - start_ns) / 1e9,
        until_s=(event.end_ns - start_ns) / 1e9,
        tracks=[track & 0xFFFFFFFF for track in event.track_ids],
        reasons=list(event.reasons),
        exceptions=list(event.exceptions),
        values={name: round(float(value), 2) for name, value in event.values.items()},
        place_m=[round(float(v), 1) for v in event.place_m],
    )


def meets(deed: Deed, event: Found) -> bool:
    """Return whether an event is the one that a deed should give."""
    late = event.from_s > deed.until_s + NEAR_S
    return event.rule == deed.rule and not late and event.until_s >= deed.from_s - NEAR_S


def told(films: list[Seen]) -> Iterator[str]:
    """Yield the table: found of staged, false alarms, hours on duty."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for film in films:
        for deed in film.deeds:
            for who, events in (("eyes", film.events), ("truth", film.of_truth)):
                tally[deed.rule][who] += any(meets(deed, event) for event in events)
            tally[deed.rule]["staged"] += 1
        if film.deeds:
            continue
        for rule in film.on_duty:
            tally[rule]["quiet_s"] += round(film.duration_s)
        for event in film.events:
            tally[event.rule]["noted" if event.exceptions else "alarms"] += 1
        for event in film.of_truth:
            tally[event.rule]["true_alarms"] += not event.exceptions
    hours = sum(film.duration_s for film in films if not film.deeds) / 3600
    yield f"{hours:.2f} camera-hours without a wrong deed"
    yield "rule | found of staged | of the truth | false alarms | hours | a day | below | noted"
    for rule in BUILT_IN:
        one = tally[rule]
        days = max(one["quiet_s"], 1) / 86_400
        low, high = wilson(one["eyes"], one["staged"]) if one["staged"] else (0.0, 1.0)
        yield (
            f"{rule} | {one['eyes']} of {one['staged']} ({low:.2f} to {high:.2f}) | "
            f"{one['truth']} | {one['alarms']} (truth {one['true_alarms']}) | "
            f"{one['quiet_s'] / 3600:.2f} | {one['alarms'] / days:.1f} | "
            f"{upper_bound(one['alarms']) / days:.0f} | {one['noted']}"
        )


def _alarms(films: list[Seen]) -> Iterator[str]:
    for film in films:
        for event in film.events:
            if not film.deeds and not event.exceptions:
                yield f"{film.film} {film.seed}: {json.dumps(asdict(event))}"
        for deed in film.deeds:
            if not any(meets(deed, event) for event in film.events):
                yield f"{film.film} {film.seed}: missed {json.dumps(asdict(deed))}"


def _work(task: dict[str, Any]) -> Seen:
    return judged(**task)


def main() -> int:
    """Render, analyse, print the table; every false alarm and miss goes to the error stream."""
    ask = argparse.ArgumentParser(prog="python -m tests.bench.eyes_rules", description=__doc__)
    ask.add_argument("--hours", type=float, default=2.0, help="of films without a wrong deed")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--film-s", type=float, default=FILM_S)
    ask.add_argument("--deed-films", type=int, default=len(DEEDS))
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--keep", type=Path, help="a folder for films and results")
    ask.add_argument("--told", action="store_true", help="only of films that lie there already")
    asked = ask.parse_args()
    if not net_is_installed():
        print("the shipped net is missing: kinds would all be unknown", file=sys.stderr)
        return 2
    count = round(asked.hours * 3600 / asked.film_s)
    films: list[Seen] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        common = {"folder": folder}
        tasks = [
            {**common, "film": QUIET[k % len(QUIET)], "seed": asked.seed + k // len(QUIET),
             "duration_s": asked.film_s, "deeds": False}
            for k in range(count)
        ]  # fmt: skip
        staged = [
            {**common, "film": film, "seed": asked.seed, "deeds": True,
             "duration_s": DEEDS_S[film.play]}
            for film in DEEDS[: asked.deed_films]
        ]  # fmt: skip
        for place, task in enumerate(staged):
            tasks.insert(2 * place + 1, task)
        if asked.told:
            names = [name_of(t["film"], seed=t["seed"], deeds=t["deeds"]) for t in tasks]
            here = zip(names, tasks, strict=True)
            tasks = [task for name, task in here if (folder / f"{name}.npz").is_file()]
        with ProcessPoolExecutor(asked.jobs) as pool:
            for film in pool.map(_work, tasks):
                films.append(film)
                print(film.film, len(film.events), file=sys.stderr, flush=True)
                if asked.keep:
                    what = "deeds" if film.deeds else "quiet"
                    kept = folder / f"{what}-{film.film}-{film.seed}.json"
                    kept.write_text(json.dumps(asdict(film), indent=1), encoding="utf-8")
    print(*_alarms(films), sep="\n", file=sys.stderr)
    print(*told(films), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
