"""The training loop: shuffled mini-batches, validation, history, callbacks, and a stop where it diverges."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..engines import Engine, NonFiniteError, State
from ..graph import Node, ShapeError
from ..graph.node import Array
from ..nn.losses import LossLike, find_loss
from ..nn.network import Network
from ..optim.optimizers import Optimizer, find_optimizer
from .callbacks import Callback, ProgressBar
from .history import History
from .inputs import Examples, check_whole, examples, hold_out, validation_examples
from .step import Evaluation, Penalty, TrainingStep

__all__ = ["DivergenceError", "InterruptedWarning", "Metric", "Trainer", "TrainingResult", "TrainingRun"]

Metric: TypeAlias = Callable[[Array, Array], float]
"""From the network's raw outputs and the targets of all rows to one number."""

EVALUATION_ROWS = 4096
"""Rows at a time where nothing is learnt: enough to fill the matrix product, little enough to stay in cache."""

GO_SECONDS = 0.02
"""Epochs that nobody looks at are computed in one go of about so long; an interrupt takes back the whole of it."""


class InterruptedWarning(UserWarning):
    """Training was interrupted; the parameters of the last whole epoch are kept."""


class DivergenceError(ValueError):
    """The loss became NaN or infinite.

    Attributes
    ----------
    node : Node or None
        Where NaN or infinity first appeared.
    result : TrainingResult
        The last good parameters, and the history until then.
    """

    def __init__(self, message: str, node: Node | None, result: TrainingResult) -> None:
        super().__init__(message)
        self.node, self.result = node, result


@dataclass
class TrainingResult:
    """What training gives.

    Attributes
    ----------
    state : State
        The network's values.
    step_state : State
        The same with the optimizer's own, to go on from.
    steps : int
        How many were done, those before a continued training included.
    history : History
    """

    state: State
    step_state: State
    steps: int
    history: History


class TrainingRun:
    """A training in progress, as callbacks see it.

    Attributes
    ----------
    network : Network
    step : TrainingStep
        The graph of one step, with its program.
    state : State
        The step's values; what a callback sets here is gone on with.
    last_whole : State
        The same at the end of the last whole epoch.
    epoch, epochs, steps : int
        Epochs done or in progress and to be done, steps done.
    history : History
    """

    def __init__(self, step: TrainingStep, state: State, epochs: int, steps: int = 0) -> None:
        self.network, self.step, self.state, self.epochs = step.network, step, state, epochs
        self.last_whole = state
        self.epoch, self.steps = 0, steps
        self.history = History()
        self.stopping = False

    def stop(self, reason: str) -> None:
        """End after this epoch."""
        self.stopping, self.history.stopped = True, reason

    @property
    def network_state(self) -> State:
        """The network's values."""
        return self.step.network_state(self.state)

    def hyperparameter(self, name: str) -> float:
        """What one of the optimizer's hyperparameters is set to."""
        return float(self.state[self._hyperparameter(name)])

    def set_hyperparameter(self, name: str, value: float) -> None:
        """Set one from the next step on; nothing is planned anew."""
        self.state = self.state.replace({self._hyperparameter(name): value})

    def _hyperparameter(self, name: str) -> Node:
        known = self.step.hyperparameters
        if name not in known:
            raise KeyError(f"the optimizer has no hyperparameter {name!r}; it has: {', '.join(known)}")
        return known[name]


class Trainer:
    """Fit a network to data by mini-batches.

    Parameters
    ----------
    network : Network
    loss : str or callable
        From outputs and targets to one number an example; their mean is trained.
    optimizer : str or Optimizer
    batch_size : int
        The last batch of an epoch may be short.
    epochs : int
        At most.
    shuffle : bool
        Whether each epoch takes the rows in a new order.
    metrics : mapping of str to callable, optional
        Each from raw outputs and targets to a number, recorded as ``validation_<name>``.
    penalty : callable, optional
        Added to the loss; see :data:`~diaphane.training.step.Penalty`.
    callbacks : sequence of Callback
    progress : bool
        Whether to show a bar (on a terminal only).
    random_state : int, Generator, RandomState or None
        For first values, shuffling, and random nodes: the same gives the same bits.
    engine : str or Engine

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(8, "tanh"), dia.nn.Dense(1)]), (1,), dtype="float64")
    >>> trainer = Trainer(network, "squared_error", dia.optim.Adam(0.02), epochs=400, random_state=0)
    >>> result = trainer.fit(x, x**2)
    >>> result.history.last("loss") < 0.001
    True
    """

    def __init__(
        self,
        network: Network,
        loss: LossLike,
        optimizer: str | Optimizer = "adam",
        *,
        batch_size: int = 32,
        epochs: int = 100,
        shuffle: bool = True,
        metrics: Mapping[str, Metric] | None = None,
        penalty: Penalty | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = False,
        random_state: Any = None,
        engine: str | Engine = "native",
    ) -> None:
        if not isinstance(network, Network):
            raise TypeError(
                f"network must be a Network, got {type(network).__name__}; Network(layers, input_shape) makes one"
            )
        self.network, self.loss, self.optimizer = network, find_loss(loss), find_optimizer(optimizer)
        self.batch_size, self.epochs = check_whole("batch_size", batch_size, 1), check_whole("epochs", epochs, 0)
        if metrics is not None and not (isinstance(metrics, Mapping) and all(callable(m) for m in metrics.values())):
            raise TypeError(f'metrics must map names to functions, such as {{"accuracy": accuracy}}, got {metrics!r}')
        self.shuffle, self.metrics, self.penalty = shuffle, dict(metrics or {}), penalty
        for callback in callbacks if isinstance(callbacks, Sequence) else [callbacks]:
            if not isinstance(callback, Callback) or not isinstance(callbacks, Sequence):
                raise TypeError(f"callbacks is a list of Callback objects, got {callbacks!r}")
        self.callbacks = [*callbacks, *([ProgressBar()] if progress else [])]
        self.random_state, self.engine = random_state, engine
        self._steps: dict[Any, TrainingStep] = {}
        self._evaluations: dict[Any, Evaluation] = {}

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        sample_weight: Array | None = None,
        validation_data: tuple[Any, ...] | None = None,
        validation_fraction: float = 0.0,
        state: State | None = None,
        step_state: State | None = None,
        first_step: int = 0,
    ) -> TrainingResult:
        """Train.

        Parameters
        ----------
        x : array, memory map, sparse matrix or frame, shape ``(n, *input_shape)``
            In its own dtype; batches are cast when their step comes.
        y : array, shape (n, …)
        sample_weight : ndarray, shape (n,), optional
        validation_data : (x, y) or (x, y, sample_weight), optional
            Looked at after each epoch, never learnt from.
        validation_fraction : float
            Where there is no validation data: this share of the rows, drawn at random, is held out.
        state : State, optional
            The network's first values; drawn by its initialisers by default.
        step_state : State, optional
            A former result's, to go on from with the optimizer's own values.
        first_step : int
            A former result's ``steps``, for dropout to go on to new masks.

        Returns
        -------
        TrainingResult

        Raises
        ------
        DivergenceError
            At NaN or infinity; its ``result`` has the last good parameters.
        """
        rng = _random_generator(self.random_state)
        given = x, y, sample_weight = examples(x, y, sample_weight)
        if x.shape[0] == 0:
            raise ShapeError("there is nothing to learn from: x has no rows")
        validation = None if validation_data is None else validation_examples(validation_data)
        learnt = np.arange(len(y))
        if validation is None and validation_fraction:
            learnt, validation = hold_out(given, validation_fraction, rng)
        step = self.step_for(y, sample_weight is not None)
        # Before the first values, so that a training that goes on from given ones draws the same masks.
        seed = _seed(rng) if step.is_random else 0
        if step_state is None:
            step_state = step.initial_state(self.network.initial_state(rng) if state is None else state)
        run = TrainingRun(step, step.adopt(step_state), self.epochs, first_step)
        data = step.data(x, y, sample_weight)
        try:
            self._each("on_fit_start", run)
            self._run_epochs(run, data, learnt, rng, seed, validation)
        except KeyboardInterrupt:
            run.history.stopped, run.state = "interrupted", run.last_whole
            self._each("on_fit_end", run)
            warnings.warn(
                f"Training interrupted by user after {len(run.history)} epochs; their parameters are kept.",
                InterruptedWarning,
                stacklevel=2,
            )
            return self._result(run)
        except NonFiniteError as error:
            run.history.stopped, run.state = "diverged", error.state
            self._each("on_fit_end", run)
            raise DivergenceError(f"epoch {run.epoch}: {error}", error.node, self._result(run)) from None
        except BaseException:
            run.history.stopped = "failed"
            self._each("on_fit_end", run)
            raise
        self._each("on_fit_end", run)
        return self._result(run)

    def step_for(self, y: Array, weighted: bool) -> TrainingStep:
        """The graph of a step for targets like these, made once."""
        dtype = y.dtype if y.dtype.kind in "iu" else self.network.dtype
        key = y.shape[1:], dtype, weighted
        if key not in self._steps:
            step = TrainingStep(
                self.network,
                self.loss,
                self.optimizer,
                target_shape=y.shape[1:],
                target_dtype=dtype,
                weighted=weighted,
                penalty=self.penalty,
                engine=self.engine,
            )
            # Of two threads that made it at once, both go on with the first one's: its variables are the state's keys.
            self._steps.setdefault(key, step)
        return self._steps[key]

    def evaluate(self, state: State, x: Any, y: Any, sample_weight: Array | None = None) -> dict[str, float]:
        """The mean loss and every metric on some data, under a network's values."""
        return self._evaluate(state, examples(x, y, sample_weight))

    def _evaluate(self, state: State, data: Examples) -> dict[str, float]:
        x, y, weights = data
        dtype = y.dtype if y.dtype.kind in "iu" else self.network.dtype
        key = y.shape[1:], dtype
        if key not in self._evaluations:
            self._evaluations[key] = Evaluation(
                self.network, self.loss, target_shape=y.shape[1:], target_dtype=dtype, engine=self.engine
            )
        outputs, loss = self._evaluations[key].run(state, x, y, weights, EVALUATION_ROWS)
        return {"loss": loss, **{name: float(metric(outputs, y)) for name, metric in self.metrics.items()}}

    def _run_epochs(
        self, run: TrainingRun, data: Any, order: Array, rng: Any, seed: int, validation: Examples | None
    ) -> None:
        run.last_whole = run.state
        ahead, seconds = 1, math.inf
        while run.epoch < self.epochs and not (run.epoch and run.stopping):
            started = time.perf_counter()
            run.epoch += 1
            self._each("on_epoch_start", run)
            if validation is None:
                ahead = self._epochs_ahead(run, seconds)
            orders = self._orders(order, rng, ahead)
            order = orders[-1]
            try:
                self._run_some(run, data, orders, seed, validation, started)
            except NonFiniteError:
                if ahead == 1:
                    raise
                # Nothing of them was kept. One after another they end where it happened.
                for k, epoch in enumerate(range(run.epoch, run.epoch + ahead)):
                    run.epoch = epoch
                    self._run_some(run, data, orders[k : k + 1], seed, validation, time.perf_counter())
            seconds = (time.perf_counter() - started) / ahead

    def _epochs_ahead(self, run: TrainingRun, seconds: float) -> int:
        """How many epochs can be computed in one go, an epoch taking so many seconds."""
        left = self.epochs - run.epoch + 1
        return max(1, int(min(left, GO_SECONDS / seconds, *(c.epochs_ahead() for c in self.callbacks))))

    def _orders(self, order: Array, rng: Any, epochs: int) -> Array:
        """The rows in the order of each epoch, (epochs, n), shuffled from one to the next."""
        orders = np.empty((epochs, len(order)), order.dtype)
        for k in range(epochs):
            orders[k] = order = order[rng.permutation(len(order))] if self.shuffle else order
        return orders

    def _run_some(
        self, run: TrainingRun, data: Any, orders: Array, seed: int, validation: Examples | None, started: float
    ) -> None:
        """Compute one epoch or several, then keep the record of each and call back."""
        losses = self._run_epoch(run, data, orders, seed)
        record: dict[str, Any] = {}
        if "learning_rate" in run.step.hyperparameters:
            record["learning_rate"] = run.hyperparameter("learning_rate")
        if validation is not None:
            found = self._evaluate(run.network_state, validation)
            record.update({f"validation_{name}": value for name, value in found.items()})
        record["seconds"] = (time.perf_counter() - started) / len(losses)
        for epoch, loss in enumerate(losses, run.epoch):
            run.epoch = epoch
            run.history.append({"epoch": epoch, "loss": loss, **record})
            run.last_whole = run.state
            self._each("on_epoch_end", run)
            run.last_whole = run.state

    def _run_epoch(self, run: TrainingRun, data: Any, orders: Array, seed: int) -> list[float]:
        """The mean loss of each epoch; those of several are computed without coming back in between."""
        by_step = [c for c in self.callbacks if type(c).on_step_end is not Callback.on_step_end]
        starts = range(0, orders.shape[1], self.batch_size)
        pieces = [order[i : i + self.batch_size] for order in orders for i in starts] if by_step else [orders]
        losses: list[Array] = []
        for piece in pieces:
            outputs, run.state = run.step.program.run_batches(
                run.state, data, piece, self.batch_size, seed=seed, first_step=run.steps
            )
            losses.append(outputs["loss"])
            run.steps += len(outputs["loss"])
            for callback in by_step:
                callback.on_step_end(run)
        each = np.concatenate(losses).astype(np.float64).reshape(len(orders), -1)
        rows = np.full(len(starts), float(self.batch_size))
        rows[-1] = orders.shape[1] - starts[-1]
        return [float(epoch.dot(rows) / orders.shape[1]) for epoch in each]

    def _each(self, moment: str, run: TrainingRun) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(run)

    def _result(self, run: TrainingRun) -> TrainingResult:
        return TrainingResult(run.network_state, run.state, run.steps, run.history)


def _random_generator(random_state: Any) -> Any:
    if hasattr(random_state, "permutation"):
        return random_state
    return np.random.default_rng(random_state)


def _seed(rng: Any) -> int:
    draw = rng.integers if hasattr(rng, "integers") else rng.randint
    return int(draw(0, 2**31 - 1))
