"""How a multi-layer perceptron's weights are found: by a stochastic optimizer or by L-BFGS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..engines import Engine, Program
from ..graph.node import Array
from ..nn.losses import Loss
from ..nn.network import Network
from ..optim import OPTIMIZERS, Optimizer, find_optimizer, minimize_lbfgs
from ..optim.drivers import LBFGSResult
from ..training import Callback, EarlyStopping, TrainingRun, TrainingStep
from ..training.trainer import EVALUATION_ROWS

__all__ = ["SOLVERS", "Convergence", "InverseScaling", "Verbose", "choose_optimizer", "fit_lbfgs", "formula_of"]

SOLVERS = ("lbfgs", *OPTIMIZERS)
SMALLEST_RATE = 1e-6


def choose_optimizer(estimator: Any) -> Optimizer:
    """The optimizer that an estimator's parameters name, in scikit-learn's meanings of ``sgd`` and ``adam``.

    Raises
    ------
    ValueError
        For a schedule or a weight decay beside an optimizer that has its own, or a schedule beside another rule for the
        learning rate.
    """
    asked = {n: v for n in ("schedule", "weight_decay") if (v := getattr(estimator, n)) is not None}
    if isinstance(estimator.solver, Optimizer):
        if asked:
            name = next(iter(asked))
            raise ValueError(
                f"{name} goes into the optimizer that solver is: {type(estimator.solver).__name__}(…, {name}=…)"
            )
        return estimator.solver.for_epochs(estimator.max_iter)
    if "schedule" in asked and estimator.solver == "sgd" and estimator.learning_rate != "constant":
        raise ValueError(f"schedule and learning_rate={estimator.learning_rate!r} are two rules for one rate: give one")
    return replace(_of_name(estimator), **asked).for_epochs(estimator.max_iter)


def _of_name(estimator: Any) -> Optimizer:
    # As Python's own numbers, whatever kind of NumPy's a search put there.
    solver, rate, momentum = estimator.solver, float(estimator.learning_rate_init), float(estimator.momentum)
    betas = {name: float(getattr(estimator, name)) for name in ("beta_1", "beta_2", "epsilon")}
    if solver == "sgd":
        kind = "nesterov" if estimator.nesterovs_momentum else "momentum"
        return find_optimizer(kind, learning_rate=rate, momentum=momentum)
    if solver == "adam":
        return find_optimizer("adam", learning_rate=rate, uncorrected_epsilon=True, **betas)
    if solver in ("amsgrad", "adamw"):
        return find_optimizer(solver, learning_rate=rate, **betas)
    if solver in ("momentum", "nesterov"):
        return find_optimizer(solver, learning_rate=rate, momentum=momentum)
    return find_optimizer(solver, learning_rate=rate)


def formula_of(optimizer: Optimizer) -> Optimizer:
    """The same formula with its class's own hyperparameters: they are inputs of a step, and do not change its plan.

    What the user wrote may do anything with its numbers, and stays as it is.
    """
    if type(optimizer).__module__ != Optimizer.__module__:
        return optimizer
    return optimizer.with_default_numbers()


class Convergence(EarlyStopping):
    """scikit-learn's rule: stop, or lower an adaptive rate, when ``tol`` was not gained for long enough.

    It goes on from what an earlier ``fit`` left where ``warm_start`` or ``partial_fit`` asks for that.
    """

    def __init__(self, estimator: Any, monitor: str) -> None:
        super().__init__(monitor, estimator.n_iter_no_change, estimator.tol, restore_best=monitor != "loss")
        self.adaptive = estimator.solver == "sgd" and estimator.learning_rate == "adaptive"
        self.verbose = bool(estimator.verbose)
        known = estimator.best_loss_ if monitor == "loss" else estimator.best_validation_score_
        self._start = (self.sign * known, estimator._no_improvement_count)

    def on_fit_start(self, run: TrainingRun) -> None:
        super().on_fit_start(run)
        self.best, self.waited = self._start

    def improves(self, value: float) -> bool:
        return value >= self.best + self.min_delta

    def epochs_ahead(self) -> float:
        # Before its patience is at an end it reads nothing but the history, unless the best state is to be kept.
        return 1 if self.restore_best else self.patience + 1 - self.waited

    def on_exhausted(self, run: TrainingRun) -> None:
        if self.adaptive and run.hyperparameter("learning_rate") > SMALLEST_RATE:
            run.set_hyperparameter("learning_rate", run.hyperparameter("learning_rate") / 5)
            self.waited = 0
            if self.verbose:
                print(f"{self.monitor} stalls. Setting learning rate to {run.hyperparameter('learning_rate'):f}")  # noqa: T201
            return
        super().on_exhausted(run)
        if self.verbose:
            print(f"{run.history.stopped}. Stopping.")  # noqa: T201


class InverseScaling(Callback):
    """ε = ε₀ / (t + 1)^power, t being the examples seen: scikit-learn's ``invscaling``."""

    def __init__(self, initial: float, power: float, seen: int, rows: int) -> None:
        self.initial, self.power, self.seen, self.rows = initial, power, seen, rows

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"seen": self.seen}, {}

    def from_state(self, plain: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.seen = plain["seen"]

    def on_epoch_end(self, run: TrainingRun) -> None:
        self.seen += self.rows
        run.set_hyperparameter("learning_rate", self.initial / (self.seen + 1) ** self.power)


class Verbose(Callback):
    """scikit-learn's lines of progress."""

    def on_epoch_end(self, run: TrainingRun) -> None:
        print(f"Iteration {run.epoch}, loss = {run.history.last('loss'):.8f}")  # noqa: T201
        if "validation_score" in run.history:
            print(f"Validation score: {run.history.last('validation_score'):f}")  # noqa: T201


def fit_lbfgs(
    network: Network,
    loss: Loss,
    start: Any,
    x: Any,
    y: Array,
    weights: Array | None,
    *,
    alpha: float,
    max_iter: int,
    max_fun: int,
    tol: float,
    seed: int,
    engine: str | Engine,
) -> tuple[LBFGSResult, Any]:
    """Minimise the penalised mean loss over all rows, a block of rows at a time.

    Returns
    -------
    LBFGSResult
    State
        The network's values at the end.
    """
    step = TrainingStep(
        network,
        loss,
        find_optimizer("sgd"),
        target_shape=y.shape[1:],
        target_dtype=y.dtype,
        weighted=weights is not None,
        engine=engine,
    )
    program = Program({"loss": step.loss, "gradient": step.gradient}, engine=engine)
    data, state = step.data(x, y, weights), step.initial_state(start)
    blocks = [np.arange(i, min(i + EVALUATION_ROWS, len(y))) for i in range(0, len(y), EVALUATION_ROWS)]
    shares = np.array([len(b) if weights is None else weights[b].sum() for b in blocks], np.float64)
    total = shares.sum()
    decayed = np.concatenate([np.full(start[p].size, p.ndim > 1) for p in step.flat.views])

    def loss_and_gradient(vector: Array) -> tuple[float, Array]:
        here = state.replace({step.flat.vector: vector.astype(network.dtype)})
        value = 0.5 * alpha * float(np.square(vector[decayed]).sum()) / total
        slope = alpha * np.where(decayed, vector, 0) / total
        for block, share in zip(blocks, shares, strict=True):
            found, _ = program.run_batches(here, data, block, seed=seed)
            value += float(found["loss"][0]) * share / total
            slope = slope + found["gradient"][0].astype(np.float64) * (share / total)
        return value, slope

    found = minimize_lbfgs(
        loss_and_gradient,
        state[step.flat.vector],
        max_iterations=max_iter,
        max_evaluations=max_fun,
        tolerance=tol,
    )
    final = state.replace({step.flat.vector: found.parameters.astype(network.dtype)})
    return found, step.network_state(final)
