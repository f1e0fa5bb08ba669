"""Newton's method: steps to the minimum of the second-order model, halved until they help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...graph.node import Array
from .result import LossAndGradient, MinimizationResult

__all__ = ["NewtonResult", "minimize_newton"]

SUFFICIENT = 1e-4
"""The share of the decrease that the gradient promises, which a step must reach (Armijo 1966)."""

MOST_HALVINGS = 40


@dataclass(frozen=True)
class NewtonResult(MinimizationResult):
    """Where Newton's method ended.

    Attributes
    ----------
    hessian : ndarray, shape (P, P)
        The last one that was computed: one step before the end.
    """

    hessian: Array


def minimize_newton(
    loss_and_gradient: LossAndGradient,
    hessian: Callable[[Array], Array],
    start: Array,
    *,
    max_iterations: int = 100,
    tolerance: float = 1e-8,
    loss_tolerance: float = 0.0,
    precision: float = float(np.finfo(np.float64).eps),
    ended: Callable[[Array], bool] | None = None,
) -> NewtonResult:
    """Damped Newton: θ ← θ − ε·H⁺∇l, ε = 1, ½, ¼, … until the loss falls enough (Nocedal & Wright 2006, section 3.5).

    H⁺ is the inverse over the directions that have curvature. Where columns are collinear H is singular, l is flat
    along the null space, and nothing moves there; of a small negative curvature the size is taken.

    Parameters
    ----------
    loss_and_gradient : callable
        From a vector (P,) in float64 to the loss and its gradient (P,).
    hessian : callable
        From the vector to ∂²l/∂θ∂θᵀ, (P, P).
    start : ndarray, shape (P,)
    max_iterations : int
    tolerance : float
        It ends where no component of the gradient is larger.
    loss_tolerance : float
        It ends where an iteration lowers the loss by no more than this share of it; 0: where it does not fall.
    precision : float
        Of the Hessian: what it was computed in. Less curvature than that is taken for none.
    ended : callable, optional
        In place of ``tolerance``: whether these parameters (P,) are near enough to the minimum.

    Examples
    --------
    >>> import numpy as np
    >>> found = minimize_newton(
    ...     lambda w: (float(np.cosh(w - 1).sum()), np.sinh(w - 1)), lambda w: np.diag(np.cosh(w - 1)), np.zeros(2)
    ... )
    >>> found.parameters.round(6), found.n_iterations
    (array([1., 1.]), 4)
    """
    parameters = np.array(start, np.float64)
    loss, gradient = loss_and_gradient(parameters)
    losses: list[float] = []
    curvature, evaluations = np.zeros((len(parameters), len(parameters))), 1
    message, converged = f"{max_iterations} iterations were done", False
    while True:
        if not np.isfinite(loss) or not np.isfinite(gradient).all():
            message = "the loss or its gradient is not finite"
            break
        if np.abs(gradient).max(initial=0.0) <= tolerance if ended is None else ended(parameters):
            message, converged = "no component of the gradient is larger than the tolerance", True
            break
        if len(losses) >= max_iterations:
            break
        curvature = np.asarray(hessian(parameters), np.float64)
        if not np.isfinite(curvature).all():
            message = "the second derivatives are not finite"
            break
        direction = -newton_direction(curvature, gradient, precision)
        step, tried = _backtrack(loss_and_gradient, parameters, loss, gradient, direction)
        evaluations += tried
        if step is None:
            # At rounding's limit the loss cannot tell a better point from this one.
            message, converged = "the loss does not fall any further in floating point", True
            break
        before = loss
        parameters, loss, gradient = step
        losses.append(loss)
        if before - loss <= loss_tolerance * max(abs(before), abs(loss)) and loss_tolerance > 0:
            message, converged = "the loss fell by less than the tolerance", True
            break
    return NewtonResult(parameters, loss, len(losses), evaluations, converged, message, losses, curvature)


def newton_direction(hessian: Array, gradient: Array, precision: float = float(np.finfo(np.float64).eps)) -> Array:
    """H⁺·g: by Cholesky's factors where they are well conditioned, else over the eigenvectors with curvature."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigh

    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale[scale == 0] = 1.0
    # To a diagonal of ones, so that features of very different sizes are not taken for collinear ones.
    even, slope = hessian / np.outer(scale, scale), gradient / scale
    least = len(scale) * precision
    try:
        factors = cho_factor(even, lower=True)
        if np.diag(factors[0]).min() ** 2 > 100 * least:
            return np.asarray(cho_solve(factors, slope) / scale)
    except LinAlgError:
        pass
    values, vectors = eigh(even)
    curved = np.abs(values) > least * np.abs(values).max(initial=0.0)
    along = vectors[:, curved]
    return np.asarray(along @ ((along.T @ slope) / np.abs(values[curved])) / scale)


def _backtrack(
    loss_and_gradient: LossAndGradient, parameters: Array, loss: float, gradient: Array, direction: Array
) -> tuple[tuple[Array, float, Array] | None, int]:
    """The first of the halved steps that lowers the loss enough, and how many were tried."""
    slope, size = float(gradient @ direction), 1.0
    for tried in range(1, MOST_HALVINGS + 1):
        there = parameters + size * direction
        found, its_gradient = loss_and_gradient(there)
        if found <= loss + SUFFICIENT * size * slope and found < loss:
            return (there, found, its_gradient), tried
        # Near the minimum losses differ by rounding alone, and the gradient still tells.
        near = abs(found - loss) <= 1e-9 * max(abs(loss), 1e-300)
        if near and np.abs(its_gradient).max() < 0.5 * np.abs(gradient).max():
            return (there, found, its_gradient), tried
        size /= 2
    return None, MOST_HALVINGS
