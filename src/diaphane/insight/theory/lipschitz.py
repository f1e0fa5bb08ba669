"""Nearby inputs get nearby probabilities: how fast a sigmoid of a weighted sum can change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .examples import as_rows, as_the_model_knows_them

__all__ = ["largest_slope", "lipschitz_bound"]


def lipschitz_bound(weights: Any) -> float:
    """‖w‖/4: no two inputs have probabilities σ(wᵀx + b) that differ by more than that times their distance.

    ∇σ(wᵀx + b) = σ(1 − σ)·w and σ(1 − σ) ≤ ¼, reached where wᵀx + b = 0: the bound is the slope across the decision
    boundary.

    Parameters
    ----------
    weights : array of shape (d,) or (1, d), or a fitted binary classifier with ``coef_``

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For several rows of weights: each class has a sigmoid of its own then; and for what are no finite numbers.

    Examples
    --------
    >>> lipschitz_bound([3.0, 4.0])
    1.25
    """
    given = getattr(weights, "coef_", weights)
    try:
        coefficients = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"weights are {given!r}; expected numbers, or a fitted classifier with coef_") from None
    if not np.isfinite(coefficients).all():
        raise ValueError(f"weights are {given!r}; expected finite numbers")
    if coefficients.ndim == 2 and len(coefficients) == 1:
        coefficients = coefficients[0]
    if coefficients.ndim != 1:
        raise ValueError(f"weights have shape {coefficients.shape}; expected (d,) or (1, d), one sigmoid")
    return float(np.linalg.norm(coefficients)) / 4


def largest_slope(model: Any, X: ArrayLike) -> float:
    """max |p(a) − p(b)| / ‖a − b‖ over all pairs of different rows: what `lipschitz_bound` bounds, measured.

    Parameters
    ----------
    model : classifier or function
        With ``predict_proba``, whose last column is taken, or a function from rows (n, d) to probabilities (n,).
    X : array of shape (n, d)
        n²/2 pairs are compared.

    Returns
    -------
    float
        0 where all rows are alike.

    Examples
    --------
    >>> weights = np.array([3.0, 4.0])
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> slope = largest_slope(lambda rows: 1 / (1 + np.exp(-rows @ weights)), X)
    >>> 1.2 < slope <= lipschitz_bound(weights)
    True
    """
    rows = as_rows(X)
    if hasattr(model, "predict_proba"):
        chances = np.asarray(model.predict_proba(as_the_model_knows_them(model, X, rows)))[:, -1]
    else:
        chances = np.asarray(model(rows))
    if chances.shape != (len(rows),):
        raise ValueError(f"the model gives shape {chances.shape}; expected ({len(rows)},), one probability a row")
    steepest = 0.0
    for i in range(len(rows) - 1):
        # By differences, not by ‖a‖² + ‖b‖² − 2aᵀb, which cancels for neighbours: there the slope is decided.
        distance = np.linalg.norm(rows[i + 1 :] - rows[i], axis=1)
        apart = distance > 0
        if apart.any():
            change = np.abs(chances[i + 1 :][apart] - chances[i])
            steepest = max(steepest, float((change / distance[apart]).max()))
    return steepest
