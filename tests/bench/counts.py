"""What the net at every N-th analysed frame costs in counts: hand-counted clips and the stage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
from tests.bench.clips import shared_video
from tests.bench.loop import gate_site, watched
from tests.bench.measure import Row, row

from calmstreet.model.site import Site
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.seeing import street_samples
from calmstreet.scene.film import render_film
from calmstreet.scene.script import demo_street
from calmstreet.scene.stage import Scene

__all__ = ["CLIPS", "Counted", "bench_counts", "hand_counted", "staged", "wrong_by"]

EVERY = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A clip with a site and what was counted by hand or is known: bounds for each gate.

    ``expected`` maps a gate to ((least, most) to the left, (least, most) to the right).
    """

    name: str
    path: Path
    site: Site
    expected: Mapping[str, tuple[tuple[int, int], tuple[int, int]]]


CLIPS: dict[str, tuple[Sequence[tuple[float, float]], tuple[tuple[int, int], tuple[int, int]]]] = {
    "ozlu_input_video.mp4": (((0, 190), (640, 190)), ((0, 0), (8, 8))),
    "sobral_video1_freeway.avi": (((30, 150), (320, 150)), ((30, 34), (0, 0))),
    "intel_car-detection.mp4": (((0, 216), (768, 216)), ((2, 2), (2, 2))),
}


def hand_counted() -> list[Counted]:
    """Return the hand-counted clips that are at hand; left of a gate to the right is upwards."""
    found = []
    for name, (line, expected) in CLIPS.items():
        path = shared_video(name)
        if path is not None:
            site, short = gate_site(line), name.split("_")[0]
            found.append(Counted(name=short, path=path, site=site, expected={"line": expected}))
    return found


def staged(folder: Path, *, scene: Scene | None = None, fps: float = 12.0) -> Counted:
    """Return a rendered street with its truth."""
    scene = scene or demo_street(45.0)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stage.mp4"
    truth = render_film(scene, path, fps=fps)
    expected = {
        gate["gate"]: tuple((gate[side]["total"],) * 2 for side in ("to_left", "to_right"))
        for gate in truth.gate_counts()
    }
    return Counted(
        name=f"stage {scene.name}",
        path=path,
        site=truth.site,
        expected=expected,  # type: ignore[arg-type]
    )


def wrong_by(clip: Counted, passes: Mapping[str, tuple[int, int]]) -> int:
    """Return by how many road users the counts lie outside what was counted by hand."""
    return sum(
        max(low - n, n - high, 0)
        for gate, bounds in clip.expected.items()
        for n, (low, high) in zip(passes[gate], bounds, strict=True)
    )


def _told(passes: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{gate} {left}+{right}" for gate, (left, right) in passes.items())


def _wanted(clip: Counted) -> str:
    def span(low: int, high: int) -> str:
        return f"{low}" if low == high else f"{low}..{high}"

    return ", ".join(f"{g} {span(*a)}+{span(*b)}" for g, (a, b) in clip.expected.items())


def bench_counts(
    clip: Counted, net: Detector | None, *, every: Sequence[int] = EVERY
) -> Iterator[Row]:
    """Yield, for each N, the calls of the net and by how many the counts are wrong."""
    with av.open(str(clip.path)) as container:
        width_px = container.streams.video[0].width
    watch = partial(watched, clip.path, site=clip.site, samples=street_samples(clip.path, width_px))
    for n in every:
        found = watch(net=net, net_every=n)
        passes = {gate: found.passes(gate) for gate in clip.expected}
        calls = found.net_calls / max(found.tally.analysed, 1)
        note = f"counted {_told(passes)}; truth {_wanted(clip)}; net looks at {calls:.0%} of steps"
        yield row(f"{clip.name}: wrong at N={n}", wrong_by(clip, passes), "road users", note=note)
