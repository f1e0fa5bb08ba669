"""L-BFGS: second-order steps from the last few gradients alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.node import Array
from .result import LossAndGradient, MinimizationResult

__all__ = ["LBFGSResult", "minimize_lbfgs"]

LOSS_TOLERANCE = 2.220446049250313e-09
"""SciPy's own."""

STOPPED = 99
"""SciPy's status of a minimisation that its callback has ended."""

NEAR_ENOUGH = "CONVERGENCE: the caller's own criterion was met"


@dataclass(frozen=True)
class LBFGSResult(MinimizationResult):
    """Where L-BFGS ended; ``message`` is SciPy's word on why."""


def minimize_lbfgs(
    loss_and_gradient: LossAndGradient,
    start: Array,
    *,
    max_iterations: int = 200,
    max_evaluations: int = 15000,
    tolerance: float = 1e-4,
    loss_tolerance: float = LOSS_TOLERANCE,
    max_line_search: int = 20,
    bounds: tuple[Array | None, Array | None] | None = None,
    l1: Array | float | None = None,
    ended: Callable[[Array], bool] | None = None,
) -> LBFGSResult:
    """Limited-memory BFGS, SciPy's (Liu & Nocedal 1989; Zhu, Byrd, Lu & Nocedal 1997).

    With ``l1`` it minimises F(θ) + Σⱼ λⱼ·|θⱼ|. That has a kink where θⱼ = 0, so each such θⱼ is split into θⱼ⁺ − θⱼ⁻
    with both at least 0, and |θⱼ| = θⱼ⁺ + θⱼ⁻ at the minimum (Schmidt, Fung & Rosales 2007, section 2.5): smooth, with
    bounds, and what is 0 comes out as exactly 0.

    Parameters
    ----------
    loss_and_gradient : callable
        From a vector (P,) in float64 to the loss and its gradient (P,), without the L1 term.
    start : ndarray, shape (P,)
    max_iterations, max_evaluations : int
    tolerance : float
        It ends where no component of the (projected) gradient is larger.
    loss_tolerance : float
        It ends where an iteration lowers the loss by less than this share of it.
    max_line_search : int
        Evaluations of one line search.
    bounds : (lower, upper), optional
        Of shape (P,) each, with infinities where there is none; None for no bound on that side. Not with ``l1``.
    l1 : float or ndarray, shape (P,), optional
        λ ≥ 0, one for all or one for each parameter.
    ended : callable, optional
        Asked of the start and after each iteration: whether these parameters (P,) are near enough to the minimum.

    Raises
    ------
    ValueError
        If ``l1`` is negative, or given together with bounds.

    Examples
    --------
    >>> import numpy as np
    >>> found = minimize_lbfgs(lambda w: (float(((w - 3) ** 2).sum()), 2 * (w - 3)), np.zeros(2))
    >>> found.parameters.round(6), found.converged
    (array([3., 3.]), True)

    ½·(w − c)² + λ·|w| has its minimum at c shrunk by λ, or at 0:

    >>> c = np.array([3.0, -0.5])
    >>> found = minimize_lbfgs(lambda w: (0.5 * float(((w - c) ** 2).sum()), w - c), np.zeros(2), l1=1.0)
    >>> found.parameters.round(6)
    array([2., 0.])
    """
    start = np.asarray(start, np.float64)
    strengths = None if l1 is None else np.broadcast_to(np.asarray(l1, np.float64), start.shape)
    if strengths is not None and not np.all(strengths >= 0):
        raise ValueError(f"l1 must be at least 0, got {l1!r}")
    if strengths is None or not strengths.any():
        limits = _limits(bounds)
        return _scipy(
            loss_and_gradient,
            start,
            limits,
            max_iterations,
            max_evaluations,
            tolerance,
            loss_tolerance,
            max_line_search,
            ended,
        )
    if bounds is not None:
        raise ValueError("l1 and bounds are not for the same call: the split into parts of one sign takes the bounds")
    split = _Split(loss_and_gradient, strengths)
    found = _scipy(
        split,
        split.parts(start),
        split.limits(),
        max_iterations,
        max_evaluations,
        tolerance,
        loss_tolerance,
        max_line_search,
        None if ended is None else lambda parts: ended(split.whole(parts)),
    )
    whole = split.whole(found.parameters)
    return LBFGSResult(
        whole, found.loss, found.n_iterations, found.n_evaluations, found.converged, found.message, found.losses
    )


class _Split:
    """A loss with an L1 term as a smooth one of θ⁺ (or θ itself where λ = 0), then θ⁻ of those that are split."""

    def __init__(self, loss_and_gradient: LossAndGradient, strengths: Array) -> None:
        self.loss_and_gradient, self.strengths = loss_and_gradient, strengths
        self.penalised = strengths > 0

    def parts(self, vector: Array) -> Array:
        first = np.where(self.penalised, np.maximum(vector, 0), vector)
        return np.concatenate([first, np.maximum(-vector[self.penalised], 0)])

    def whole(self, parts: Array) -> Array:
        size = len(self.strengths)
        vector = parts[:size].copy()
        vector[self.penalised] -= parts[size:]
        return vector

    def limits(self) -> tuple[Array, Array]:
        lower = np.concatenate([np.where(self.penalised, 0.0, -np.inf), np.zeros(self.penalised.sum())])
        return lower, np.full(lower.shape, np.inf)

    def __call__(self, parts: Array) -> tuple[float, Array]:
        loss, gradient = self.loss_and_gradient(self.whole(parts))
        size, own = len(self.strengths), self.strengths[self.penalised]
        loss += float(self.strengths @ np.where(self.penalised, parts[:size], 0)) + float(own @ parts[size:])
        return loss, np.concatenate([gradient + self.strengths, own - gradient[self.penalised]])


def _limits(bounds: tuple[Array | None, Array | None] | None) -> tuple[Array, Array] | None:
    if bounds is None:
        return None
    lower, upper = bounds
    return (
        np.asarray(-np.inf if lower is None else lower, np.float64),
        np.asarray(np.inf if upper is None else upper, np.float64),
    )


def _scipy(
    loss_and_gradient: LossAndGradient,
    start: Array,
    limits: tuple[Array, Array] | None,
    max_iterations: int,
    max_evaluations: int,
    tolerance: float,
    loss_tolerance: float,
    max_line_search: int,
    ended: Callable[[Array], bool] | None,
) -> LBFGSResult:
    from scipy.optimize import Bounds, minimize

    losses: list[float] = []

    def evaluate(vector: Array) -> tuple[float, Array]:
        loss, gradient = loss_and_gradient(vector)
        return loss, np.asarray(gradient, np.float64)

    def remember(intermediate_result: Any) -> None:
        losses.append(float(intermediate_result.fun))
        if ended is not None and ended(np.asarray(intermediate_result.x)):
            raise StopIteration

    if ended is not None and ended(start):
        return LBFGSResult(np.array(start), float(evaluate(start)[0]), 0, 1, True, NEAR_ENOUGH, [])
    found = minimize(
        evaluate,
        start,
        method="L-BFGS-B",
        jac=True,
        bounds=None if limits is None else Bounds(*limits),
        callback=remember,
        options={
            "maxfun": max_evaluations,
            "maxiter": max_iterations,
            "gtol": tolerance,
            "ftol": loss_tolerance,
            "maxls": max_line_search,
        },
    )
    return LBFGSResult(
        np.asarray(found.x),
        float(found.fun),
        int(found.nit),
        int(found.nfev),
        found.status in (0, STOPPED),
        NEAR_ENOUGH if found.status == STOPPED else str(found.message),
        losses,
    )
