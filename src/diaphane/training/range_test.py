"""The learning-rate range test: how far a rate can rise before the loss does."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..engines import NonFiniteError, State
from ..graph.node import Array
from .callbacks import Callback
from .inputs import check_whole

if TYPE_CHECKING:
    from .run import TrainingRun
    from .trainer import Trainer

__all__ = ["RateSweep", "RateTest", "RateTestDone", "rate_test"]

PROBE_ROWS = 1024
"""Rows that the loss is measured on; the same after every step, so that no batch's luck is taken for learning."""

SMOOTHING = 0.8
WORSE = 4.0
"""The test ends where the smoothed loss is so many times its best."""


@dataclass(frozen=True, eq=False)
class RateTest:
    """What a range test found.

    Attributes
    ----------
    rates : array, shape (n,)
        The rate of each step.
    losses : array, shape (n,)
        After it, over the same rows each time, in training (dropout with the same mask), penalties included.
    smoothed : array, shape (n,)
        Their exponential mean, mₜ = β·mₜ₋₁ + (1 − β)·lₜ over 1 − βᵗ, β = 0.8.
    steepest : float or None
        The rate at which the smoothed loss falls the fastest against the logarithm of the rate, before it is at its
        least; None where no rate made it fall.
    suggestion : float or None
        Halfway between the steepest fall and the least loss, √(steepest · least). The one is low for a whole training,
        as only so many steps were made at rates of its size, and more so with momentum; the other is at the edge of
        what can be taken. An order of magnitude, and not more.
    ended : str
        Why it did: the loss rose, was no longer finite, or the greatest rate was reached.
    """

    rates: Array
    losses: Array
    smoothed: Array
    steepest: float | None
    suggestion: float | None
    ended: str


def rate_test(
    trainer: Trainer,
    x: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 200,
) -> RateTest:
    """Train for some steps, each at a greater rate than the one before, and see where the loss falls and rises.

    The rate of step i is low·(high/low)^(i/(steps − 1)) (Smith 2017, §3.3). The trainer, its state and its random
    numbers stay as they were; a schedule is left out.

    Parameters
    ----------
    trainer : Trainer
    x, y, sample_weight
        As for :meth:`~diaphane.training.Trainer.fit`.
    low, high : float
    steps : int

    Returns
    -------
    RateTest

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> x = np.random.default_rng(0).normal(size=(256, 4))
    >>> network = dia.nn.Network(dia.nn.Dense(1), (4,), dtype="float64")
    >>> trainer = dia.training.Trainer(network, "squared_error", "sgd", random_state=0)
    >>> found = rate_test(trainer, x, x.sum(axis=1, keepdims=True))
    >>> 0.01 < found.suggestion < 0.5, found.ended
    (True, 'the loss rose')
    """
    alone = copy(trainer)
    alone.metrics, alone.checkpoint = {}, None
    sweep = RateSweep(low, high, steps)
    alone.callbacks = [sweep]
    alone.random_state = _apart(trainer.random_state)
    if alone.optimizer.schedule is not None:
        alone.optimizer, alone._steps = replace(alone.optimizer, schedule=None), {}
    try:
        alone.fit(x, y, sample_weight=sample_weight)
    except RateTestDone as done:
        return done.found
    raise AssertionError("a sweep ends a fit before its first epoch")


class RateTestDone(Exception):
    """The test is over, and nothing is to be trained.

    Attributes
    ----------
    found : RateTest
    """

    def __init__(self, found: RateTest) -> None:
        super().__init__("the rate test is over")
        self.found = found


class RateSweep(Callback):
    """The test as a callback: it is made where a training starts, which it ends by :class:`RateTestDone`."""

    def __init__(self, low: float = 1e-7, high: float = 10.0, steps: int = 200) -> None:
        for name, value in (("low", low), ("high", high)):
            if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < np.inf:
                raise ValueError(f"{name} must be a finite learning rate greater than 0, got {value!r}")
        if not low < high:
            raise ValueError(f"low must be less than high, got low={low!r} and high={high!r}")
        self.rates = np.geomspace(low, high, check_whole("steps", steps, 10))

    def on_fit_start(self, run: TrainingRun) -> NoReturn:
        with np.errstate(all="ignore"):
            losses, ended = self._losses(run)
        raise RateTestDone(_read(self.rates[: len(losses)], np.array(losses), ended))

    def _losses(self, run: TrainingRun) -> tuple[list[float], str]:
        if "learning_rate" not in run.step.hyperparameters:
            raise ValueError(f"{run.step.optimizer} has no learning rate to test")
        assert run.learnt is not None
        rng = np.random.default_rng(0)
        probe = np.sort(rng.choice(run.learnt, min(PROBE_ROWS, len(run.learnt)), replace=False))
        batches = _batches(run.learnt, run.batch_size, rng)
        losses: list[float] = []
        state, best = run.state, np.inf
        for i, rate in enumerate(self.rates):
            state = state.replace({run.step.hyperparameters["learning_rate"]: rate})
            try:
                _, state = _one_step(run, state, next(batches), i + 1)
                loss, _ = _one_step(run, state, probe, 0)
            except NonFiniteError:
                return losses, "the loss was no longer finite"
            losses.append(loss)
            smoothed = _smoothed(np.array(losses))[-1]
            best = min(best, smoothed)
            if smoothed > best + (WORSE - 1) * abs(best):
                return losses, "the loss rose"
        return losses, "the greatest rate was reached"


def _batches(rows: Array, size: int, rng: Any) -> Iterator[Array]:
    while True:
        order = rng.permutation(rows)
        for start in range(0, len(order), size):
            yield order[start : start + size]


def _one_step(run: TrainingRun, state: State, rows: Array, number: int) -> tuple[float, State]:
    """The loss of some rows before a step on them, and the state after it."""
    assert run.data is not None
    outputs, after = run.step.program.run_batches(state, run.data, rows, len(rows), seed=0, first_step=number)
    return float(outputs["loss"][0]), after


def _smoothed(losses: Array) -> Array:
    means, mean = np.empty(len(losses)), 0.0
    for t, loss in enumerate(losses):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        means[t] = mean / (1 - SMOOTHING ** (t + 1))
    return means


def _read(rates: Array, losses: Array, ended: str) -> RateTest:
    smoothed = _smoothed(losses)
    steepest = suggestion = None
    if len(losses) > 2:
        least = int(np.argmin(smoothed))
        slopes = np.gradient(smoothed, np.log(rates))[: least + 1]
        if slopes.min() < 0:
            steepest = float(rates[np.argmin(slopes)])
            suggestion = float(np.sqrt(steepest * rates[least]))
    return RateTest(rates, losses, smoothed, steepest, suggestion, ended)


def _apart(random_state: Any) -> Any:
    """Random numbers that leave the given generator's where they are."""
    if hasattr(random_state, "permutation"):
        from copy import deepcopy

        return deepcopy(random_state)
    return random_state
