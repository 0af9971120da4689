"""Heads and plates in a clip of 720 lines, made through the real detector from its own pictures."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from tests.privacy import crowd as crowds
from tests.privacy.crowd import CAMERAS, Kept, covered_share, crowd, spots

from calmstreet.config.site import default_site
from calmstreet.model.kept import BlurredFrame
from calmstreet.perception.onnx import net_is_installed
from calmstreet.pipeline import main_filming
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.main_filming import Order, film, look_through
from calmstreet.scene.film import render_film
from calmstreet.scene.truth import SceneTruth
from calmstreet.store.segments import SegmentName
from calmstreet.units import ns_from_s
from calmstreet.video.blur import Blur
from calmstreet.video.packet_ring import KeptPacket, StreamForm
from calmstreet.video.zones import HEAD_LIMIT_PX, PLATE_LIMIT_PX

SECONDS = 5.0


def packets_of(clip: Path) -> Iterator[KeptPacket]:
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        extradata = bytes(stream.codec_context.extradata or b"")
        form = StreamForm(codec=stream.codec_context.name, extradata=extradata)
        for packet in container.demux(stream):
            if packet.size:
                shown_s = float((packet.pts or 0) * (stream.time_base or 0))
                yield KeptPacket(
                    data=bytes(packet), t_ns=ns_from_s(shown_s),
                    keyframe=bool(packet.is_keyframe), form=form,
                )  # fmt: skip


def filmed(folder: Path, patch: pytest.MonkeyPatch) -> tuple[SceneTruth, Kept]:
    """Make a clip of a crowd without any help of a sub-stream; return the truth and its masks."""
    truth = render_film(crowd(0, camera="near", duration_s=SECONDS), folder / "a.mp4", fps=10.0)
    kept = Kept(picture={}, mask={}, raw={}, scale=1.0)

    class Overheard(Blur):
        def _covered(self, ready: list[object]) -> list[BlurredFrame]:  # type: ignore[override]
            pictures = super()._covered(ready)  # type: ignore[arg-type]
            for picture, mask in zip(pictures, self.masks_out, strict=True):
                nearest = int(truth.t_ns[np.abs(truth.t_ns - picture.t_ns).argmin()])
                kept.mask[nearest] = mask
            return pictures

    patch.setattr(main_filming, "Blur", Overheard)
    packets = list(packets_of(folder / "a.mp4"))
    look, damaged = look_through(packets, camera_id="crowd", go=lambda: None)
    assert damaged == 0
    name = SegmentName(
        camera_id="crowd", purpose="event", start_ns=0, run_id=1, event_id="0123456789abcdef"
    )
    order = Order(
        name=name, until_ns=packets[-1].t_ns, steps=(), size_px=look.size_px, packets=packets,
        sub=look.main,
    )  # fmt: skip
    film(
        order, look, offset_s=0.0, site=default_site("crowd"), net=chosen_net("nanodet"),
        folder=folder, go=_go_on,
    )  # fmt: skip
    return truth, kept


def _go_on() -> None:
    return None


@pytest.mark.slow
@pytest.mark.skipif(not net_is_installed(), reason="the shipped net is not installed")
def test_heads_and_plates_of_a_large_clip_are_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, kept = filmed(tmp_path, monkeypatch)
    eye = CAMERAS["near"]
    assert next(iter(kept.mask.values())).shape == (720, 1280)
    assert eye.width_px == 1280, "the sizes below are of the stored picture"
    monkeypatch.setattr(crowds, "LEAST_HEAD_PX", float(HEAD_LIMIT_PX))
    monkeypatch.setattr(crowds, "LEAST_PLATE_PX", float(PLATE_LIMIT_PX))
    found = list(
        spots(truth, replace(kept, scale=1.0), width_px=eye.width_px, height_px=eye.height_px)
    )
    covered = [covered_share(kept.mask[spot.t_ns], spot.box_px) >= 0.95 for spot in found]
    assert len(found) > 100
    assert np.mean(covered) >= 0.99
