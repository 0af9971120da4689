"""A rendered night: lamps, beams and a noisy sensor, from the film to the counts.

No real night is at hand, so this proves little about one; it holds what was reached so far. Of 20
passes 2 are counted wrong; 4 when the net looks at every second picture as by day, and 8 when
beams are taken for road users.
"""

import numpy as np
import pytest
from tests.bench.counts import Counted, staged, wrong_by
from tests.bench.loop import Watched, watched

from calmstreet.model.kinds import Kind
from calmstreet.perception.light import light_of
from calmstreet.perception.onnx import net_is_installed
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.seeing import street_samples
from calmstreet.scene.script import night_street
from calmstreet.video.source import probe

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not net_is_installed(), reason="the net is not installed"),
]

PASSES = 20


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return staged(tmp_path_factory.mktemp("night"), scene=night_street(30.0))


@pytest.fixture(scope="module")
def seen(night: Counted) -> Watched:
    samples = street_samples(night.path, probe(night.path).width_px)
    assert light_of(float(np.median(samples))) == "night"
    return watched(night.path, site=night.site, samples=samples, net=chosen_net("nanodet"))


def test_most_who_pass_in_the_dark_are_counted_once(night: Counted, seen: Watched) -> None:
    true = sum(low for sides in night.expected.values() for low, _ in sides)
    assert true == PASSES
    passes = {gate: seen.passes(gate) for gate in night.expected}
    assert wrong_by(night, passes) <= 4, passes


def test_beams_are_nobody(seen: Watched) -> None:
    crossed = seen.flow.crossings
    unknown = crossed.counted & (crossed.kind == Kind.UNKNOWN)
    assert np.count_nonzero(unknown) <= 2


def test_what_passes_on_the_road_is_mostly_known_for_a_vehicle(seen: Watched) -> None:
    crossed = seen.flow.crossings
    road = crossed.counted & np.isin(crossed.gate_id, ["near", "far"])
    cars = np.count_nonzero(road & (crossed.kind == Kind.CAR))
    assert cars >= np.count_nonzero(road) // 2
