import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmstreet.model.site import Site
from calmstreet.safety.conflict_rules import ConflictSettings, conflict_settings
from calmstreet.safety.rule_audit import (
    loosened,
    loosened_conflicts,
    score_rule,
    wilson_interval,
)
from calmstreet.safety.rule_settings import SETTINGS, settings_of


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share_and_stays_a_share(right: int, more: int) -> None:
    n = right + more
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n <= high <= 1


def test_the_interval_is_the_published_one() -> None:
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998
    assert all(math.isnan(end) for end in wilson_interval(0, 0))


@pytest.mark.parametrize(
    ("right", "n", "wanted"), [(22, 22, True), (21, 21, False), (48, 52, False)]
)
def test_few_events_do_not_make_a_rule_publishable(right: int, n: int, wanted: bool) -> None:
    assert score_rule(events=(right, n)).publishable is wanted


def test_drawn_events_without_a_verdict_are_taken_as_wrong() -> None:
    assert score_rule(events=(40, 40), drawn=41).publishable
    assert not score_rule(events=(40, 40), drawn=44).publishable


def test_recall_needs_watched_spells_in_which_something_happened() -> None:
    assert score_rule(events=(9, 10), candidates=(3, 9)).recall is None
    assert score_rule(events=(9, 10), watched=(0, 0)).recall is None
    recall = score_rule(events=(9, 10), watched=(7, 5)).recall
    assert recall is not None
    assert (recall.right, recall.n) == (5, 5)


def test_loosened_conflicts_stay_within_their_bounds() -> None:
    loose = conflict_settings(
        loosened_conflicts(Site(id="x", rules={"conflicts": {"pet_s": 50.0}})).rules
    )
    assert (loose.pet_s, loose.ttc_s, loose.ttc_for_s) == (60.0, 3.0, 0.15)
    assert loose.interacting_pet_s == ConflictSettings().interacting_pet_s


@pytest.mark.parametrize("name", SETTINGS)
def test_loosened_thresholds_stay_within_their_bounds(name: str) -> None:
    site = loosened(Site(id="x", rules={name: {"on": False}}), name)
    settings = settings_of(site, name)
    assert settings.on
    from dataclasses import fields

    for field in fields(settings):
        if "low" in field.metadata:
            value = getattr(settings, field.name)
            assert field.metadata["low"] <= value <= field.metadata["high"], field.name
