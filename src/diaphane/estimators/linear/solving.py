"""How the parameters of a linear model are found: which driver, how it is set, and what is said where it failed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...engines import State
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
from ...optim.drivers.newton import newton_direction
from ...training import Callback, DivergenceError, TrainingRun
from .coordinates import Coordinates
from .objective import Objective
from .sampling import MOST_PARAMETERS, newton_by_sample, sample_of
from .stochastic import LayerPlan, layer_of

__all__ = ["SOLVERS", "DescentWarning", "Settings", "solve", "warn_unless_converged"]

SOLVERS = ("lbfgs", "newton", "gd", "sgd")

LOSS_TOLERANCE = float(np.finfo(np.float64).eps)
"""L-BFGS ends by its gradient, unless the loss cannot get lower in floating point."""

FAR = 1e4
"""Times the rounding of a gradient: one that is larger is not made of it."""

SOON = 15
"""Iterations in which L-BFGS is at its end where features are of one size and hardly correlated."""

LOOK_EACH = 5
"""Epochs of stochastic descent after which all rows' loss is looked at."""

LEAST_RATE = 1e-5
"""Of the first ε: the share of it with which stochastic descent gives up."""

FLATTEST = 1e-2
"""What curvature is taken for where the second derivatives would be too many, columns being of one size."""


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
        Of the gradient, for L-BFGS and Newton; of how far the loss is above its minimum, for stochastic descent.
    learning_rate : float, "exact" or None
        ε; by default exact for gradient descent and 0.1 for stochastic descent.
    delta : float
        δ of gradient descent.
    batch_size : int
    random_state : Any
    l1 : float
        λ₁ of λ₁·Σ|W|.
    keep_path : bool
    positive : bool
        W ≥ 0, for L-BFGS.
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
    positive: bool = False

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
        return _newton(objective, Coordinates.of(objective), start, settings)
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
    sample = None if settings.l1 or settings.positive else sample_of(objective)
    there = Coordinates.of(objective)

    def is_over(found: MinimizationResult) -> bool:
        if found.n_iterations >= settings.max_iter or not np.isfinite(found.loss):
            return True
        return largest_slope(objective, there, settings, found.parameters) <= settings.tol

    steps = settings.max_iter if sample is None else min(SOON, settings.max_iter)
    found = _lbfgs_steps(
        objective, there, start, settings, steps, sample is None and _takes_newton(objective, settings)
    )
    if sample is not None and not is_over(found):
        left = settings.max_iter - found.n_iterations
        by_sample = newton_by_sample(objective, sample, found.parameters, left, settings.tol)
        found = _one_after_the_other(found, by_sample)
        if not is_over(found):
            left = settings.max_iter - found.n_iterations
            found = _one_after_the_other(found, _lbfgs_steps(objective, there, found.parameters, settings, left))
    return _to_its_end(objective, there, settings, found)


def _lbfgs_steps(
    objective: Objective,
    there: Coordinates,
    start: Array,
    settings: Settings,
    steps: int,
    to_be_helped: bool = False,
) -> MinimizationResult:
    """L-BFGS in the coordinates of even columns; as near as it comes soon, where Newton's steps will do the rest."""

    def evaluate(inner: Array) -> tuple[float, Array]:
        loss, slope = objective(there.outward(inner))
        return loss, there.slope(slope)

    def is_near(inner: Array) -> bool:
        if to_be_helped:
            return bool(np.abs(evaluate(inner)[1]).max(initial=0.0) <= settings.tol)
        return largest_slope(objective, there, settings, there.outward(inner)) <= settings.tol

    least = np.where(there.strengths(1.0) > 0, 0.0, -np.inf)
    found = minimize_lbfgs(
        evaluate,
        there.inward(start),
        max_iterations=steps,
        max_evaluations=50 * steps + 1,
        tolerance=0.0,
        loss_tolerance=LOSS_TOLERANCE,
        max_line_search=50,
        bounds=(least, None) if settings.positive else None,
        l1=there.strengths(settings.l1) if settings.l1 else None,
        ended=is_near,
    )
    return replace(found, parameters=there.outward(found.parameters))


def _takes_newton(objective: Objective, settings: Settings) -> bool:
    return objective.size <= MOST_PARAMETERS and not settings.l1 and not settings.positive


def _to_its_end(
    objective: Objective, there: Coordinates, settings: Settings, found: MinimizationResult
) -> MinimizationResult:
    """What L-BFGS has found, by Newton's steps from where it sees no lower loss, and whether it is the minimum."""
    slope = largest_slope(objective, there, settings, found.parameters)
    if not np.isfinite(slope) or slope <= settings.tol or found.n_iterations >= settings.max_iter:
        return replace(found, converged=bool(slope <= settings.tol))
    if _takes_newton(objective, settings):
        left = replace(settings, max_iter=settings.max_iter - found.n_iterations)
        return _one_after_the_other(found, _newton(objective, there, found.parameters, left))
    # A loss that differs by rounding alone tells gradients no better.
    reach = there.reach(found.parameters).max(initial=0.0)
    noise = 4 * np.sqrt(np.finfo(objective.dtype).eps * (abs(found.loss) + reach * np.sqrt(abs(found.loss))))
    if np.abs(_free_slopes(objective, there, settings, found.parameters)[1]).max(initial=0.0) <= noise:
        return replace(found, converged=True)
    return replace(found, converged=False, message=_stuck(slope, settings))


def _newton(objective: Objective, there: Coordinates, start: Array, settings: Settings) -> NewtonResult:
    precision = float(np.finfo(objective.dtype).eps)
    found = minimize_newton(
        objective,
        objective.hessian,
        start,
        max_iterations=settings.max_iter,
        precision=precision,
        ended=lambda vector: largest_slope(objective, there, settings, vector) <= settings.tol,
    )
    slope = largest_slope(objective, there, settings, found.parameters)
    rounding = FAR * there.rounding(found.parameters, precision).max(initial=precision)
    if not found.converged or slope <= max(settings.tol, rounding):
        return found
    # One cell of 1e20 makes the loss so curved that no step is small enough, and its slope is not rounding.
    return replace(found, converged=False, message=_stuck(slope, settings))


def _stuck(slope: float, settings: Settings) -> str:
    return f"no lower loss was found, though the gradient is as large as {slope:.3g}, above tol = {settings.tol:g}"


def largest_slope(objective: Objective, there: Coordinates, settings: Settings, vector: Array) -> float:
    """The largest component of the gradient, of columns as they are or of one size, which must be 0 at the minimum.

    Of columns as they are alone it would be near 0 anywhere where they are small; where they are far from 0, what is
    rounding does not count.
    """
    slope, even = _free_slopes(objective, there, settings, vector)
    own = np.abs(slope) - there.rounding(vector, float(np.finfo(objective.dtype).eps))
    return float(max(own.max(initial=0.0), np.abs(even).max(initial=0.0)))


def _free_slopes(objective: Objective, there: Coordinates, settings: Settings, vector: Array) -> tuple[Array, Array]:
    """The gradient, of columns as they are and of one size, without what a kink or a bound holds."""
    slope, split = objective(vector)[1], objective.inputs * objective.outputs
    coef, strengths = vector[:split], there.strengths(settings.l1)[:split]
    slopes = slope, there.slope(slope)
    for own, strength in zip((s[:split] for s in slopes), (settings.l1, strengths), strict=True):
        if settings.l1:
            kept = np.sign(own) * np.maximum(np.abs(own) - strength, 0)
            own[:] = np.where(coef == 0, kept, own + strength * np.sign(coef))
        if settings.positive:
            own[:] = np.where(coef > 0, own, np.minimum(own, 0))
    return slopes


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
        rises = int(np.sum(np.diff(result.losses) > 0))
        if rises and settings.learning_rate not in (None, "exact"):
            warnings.warn(
                f"gradient descent ended at n_iter = {settings.max_iter} (max_iter) with the loss rising in {rises} of "
                f"its iterations, from {min(result.losses):.3g} at its least to {result.losses[-1]:.3g}: "
                f"learning_rate={settings.learning_rate!r} is too large. Take a smaller one, or "
                "learning_rate='exact', or scale the features.",
                DescentWarning,
                stacklevel=stacklevel,
            )
            return
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


class _Descent(Callback):
    """The loss of all rows, looked at every few epochs: where it has not fallen since, ε / 4; the end at the minimum.

    Steps of one size go fast as far as their noise lets them, and no further; of one so small that the noise does not
    matter they would take forever (Robbins & Monro 1951; Bottou, Curtis & Nocedal 2018, section 4.2).
    """

    def __init__(self, objective: Objective, unpack: Callable[[State], tuple[Array, Array]], first: float, tol: float):
        self.objective, self.unpack, self.first, self.rate, self.tol = objective, unpack, first, first, tol
        self.before = np.inf

    def on_epoch_end(self, run: TrainingRun) -> None:
        if run.epoch % LOOK_EACH:
            return
        vector = self.objective.pack(*self.unpack(run.network_state))
        if above_minimum(self.objective, vector) <= self.tol:
            run.stop("the loss is above its minimum by no more than tol")
            return
        loss = self.objective.value(vector)
        if not loss < self.before:
            self.rate /= 4
            if self.rate < LEAST_RATE * self.first:
                run.stop("the steps have become too small to get any further")
                return
            run.set_hyperparameter("learning_rate", self.rate)
        self.before = loss


def above_minimum(objective: Objective, vector: Array) -> float:
    """½·∇lᵀH⁺∇l, by how much l is above its minimum where it is nearly a parabola (Boyd & Vandenberghe 2004, § 9.5)."""
    slope = objective(vector)[1]
    if objective.size > MOST_PARAMETERS:
        inner = Coordinates.of(objective).slope(slope)
        return float(0.5 * inner @ inner / FLATTEST)
    curvature = objective.hessian(vector)
    if not np.isfinite(curvature).all() or not np.isfinite(slope).all():
        return float("inf")
    return float(0.5 * slope @ newton_direction(curvature, slope, float(np.finfo(objective.dtype).eps)))


def _stochastic(objective: Objective, start: Array, settings: Settings) -> MinimizationResult:
    rate = 0.1 if settings.learning_rate is None else settings.learning_rate
    if isinstance(rate, str) or callable(rate):
        raise ValueError(f"solver='sgd' takes a number as learning_rate, the first epochs' ε, got {rate!r}")
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
    try:
        result = layer.fit(
            SGD(float(rate)),
            (objective.x, objective.target, objective.weights),
            objective.unpack(start),
            (0.0, objective.l2),
            {
                "batch_size": min(settings.batch_size, objective.x.shape[0]),
                "epochs": settings.max_iter,
                "callbacks": [_Descent(objective, layer.unpack, float(rate), settings.tol)],
                "random_state": settings.random_state,
            },
        )
    except DivergenceError as error:
        epoch = len(error.result.history["loss"]) + 1
        raise DivergenceError(
            f"solver='sgd' diverged in epoch {epoch} with learning_rate={rate:g}: the loss is not finite any more, and "
            "nothing is fitted. Take a smaller learning_rate, or scale the features: scaled inputs take steps of one "
            "size, see scikit-learn's StandardScaler",
            error.node,
            error.result,
        ) from None
    vector = objective.pack(*layer.unpack(result.state))
    losses = [float(loss) for loss in result.history["loss"]]
    gap, epochs = above_minimum(objective, vector), len(losses)
    message = f"the loss is still above its minimum by about {gap:.2g}, more than tol = {settings.tol:g}"
    return MinimizationResult(vector, objective.value(vector), epochs, epochs, gap <= settings.tol, message, losses)
