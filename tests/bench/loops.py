"""The pipeline beside bare decoding, and whole loops in ms per second of a camera."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import av
from tests.bench.clips import Clip
from tests.bench.loop import watched
from tests.bench.measure import Row, row, take_turns

from calmstreet.perception.detector import Detector
from calmstreet.pipeline.seeing import street_samples

__all__ = ["bare_decode", "bench_loops", "bench_pipeline"]

PIPELINE_BAR = 0.8


def bare_decode(path: Path, *, times: int = 1) -> int:
    """Decode every picture on one thread and touch none; return how many there were."""
    pictures = 0
    for _ in range(times):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            for _picture in container.decode(stream):
                pictures += 1
    return pictures


def bench_pipeline(clip: Clip, *, rounds: int = 5, times: int = 3) -> Iterator[Row]:
    """Yield the throughput of the pipeline without the net as a share of bare decoding."""
    samples = street_samples(clip.path, clip.width_px)
    found = watched(clip.path, samples=samples, times=times)
    frames, wanted = bare_decode(clip.path, times=times), times * clip.seconds * 10
    right = found.tally.frames == frames and abs(found.tally.analysed - wanted) <= 2 * times
    cost = take_turns(
        {
            "bare": partial(bare_decode, clip.path, times=times),
            "pipeline": partial(watched, clip.path, samples=samples, times=times),
            "start": partial(street_samples, clip.path, clip.width_px),
        },
        rounds=rounds,
    )
    bare, ours = cost["bare"], cost["pipeline"]
    note = f"{clip.name}, {frames} frames, {found.tally.analysed} analysed, no net, no video"
    yield row("pipeline frames = decoded frames", float(right), "1 = yes", least=1, note=note)
    share = bare.over(ours)
    yield row("pipeline / bare decode", share, "throughput", least=PIPELINE_BAR, note=note)
    yield row("the same, least of all rounds", bare.min_s / ours.min_s, "throughput")
    yield row("bare decode", bare.median_s / frames * 1e3, "ms per frame")
    yield row("pipeline", ours.median_s / frames * 1e3, "ms per frame")
    once = "at the start of a run: 40 pictures of the street"
    yield row("first look at the street", cost["start"].median_s, "s per run", note=once)


def bench_loops(
    clip: Clip, net: Detector | None, *, rounds: int = 5, seconds_note: str = ""
) -> Iterator[Row]:
    """Yield ms per camera-second of whole loops on a clip, and cameras per core."""
    samples = street_samples(clip.path, clip.width_px)
    loops = {
        "no net, no video": partial(watched, clip.path, samples=samples),
        "net N=2, no video": partial(watched, clip.path, samples=samples, net=net),
        "net N=2, video kept": partial(watched, clip.path, samples=samples, net=net, keep=True),
        "net N=1, no video": partial(watched, clip.path, samples=samples, net=net, net_every=1),
    }
    if net is None:
        loops = {name: loop for name, loop in loops.items() if "net N=" not in name}
    kept = watched(clip.path, samples=samples, net=net, keep=True)
    whole = kept.kept_pictures == kept.tally.analysed
    yield row(
        f"{clip.name}: kept pictures = analysed",
        float(whole),
        "1 = yes",
        least=1,
        note=seconds_note,
    )
    for name, cost in take_turns(loops, rounds=rounds).items():
        ms = cost.median_s / clip.seconds * 1e3
        note = f"min {cost.min_s / clip.seconds * 1e3:.0f}; {1000 / ms:.1f} cameras per core"
        yield row(f"{clip.name}: {name}", ms, "ms per camera-s", note=note)
