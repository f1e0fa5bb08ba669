"""What is to be predicted: rows that know it, classes of any kind, numbers on a scale that few wild ones sway."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ...data.scaling import TargetScaler
from ...graph.node import Array

__all__ = ["TableWarning", "class_places", "known_targets", "numbers_of", "robust_scaler"]

FAR = 5.0
"""In distances of the quartiles, how far from them a number may be to count in full for the scale."""


class TableWarning(UserWarning):
    """Something of a table was left out: rows without a target, or a column that names rows."""


def known_targets(x: Any, y: Any) -> tuple[Array, Array]:
    """The targets that are known, and the rows whose they are.

    Parameters
    ----------
    x : table, frame or array
        As many rows as there are targets.
    y : array, series or list, shape (n,)
        Missing are None, NaN, NaT and ``pandas.NA``.

    Raises
    ------
    ValueError
        If there is no target, none is known, or as many as rows there are not.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if hasattr(y, "to_numpy") and getattr(y, "ndim", 1) == 1 and not hasattr(y, "columns"):
        y = y.to_numpy()
    y = column_or_1d(y, warn=True)
    check_consistent_length(x, y)
    missing = _missing(y)
    rows = np.flatnonzero(~missing)
    if not len(rows):
        raise ValueError(f"none of the {len(y)} rows has a target: all are missing (NaN); expected at least one")
    if missing.any():
        count = int(missing.sum())
        warnings.warn(
            f"{count} of {len(y)} rows {'has' if count == 1 else 'have'} no target and {'is' if count == 1 else 'are'} "
            "left out",
            TableWarning,
            stacklevel=4,
        )
        y = y[rows]
        # An array that was of objects for its gaps only.
        y = np.array(y.tolist()) if y.dtype == object else y
    return y, rows


def class_places(y: Array) -> tuple[Array, Array]:
    """The classes in ascending order, and the place of each target among them.

    Raises
    ------
    ValueError
        For numbers that are no classes, or one class only.
    """
    try:
        classes, places = np.unique(y, return_inverse=True)
    except TypeError:
        raise ValueError(
            "the classes are of kinds that have no order; expected all words or all numbers: "
            "y.astype(str) makes words of them"
        ) from None
    check_classification_targets(y)
    if len(classes) < 2:
        raise ValueError(f"the target has one class only, {classes.tolist()[0]!r}; expected at least 2 classes")
    return classes, places.astype(np.int64)


def numbers_of(y: Array) -> Array:
    """Targets as float64.

    Raises
    ------
    ValueError
        If they are words, complex or infinite.
    """
    if y.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: the target is {y.dtype}")
    try:
        found = y.astype(np.float64)
    except (TypeError, ValueError):
        word = next((v for v in y.tolist() if isinstance(v, str)), y.flat[0])
        raise ValueError(
            f"the target holds {word!r}, and a regression expects numbers; TabularClassifier is for classes"
        ) from None
    if np.isinf(found).any():
        row = int(np.flatnonzero(np.isinf(found))[0])
        raise ValueError(f"Input y contains infinity: the target is {found[row]} in row {row + 1}; expected numbers")
    return found


def robust_scaler(y: Array) -> TargetScaler:
    """Mean and standard deviation of the targets, those far beyond their quartiles counted as five distances off.

    Examples
    --------
    >>> tame = np.arange(100.0)
    >>> wild = np.append(tame, 1e12)
    >>> round(robust_scaler(tame).scale), round(robust_scaler(wild).scale)
    (29, 40)
    """
    low, high = np.quantile(y, [0.25, 0.75])
    far = FAR * (high - low)
    return TargetScaler.fit(np.clip(y, low - far, high + far) if far > 0 else y)


def _missing(y: Array) -> Array:
    if y.dtype.kind == "f":
        return np.isnan(y)
    if y.dtype.kind in "Mm":
        return np.isnat(y)
    if y.dtype != object:
        return np.zeros(len(y), bool)
    # What differs from itself is no number; pandas.NA says what it is by its type only.
    return np.array([v is None or type(v).__name__ == "NAType" or bool(v != v) for v in y.tolist()], bool)
