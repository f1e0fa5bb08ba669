"""Gradient descent on all the data: a fixed step, a schedule, or the best step along the gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...graph.node import Array
from .result import LossAndGradient, MinimizationResult

__all__ = ["DescentResult", "StepSize", "minimize_gradient_descent"]

StepSize = float | str | Callable[[int], float]
"""ε, ``"exact"``, or a function from the iteration t = 0, 1, … to ε."""

MOST_DOUBLINGS = 100
BEYOND = 1e150
"""The slope where it is not finite: large, and small enough to be multiplied."""


@dataclass(frozen=True)
class DescentResult(MinimizationResult):
    """Where gradient descent ended.

    Attributes
    ----------
    ended : {"delta", "n_iter", "diverged"}
        |l_{t+1} − l_t| ≤ δ; t = n_iter; or a loss that is not finite, where ``parameters`` are the last good ones.
    steps : list of float
        ε of each iteration.
    path : ndarray, shape (n_iterations + 1, P), or None
        The parameters before the first and after each iteration, where they were asked for.
    """

    ended: str = "n_iter"
    steps: list[float] = field(default_factory=list)
    path: Array | None = None


def minimize_gradient_descent(
    loss_and_gradient: LossAndGradient,
    start: Array,
    *,
    step: StepSize = 0.1,
    delta: float = 1e-6,
    n_iter: int = 1000,
    keep_path: bool = False,
) -> DescentResult:
    """θ ← θ − ε·∇l(θ) until |l_{t+1} − l_t| ≤ δ or t = n_iter (Cauchy 1847).

    The losses are those of all the data, l_{t+1} after the step. With ``step="exact"`` each ε minimises
    l(θ − ε·∇l): for a convex l the zero of the slope along the way, which only rises.

    Parameters
    ----------
    loss_and_gradient : callable
        From a vector (P,) in float64 to the loss and its gradient (P,).
    start : ndarray, shape (P,)
    step : float, "exact" or callable
        ε > 0; found anew by an exact line search; or a function of the iteration.
    delta : float
        δ ≥ 0.
    n_iter : int
    keep_path : bool
        Whether the result has the parameters of each iteration.

    Raises
    ------
    ValueError
        For a step that is not above 0, or another word than ``"exact"``.

    Examples
    --------
    >>> import numpy as np
    >>> valley = lambda w: (0.5 * (w[0] ** 2 + 10 * w[1] ** 2), np.array([w[0], 10 * w[1]]))
    >>> found = minimize_gradient_descent(valley, np.array([10.0, 1.0]), step="exact", delta=1e-12)
    >>> found.ended, found.parameters.round(4) + 0.0
    ('delta', array([0., 0.]))
    >>> minimize_gradient_descent(valley, np.array([10.0, 1.0]), step=0.1, n_iter=3).ended
    'n_iter'
    """
    choose = _chooser(step)
    here = np.array(start, np.float64)
    loss, gradient = loss_and_gradient(here)
    path, losses, steps = [here], [], list[float]()
    evaluations, ended = 1, "n_iter"
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        return DescentResult(here, loss, 0, 1, False, WORDS["diverged"], [], "diverged", [], _path(path, keep_path))
    for t in range(n_iter):
        with np.errstate(over="ignore", invalid="ignore"):
            size, there, tried = choose(loss_and_gradient, here, gradient, t, steps[-1] if steps else 1.0)
            if there is None:
                there = (here - size * gradient, *loss_and_gradient(here - size * gradient))
        evaluations += tried
        if not (np.isfinite(there[1]) and np.isfinite(there[2]).all()):
            ended = "diverged"
            break
        change, (here, loss, gradient) = abs(there[1] - loss), there
        losses.append(loss)
        steps.append(size)
        if keep_path:
            path.append(here)
        if change <= delta:
            ended = "delta"
            break
    return DescentResult(
        here,
        loss,
        len(losses),
        evaluations,
        ended == "delta",
        WORDS[ended],
        losses,
        ended,
        steps,
        _path(path, keep_path),
    )


WORDS = {
    "delta": "the loss changed by no more than delta",
    "n_iter": "n_iter iterations were done before the loss changed by no more than delta",
    "diverged": "the loss is not finite: the step is too large",
}

Point = tuple[Array, float, Array]
Chooser = Callable[[LossAndGradient, Array, Array, int, float], tuple[float, "Point | None", int]]


def _path(path: list[Array], keep: bool) -> Array | None:
    return np.stack(path) if keep else None


def _chooser(step: Any) -> Chooser:
    """From where it is to the step's size, what was found there if it was looked at, and the evaluations it took."""
    if isinstance(step, str):
        if step != "exact":
            raise ValueError(f'step must be a number above 0, "exact" or a function of the iteration, got {step!r}')
        return _exact
    if callable(step):
        return lambda f, here, gradient, t, last: (_positive(step(t)), None, 1)
    size = _positive(step)
    return lambda f, here, gradient, t, last: (size, None, 1)


def _positive(step: Any) -> float:
    try:
        size = float(step)
    except (TypeError, ValueError):
        size = np.nan
    if isinstance(step, bool) or not (size > 0 and np.isfinite(size)):
        raise ValueError(f'step must be a number above 0, "exact" or a function of the iteration, got {step!r}')
    return size


def _exact(
    loss_and_gradient: LossAndGradient, here: Array, gradient: Array, t: int, last: float
) -> tuple[float, Point | None, int]:
    """The zero of φ′(ε) = −∇l(θ − ε·∇l)·∇l(θ), between two ε of different sign (Brent 1973, chapter 4)."""
    from scipy.optimize import brentq

    seen: dict[float, Point] = {}

    def slope(size: float) -> float:
        there = here - size * gradient
        loss, its_gradient = loss_and_gradient(there)
        seen[size] = there, loss, its_gradient
        found = -float(its_gradient @ gradient)
        # Where it overflows the loss has long risen.
        return found if np.isfinite(found) else BEYOND

    at_start = -float(gradient @ gradient)
    if at_start == 0:
        return last, (here, *loss_and_gradient(here)), 1
    low, high, doublings = 0.0, last, 0
    while (value := slope(high)) < 0 and doublings < MOST_DOUBLINGS:
        low, high, doublings = high, 2 * high, doublings + 1
    if value <= 0:
        return high, seen[high], len(seen)
    known = {low: -float(seen[low][2] @ gradient) if low else at_start, high: value}
    size = float(
        brentq(lambda e: known[e] if e in known else slope(e), low, high, xtol=1e-300, rtol=1e-6, maxiter=1500)
    )
    if size == 0 or not np.isfinite(seen[size][1] if size in seen else slope(size)):
        return size, (here, *loss_and_gradient(here)), len(seen) + 1
    return size, seen[size], len(seen)
