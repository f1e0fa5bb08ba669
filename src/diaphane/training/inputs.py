"""What a trainer is given: made into arrays, or refused with what to do."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from ..graph import ShapeError
from ..graph.node import Array

__all__ = ["Examples", "as_rows", "as_targets", "check_whole", "examples", "hold_out", "validation_examples"]

Examples = tuple[Any, Array, Array | None]
"""Rows, their targets, and their weights where they have any."""


def check_whole(name: str, value: Any, low: int) -> int:
    """A whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number of at least {low}, got {value!r}")
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    return int(value)


def as_rows(x: Any) -> Any:
    """What rows can be taken from: arrays, memory maps and the like as they are, frames and lists as arrays."""
    if hasattr(x, "tocsr"):
        found = x.tocsr()
    elif hasattr(x, "to_numpy"):
        found = x.to_numpy()
    else:
        has_rows = hasattr(x, "shape") and isinstance(getattr(x, "dtype", None), np.dtype)
        found = x if has_rows else np.asarray(x)
    if found.dtype.kind not in "biuf":
        raise TypeError(
            f"x must be numbers, got a {type(x).__name__} of dtype {found.dtype}; "
            "diaphane.data.ColumnEncoder makes numbers of words, dates and gaps"
        )
    return found


def as_targets(y: Any) -> Array:
    """Targets as an array of numbers."""
    found = np.asarray(y)
    if found.dtype.kind not in "biuf":
        raise TypeError(
            f"y must be numbers, got dtype {found.dtype}; give classes as whole numbers from 0: "
            "numpy.unique(y, return_inverse=True)[1]"
        )
    return found


def examples(x: Any, y: Any, sample_weight: Any = None) -> Examples:
    """Rows, targets and weights as arrays of as many rows each."""
    x, y = as_rows(x), as_targets(y)
    weights = None if sample_weight is None else np.asarray(sample_weight)
    counts = {"x": x.shape[0], "y": y.shape[0], **({} if weights is None else {"sample_weight": len(weights)})}
    if len(set(counts.values())) > 1:
        raise ShapeError(
            "the data differ in their number of rows: " + ", ".join(f"{k} has {v}" for k, v in counts.items())
        )
    return x, y, weights


def validation_examples(data: Any) -> Examples:
    """Those of a pair, or of three with weights."""
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        given = f"{type(data).__name__} of shape {data.shape}" if hasattr(data, "shape") else repr(data)[:60]
        raise TypeError(f"validation_data must be (x, y) or (x, y, sample_weight), got {given}")
    return examples(*data)


def hold_out(given: Examples, fraction: float, rng: Any) -> tuple[Array, Examples]:
    """The rows to learn from, which stay where they lie, and the data to validate with."""
    x, y, weights = given
    n = len(y)
    held = round(fraction * n)
    if not 0 < held < n:
        raise ValueError(
            f"validation_fraction={fraction} of {n} rows leaves {held} to validate and {n - held} to learn from"
        )
    order = rng.permutation(n)
    kept, out = order[held:], order[:held]
    return kept, (x[out], y[out], None if weights is None else weights[out])
