"""The training loop: shuffled mini-batches, validation, history, callbacks, and a stop where it diverges."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..data.streams import Stream
from ..engines import Engine, NonFiniteError, State
from ..graph import Node, ShapeError
from ..graph.node import Array
from ..nn.losses import LossLike, find_loss
from ..nn.network import Network
from ..optim.averaging import Averaging
from ..optim.clipping import Clipping
from ..optim.constraints import Constraint
from ..optim.optimizers import Optimizer, find_optimizer
from .callbacks import Callback, ProgressBar
from .checkpoints import Checkpoint, Keeper, find_checkpoint
from .epochs import Epochs
from .inputs import Examples, check_whole, examples, hold_out, validation_examples
from .mixup import Mixup
from .positions import Position
from .random_states import draw_seed, random_generator
from .run import TrainingResult, TrainingRun
from .setups import describe_data, describe_setup
from .step import Evaluation, Penalty, TrainingStep, check_parts
from .streaming import fit_stream, refuse_beside_stream

__all__ = ["DivergenceError", "InterruptedWarning", "Metric", "Trainer", "TrainingResult", "TrainingRun"]

Metric: TypeAlias = Callable[[Array, Array], float]
"""From the network's raw outputs and the targets of all rows to one number."""

EVALUATION_ROWS = 4096
"""Rows at a time where nothing is learnt: enough to fill the matrix product, little enough to stay in cache."""


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
        Added to the loss, such as ``L2(1e-4)``; see :data:`~diaphane.training.step.Penalty`.
    clipping : Clipping, optional
        Of the gradient, before the optimizer sees it, such as ``ClipNorm(1.0)``.
    constraint : Constraint, optional
        What parameters are held to after each update, such as ``MaxNorm(2.0)``.
    averaging : Averaging, optional
        Of the parameters along the way, such as ``EMA(0.999)``: validation and the result are of the average.
    mixup : Mixup, optional
        Mixtures of two examples for each example, such as ``Mixup(0.2)``.
    callbacks : sequence of Callback
    checkpoint : path-like or Checkpoint, optional
        The folder to keep checkpoints in, one after each epoch; see :class:`~diaphane.training.Checkpoint`.
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
        clipping: Clipping | None = None,
        constraint: Constraint | None = None,
        averaging: Averaging | None = None,
        mixup: Mixup | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: str | os.PathLike[str] | Checkpoint | None = None,
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
        check_parts(penalty, clipping, constraint, averaging, mixup)
        self.clipping, self.constraint, self.averaging, self.mixup = clipping, constraint, averaging, mixup
        for callback in callbacks if isinstance(callbacks, Sequence) else [callbacks]:
            if not isinstance(callback, Callback) or not isinstance(callbacks, Sequence):
                raise TypeError(f"callbacks is a list of Callback objects, got {callbacks!r}")
        self.callbacks = [*callbacks, *([ProgressBar()] if progress else [])]
        self.checkpoint = find_checkpoint(checkpoint)
        self.random_state, self.engine = random_state, engine
        self._steps: dict[Any, TrainingStep] = {}
        self._evaluations: dict[Any, Evaluation] = {}

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        sample_weight: Array | None = None,
        validation_data: Any = None,
        validation_fraction: float = 0.0,
        state: State | None = None,
        step_state: State | None = None,
        first_step: int = 0,
        resume: bool = False,
    ) -> TrainingResult:
        """Train.

        Parameters
        ----------
        x : array, memory map, sparse matrix or frame, shape ``(n, *input_shape)``
            In its own dtype; batches are cast when their step comes. Or a :class:`~diaphane.data.Stream` of rows,
            targets and weights, for data that memory does not hold: see :func:`~diaphane.training.fit_stream`.
        y : array, shape (n, …)
            Not beside a stream.
        sample_weight : ndarray, shape (n,), optional
        validation_data : (x, y), (x, y, sample_weight), or beside a stream another one, optional
            Looked at after each epoch, never learnt from.
        validation_fraction : float
            Where there is no validation data: this share of the rows, drawn at random, is held out.
        state : State, optional
            The network's first values; drawn by its initialisers by default.
        step_state : State, optional
            A former result's, to go on from with the optimizer's own values.
        first_step : int
            A former result's ``steps``, for dropout to go on to new masks.
        resume : bool
            Whether to go on from the newest checkpoint, to the bits of a training that was never interrupted; to be
            called as that one was, with as many epochs or more. Without a checkpoint in the folder it begins afresh.
            A training that had come to its end gives its result again.

        Returns
        -------
        TrainingResult

        Raises
        ------
        DivergenceError
            At NaN or infinity; its ``result`` has the last good parameters.
        FileError
            If the checkpoints' folder cannot be used, or none of those in it can be read.
        OtherRunError
            If they are of another training: of another network, other data or settings.
        """
        if isinstance(x, Stream):
            refuse_beside_stream(y=y, sample_weight=sample_weight, validation_fraction=validation_fraction or None)
            return fit_stream(
                self,
                x,
                validation_data=validation_data,
                state=state,
                step_state=step_state,
                first_step=first_step,
                resume=resume,
            )
        given = examples(x, y, sample_weight)
        if given[0].shape[0] == 0:
            raise ShapeError("there is nothing to learn from: x has no rows")
        validation = None if validation_data is None else validation_examples(validation_data)
        if resume and self.checkpoint is None:
            raise ValueError('resume=True goes on from a checkpoint: give the trainer checkpoint="folder"')
        keeper = None if self.checkpoint is None else self.checkpoint.keeper(resume)
        first = state, step_state, first_step
        try:
            epochs, position = self._begin(given, validation, validation_fraction, first, keeper)
            return self.run(epochs, position)
        finally:
            if keeper is not None:
                keeper.close()

    def _begin(
        self,
        given: Examples,
        validation: Examples | None,
        validation_fraction: float,
        first: tuple[State | None, State | None, int],
        keeper: Keeper | None,
    ) -> tuple[Epochs, Position | None]:
        """A training made ready, and the position of its checkpoint where there is one."""
        rng = random_generator(self.random_state)
        if keeper is not None:
            keeper.begin_random(rng)
        apart, learnt = validation, np.arange(len(given[1]))
        if validation is None and validation_fraction:
            learnt, apart = hold_out(given, validation_fraction, rng)
        step = self.step_for(given[1], given[2] is not None)
        # Before the first values, so that a training that goes on from given ones draws the same masks.
        seed = draw_seed(rng) if step.is_random else 0
        state, step_state, first_step = first
        if step_state is None:
            step_state = step.initial_state(self.network.initial_state(rng) if state is None else state)
        run = TrainingRun(
            step,
            step.adopt(step_state),
            self.epochs,
            first_step,
            batch_size=self.batch_size,
            steps_per_epoch=-(-len(learnt) // self.batch_size),
            callbacks=[*self.callbacks, *(keeper.callbacks if keeper is not None else ())],
        )
        if "steps_per_epoch" in step.hyperparameters:
            run.set_hyperparameter("steps_per_epoch", run.steps_per_epoch)
        run.data, run.learnt = step.data(*given), learnt
        run.check_schedule()
        position = None
        if keeper is not None:
            content = {}
            if keeper.checks_setup:
                setup = describe_setup(self, run, validation_fraction)
                content = {"data": describe_data(given, validation), "setup": setup}
            position = keeper.begin(run, content, rng)
        return Epochs(self, run, rng, seed, apart, keeper), position

    def run(self, epochs: Epochs, position: Position | None) -> TrainingResult:
        """Train by epochs made ready, and say how it ended."""
        run = epochs.run
        try:
            epochs.run_all(position)
        except KeyboardInterrupt:
            run.history.stopped, run.state = "interrupted", run.last_whole
            run.call("on_fit_end")
            warnings.warn(
                f"Training interrupted by user after {len(run.history)} epochs; their parameters are kept.",
                InterruptedWarning,
                stacklevel=3,
            )
            return self._result(run)
        except NonFiniteError as error:
            run.history.stopped, run.state = "diverged", error.state
            run.call("on_fit_end")
            raise DivergenceError(f"epoch {run.epoch}: {error}", error.node, self._result(run)) from None
        except BaseException:
            run.history.stopped = "failed"
            run.call("on_fit_end")
            raise
        run.call("on_fit_end")
        return self._result(run)

    def step_for(self, y: Array, weighted: bool) -> TrainingStep:
        """The graph of a step for targets like these, made once."""
        dtype = y.dtype if y.dtype.kind in "iu" else self.network.dtype
        optimizer = self.optimizer.for_epochs(max(self.epochs, 1))
        # A schedule that is given as a text depends on the epochs.
        schedule = optimizer.schedule if optimizer is not self.optimizer else None
        key = y.shape[1:], dtype, weighted, schedule
        if key not in self._steps:
            step = TrainingStep(
                self.network,
                self.loss,
                optimizer,
                target_shape=y.shape[1:],
                target_dtype=dtype,
                weighted=weighted,
                penalty=self.penalty,
                clipping=self.clipping,
                constraint=self.constraint,
                averaging=self.averaging,
                mixup=self.mixup,
                engine=self.engine,
            )
            # Of two threads that made it at once, both go on with the first one's: its variables are the state's keys.
            self._steps.setdefault(key, step)
        return self._steps[key]

    def evaluate(self, state: State, x: Any, y: Any, sample_weight: Array | None = None) -> dict[str, float]:
        """The mean loss and every metric on some data, under a network's values."""
        return self.evaluate_examples(state, examples(x, y, sample_weight))

    def evaluate_examples(self, state: State, data: Examples) -> dict[str, float]:
        """The same of what :func:`~diaphane.training.inputs.examples` gave."""
        x, y, weights = data
        dtype = y.dtype if y.dtype.kind in "iu" else self.network.dtype
        key = y.shape[1:], dtype
        if key not in self._evaluations:
            self._evaluations[key] = Evaluation(
                self.network, self.loss, target_shape=y.shape[1:], target_dtype=dtype, engine=self.engine
            )
        outputs, loss = self._evaluations[key].run(state, x, y, weights, EVALUATION_ROWS)
        return {"loss": loss, **{name: float(metric(outputs, y)) for name, metric in self.metrics.items()}}

    def _result(self, run: TrainingRun) -> TrainingResult:
        return TrainingResult(run.network_state, run.state, run.steps, run.history)
