"""Rows, labels and weights of a linear model: checked as scikit-learn does it, and without its looks at large data."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, assert_all_finite, validate_data

from ...graph.node import Array

__all__ = [
    "check_rows_and_labels",
    "checked_weights",
    "chosen",
    "compute_dtype",
    "encode",
    "refuse_nonfinite",
    "refuse_overflow",
]

PLAIN = (np.dtype("float32"), np.dtype("float64"))

BLOCK_ELEMENTS = 1 << 16

LARGEST = float(np.finfo(np.float64).max) * 1e-16
"""Sums of squares up to which products of them with numbers near 1 do not overflow either."""

MOST_CODES = 1 << 16
"""Whole-number labels that lie in a range of so many are counted, not sorted."""


def check_rows_and_labels(estimator: Any, x: Any, y: Any) -> tuple[Any, Array, Array]:
    """Rows in their own dtype, the classes, and the index of each row's class.

    Rows of a plain array are not looked at: see :func:`refuse_nonfinite`.
    """
    if _is_plain(x) and isinstance(y, np.ndarray) and y.shape == x.shape[:1] and y.dtype.kind in "iub" and len(y) > 1:
        validate_data(estimator, x, skip_check_array=True)
    else:
        x, y = validate_data(estimator, x, y, accept_sparse=["csr", "csc"], dtype="numeric")
        if x.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: {x.dtype}")
        x = x.tocsr() if hasattr(x, "tocsr") else x
        check_classification_targets(y)
    classes, target = encode(y)
    if len(classes) < 2:
        raise ValueError(
            f"there must be at least 2 classes to tell apart, but all {len(y)} labels are of one class: "
            f"{classes[:1].tolist()[0]!r}"
        )
    return x, classes, target


def encode(y: Array) -> tuple[Array, Array]:
    """The classes in order, and the index of each label's class.

    Examples
    --------
    >>> encode(np.array([7, 5, 7]))
    (array([5, 7]), array([1, 0, 1]))
    """
    if y.dtype.kind in "iub":
        low, high = y.min(), y.max()
        if int(high) - int(low) < MOST_CODES:
            shifted = y.astype(np.int64) - int(low)
            found = np.flatnonzero(np.bincount(shifted))
            places = np.zeros(int(high) - int(low) + 1, np.int64)
            places[found] = np.arange(len(found))
            return (found + int(low)).astype(y.dtype), places[shifted]
    classes, target = np.unique(y, return_inverse=True)
    return classes, target.astype(np.int64)


def checked_weights(sample_weight: Any, x: Any) -> Array | None:
    """Weights of the rows in float64, or None where all count alike.

    Raises
    ------
    ValueError
        If one is negative or not finite, or all are 0.
    """
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, x, dtype=np.float64, allow_all_zero_weights=True)
    if np.any(weights < 0):
        raise ValueError(
            f"sample_weight must be at least 0, got {weights.min():g} for row {weights.argmin()}: "
            "leave out the rows that shall not count, or give them 0"
        )
    if not weights.any():
        raise ValueError("sample_weight is zero for every row, so that no row counts: give some of them more")
    return np.asarray(weights)


def compute_dtype(asked: Any, x: Any) -> np.dtype[Any]:
    """What is computed in: what was asked for, else float32 for data that it holds without rounding, and float64.

    Examples
    --------
    >>> [compute_dtype(None, np.zeros(1, kind)).name for kind in ("float32", "uint16", "int32", "float64")]
    ['float32', 'float32', 'float64', 'float64']
    """
    if asked is None:
        return np.dtype("float32" if np.can_cast(x.dtype, np.float32) else "float64")
    try:
        found = np.dtype(asked)
    except TypeError:
        found = np.dtype(object)
    if found not in PLAIN:
        raise ValueError(f"dtype must be float32, float64 or None, got {asked!r}")
    return found


def refuse_nonfinite(estimator: Any, x: Any) -> NoReturn:
    """Say why a loss was not finite: NaN or infinity in the data, or numbers too large to compute with."""
    assert_all_finite(x.data if hasattr(x, "tocsr") else x, input_name="X", estimator_name=type(estimator).__name__)
    largest = float(np.abs(x.data if hasattr(x, "tocsr") else x).max())
    raise ValueError(
        f"the loss or its gradient is not finite: the features are as large as {largest:.3g}, too large to compute "
        "with. Scale them, for example with scikit-learn's StandardScaler"
    )


def refuse_overflow(name: str, numbers: Any) -> None:
    """Say that the sum of the squares of some numbers overflows, which all that is made of them would.

    Examples
    --------
    >>> refuse_overflow("X", np.array([[1.0], [1e160]]))
    Traceback (most recent call last):
        ...
    ValueError: X has numbers as large as 1e+160, whose squares overflow. Scale them, for example with scikit-learn's \
StandardScaler
    """
    values = numbers.data if hasattr(numbers, "tocsr") else numbers
    rows = max(1, BLOCK_ELEMENTS // max(1, values[:1].size))
    with np.errstate(over="ignore"):
        total = sum(
            float(np.square(values[start : start + rows], dtype=np.float64).sum())
            for start in range(0, len(values), rows)
        )
    if total <= LARGEST:
        return
    largest = float(np.abs(values).max())
    remedy = "Scale them, for example with scikit-learn's StandardScaler" if name == "X" else "Take another unit"
    raise ValueError(f"{name} has numbers as large as {largest:.3g}, whose squares overflow. {remedy}")


def _is_plain(x: Any) -> bool:
    return type(x) is np.ndarray and x.ndim == 2 and x.dtype in PLAIN and x.shape[1] > 0


def chosen(scores: Array, classes: Array) -> Array:
    """The class of each row: of two the second where its score is above 0, of more that of the greatest score."""
    picked = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
    return np.asarray(classes[picked])
