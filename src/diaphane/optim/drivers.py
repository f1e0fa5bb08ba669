"""Drivers: methods that choose where to evaluate a loss-and-gradient program next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..graph.node import Array

__all__ = ["LBFGSResult", "minimize_lbfgs"]


@dataclass(frozen=True)
class LBFGSResult:
    """Where L-BFGS ended.

    Attributes
    ----------
    parameters : ndarray, shape (P,)
    loss : float
    n_iterations, n_evaluations : int
    converged : bool
    message : str
        SciPy's word on why it ended.
    losses : list of float
        After each iteration.
    """

    parameters: Array
    loss: float
    n_iterations: int
    n_evaluations: int
    converged: bool
    message: str
    losses: list[float]


def minimize_lbfgs(
    loss_and_gradient: Callable[[Array], tuple[float, Array]],
    start: Array,
    *,
    max_iterations: int = 200,
    max_evaluations: int = 15000,
    tolerance: float = 1e-4,
) -> LBFGSResult:
    """Limited-memory BFGS, SciPy's (Liu & Nocedal 1989; Zhu, Byrd, Lu & Nocedal 1997).

    Parameters
    ----------
    loss_and_gradient : callable
        From a vector (P,) in float64 to the loss and its gradient (P,).
    start : ndarray, shape (P,)
    max_iterations, max_evaluations : int
    tolerance : float
        It ends where no component of the gradient is larger.

    Examples
    --------
    >>> import numpy as np
    >>> found = minimize_lbfgs(lambda w: (float(((w - 3) ** 2).sum()), 2 * (w - 3)), np.zeros(2))
    >>> found.parameters.round(6), found.converged
    (array([3., 3.]), True)
    """
    from scipy.optimize import minimize

    losses: list[float] = []

    def evaluate(vector: Array) -> tuple[float, Array]:
        loss, gradient = loss_and_gradient(vector)
        return loss, np.asarray(gradient, np.float64)

    found = minimize(
        evaluate,
        np.asarray(start, np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=lambda intermediate_result: losses.append(float(intermediate_result.fun)),
        options={"maxfun": max_evaluations, "maxiter": max_iterations, "gtol": tolerance},
    )
    return LBFGSResult(
        np.asarray(found.x),
        float(found.fun),
        int(found.nit),
        int(found.nfev),
        found.status == 0,
        str(found.message),
        losses,
    )
