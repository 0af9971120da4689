"""kill -9 and power cuts: little is lost, nothing committed, and all time is accounted for.

A few trials here, hundreds with ``make faults``.
"""

from pathlib import Path

import pytest
from tests.faults.trials import kill_trials, power_cut_trials, why_no_mounts, worst


@pytest.mark.slow
def test_kill_9_of_a_recorder(tmp_path: Path) -> None:
    losses = list(kill_trials(tmp_path / "north", tmp_path / "acks", trials=6, seed=1))
    assert losses
    for loss in losses:
        assert not loss.faults
        assert loss.committed_lost == 0
        assert loss.video_s <= 2.0
        assert loss.points_s <= 2.1
        assert loss.accounted_share >= 0.999, worst(losses)


@pytest.mark.slow
def test_power_cut_under_a_recorder(tmp_path: Path) -> None:
    reason = why_no_mounts(tmp_path)
    if reason:
        pytest.skip(reason)
    losses = list(power_cut_trials(tmp_path, trials=3, seed=2))
    for loss in losses:
        assert not loss.faults
        assert loss.committed_lost == 0
        assert loss.video_s <= 4.0
        assert loss.points_s <= 4.0
        assert loss.accounted_share >= 0.999, worst(losses)
