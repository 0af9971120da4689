"""Day, dusk and night by brightness."""

import numpy as np

from calmstreet.perception.light import LightWatch


def test_one_light_per_minute() -> None:
    watch = LightWatch()
    for second in range(0, 180, 5):
        level = 120 if second < 60 else 60 if second < 120 else 20
        watch.update(second * 10**9, np.full((40, 60), level, np.uint8))
    assert [light for _, _, light in watch.minutes()] == ["day", "dusk", "night"]
    assert watch.minutes()[1][:2] == (60 * 10**9, 120 * 10**9)
