"""A car that runs the red of a rendered head is found from the picture alone; who stops is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.whole.line import calm

from calmstreet.config.site import dump_site_toml
from calmstreet.model.kinds import Kind
from calmstreet.model.signals import SignalState
from calmstreet.model.site import Gate, Signal
from calmstreet.scene.bodies import size_m
from calmstreet.scene.ensemble import lane_plan
from calmstreet.scene.film import render_film
from calmstreet.scene.heads import Head, lamps_px
from calmstreet.scene.script import nobody
from calmstreet.scene.stage import Scene
from calmstreet.scene.street import Street
from calmstreet.scene.traffic import drive
from calmstreet.store.catalogue import Catalogue

pytestmark = pytest.mark.slow

DURATION_S, FPS, RED_S = 9.0, 12.5, 1.3


def street() -> Scene:
    """Return a street whose head turns red; one car drives on, one waits in the other lane."""
    road, empty = Street(), nobody(DURATION_S)
    plans = [
        lane_plan(road, Kind.CAR, 1, enter_s=0.2, speed_mps=8.0, look=4),
        lane_plan(road, Kind.CAR, 0, enter_s=0.6, speed_mps=7.0, look=0, reds=((0.0, 60.0),)),
    ]
    x, y = road.to_ground(np.array([[20.0, -7.4]]))[0]
    head = Head(
        id="h",
        place_m=(float(x), float(y), 3.2),
        programme=((0.0, SignalState.AMBER), (RED_S, SignalState.RED)),
    )
    ends = road.to_ground(np.array([(road.stop_s_m[0], -6.8), (road.stop_s_m[0], -0.1)]))
    line = tuple((float(u), float(v)) for u, v in ends.round(2))
    gate = Gate(id="line", camera_id="stage", points_m=line, signal="h", direction="to_right")
    signal = Signal(id="h", camera_id="stage", lamps_px=lamps_px(head, empty.camera))
    rules = {"red-light": {"on": True}}
    site = replace(empty.site, gates=(gate,), signals=(signal,), rules=rules)
    actors = tuple(drive(plans, DURATION_S))
    return replace(
        empty, site=site, heads=(head,), actors=actors, duration_s=DURATION_S, noise=2.5, flicker=0
    )


def passed_s(scene: Scene) -> float:
    """Return when the front of the runner passes the stop line."""
    instants = np.arange(0.3, DURATION_S, 0.01)
    states = [scene.actors[0].state(float(t)) for t in instants]
    front = [-12 + s[0] + size_m(Kind.CAR)[0] / 2 if s else np.inf for s in states]
    return float(instants[int(np.argmax(np.array(front) >= Street().stop_s_m[0]))])


def test_who_runs_the_red_is_found_from_the_picture_alone(tmp_path: Path) -> None:
    scene = street()
    render_film(scene, tmp_path / "v.mp4", fps=FPS)
    site = tmp_path / "SITE.toml"
    site.write_text(dump_site_toml(scene.site), encoding="utf-8")
    out = tmp_path / "out"
    done = calm("analyse", tmp_path / "v.mp4", "--site", site, "--out", out, "--video", "none")
    assert done.code == 0, done.err
    with Catalogue.open(out) as catalogue:
        run = catalogue.runs()[0]
        changes = catalogue.signal_changes([run.run_id])
        events = [e for e in catalogue.events([run.run_id]) if e.rule.startswith("red-light")]
    assert changes.state.tolist() == [SignalState.AMBER, SignalState.RED]
    onset_s = (int(changes.t_ns[1]) - run.start_ns) / 1e9
    assert onset_s == pytest.approx(RED_S, abs=1 / FPS)
    assert len(events) == 1
    assert events[0].values["into_red_s"] == pytest.approx(passed_s(scene) - RED_S, abs=0.2)
