"""The median of many small pictures, pixel by pixel, several times faster than by sorting pixels.

A network of comparisons (Batcher 1968, odd-even merge sort) sorts whole rows of pictures at once.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["median_of"]

_ROWS = 16


def median_of(pictures: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return the median of pictures of one size and type, float32 (height, width).

    Of an even number of pictures the mean of the two in the middle, as ``numpy.median`` gives it.

    >>> median_of([np.full((1, 2), level, np.uint8) for level in (9, 200, 2, 4)]).tolist()
    [[6.5, 6.5]]
    """
    median = np.empty(pictures[0].shape, np.float32)
    for top in range(0, len(median), _ROWS):
        block = [picture[top : top + _ROWS].copy() for picture in pictures]
        spare = np.empty_like(block[0])
        for low, high in _network(len(block)):
            np.minimum(block[low], block[high], out=spare)
            np.maximum(block[low], block[high], out=block[high])
            block[low], spare = spare, block[low]
        first, second = block[(len(block) - 1) // 2], block[len(block) // 2]
        median[top : top + _ROWS] = np.add(first, second, dtype=np.float32) / np.float32(2)
    return median


@cache
def _network(count: int) -> tuple[tuple[int, int], ...]:
    """Return the pairs to compare, in order, so that ``count`` things end up sorted.

    >>> _network(3)
    ((0, 1), (0, 2), (1, 2))
    """
    return tuple(_pairs(count))


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    merged = 1
    while merged < count:
        step = merged
        while step >= 1:
            for start in range(step % merged, count - step, 2 * step):
                for low in range(start, start + min(step, count - start - step)):
                    if low // (2 * merged) == (low + step) // (2 * merged):
                        yield low, low + step
            step //= 2
        merged *= 2
