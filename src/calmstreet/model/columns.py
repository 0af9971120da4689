"""How a columnar noun is checked at birth: length, dtype and shape of every column."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["checked", "same_length"]


def checked(name: str, column: Any, dtype: DTypeLike, width: int | None = None) -> NDArray[Any]:
    """Return ``column`` as an array of ``dtype``, shape (n,) or (n, width).

    Raises ValueError when it is None or of another shape.

    >>> checked("score", [0.5], np.float32).shape
    (1,)
    >>> checked("box_px", np.empty((0, 4)), np.float32, 4).shape
    (0, 4)
    """
    if column is None:
        raise ValueError(f"column {name} is None; unknown values are NaN")
    array = np.asarray(column, dtype=dtype)
    if width is not None and array.size == 0:
        array = array.reshape(0, width)
    wanted = 1 if width is None else 2
    if array.ndim != wanted or (width is not None and array.shape[1] != width):
        raise ValueError(f"column {name} has shape {array.shape}, wanted {width or 'one'} wide")
    return array


def same_length(columns: dict[str, NDArray[Any]]) -> int:
    """Return the common length of all columns; raise ValueError when they differ.

    >>> same_length({"a": np.zeros(2), "b": np.zeros((2, 4))})
    2
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}")
    return next(iter(lengths.values()), 0)
