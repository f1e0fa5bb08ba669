"""How the parameters of a linear model are found: which driver, how it is set, and what is said where it failed."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...engines.native.threads import one_blas_thread
from ...graph.node import Array
from ...optim import (
    SGD,
    DescentResult,
    MinimizationResult,
    NewtonResult,
    minimize_gradient_descent,
    minimize_lbfgs,
    minimize_newton,
)
from ...training import Callback, EarlyStopping, TrainingRun
from .objective import Objective
from .sampling import newton_by_sample, sample_of
from .stochastic import LayerPlan, layer_of

__all__ = ["SOLVERS", "DescentWarning", "Settings", "solve", "warn_unless_converged"]

SOLVERS = ("lbfgs", "newton", "gd", "sgd")

LOSS_TOLERANCE = float(np.finfo(np.float64).eps)
"""L-BFGS ends by its gradient, unless the loss cannot get lower in floating point."""

SOON = 15
"""Iterations in which L-BFGS is at its end where features are of one size and hardly correlated."""

PATIENCE = 5
"""Epochs of stochastic descent that may go by without the loss getting lower by ``tol``."""


class DescentWarning(ConvergenceWarning):
    """Gradient descent ended at ``n_iter``, before the loss changed by no more than δ."""


@dataclass(frozen=True)
class Settings:
    """What a solver is told.

    Attributes
    ----------
    solver : one of :data:`SOLVERS`
    max_iter : int
    tol : float
        Of the gradient, for L-BFGS and Newton; of an epoch's loss, for stochastic descent.
    learning_rate : float, "exact" or None
        ε; by default exact for gradient descent and 0.1 for stochastic descent.
    delta : float
        δ of gradient descent.
    batch_size : int
    random_state : Any
    l1 : float
        λ₁ of λ₁·Σ|W|.
    keep_path : bool
    """

    solver: str
    max_iter: int
    tol: float
    learning_rate: Any = None
    delta: float = 1e-6
    batch_size: int = 32
    random_state: Any = None
    l1: float = 0.0
    keep_path: bool = False

    def with_l1(self, factor: float) -> Settings:
        """The same with λ₁ times so much."""
        return replace(self, l1=self.l1 * factor)


def solve(objective: Objective, start: Array, settings: Settings) -> MinimizationResult:
    """The minimum of an objective, and what it took.

    Raises
    ------
    ValueError
        If there is an L1 term and the solver cannot take one.
    """
    # A second thread of BLAS goes on spinning after each small product of a driver's, on the core a block would take.
    with one_blas_thread(sys.maxsize):
        return _solve(objective, start, settings)


def _solve(objective: Objective, start: Array, settings: Settings) -> MinimizationResult:
    if settings.l1 and settings.solver != "lbfgs":
        raise ValueError(
            f"solver={settings.solver!r} takes no L1 penalty, whose kink at 0 it cannot see: solver='lbfgs'"
        )
    if settings.solver == "lbfgs":
        return _lbfgs(objective, start, settings)
    if settings.solver == "newton":
        return minimize_newton(
            objective,
            objective.hessian,
            start,
            max_iterations=settings.max_iter,
            tolerance=settings.tol,
            precision=float(np.finfo(objective.dtype).eps),
        )
    if settings.solver == "gd":
        return minimize_gradient_descent(
            objective,
            start,
            step="exact" if settings.learning_rate is None else settings.learning_rate,
            delta=settings.delta,
            n_iter=settings.max_iter,
            keep_path=settings.keep_path,
        )
    return _stochastic(objective, start, settings)


def _lbfgs(objective: Objective, start: Array, settings: Settings) -> MinimizationResult:
    """L-BFGS; where it is not soon at its end, helped on by the second derivatives of a sample."""
    sample = None if settings.l1 else sample_of(objective)
    if sample is None:
        return _lbfgs_steps(objective, start, settings, settings.max_iter)
    first = _lbfgs_steps(objective, start, settings, min(SOON, settings.max_iter))
    if first.converged or first.n_iterations >= settings.max_iter or not np.isfinite(first.loss):
        return first
    left = settings.max_iter - first.n_iterations
    second = newton_by_sample(objective, sample, first.parameters, left, settings.tol)
    both = _one_after_the_other(first, second)
    at_its_end = np.abs(objective(second.parameters)[1]).max() <= settings.tol
    if at_its_end or both.n_iterations >= settings.max_iter:
        return replace(both, converged=bool(at_its_end))
    third = _lbfgs_steps(objective, second.parameters, settings, settings.max_iter - both.n_iterations)
    return _one_after_the_other(both, third)


def _lbfgs_steps(objective: Objective, start: Array, settings: Settings, steps: int) -> MinimizationResult:
    strengths = objective.pack(np.full((objective.inputs, objective.outputs), settings.l1), np.zeros(objective.outputs))
    return minimize_lbfgs(
        objective,
        start,
        max_iterations=steps,
        max_evaluations=50 * steps + 1,
        tolerance=settings.tol,
        loss_tolerance=LOSS_TOLERANCE,
        max_line_search=50,
        l1=strengths if settings.l1 else None,
    )


def _one_after_the_other(first: MinimizationResult, second: MinimizationResult) -> MinimizationResult:
    return MinimizationResult(
        second.parameters,
        second.loss,
        first.n_iterations + second.n_iterations,
        first.n_evaluations + second.n_evaluations,
        second.converged,
        second.message,
        [*first.losses, *second.losses],
    )


def warn_unless_converged(result: MinimizationResult, settings: Settings, stacklevel: int) -> None:
    """Say which limit ended it, where that was not its own criterion."""
    if result.converged:
        return
    if isinstance(result, NewtonResult) and not np.isfinite(result.hessian).all():
        raise ValueError("newton: the second derivatives are not finite, the features being too large: scale them")
    if isinstance(result, DescentResult):
        if result.ended == "diverged":
            raise ValueError(
                f"gradient descent with learning_rate={settings.learning_rate} diverged after {result.n_iterations} "
                "iterations: take a smaller one, learning_rate='exact', or scale the features"
            )
        last = np.abs(np.diff(result.losses[-2:]))
        change = f"; the last iteration still changed the loss by {last[0]:.3g}" if len(last) else ""
        warnings.warn(
            f"gradient descent ended at n_iter = {settings.max_iter} (max_iter), before the loss changed by no "
            f"more than δ = {settings.delta:g} (delta){change}. Raise max_iter or delta, or scale the features.",
            DescentWarning,
            stacklevel=stacklevel,
        )
        return
    warnings.warn(
        f"{settings.solver} failed to converge after {result.n_iterations} iteration(s): {result.message}. Increase "
        "the number of iterations (max_iter) or scale the data, see scikit-learn's StandardScaler.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )


class _Falling(Callback):
    """ε / k in the k-th epoch, the rate with which stochastic steps come to rest (Robbins & Monro 1951)."""

    def __init__(self, first: float) -> None:
        self.first = first

    def on_epoch_end(self, run: TrainingRun) -> None:
        run.set_hyperparameter("learning_rate", self.first / (run.epoch + 1))


def _stochastic(objective: Objective, start: Array, settings: Settings) -> MinimizationResult:
    rate = 0.1 if settings.learning_rate is None else settings.learning_rate
    if isinstance(rate, str) or callable(rate):
        raise ValueError(f"solver='sgd' takes a number as learning_rate, the first epoch's ε, got {rate!r}")
    plan = LayerPlan(
        objective.inputs,
        objective.outputs,
        objective.loss,
        SGD(),
        objective.fit_intercept,
        False,
        objective.l2 > 0,
        objective.dtype.name,
        objective.engine,
    )
    layer = layer_of(plan)
    result = layer.fit(
        SGD(float(rate)),
        (objective.x, objective.target, objective.weights),
        objective.unpack(start),
        (0.0, objective.l2),
        {
            "batch_size": min(settings.batch_size, objective.x.shape[0]),
            "epochs": settings.max_iter,
            "callbacks": [
                EarlyStopping("loss", PATIENCE, settings.tol, restore_best=False),
                _Falling(float(rate)),
            ],
            "random_state": settings.random_state,
        },
    )
    vector = objective.pack(*layer.unpack(result.state))
    losses = [float(loss) for loss in result.history["loss"]]
    epochs, converged = len(losses), result.history.stopped != "epochs"
    last = losses[-1] if losses else float("nan")
    return MinimizationResult(vector, last, epochs, epochs, converged, str(result.history.stopped), losses)
