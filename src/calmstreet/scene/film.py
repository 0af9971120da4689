"""Films of the stage: a scene rendered into a video file with true timestamps."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import VideoError
from calmstreet.scene.script import demo_street
from calmstreet.scene.stage import Scene, Stage
from calmstreet.scene.truth import SceneTruth, TruthRow
from calmstreet.units import NS_PER_S, from_iso

__all__ = ["DEMO_NAME", "DEMO_START_ISO", "film_times_s", "render_demo", "render_film", "rendered"]

DEMO_NAME = "stage_2026-03-02_07-30-00.mp4"
"""A name for the demo's film that tells its time zero (07:30 at Almaty)."""

DEMO_START_ISO = "2026-03-02T07:30:00+05:00"
_TICKS_PER_S = 12_800
_DEMO_FPS = 12.0
_KEYFRAME_EVERY = 48


def film_times_s(duration_s: float, fps: float, *, jitter: float = 0.0, seed: int = 0) -> list[int]:
    """Return the instants of frames as ticks of 1/12800 s, the first at 0.

    With ``jitter`` (share of the interval, below 1) the rate varies as a phone's does.

    >>> film_times_s(0.3, 10.0)
    [0, 1280, 2560]
    """
    count = max(1, round(duration_s * fps))
    dice = np.random.default_rng(seed)
    off = dice.uniform(0, jitter, count) if jitter > 0 else np.zeros(count)
    off[0] = 0.0
    return [round((i + float(off[i])) / fps * _TICKS_PER_S) for i in range(count)]


def rendered(
    scene: Scene, *, fps: float = _DEMO_FPS, jitter: float = 0.0
) -> Iterator[tuple[int, NDArray[np.uint8], list[TruthRow]]]:
    """Yield ticks, picture (h, w, 3) BGR and truth of every frame of a scene."""
    stage = Stage(scene)
    ticks = film_times_s(scene.duration_s, fps, jitter=jitter, seed=scene.seed)
    for frame, tick in enumerate(ticks):
        picture, rows = stage.picture(tick / _TICKS_PER_S, frame)
        yield tick, picture, rows


def render_film(
    scene: Scene,
    path: Path,
    *,
    fps: float = _DEMO_FPS,
    jitter: float = 0.0,
    start_ns: int = 0,
    on_progress: Callable[[float], None] | None = None,
) -> SceneTruth:
    """Render a scene into a video file (H.264) and return its truth.

    ``start_ns`` is the instant of the first frame in the truth; ``on_progress`` hears the share
    done, 0..1. Raises VideoError when the file cannot be written.
    """
    ticks: list[int] = []
    rows: list[TruthRow] = []
    total = len(film_times_s(scene.duration_s, fps))
    try:
        with av.open(str(path), "w") as container:
            stream = _stream(container, scene, fps)
            for tick, picture, seen in rendered(scene, fps=fps, jitter=jitter):
                _write(container, stream, picture, tick)
                ticks.append(tick)
                rows += seen
                if on_progress is not None:
                    on_progress(len(ticks) / total)
            for packet in stream.encode():
                container.mux(packet)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path}: the film cannot be written ({error.strerror}); name a folder that can be"
        ) from error
    since = np.array(ticks, np.int64)
    return SceneTruth(
        site=scene.site,
        camera_id=scene.camera_id,
        t_ns=start_ns + since * NS_PER_S // _TICKS_PER_S,
        t_s=since / _TICKS_PER_S,
        rows=tuple(rows),
    )


def _stream(
    container: av.container.OutputContainer, scene: Scene, fps: float
) -> av.video.stream.VideoStream:
    stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height = scene.camera.width_px, scene.camera.height_px
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, _TICKS_PER_S)
    stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
    stream.codec_context.gop_size = _KEYFRAME_EVERY
    stream.codec_context.thread_count = 1
    stream.options = {"preset": "veryfast", "crf": "25", "tune": "zerolatency"}
    return stream


def _write(
    container: av.container.OutputContainer,
    stream: av.video.stream.VideoStream,
    picture: NDArray[np.uint8],
    tick: int,
) -> None:
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    frame.pts = tick
    frame.time_base = Fraction(1, _TICKS_PER_S)
    for packet in stream.encode(frame):
        container.mux(packet)


def render_demo(
    path: Path,
    *,
    seed: int = 7,
    duration_s: float = 75.0,
    on_progress: Callable[[float], None] | None = None,
) -> SceneTruth:
    """Render the demo's street into ``path`` at 12 frames a second and return its truth.

    Call the file ``DEMO_NAME``, then its name tells the same time zero as the truth.
    """
    return render_film(
        demo_street(duration_s, seed),
        path,
        start_ns=from_iso(DEMO_START_ISO),
        on_progress=on_progress,
    )
