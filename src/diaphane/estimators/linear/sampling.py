"""Newton steps over many rows, whose second derivatives are a sample's."""

from __future__ import annotations

import numpy as np

from ...graph.node import Array
from ...optim import NewtonResult, minimize_newton
from .objective import Objective

__all__ = ["newton_by_sample", "sample_of"]

SHARE = 32
"""One row of so many is in the sample."""

ROWS_OF_A_PARAMETER = 100
"""Rows of the sample for each parameter, at the least: its second derivatives are then near enough those of all."""

MOST_PARAMETERS = 500

LEAST_ELEMENTS = 1 << 20
"""Numbers in the data below which a pass over all of them is no more than the sample costs."""

MOST_STEPS = 10


def sample_of(objective: Objective) -> Objective | None:
    """The same objective over a sample of the rows; None where there are too few for one to tell enough."""
    n = objective.x.shape[0]
    rows = max(n // SHARE, ROWS_OF_A_PARAMETER * objective.size)
    if objective.size > MOST_PARAMETERS or n * objective.inputs < LEAST_ELEMENTS or 4 * rows > n:
        return None
    return objective.sampled(n // rows)


def newton_by_sample(objective: Objective, sample: Objective, start: Array, max_iter: int, tol: float) -> NewtonResult:
    """θ ← θ − H⁺·∇F, ∇F over all rows and H over a sample's, once (Byrd, Chin, Neveitt & Nocedal 2011).

    Near the optimum each step leaves about √(P/m) of the distance, P parameters and m rows of the sample, whatever the
    features' sizes and correlations: a few come as near as dozens of steps that have gradients alone.

    Parameters
    ----------
    objective, sample : Objective
    start : ndarray, shape (size,)
    max_iter : int
    tol : float
        It ends where no component of the gradient over all rows is larger.
    """
    there = sample.hessian(start)
    return minimize_newton(
        objective,
        lambda _: there,
        start,
        max_iterations=min(MOST_STEPS, max_iter),
        tolerance=tol,
        precision=float(np.finfo(objective.dtype).eps),
    )
