"""What is given up when the machine cannot follow: in the stated order, and got back with care."""

import pytest

from calmstreet.pipeline.shedding import Load, efforts


def a_load(*, has_net: bool = True, records: bool = True) -> Load:
    return Load(efforts(net_every=2, analysed_fps=10.0, has_net=has_net, records=records))


def lasting(load: Load, begin_s: float, end_s: float, *, lag_s: float, busy: float = 0.5) -> float:
    now_s = begin_s
    while now_s < end_s:
        load.update(now_s, lag_s=lag_s, busy_share=busy)
        now_s += 1.0
    return now_s


def test_recording_goes_before_analysis() -> None:
    load = a_load()
    order = []
    now_s = 0.0
    for _ in range(8):
        now_s = lasting(load, now_s, now_s + 6.0, lag_s=2.0)
        order.append(load.effort.shed)
    assert order[:6] == ["recording", "net/4", "net/8", "fps/7", "fps/5", "keyframes"]
    assert not load.effort.records


def test_what_shedding_takes_is_told() -> None:
    taken = [e.affects for e in efforts(net_every=2, analysed_fps=10.0, has_net=True, records=True)]
    assert taken == ["", "pictures", "pictures", "pictures", *["speeds+conflicts"] * 3]


def test_a_moment_of_lateness_changes_nothing() -> None:
    load = a_load()
    now_s = lasting(load, 0.0, 3.0, lag_s=2.0)
    lasting(load, now_s, now_s + 10.0, lag_s=0.1)
    assert load.effort.shed == ""


def test_effort_comes_back_after_half_a_minute_of_calm() -> None:
    load = a_load()
    now_s = lasting(load, 0.0, 7.0, lag_s=2.0)
    assert load.effort.shed == "recording"
    now_s = lasting(load, now_s, now_s + 25.0, lag_s=0.1)
    assert load.effort.shed == "recording"
    lasting(load, now_s, now_s + 10.0, lag_s=0.1)
    assert load.effort.shed == ""


def test_a_busy_machine_gets_nothing_back() -> None:
    load = a_load()
    now_s = lasting(load, 0.0, 7.0, lag_s=2.0)
    lasting(load, now_s, now_s + 300.0, lag_s=0.1, busy=0.9)
    assert load.effort.shed == "recording"


def test_who_returned_too_early_waits_longer() -> None:
    load = a_load()
    now_s = lasting(load, 0.0, 7.0, lag_s=2.0)
    now_s = lasting(load, now_s, now_s + 35.0, lag_s=0.1)
    now_s = lasting(load, now_s, now_s + 7.0, lag_s=2.0)
    now_s = lasting(load, now_s, now_s + 35.0, lag_s=0.1)
    assert load.effort.shed == "recording"
    lasting(load, now_s, now_s + 35.0, lag_s=0.1)
    assert load.effort.shed == ""


def test_lost_pictures_count_at_once() -> None:
    load = a_load()
    assert load.overrun(10.0)
    assert not load.overrun(10.5)
    assert load.overrun(12.0)


def test_keyframes_that_never_come_are_not_waited_for() -> None:
    load = a_load(has_net=False, records=False)
    now_s = 0.0
    for _ in range(5):
        now_s = lasting(load, now_s, now_s + 6.0, lag_s=2.0)
    assert load.effort.keyframes_only
    assert load.without_keyframes()
    assert load.effort.shed == "fps/5"
    assert not load.without_keyframes()


@pytest.mark.parametrize(("net_every", "first"), [(1, "net/4"), (4, "net/8"), (10, "fps/7")])
def test_a_net_that_looks_seldom_is_not_made_to_look_more(net_every: int, first: str) -> None:
    steps = efforts(net_every=net_every, analysed_fps=10.0, has_net=True, records=False)
    assert steps[1].shed == first
