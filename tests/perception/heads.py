"""Pictures of one rendered head, small and fast, and how well a reader follows its programme."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calmstreet.model.frame import Frame
from calmstreet.model.signals import SignalChanges, SignalState
from calmstreet.model.site import Signal
from calmstreet.perception.lamp import LampReader
from calmstreet.scene.heads import Head, draw_head

Picture = NDArray[np.uint8]
WIDTH_PX, HEIGHT_PX = 64, 96
S = SignalState
CYCLE = ((4.0, S.RED), (1.5, S.RED_AMBER), (5.0, S.GREEN), (3.0, S.AMBER))


def programme(
    rounds: int = 3, cycle: Sequence[tuple[float, S]] = CYCLE
) -> tuple[tuple[float, S], ...]:
    """Return instants and states of some rounds; instants fall between frames of any rate."""
    rows, t_s = [], 0.0
    for k in range(rounds):
        for lasts_s, state in cycle:
            rows.append((t_s, state))
            t_s += lasts_s + 0.137 * (k + 1)
    return tuple(rows)


def boxes(lamp_px: float = 9.0) -> dict[str, tuple[float, float, float, float]]:
    half, x, y = lamp_px / 2, 31.3, 47.6
    return {
        colour: (
            x - half,
            y + row * 1.15 * lamp_px - half,
            x + half,
            y + row * 1.15 * lamp_px + half,
        )
        for row, colour in ((-1, "red"), (0, "amber"), (1, "green"))
    }


@dataclass(frozen=True, kw_only=True)
class View:
    """How a head is filmed."""

    fps: float = 12.5
    night: bool = False
    lamp_px: float = 9.0
    noise: float = 2.5
    grey: bool = False
    exposure: Callable[[float], float] = lambda t_s: 1.0
    before: Callable[[Picture, float], None] = lambda picture, t_s: None


def frames(head: Head, view: View, duration_s: float) -> Iterator[Frame]:
    dice = np.random.default_rng(5)
    light = 0.16 if view.night else 1.0
    wall = np.clip(dice.normal(120, 12, (HEIGHT_PX, WIDTH_PX, 1)) + np.zeros(3), 0, 255)
    for index in range(int(duration_s * view.fps)):
        t_s = index / view.fps
        gain = view.exposure(t_s)
        picture = (wall * light).astype(np.uint8)
        draw_head(picture, boxes(view.lamp_px), head.levels(t_s), exposure=light, night=view.night)
        view.before(picture, t_s)
        rough = dice.normal(0, view.noise, (HEIGHT_PX, WIDTH_PX, 1))
        picture = np.clip(picture * gain + rough, 0, 255).astype(np.uint8)
        if view.grey:
            picture = np.repeat(picture @ np.array([0.114, 0.587, 0.299]), 3).reshape(picture.shape)
            picture = picture.astype(np.uint8)
        yield as_frame(picture, round(t_s * 1e9), index)


def as_frame(picture: Picture, t_ns: int, index: int) -> Frame:
    return Frame(
        camera_id="c",
        t_ns=t_ns,
        index=index,
        luma=picture[..., 1],
        to_bgr=lambda width, height: picture,
        pick_bgr=lambda x, y: np.asarray(picture[y, x]),
    )


def a_signal(lamp_px: float = 9.0, *, only: Sequence[str] = ("red", "amber", "green")) -> Signal:
    return Signal(id="h", camera_id="c", lamps_px={c: boxes(lamp_px)[c] for c in only})


def read(head: Head, view: View, duration_s: float, signal: Signal | None = None) -> SignalChanges:
    reader = LampReader([signal or a_signal(view.lamp_px)], width_px=WIDTH_PX, height_px=HEIGHT_PX)
    for frame in frames(head, view, duration_s):
        reader.update(frame)
    return reader.finish()


def rows(changes: SignalChanges) -> list[tuple[float, S]]:
    return [(t / 1e9, S(s)) for t, s in zip(changes.t_ns.tolist(), changes.state, strict=True)]
