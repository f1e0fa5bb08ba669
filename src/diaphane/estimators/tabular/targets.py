"""What is to be predicted: rows that know it, classes of any kind, numbers on a scale that few wild ones sway."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from ...data.errors import closest, listed
from ...data.scaling import TargetScaler
from ...graph.node import Array

__all__ = [
    "TableWarning",
    "class_places",
    "known_targets",
    "network_weights",
    "numbers_of",
    "robust_scaler",
    "weights_with_classes",
]

FAR = 5.0
"""In distances of the quartiles, how far from them a number may be to count in full for the scale."""


class TableWarning(UserWarning):
    """Something of a table was left out: rows without a target, or a column that names rows."""


def known_targets(x: Any, y: Any, sample_weight: Any = None) -> tuple[Array, Array, Array | None]:
    """The targets that are known, the rows whose they are, and their weights; those of weight 0 are left out.

    Parameters
    ----------
    x : table, frame or array
        As many rows as there are targets.
    y : array, series or list, shape (n,)
        Missing are None, NaN, NaT and ``pandas.NA``.
    sample_weight : array, shape (n,), optional

    Raises
    ------
    ValueError
        If there is no target, none is known, or as many as rows there are not; the same of weights, or if one is
        negative or not finite.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if hasattr(y, "to_numpy") and getattr(y, "ndim", 1) == 1 and not hasattr(y, "columns"):
        y = y.to_numpy()
    y = column_or_1d(y, warn=True)
    check_consistent_length(x, y)
    # Weights are as many as the targets, whatever kind of table they are of.
    weights = None if sample_weight is None else _check_sample_weight(sample_weight, y, ensure_non_negative=True)
    missing = _missing(y)
    if missing.all():
        raise ValueError(f"none of the {len(y)} rows has a target: all are missing (NaN); expected at least one")
    if missing.any():
        count = int(missing.sum())
        warnings.warn(
            f"{count} of {len(y)} rows {'has' if count == 1 else 'have'} no target and {'is' if count == 1 else 'are'} "
            "left out",
            TableWarning,
            stacklevel=3,
        )
    rows = np.flatnonzero(~missing if weights is None else ~missing & (weights > 0))
    if not len(rows):
        raise ValueError("every row with a target has weight 0; expected a sample_weight above 0 for some of them")
    y = y[rows]
    if missing.any() and y.dtype == object:
        # An array that was of objects for its gaps only.
        y = np.array(y.tolist())
    return y, rows, None if weights is None else weights[rows]


def weights_with_classes(weights: Array | None, class_weight: Any, y: Array) -> Array | None:
    """The weights of rows times those of their classes, as scikit-learn has it.

    Raises
    ------
    ValueError
        If ``class_weight`` is none of a dict, "balanced" and None, has a class that is not there or a weight that is
        not above 0.

    Examples
    --------
    >>> weights_with_classes(None, "balanced", np.array(["a", "a", "a", "b"])).round(3)
    array([0.667, 0.667, 0.667, 2.   ])
    """
    if class_weight is None:
        return weights
    if isinstance(class_weight, Mapping):
        classes = np.unique(y).tolist()
        for label, weight in class_weight.items():
            if label not in classes:
                words = [str(known) for known in classes]
                raise ValueError(
                    f"class_weight has {label!r}, which is no class; the classes are {listed(words)}."
                    f"{closest(str(label), words)}"
                )
            if not 0 < weight < np.inf:
                raise ValueError(
                    f"class_weight of {label!r} is {weight!r}; expected a finite number above 0 (rows of no weight "
                    "are better left out)"
                )
    by_class = np.asarray(compute_sample_weight(class_weight, y))
    return by_class if weights is None else by_class * weights


def network_weights(weights: Array | None) -> Array | None:
    """Weights around 1 in float32; None where all are alike, which is no weight.

    Examples
    --------
    >>> network_weights(np.array([1e-300, 3e-300])), network_weights(np.array([7.0, 7.0]))
    (array([0.5, 1.5], dtype=float32), None)
    """
    if weights is None or weights.min() == weights.max():
        return None
    # The greatest first: the sum of very great ones is infinite.
    share = weights.astype(np.float64) / weights.max()
    # One that rounded to 0 would make a mean of nothing where its like are alone in a batch.
    return np.maximum(share / share.mean(), np.finfo(np.float32).tiny).astype(np.float32)


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
