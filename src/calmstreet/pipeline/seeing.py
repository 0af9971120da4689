"""Both eyes and the tracker on one run, at a pace: frames in, road users out. Nothing is stored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calmstreet.geometry.plane import Plane
from calmstreet.model.frame import Frame
from calmstreet.model.points import TrackPoints
from calmstreet.model.run import Run
from calmstreet.model.shifts import Shifts
from calmstreet.model.site import Site
from calmstreet.perception.detector import Detector, Eyes, Sight
from calmstreet.perception.ground import Ground
from calmstreet.perception.light import light_of
from calmstreet.perception.tracker import Tracker
from calmstreet.units import NS_PER_S
from calmstreet.video.anchorage import Anchorage, Registration
from calmstreet.video.samples import read_luma_samples, read_street

__all__ = [
    "ANALYSED_FPS",
    "NET_EVERY",
    "Pace",
    "Seer",
    "first_look",
    "in_the_dark",
    "street_samples",
]

ANALYSED_FPS = 10.0
NET_EVERY = 2
EARLY_PART = 5
STILL_S = 1.0
SAMPLES = 40
SMALL_WIDTH_PX = 640


class Pace:
    """Chooses which frames are analysed, by their times: ``fps`` of them per second at most.

    A repeated frame is skipped unless nothing was analysed for a second.

    >>> pace = Pace(fps=10.0)
    >>> [pace.takes(round(k * 40e6), repeated=False) for k in range(6)]
    [True, False, True, False, False, True]
    """

    def __init__(self, *, fps: float) -> None:
        self._step_ns = round(NS_PER_S / fps)
        self._due_ns: int | None = None
        self._last_ns = 0

    def slow_to(self, fps: float) -> None:
        """Take so many a second from now on."""
        self._step_ns = round(NS_PER_S / fps)

    def takes(self, t_ns: int, *, repeated: bool) -> bool:
        """Return whether the frame of this time is analysed."""
        if self._due_ns is not None:
            if t_ns < self._due_ns - self._step_ns // EARLY_PART:
                return False
            if repeated and t_ns - self._last_ns < STILL_S * NS_PER_S:
                return False
        due = t_ns if self._due_ns is None else self._due_ns
        self._due_ns = due + self._step_ns * max(1, -((due - t_ns) // self._step_ns))
        self._last_ns = t_ns
        return True


class Seer:
    """Eyes and tracker of one run; ``samples`` are pictures for the motion eye's first street.

    In the dark the net looks at every ``dark_net_every``-th picture, when that is given. With a
    ``plane`` every row has its metres. Rows have their boxes in pixels of the ``reference``
    luma (h, w), or of the run's first street: what the wind or a push did to the camera is out.
    """

    def __init__(
        self,
        *,
        site: Site,
        run: Run,
        net: Detector | None,
        samples: NDArray[np.uint8] | None,
        net_every: int = NET_EVERY,
        dark_net_every: int | None = None,
        analysed_fps: float = ANALYSED_FPS,
        plane: Plane | None = None,
        reference: NDArray[np.uint8] | None = None,
    ) -> None:
        self._eyes = Eyes(
            net=net,
            net_every=net_every,
            samples=samples,
            masks_px=tuple(mask.polygon_px for mask in site.masks),
        )
        self.plane = plane
        self._tracker, self._ground = _followers(run, plane)
        self.anchorage = Anchorage(
            width_px=run.width_px,
            reference=reference,
            hidden_px=tuple(mask.polygon_px for mask in site.masks),
            focal_px=plane.focal_px if plane is not None and plane.focal_px > 0 else None,
        )
        self._lies: Registration | None = None
        self._pace = Pace(fps=analysed_fps)
        self._held = np.empty((0, 4), np.float32)
        self._net_every = (net_every, dark_net_every or net_every)
        self._dark_ns: int | None = None
        self._dark = False

    def follow(self, run: Run) -> None:
        """Go on with another run of the same camera, site and size: new road users, same street."""
        self._tracker, self._ground = _followers(run, self.plane)
        self._held = np.empty((0, 4), np.float32)

    def spare(self, *, net_every: int, analysed_fps: float) -> None:
        """Look less, or more again: how often the net looks and how many pictures a second."""
        self._net_every = (net_every, net_every)
        self._eyes.net_every = net_every
        self._pace.slow_to(analysed_fps)

    def shifts_since(self, start_ns: int) -> Shifts:
        """Return the lasting shifts of the camera from an instant on, cut to it."""
        shifts = self.anchorage.shifts()
        lasts = shifts.end_ns > start_ns
        return Shifts(
            start_ns=np.maximum(shifts.start_ns[lasts], start_ns),
            end_ns=shifts.end_ns[lasts],
            matrix=shifts.matrix[lasts],
        )

    @property
    def moved(self) -> bool:
        """Return whether the camera rests elsewhere now, or nobody knows where it looks."""
        return self._lies is not None and self._lies.moved

    @property
    def net_calls(self) -> int:
        """Return how often the net looked."""
        return self._eyes.net_calls

    def see(self, frame: Frame) -> tuple[Sight, TrackPoints] | None:
        """Return what is seen and the rows of this step, None when the frame is not analysed."""
        return self.look(frame) if self.wants(frame) else None

    def wants(self, frame: Frame) -> bool:
        """Return whether this frame, the next one, is to be looked at."""
        return self._pace.takes(frame.t_ns, repeated=frame.repeated)

    def look(self, frame: Frame) -> tuple[Sight, TrackPoints]:
        """Return what is seen in a wanted frame and the rows of this step."""
        sight = self._eyes.look(frame, self._held)
        lies = self._lies = self.anchorage.update(frame.t_ns, sight.small)
        found = sight.detections
        if not lies.still:
            found = replace(found, box_px=lies.registered(found.box_px))
        self._note_light(frame.t_ns, sight.small)
        points = self._tracker.update(found, dark=self._dark)
        if self._ground is not None:
            points = self._ground.update(points)
        self._held = lies.as_seen(self._tracker.held_px())
        return sight, points

    def _note_light(self, t_ns: int, small: NDArray[np.uint8]) -> None:
        """Tell once a second whether it is dark, and with that how often the net looks."""
        if self._dark_ns is None or not 0 <= t_ns - self._dark_ns < NS_PER_S:
            self._dark_ns = t_ns
            self._dark = light_of(float(np.median(small[::8, ::8]))) == "night"
            self._eyes.net_every = self._net_every[self._dark]

    @property
    def boxes_as_seen(self) -> Callable[[NDArray[np.float32]], NDArray[np.float32]] | None:
        """Return what sends the reference's boxes into the last picture; None if it lies alike."""
        return None if self._lies is None or self._lies.still else self._lies.as_seen

    def as_seen(self, points: TrackPoints) -> TrackPoints:
        """Return the rows of the last look with boxes where its picture shows them, to draw."""
        if self._lies is None or self._lies.still:
            return points
        return replace(points, box_px=self._lies.as_seen(points.box_px))


def in_the_dark(net_every: int) -> int:
    """Return the N of files in the dark: there the net looks twice as often.

    Motion tells little there: who is dark is not seen to move, and light is.

    >>> [in_the_dark(n) for n in (1, 2, 5)]
    [1, 1, 2]
    """
    return max(1, net_every // 2)


def _followers(run: Run, plane: Plane | None) -> tuple[Tracker, Ground | None]:
    """Return what follows road users through one run, on the picture and on the ground."""
    tracker = Tracker(
        camera_id=run.camera_id, run_id=run.run_id, width_px=run.width_px, height_px=run.height_px
    )
    return tracker, None if plane is None else Ground(plane=plane)


def street_samples(path: Path, width_px: int) -> NDArray[np.uint8]:
    """Return low-scale luma pictures of a clip, uint8 (k, height, width), for a first street."""
    found = read_luma_samples(path, count=SAMPLES, small_width_px=small_width_px(width_px))
    return _stacked([luma for _, luma in found])


def first_look(path: Path, width_px: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the pictures of ``street_samples`` and the raw median colour picture, decoded once."""
    pictures, bgr = read_street(path, count=SAMPLES, small_width_px=small_width_px(width_px))
    return _stacked(pictures), bgr


def _stacked(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack([luma for luma in pictures if luma.shape == pictures[-1].shape])


def small_width_px(width_px: int) -> int:
    """Return the width after halving to at most 640 pixels.

    >>> [small_width_px(w) for w in (1920, 640, 320)]
    [480, 640, 320]
    """
    while width_px > SMALL_WIDTH_PX:
        width_px //= 2
    return width_px
