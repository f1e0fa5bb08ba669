"""What a model says of rows that it did not learn from, each row once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

__all__ = ["held_out", "held_out_skill", "of_frequent_classes"]

Floats = NDArray[np.float64]
FOLDS = 3


def of_frequent_classes(target: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows are of classes that every fold can learn."""
    _, inverse, counts = np.unique(target, return_inverse=True, return_counts=True)
    found: NDArray[np.bool_] = counts[inverse] >= FOLDS
    return found


def _folds(target: NDArray[Any], classes: bool, seed: int) -> Any:
    if classes and np.unique(target, return_counts=True)[1].min() >= FOLDS:
        return StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return KFold(FOLDS, shuffle=True, random_state=seed)


def held_out(model: Any, x: Floats, y: NDArray[Any], classes: bool, seed: int, method: str = "predict") -> Any:
    """Predictions for all rows, each by a model that learnt from two thirds of them without it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        return cross_val_predict(clone(model), x, y, cv=_folds(y, classes, seed), method=method)


def held_out_skill(model: Any, x: Floats, y: NDArray[Any], classes: bool, seed: int) -> float:
    """1 − error/error of a constant, of these predictions."""
    predicted = held_out(model, x, y, classes, seed)
    if classes:
        return float(1 - np.mean(predicted != y) / (1 - np.unique(y, return_counts=True)[1].max() / len(y)))
    return float(1 - np.mean((predicted - y) ** 2) / y.var())
