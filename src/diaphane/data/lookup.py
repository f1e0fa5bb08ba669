"""Which of the known values is in each cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diaphane.data.table import Column, is_numeric

__all__ = ["positions"]


def positions(column: Column, known: Sequence[str | int | float]) -> NDArray[np.int64]:
    """Return for each cell its place among the known values, −1 for an unknown value, −2 for a missing one.

    The same file cut in two may give a column of strings (``"3"``, ``"b"``) in one part and of numbers
    (``3.0``) in the other; a number and its spelling are therefore the same value.

    Examples
    --------
    >>> positions(np.array(["b", "3", None, "c"], dtype=object), ["3", "b"])
    array([ 1,  0, -2, -1])
    >>> positions(np.array([3.0, 4.0, np.nan]), ["03", "b"])
    array([ 0, -1, -2])
    """
    if not is_numeric(column):
        places: dict[object, int] = {None: -2}
        places.update({str(value): i for i, value in enumerate(known)})
        for i, value in enumerate(known):
            # "3.0" for a known 3, where other cells of the column are words.
            if not isinstance(value, str):
                places.setdefault(str(float(value)), i)
        return np.array([places.get(cell, -1) for cell in column.tolist()], dtype=np.int64)
    by_number: dict[float, int] = {}
    for i, value in enumerate(known):
        number = _as_number(value)
        if number is not None:
            by_number.setdefault(number, i)
    cells = column.tolist()
    return np.array([-2 if cell != cell else by_number.get(cell, -1) for cell in cells], dtype=np.int64)


def _as_number(value: str | int | float) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
