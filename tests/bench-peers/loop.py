"""Our whole loop beside the usual one: OpenCV capture, the same net, supervision's ByteTrack, line.

Same clips, same lines, the same analysed frames (10 a second at most). The peer's loop runs our own
net on every analysed frame and grabs the others without converting them; its counts are given for
both usual anchors of its LineZone and with its threshold as delivered and lowered, as the net's
scores are low; the best of the four is compared. Ours runs from the file to the
counts with the first look at the street and the store, at N = 2 (as delivered) and N = 1.
"""

import json
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray
from tests.bench.clips import real_clip
from tests.bench.counts import Counted, hand_counted, staged, wrong_by
from tests.bench.loop import Watched, gate_site, watched
from tests.bench.measure import take_turns

from calmstreet.model.frame import Frame
from calmstreet.perception.detector import Detector
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.seeing import ANALYSED_FPS, Pace, street_samples
from calmstreet.units import NS_PER_S
from calmstreet.video.source import probe

BAR = 1.5
CLIPS = Path("bench-out/clips")
SURE = (0.25, 0.15)
ANCHORS: dict[str, tuple[sv.Position, ...]] = {
    "foot": (sv.Position.BOTTOM_CENTER,),
    "corners": (
        sv.Position.TOP_LEFT,
        sv.Position.TOP_RIGHT,
        sv.Position.BOTTOM_LEFT,
        sv.Position.BOTTOM_RIGHT,
    ),
}


def their_frame(bgr: NDArray[np.uint8], t_ns: int, index: int) -> Frame:
    """Return a picture of OpenCV's as our net takes it."""

    def to_bgr(width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(bgr, (width, height)), np.uint8)

    return Frame(camera_id="camera", t_ns=t_ns, index=index, luma=bgr[:, :, 0], to_bgr=to_bgr)


def their_loop(
    clip: Counted, net: Detector, anchor: str, sure: float
) -> dict[str, tuple[int, int]]:
    """Capture, detect, track and count as the peer's examples do; return passes by gate."""
    capture = cv2.VideoCapture(str(clip.path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    fps = capture.get(cv2.CAP_PROP_FPS)
    tracker = sv.ByteTrack(
        track_activation_threshold=sure, frame_rate=round(min(fps, ANALYSED_FPS))
    )
    lines = {
        gate.id: sv.LineZone(
            start=sv.Point(*gate.points_px[0]),
            end=sv.Point(*gate.points_px[-1]),
            triggering_anchors=ANCHORS[anchor],
        )
        for gate in clip.site.gates
    }
    pace, index = Pace(fps=ANALYSED_FPS), 0
    while capture.grab():
        t_ns = round(index / fps * NS_PER_S)
        if pace.takes(t_ns, repeated=False):
            picture = np.asarray(capture.retrieve()[1], np.uint8)
            seen = net.detect(their_frame(picture, t_ns, index))
            seen = seen[seen.score >= sure]
            found = sv.Detections(
                xyxy=seen.box_px.astype(float),
                confidence=seen.score,
                class_id=seen.kind.astype(int),
            )
            tracked = tracker.update_with_detections(found)
            for line in lines.values():
                line.trigger(tracked)
        index += 1
    capture.release()
    return {name: (line.in_count, line.out_count) for name, line in lines.items()}


def our_loop(clip: Counted, net: Detector, net_every: int) -> Watched:
    """Run ours with its first look at the street."""
    samples = street_samples(clip.path, probe(clip.path).width_px)
    return watched(clip.path, site=clip.site, samples=samples, net=net, net_every=net_every)


def clips() -> list[Counted]:
    """Return the hand-counted clips, a rendered street, and a 1080p camera without counts."""
    camera = real_clip(CLIPS, 1080)
    site = gate_site(((0.0, 700.0), (1920.0, 700.0)))
    large = Counted(name=camera.name, path=camera.path, site=site, expected={})
    return [*hand_counted(), staged(CLIPS), large]


def compare(clip: Counted, net: Detector, *, rounds: int) -> dict[str, float | str]:
    """Return counts, how wrong they are, and processor seconds of both on one clip."""
    theirs = {(a, sure): their_loop(clip, net, a, sure) for a in ANCHORS for sure in SURE}
    best = min(theirs, key=lambda way: wrong_by(clip, theirs[way]))
    ours = {n: our_loop(clip, net, n) for n in (2, 1)}
    passes = {n: {gate: found.passes(gate) for gate in clip.expected} for n, found in ours.items()}
    cost = take_turns(
        {
            "ours N=2": partial(our_loop, clip, net, 2),
            "ours N=1": partial(our_loop, clip, net, 1),
            "peer": partial(their_loop, clip, net, *best),
        },
        rounds=rounds,
    )
    return {
        "clip": clip.name,
        "truth": str(dict(clip.expected)),
        **{f"ours N={n}": str(passes[n]) for n in passes},
        **{f"peer {a} {sure:g}": str(counts) for (a, sure), counts in theirs.items()},
        **{f"wrong ours N={n}": wrong_by(clip, passes[n]) for n in passes},
        "wrong peer": wrong_by(clip, theirs[best]),
        **{f"{name} s": round(spent.median_s, 3) for name, spent in cost.items()},
        **{f"min {name} s": round(spent.min_s, 3) for name, spent in cost.items()},
        "ratio N=2": round(cost["peer"].over(cost["ours N=2"]), 2),
        "ratio N=1": round(cost["peer"].over(cost["ours N=1"]), 2),
    }


def main() -> int:
    """Print one JSON line per clip and the sums; return 1 when a bar is missed."""
    net = chosen_net("nanodet")
    if net is None:
        print("the net is not installed: nothing to compare")
        return 1
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    results = []
    for clip in clips():
        results.append(compare(clip, net, rounds=rounds))
        print(json.dumps(results[-1]), flush=True)

    def total(key: str) -> float:
        return sum(float(result[key]) for result in results)

    sums = {key: total(f"wrong {key}") for key in ("ours N=2", "ours N=1", "peer")}
    ratios = {n: round(total("peer s") / total(f"ours N={n} s"), 2) for n in (2, 1)}
    print(json.dumps({"wrong in all": sums, "CPU ratio at N": ratios, "bar": BAR}))
    return int(ratios[2] < BAR or sums["ours N=2"] > sums["peer"])


if __name__ == "__main__":
    sys.exit(main())
