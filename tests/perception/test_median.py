import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.perception.median import median_of


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 45),
    height=st.integers(1, 40),
    seed=st.integers(0, 2**31),
    top=st.integers(1, 255),
)
def test_it_is_numpys_median(count: int, height: int, seed: int, top: int) -> None:
    dice = np.random.default_rng(seed)
    grey = dice.integers(0, top + 1, (count, height, 7), np.uint8)
    np.testing.assert_array_equal(median_of(list(grey)), np.median(grey, axis=0))
    real = dice.normal(0, 30, (count, height, 7)).astype(np.float32)
    np.testing.assert_array_equal(median_of(list(real)), np.median(real, axis=0))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_pictures_stay_as_they_are(dtype: type[np.generic]) -> None:
    pictures = [np.full((3, 4), level, dtype) for level in (9, 1, 5)]
    assert median_of(pictures).max() == 5
    assert [int(p[0, 0]) for p in pictures] == [9, 1, 5]
