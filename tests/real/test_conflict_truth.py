"""Conflicts against SUMO's own measures: three small scenes and five minutes of a junction."""

import json

import numpy as np
import pytest
from tests.shared_data import shared_data
from tests.sumo_rows import read_csv, read_xml

from calmstreet.model.conflicts import Conflicts
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.learn_paths import learn_paths

pytestmark = pytest.mark.real

CAR = {"car": (5.0, 1.8)}


def scene(name: str) -> Conflicts:
    points, _ = read_xml(shared_data(f"ssm/{name}.fcd.xml"), sizes_m=CAR)
    watch = ConflictWatch()
    watch.update(points)
    return watch.close()


def test_following_fast() -> None:
    found = scene("following_fast")
    assert found.type.tolist() == ["following"]
    assert found.min_ttc_s[0] == pytest.approx(4.1812, abs=1e-3)
    assert found.max_drac_mps2[0] == pytest.approx(0.8357, abs=1e-3)
    assert not found.is_conflict[0]


def test_crossing_pet_close() -> None:
    found = scene("crossing_pet_close")
    assert found.pet_s[0] == pytest.approx(0.9720, abs=0.05)
    assert found.is_conflict[0]


def test_left_turn_opposing() -> None:
    """SUMO gives 1.5086: there the turning car leaves at 14.776 s, when its rear bumper is at
    (98.8, 100.3) and the lane that it crosses lies at 100.7 to 102.5, so it has not entered with
    its whole length, let alone left. Its box leaves at 15.125 s; the entry (16.28 s) is the same.
    """
    found = scene("left_turn_opposing")
    assert found.type.tolist() == ["opposing"]
    assert found.place_pet_s[0] == pytest.approx(16.275 - 15.125, abs=0.02)
    assert found.is_conflict[0]


@pytest.fixture(scope="module")
def junction() -> tuple[Conflicts, dict[frozenset[str], int]]:
    points, names = read_csv(shared_data("ssm/rand17.fcd.csv.gz"))
    watch = ConflictWatch(paths=learn_paths(points))
    watch.update(points)
    found = watch.close()
    users = zip(found.user_a.tolist(), found.user_b.tolist(), strict=True)
    return found, {frozenset((names[a], names[b])): k for k, (a, b) in enumerate(users)}


@pytest.mark.slow
def test_encounters_of_the_junction_are_found(
    junction: tuple[Conflicts, dict[frozenset[str], int]],
) -> None:
    found, rows = junction
    truth = json.loads(shared_data("ssm/rand17.truth.json").read_text())["encounters"]
    wanted = {
        frozenset((one["ego"], one["foe"]))
        for one in truth
        if one.get("PET", np.inf) <= 2.0
        or (one.get("minTTC", np.inf) < 1.5 and one["minTTC_type"] != "111")
    }
    assert len(wanted) == 21
    missed = [p for p in wanted if p not in rows or not found.is_conflict[rows[p]]]
    assert len(missed) <= 2, missed


@pytest.mark.slow
def test_collisions_of_the_junction(
    junction: tuple[Conflicts, dict[frozenset[str], int]],
) -> None:
    found, rows = junction
    hit = rows[frozenset(("26", "p1"))]
    assert found.is_conflict[hit]
    assert found.contact[hit]
    assert found.level[hit] >= 3
    for walker in ("p14", "p18"):
        told = found.rejected_because[rows[frozenset(("99", walker))]]
        assert told == "walked into a standing vehicle"
