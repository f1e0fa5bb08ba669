"""Rows of a batch, gathered from wherever the data lies, in the dtype that the program computes with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.node import Array, DType

__all__ = ["gather", "row_count"]


def row_count(source: Any) -> int:
    """How many rows there are."""
    return int(source.shape[0])


def gather(source: Any, rows: Array | slice, dtype: DType) -> Array:
    """The rows as a dense array of this dtype; a sparse or memory-mapped source is never read whole."""
    if isinstance(source, np.ndarray):
        picked = source[rows] if isinstance(rows, slice) else np.take(source, rows, axis=0)
    else:
        picked = source[rows]
        picked = picked.toarray() if hasattr(picked, "toarray") else np.asarray(picked)
    return picked if picked.dtype == dtype else picked.astype(dtype)
