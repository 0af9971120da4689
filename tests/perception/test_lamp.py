"""Lamps of rendered heads: states and onsets by day and night, under flicker, behind lorries."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.perception.heads import (
    Picture,
    S,
    View,
    a_signal,
    as_frame,
    programme,
    read,
    rows,
)

from calmstreet.model.signals import SignalChanges
from calmstreet.model.site import Signal
from calmstreet.perception.lamp import LampReader
from calmstreet.perception.lamp_state import AMBER, GREEN, RED, HeadState
from calmstreet.scene.heads import Head

LASTS_S = 28.0
STEADY = Head(id="h", programme=programme(2))


def errors(head: Head, changes: SignalChanges, fps: float) -> list[float]:
    """Return the errors of onsets in frames; the states must be those of the programme."""
    told = rows(changes)
    assert [state for _, state in told] == [state for _, state in head.programme]
    pairs = zip(told[1:], head.programme[1:], strict=True)
    return [(seen_s - true_s) * fps for (seen_s, _), (true_s, _) in pairs]


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize("fps", [10.0, 25.0])
def test_onsets_lie_within_one_frame(night: bool, fps: float) -> None:
    changes = read(STEADY, View(night=night, fps=fps), LASTS_S)
    assert max(map(abs, errors(STEADY, changes, fps))) <= 1.01
    assert changes.confidence.min() > 0.5


@pytest.mark.slow
def test_flicker_changes_no_state_and_hardly_an_onset() -> None:
    off = []
    for fps in (10.0, 12.5, 20.0, 25.0):
        for pulse_hz in (90.0, 95.0, 97.0, 100.0):
            head = Head(id="h", programme=programme(2), pulse_hz=pulse_hz)
            off += errors(head, read(head, View(fps=fps), LASTS_S), fps)
    assert np.mean(np.abs(off) <= 1.01) >= 0.95
    assert max(map(abs, off)) < 2.0


@pytest.mark.parametrize(
    "view",
    [
        View(lamp_px=5.0, noise=6.0),
        View(night=True, noise=8.0),
        View(grey=True),
        View(exposure=lambda t_s: 0.5 if t_s % 7 < 3 else 1.0),
        View(exposure=lambda t_s: 1.6 if 5 < t_s < 12 else 1.0, night=True),
        View(exposure=lambda t_s: 1 - 0.45 * float(np.clip((t_s - 8) / 2, 0, 1))),
    ],
    ids=["small", "noisy night", "grey", "exposure", "exposure at night", "cloud"],
)
def test_bad_pictures_change_nothing(view: View) -> None:
    assert max(map(abs, errors(STEADY, read(STEADY, view, LASTS_S), view.fps))) <= 1.01


def a_lorry(since_s: float, paint: tuple[int, int, int]) -> Callable[[Picture, float], None]:
    """Return what hides the picture for two seconds, driving in and out from the left."""

    def hide(picture: Picture, t_s: float) -> None:
        if since_s <= t_s < since_s + 2:
            front = int(np.clip((t_s - since_s) / 0.3, 0, 1) * 64)
            rear = 64 - int(np.clip((since_s + 2 - t_s) / 0.3, 0, 1) * 64)
            picture[:, rear:front] = paint
            picture[30:60:7, rear:front] = np.array(paint) // 2

    return hide


@pytest.mark.parametrize("paint", [(235, 235, 235), (30, 30, 170), (60, 140, 50)])
def test_a_lorry_makes_no_change(paint: tuple[int, int, int]) -> None:
    changes = read(STEADY, View(before=a_lorry(6.3, paint)), LASTS_S)
    assert max(map(abs, errors(STEADY, changes, 12.5))) <= 1.01


def test_what_changes_behind_a_lorry_is_unknown_until_it_has_passed() -> None:
    told = read(STEADY, View(before=a_lorry(9.5, (235, 235, 235))), 14.0)
    states = [state for _, state in rows(told)]
    assert states == [S.RED, S.RED_AMBER, S.GREEN, S.DARK, S.AMBER]
    assert told.confidence[3] <= 0.3
    assert 9.5 < rows(told)[3][0] < 9.9
    assert 11.1 < rows(told)[4][0] < 11.6


@pytest.mark.parametrize("flash_hz", [1.0, 2.0])
@pytest.mark.parametrize("fps", [10.0, 25.0])
def test_flashing_amber_has_one_onset(flash_hz: float, fps: float) -> None:
    plan = ((0.0, S.RED), (4.03, S.FLASHING), (14.0, S.RED))
    head = Head(id="h", programme=plan, flash_hz=flash_hz)
    told = rows(read(head, View(fps=fps), 18.0))
    assert [state for _, state in told if state != S.DARK] == [S.RED, S.FLASHING, S.RED]
    first_lit_s = np.ceil(4.03 * flash_hz * 2 - 1e-9) / (flash_hz * 2)
    assert 4.03 <= told[1][0] <= first_lit_s + 1.01 / fps


class RedFlasher(Head):
    """Shows its red lamp where its programme says flashing."""

    def levels(self, t_s: float) -> dict[str, float]:
        levels = super().levels(t_s)
        if self.state(t_s) is S.FLASHING:
            levels["red"], levels["amber"] = levels["amber"], 0.0
        return levels


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (((0.0, S.GREEN), (4.0, S.FLASHING), (16.0, S.GREEN)), [S.GREEN, S.FLASHING, S.GREEN]),
        (((0.0, S.RED), (6.0, S.FLASHING), (16.0, S.GREEN)), [S.RED, S.FLASHING, S.GREEN]),
        (((0.0, S.FLASHING), (9.0, S.RED), (15.0, S.GREEN)), [S.FLASHING, S.RED, S.GREEN]),
    ],
    ids=["after green", "after steady red", "before steady red"],
)
def test_a_flashing_red_is_flashing_and_no_red(
    night: bool, plan: tuple[tuple[float, S], ...], told: list[S]
) -> None:
    changes = read(RedFlasher(id="h", programme=plan), View(night=night), 21.0)
    seen = [(t_s, state) for t_s, state in rows(changes) if state != S.DARK]
    assert [state for _, state in seen] == told
    for (seen_s, _), (true_s, _) in zip(seen, plan, strict=True):
        assert seen_s == pytest.approx(true_s, abs=0.6)


def test_a_lorry_before_steady_red_is_no_flashing() -> None:
    hides = [a_lorry(since_s, (90, 90, 90)) for since_s in (1.7, 4.2, 6.7, 9.2)]

    def all_of_them(picture: Picture, t_s: float) -> None:
        for hide in hides:
            hide(picture, t_s)

    head = Head(id="h", programme=((0.0, S.RED), (13.0, S.GREEN)))
    changes = read(head, View(before=all_of_them), 16.0)
    assert [state for _, state in rows(changes)] == [S.RED, S.GREEN]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, RED, AMBER, GREEN, RED | AMBER, RED | GREEN]),
            st.integers(1, 60),
            st.floats(0.1, 1.0),
        ),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from([40_000_000, 100_000_000]),
)
def test_what_is_settled_stays(spells: list[tuple[int, int, float]], step_ns: int) -> None:
    head, settled_ns, t_ns = HeadState(), 0, 0
    for lit, frames, sure in spells:
        for _ in range(frames):
            told = head.take(t_ns, lit, sure)
            assert all(change.t_ns >= settled_ns for change in told)
            assert head.settled_ns >= settled_ns
            settled_ns, t_ns = head.settled_ns, t_ns + step_ns
    assert all(change.t_ns >= settled_ns for change in head.finish())


def test_states_are_settled_within_seconds() -> None:
    head, late_ns = HeadState(), 0
    for k in range(1500):
        lit = (RED, RED | AMBER, GREEN, GREEN, AMBER)[k // 100 % 5] if k < 1000 else GREEN
        head.take(k * 40_000_000, lit)
        late_ns = max(late_ns, k * 40_000_000 - head.settled_ns)
    assert late_ns < 2 * 10**9


def test_a_lamp_that_is_out_is_dark_with_little_confidence() -> None:
    head = Head(id="h", programme=programme(2), broken=("red",))
    changes = read(head, View(), LASTS_S)
    assert S.RED not in changes.state
    dark = changes.state == S.DARK
    assert dark.sum() == 2
    assert changes.confidence[dark].max() <= 0.3


def test_red_and_green_at_once_is_a_conflict() -> None:
    class Both(Head):
        def levels(self, t_s: float) -> dict[str, float]:
            return {"red": float(t_s < 3), "amber": 0.0, "green": 1.0}

    changes = read(Both(id="h"), View(), 9.0)
    assert changes.state.tolist() == [S.DARK, S.GREEN]
    assert changes.confidence[0] <= 0.1


def test_a_head_with_one_lamp_in_sight_is_read() -> None:
    changes = read(STEADY, View(), 14.0, a_signal(only=["red"]))
    assert changes.state.tolist() == [S.RED, S.DARK]
    assert rows(changes)[1][0] == pytest.approx(STEADY.programme[2][0], abs=0.09)


def test_no_lamps_no_changes() -> None:
    reader = LampReader([Signal(id="h", camera_id="c")], width_px=64, height_px=96)
    assert not reader
    assert reader.update(as_frame(np.zeros((96, 64, 3), np.uint8), 0, 0)) == []
    assert len(reader.finish()) == 0


def test_lamps_outside_the_picture_are_dark() -> None:
    reader = LampReader([a_signal()], width_px=64, height_px=96)
    for index in range(50):
        frame = as_frame(np.full((96, 64, 3), 90, np.uint8), index * 80_000_000, index)
        reader.update(frame, as_seen=lambda boxes: boxes + 1000)
    assert reader.finish().state.tolist() == [S.DARK]
