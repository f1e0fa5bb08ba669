"""Whether the likelihood has a maximum: not where a hyperplane separates the classes."""

from __future__ import annotations

import numpy as np

from ...graph.node import Array
from ...optim import minimize_newton
from ...optim.drivers.newton import newton_direction
from .objective import Objective

__all__ = ["is_separated"]

SURE = 5.0
"""The least score of a separated row where a fit has ended: its probability is 0.993."""

STEPS = 12
"""Newton steps after which only the way to infinity is left: each of them lowers the separated rows' loss by e."""

ROUNDING = 1e-6


def is_separated(objective: Objective, parameters: Array) -> bool:
    """Whether there is a direction that lowers the loss of some rows and raises that of none (Albert & Anderson 1984).

    Then the likelihood rises along it for ever. What a fit has found is followed by Newton steps, which settle all
    directions that have a minimum; if one is left along which no row loses, it is that one.

    Parameters
    ----------
    objective : Objective
        Of a cross-entropy, without a penalty.
    parameters : ndarray, shape (size,)
        Where a fit has ended.

    Examples
    --------
    >>> x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> is_separated(Objective("binary_cross_entropy", x, y), np.array([20.0, -30.0]))
    True
    >>> is_separated(Objective("binary_cross_entropy", x, np.array([0, 1, 0, 1])), np.array([1.0, -1.0]))
    False
    """
    if np.abs(objective.scores(parameters)).max(initial=0.0) < SURE:
        return False
    settled = minimize_newton(objective, objective.hessian, parameters, max_iterations=STEPS, tolerance=0.0).parameters
    away = -newton_direction(objective.hessian(settled), objective(settled)[1])
    return _raises_no_loss(objective, settled) or _raises_no_loss(objective, away)


def _raises_no_loss(objective: Objective, direction: Array) -> bool:
    scores = objective.scores(direction).astype(np.float64)
    counted = slice(None) if objective.weights is None else objective.weights > 0
    scores, target = scores[counted], objective.target[counted]
    if objective.outputs == 1:
        gains = np.where(target > 0, scores[:, 0], -scores[:, 0])
    else:
        rows = np.arange(len(scores))
        own = scores[rows, target]
        scores[rows, target] = -np.inf
        gains = own - scores.max(axis=1)
    size = np.abs(gains).max(initial=0.0)
    return bool(size > 0 and gains.min() >= -ROUNDING * size)
