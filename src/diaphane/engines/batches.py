"""Rows of a batch, gathered from wherever the data lies, in the dtype that the program computes with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..graph.node import Array, DType

__all__ = ["batches_of", "filled", "gather", "row_count"]


def row_count(source: Any) -> int:
    """How many rows there are."""
    return int(source.shape[0])


def batches_of(orders: Array, batch_size: int) -> Iterator[Array]:
    """The rows of each batch of each epoch; the last of an epoch may be short."""
    for order in orders:
        for start in range(0, len(order), batch_size):
            yield order[start : start + batch_size]


def filled(rows: int) -> int:
    """A number of rows rounded up to four binary digits, by an eighth at most: few plans serve any number of rows.

    Examples
    --------
    >>> [filled(n) for n in (1, 15, 16, 17, 100, 1797, 4096)]
    [1, 15, 16, 18, 104, 1920, 4096]
    """
    step = 1 << max(rows.bit_length() - 4, 0)
    return -(-rows // step) * step


def gather(source: Any, rows: Array, dtype: DType) -> Array:
    """The rows as a dense array of this dtype; a sparse or memory-mapped source is never read whole."""
    if isinstance(source, np.ndarray):
        # take is the quicker one, but copies an array whole first that does not lie row after row.
        picked = np.take(source, rows, axis=0) if source.flags.c_contiguous else source[rows]
    else:
        picked = source[rows]
        picked = picked.toarray() if hasattr(picked, "toarray") else np.asarray(picked)
    return picked if picked.dtype == dtype else picked.astype(dtype)
