"""Passes of an online rule over the data until they help no more, for one class against the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...engines import Engine
from ...engines.online import OnlineRule, OnlineState, one_pass
from ...graph.node import Array

__all__ = ["Passes", "Problem", "Progress", "StoppedPass", "Stopping", "is_finite", "penalty_of", "repeat_passes"]

SMALLEST_RATE = 1e-6


class StoppedPass(ValueError):
    """A pass ended at a row it could not learn from; ``passes`` has what the whole passes before it found."""

    def __init__(self, reason: str, row: int, epoch: int, passes: Passes) -> None:
        super().__init__(reason)
        self.reason, self.row, self.epoch, self.passes = reason, row, epoch, passes


@dataclass(frozen=True)
class Stopping:
    """When passes end.

    Attributes
    ----------
    epochs : int
        At most.
    tol : float or None
        After ``patience`` passes in a row that did not better the objective (or the score on what is held out) by this.
    patience : int
    without_mistakes : bool
        After a pass without a mistake, from which on nothing would change.
    adaptive : bool
        Divide the rate by 5 rather than end, as long as it is above 10⁻⁶.
    """

    epochs: int
    tol: float | None = None
    patience: int = 5
    without_mistakes: bool = False
    adaptive: bool = False


@dataclass(frozen=True)
class Problem:
    """The rows, and which of them are of the class.

    Attributes
    ----------
    x : ndarray or CSR matrix, shape (n, d)
    positive : bool ndarray, shape (n,)
    weights : float64 ndarray, shape (n,), or None
    seed : int or None
        Of the shuffling; None to take the rows as they lie.
    held_out : bool ndarray, shape (n,), or None
        Rows to score and not to learn from.
    score : callable or None
        From weights and intercept to how good they are on these.
    """

    x: Any
    positive: Array
    weights: Array | None = None
    seed: int | None = None
    held_out: Array | None = None
    score: Callable[[Array, float], float] | None = None


@dataclass
class Passes:
    """What came of them.

    Attributes
    ----------
    state : OnlineState
    losses : list of float
        The objective of each pass: mean loss, each example's before its own step, and the penalty of the last weights.
    mistakes : list of int
        Of each pass.
    mistaken : list of ndarray
        Which rows these were, where they are recorded.
    steps : list of ndarray
        The number of each one's step, likewise.
    scores : list of float
        After each pass, on what is held out.
    converged : bool
        Whether they ended by one of the criteria.
    """

    state: OnlineState
    losses: list[float] = field(default_factory=list)
    mistakes: list[int] = field(default_factory=list)
    mistaken: list[Array] = field(default_factory=list)
    steps: list[Array] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    converged: bool = False


class Progress:
    """Whether passes still help."""

    def __init__(self, stopping: Stopping) -> None:
        self.stopping, self.best, self.waited = stopping, math.inf, 0

    def after(self, found: Passes, rule: OnlineRule) -> tuple[OnlineRule, bool]:
        """The rule of the next pass, and whether there is none."""
        stopping = self.stopping
        if stopping.without_mistakes and found.mistakes[-1] == 0:
            return rule, True
        cost = -found.scores[-1] if found.scores else found.losses[-1]
        self.waited = self.waited + 1 if stopping.tol is not None and cost > self.best - stopping.tol else 0
        self.best = min(self.best, cost)
        if self.waited < stopping.patience:
            return rule, False
        if stopping.adaptive and rule.rate > SMALLEST_RATE:
            self.waited = 0
            return replace(rule, rate=rule.rate / 5), False
        return rule, True


def repeat_passes(
    rule: OnlineRule,
    state: OnlineState,
    problem: Problem,
    stopping: Stopping,
    *,
    record: bool = False,
    engine: str | Engine = "native",
    verbose: bool = False,
) -> Passes:
    """Pass after pass until one of the criteria holds.

    Raises
    ------
    StoppedPass
        Where a score is not finite, or a row has no length to be divided by; the state is that of the last whole pass.
    """
    found = Passes(state)
    order = None if problem.seed is None else np.arange(problem.x.shape[0], dtype=np.int32)
    progress = Progress(stopping)
    for epoch in range(1, stopping.epochs + 1):
        before = state.copy()
        result = one_pass(
            rule,
            state,
            problem.x,
            problem.positive,
            problem.weights,
            order=order,
            seed=problem.seed,
            held_out=problem.held_out,
            record=record,
            engine=engine,
        )
        if result.stopped is not None or not is_finite(state):
            found.state = before
            reason = result.reason or "not finite"
            raise StoppedPass(reason, -1 if result.stopped is None else result.stopped, epoch, found)
        objective = result.loss + penalty_of(rule, state.weights)
        found.losses.append(objective)
        found.mistakes.append(result.mistakes)
        if result.mistaken is not None and result.steps is not None:
            found.mistaken.append(result.mistaken)
            found.steps.append(result.steps)
        if problem.score is not None:
            found.scores.append(problem.score(state.weights, state.intercept))
        if verbose:
            shown = f", validation score {found.scores[-1]:.6f}" if found.scores else ""
            print(f"Epoch {epoch}: loss {objective:.6f}, {result.mistakes} mistakes{shown}")  # noqa: T201
        rule, found.converged = progress.after(found, rule)
        if found.converged:
            break
    return found


def penalty_of(rule: OnlineRule, weights: Array) -> float:
    """l1·‖w‖₁ + ½·l2·‖w‖²."""
    if not (rule.l1 or rule.l2):
        return 0.0
    exact = weights.astype(np.float64, copy=False)
    # Weights that are on their way to overflowing have squares that do: the next pass says so.
    with np.errstate(over="ignore"):
        return 0.5 * rule.l2 * float(exact @ exact) + rule.l1 * float(np.abs(exact).sum())


def is_finite(state: OnlineState) -> bool:
    """Whether all weights are."""
    return math.isfinite(state.intercept) and bool(np.isfinite(state.weights).all())
