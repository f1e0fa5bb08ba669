"""What each metric computes, by scikit-learn's functions: (y, given, classes, weights) → float.

`given` is labels, probabilities (n, K), scores of two classes (n,), or numbers; `classes` (K,) names the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "accuracy",
    "auc",
    "average_precision",
    "balanced_accuracy",
    "brier",
    "f1_macro",
    "f1_positive",
    "log_loss",
    "mae",
    "mape",
    "mcc",
    "median_absolute_error",
    "mse",
    "pinball",
    "r2",
    "rmse",
]

Array: TypeAlias = NDArray[Any]


def accuracy(y: Array, labels: Array, classes: Any, weights: Any) -> float:
    """Mean of 1[ŷ = y]."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(y, labels, sample_weight=weights))


def balanced_accuracy(y: Array, labels: Array, classes: Any, weights: Any) -> float:
    """Mean over the classes in y of P(ŷ = k | y = k), their recall (Brodersen et al. 2010)."""
    from sklearn.metrics import recall_score

    # balanced_accuracy_score is the same, but warns of every class that is predicted and not in y.
    return float(recall_score(y, labels, labels=np.unique(y), average="macro", sample_weight=weights))


def f1_macro(y: Array, labels: Array, classes: Any, weights: Any) -> float:
    """Mean over classes of the harmonic mean of precision and recall, 2·TP/(2·TP + FP + FN)."""
    from sklearn.metrics import f1_score

    return float(f1_score(y, labels, average="macro", sample_weight=weights, zero_division=0))


def f1_positive(y: Array, labels: Array, classes: Array, weights: Any) -> float:
    """2·TP/(2·TP + FP + FN) of the second class."""
    from sklearn.metrics import f1_score

    one = [classes[1]]
    return float(f1_score(y, labels, labels=one, average="macro", sample_weight=weights, zero_division=0))


def mcc(y: Array, labels: Array, classes: Any, weights: Any) -> float:
    """The correlation of y and ŷ (Matthews 1975), for K classes R_K (Gorodkin 2004); 0 where one is constant."""
    from sklearn.metrics import matthews_corrcoef

    if len(np.unique(y)) < 2 or len(np.unique(labels)) < 2:
        return 0.0
    return float(matthews_corrcoef(y, labels, sample_weight=weights))


def auc(y: Array, scores: Array, classes: Array, weights: Any) -> float:
    """P(score of a positive > score of a negative) + ½·P(equal), Hanley & McNeil 1982; the mean over classes of one
    against the rest, of those that y has.
    """
    from sklearn.metrics import roc_auc_score

    return _one_against_rest(roc_auc_score, y, scores, classes, weights)


def average_precision(y: Array, scores: Array, classes: Array, weights: Any) -> float:
    """Σ_t (recall_t − recall_{t−1})·precision_t over thresholds; of the second of two classes, else the mean over the
    classes that y has. At random it is the class's share.
    """
    from sklearn.metrics import average_precision_score

    return _one_against_rest(average_precision_score, y, scores, classes, weights)


def _one_against_rest(function: Callable[..., float], y: Array, scores: Array, classes: Array, weights: Any) -> float:
    present = np.unique(y)
    if len(present) < 2:
        raise ValueError(f"all rows of y are {present[0]!r}; this score compares classes: expected rows of another")
    if len(classes) == 2:
        second = scores[:, 1] if scores.ndim == 2 else scores
        return float(function(y == classes[1], second, sample_weight=weights))
    values = [
        function(y == label, scores[:, k], sample_weight=weights) for k, label in enumerate(classes) if label in present
    ]
    return float(np.mean(values))


def log_loss(y: Array, probabilities: Array, classes: Array, weights: Any) -> float:
    """−mean of log p(y), in nats; a probability of 0 counts as the least that its type has above it."""
    from sklearn.metrics import log_loss as sklearn_log_loss

    return float(sklearn_log_loss(y, probabilities, labels=classes, sample_weight=weights))


def brier(y: Array, probabilities: Array, classes: Array, weights: Any) -> float:
    """Mean of Σ_k (p_k − 1[y = k])² (Brier 1950); for two classes half of it, (p − y)²."""
    of_row = ((probabilities - (y[:, np.newaxis] == np.asarray(classes))) ** 2).sum(axis=1)
    return float(np.average(of_row, weights=weights)) / (2 if len(classes) == 2 else 1)


def r2(y: Array, numbers: Array, classes: Any, weights: Any) -> float:
    """1 − Σ(y − ŷ)²/Σ(y − ȳ)²: the share of the variance that is explained, below 0 where the mean is better."""
    from sklearn.metrics import r2_score

    if len(y) < 2:
        raise ValueError("R² of one row has no variance to explain; expected two rows or more")
    return float(r2_score(y, numbers, sample_weight=weights))


def mae(y: Array, numbers: Array, classes: Any, weights: Any) -> float:
    """Mean of |y − ŷ|."""
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(y, numbers, sample_weight=weights))


def mse(y: Array, numbers: Array, classes: Any, weights: Any) -> float:
    """Mean of (y − ŷ)²."""
    from sklearn.metrics import mean_squared_error

    return float(mean_squared_error(y, numbers, sample_weight=weights))


def rmse(y: Array, numbers: Array, classes: Any, weights: Any) -> float:
    """√mean of (y − ŷ)², in the units of y."""
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(y, numbers, sample_weight=weights))


def median_absolute_error(y: Array, numbers: Array, classes: Any, weights: Any) -> float:
    """Median of |y − ŷ|: what outliers do not move."""
    from sklearn.metrics import median_absolute_error as sklearn_median_absolute_error

    return float(sklearn_median_absolute_error(y, numbers, sample_weight=weights))


def mape(y: Array, numbers: Array, classes: Any, weights: Any) -> float:
    """Mean of |y − ŷ|/|y|, 1 being 100 %; a y of 0 counts as the least number above it."""
    from sklearn.metrics import mean_absolute_percentage_error

    return float(mean_absolute_percentage_error(y, numbers, sample_weight=weights))


def pinball(y: Array, numbers: Array, classes: Any, weights: Any, quantile: float = 0.5) -> float:
    """Mean of max(τ·(y − ŷ), (τ − 1)·(y − ŷ)): least where ŷ is the τ-quantile (Koenker & Bassett 1978)."""
    from sklearn.metrics import mean_pinball_loss

    return float(mean_pinball_loss(y, numbers, sample_weight=weights, alpha=quantile))
