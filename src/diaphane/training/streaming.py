"""Training on rows that memory does not hold: a window of them at a time, read ahead while the last one is learnt."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.streams import Stream
from ..engines import State
from ..graph.node import Array
from .checkpoints import Keeper
from .digests import describe_rows
from .epochs import Epochs
from .inputs import Examples, validation_examples
from .random_states import draw_seed, random_generator
from .run import TrainingResult, TrainingRun
from .setups import describe_setup

if TYPE_CHECKING:
    from .positions import Position
    from .trainer import Trainer

__all__ = ["fit_stream", "refuse_beside_stream"]


def fit_stream(
    trainer: Trainer,
    stream: Stream,
    *,
    validation_data: Any = None,
    state: State | None = None,
    step_state: State | None = None,
    first_step: int = 0,
    resume: bool = False,
) -> TrainingResult:
    """Train on a stream; :meth:`Trainer.fit` comes here with one.

    Each epoch is a pass over the stream. Its mini-batches are made of the rows of a window, as many windows being
    learnt from one after another as the rows need; no batch but the last is short. Unshuffled it has the bits of a
    training in memory.

    Parameters
    ----------
    trainer : Trainer
    stream : Stream
        Its targets must be numbers; :meth:`Stream.with_target` makes them.
    validation_data : Stream, (x, y) or (x, y, sample_weight), optional
        Looked at after each epoch. Of a stream, metrics are means over its windows, weighted by their rows.
    state, step_state, first_step, resume
        As for :meth:`Trainer.fit`. Checkpoints within an epoch are at the end of a window.

    Returns
    -------
    TrainingResult

    Raises
    ------
    DataError
        If rows cannot be read or used.
    DivergenceError
        At NaN or infinity; its ``result`` has the last good parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> from diaphane.data import open_stream
    >>> from diaphane.training import Trainer
    >>> def chunks():
    ...     for k in range(8):
    ...         x = np.random.default_rng(k).uniform(-1, 1, (128, 1))
    ...         yield x, x**2
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(8, "tanh"), dia.nn.Dense(1)]), (1,))
    >>> trainer = Trainer(network, "squared_error", dia.optim.Adam(0.02), epochs=30, random_state=0)
    >>> result = trainer.fit(open_stream(chunks, window=256))
    >>> result.steps, result.history.last("loss") < 0.005
    (960, True)
    """
    if validation_data is not None and not isinstance(validation_data, Stream):
        validation_data = validation_examples(validation_data)
    if resume and trainer.checkpoint is None:
        raise ValueError('resume=True goes on from a checkpoint: give the trainer checkpoint="folder"')
    keeper = None if trainer.checkpoint is None else trainer.checkpoint.keeper(resume)
    try:
        epochs, position = _begin(trainer, stream, validation_data, (state, step_state, first_step), keeper)
        return trainer.run(epochs, position)
    finally:
        if keeper is not None:
            keeper.close()


def refuse_beside_stream(**given: Any) -> None:
    """Refuse what a stream has itself, or cannot have.

    Raises
    ------
    TypeError
    """
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise TypeError(
            f"{named[0]} cannot be given beside a stream, which has targets and weights of its own: open_stream(path, "
            "target=..., weights=...), and validation_data=another stream or (x, y)"
        )


def _begin(
    trainer: Trainer,
    stream: Stream,
    validation: Stream | Examples | None,
    first: tuple[State | None, State | None, int],
    keeper: Keeper | None,
) -> tuple[StreamEpochs, Position | None]:
    rng = random_generator(trainer.random_state)
    if keeper is not None:
        keeper.begin_random(rng)
    chunk = stream.first()
    if chunk.y.dtype.kind not in "biuf":
        raise TypeError(
            f"the stream's targets must be numbers, got {chunk.y.dtype}; stream.with_target(function) makes them, such "
            "as the encode_target of stream.statistics()"
        )
    step = trainer.step_for(chunk.y, chunk.weights is not None)
    seed = draw_seed(rng) if step.is_random else 0
    state, step_state, first_step = first
    if step_state is None:
        step_state = step.initial_state(trainer.network.initial_state(rng) if state is None else state)
    # A schedule must know; else a pass would be made only to count.
    rows = stream.count() if "steps_per_epoch" in step.hyperparameters else stream.n_rows or 0
    run = TrainingRun(
        step,
        step.adopt(step_state),
        trainer.epochs,
        first_step,
        batch_size=trainer.batch_size,
        steps_per_epoch=-(-rows // trainer.batch_size),
        callbacks=[*trainer.callbacks, *(keeper.callbacks if keeper is not None else ())],
    )
    if "steps_per_epoch" in step.hyperparameters:
        run.set_hyperparameter("steps_per_epoch", run.steps_per_epoch)
    run.check_schedule()
    # Before the first window comes, callbacks see the first rows.
    run.data, run.learnt = step.data(chunk.x, chunk.y, chunk.weights), np.arange(len(chunk.y))
    position = None
    if keeper is not None:
        content = {}
        if keeper.checks_setup:
            content = {"setup": describe_setup(trainer, run, 0.0), "data": _describe(stream)}
        position = keeper.begin(run, content, rng)
    return StreamEpochs(trainer, run, rng, seed, stream, validation, keeper), position


class StreamEpochs(Epochs):
    """Those of a fit on a stream; the order of an epoch is the seed of its pass."""

    def __init__(
        self,
        trainer: Trainer,
        run: TrainingRun,
        rng: Any,
        seed: int,
        stream: Stream,
        validation: Stream | Examples | None,
        keeper: Keeper | None,
    ) -> None:
        super().__init__(trainer, run, rng, seed, None if isinstance(validation, Stream) else validation, keeper)
        self.order = np.zeros(1, np.int64)
        self.stream = stream
        self.validation_stream = validation if isinstance(validation, Stream) else None

    def _ahead(self, seconds: float) -> int:
        return 1

    def _orders(self, epochs: int) -> Array:
        if self.trainer.shuffle:
            self.order = np.array([draw_seed(self.rng)])
        return self.order[None]

    def _losses(self, orders: Array, started: float) -> list[float]:
        run, keeper, size = self.run, self.keeper, self.run.batch_size
        (done, before), self._begun = self._begun, (0, None)
        losses, rows = [] if before is None else [before], done * size
        seed = int(orders[0, 0]) if self.trainer.shuffle else None
        with closing(self.stream.windows(seed, multiple=size, skip=rows, reuse=True)) as windows:
            for window in windows:
                run.data, run.learnt = run.step.data(window.x, window.y, window.weights), window.order
                losses.extend(self._learn(window.order))
                rows += len(window)
                whole = rows % size == 0 and rows != self.stream.n_rows
                if keeper is not None and keeper.by_clock and whole and keeper.is_due(run.epoch - 1, rows // size):
                    seconds = time.perf_counter() - started
                    keeper.note(self._position(run.epoch - 1, rows // size, np.concatenate(losses), seconds))
        run.steps_per_epoch = -(-rows // size)
        found = np.concatenate(losses).astype(np.float64)
        counts = np.full(len(found), float(size))
        counts[-1] = rows - size * (len(found) - 1)
        return [float(found.dot(counts) / rows)]

    def _learn(self, order: Array) -> list[Array]:
        """The losses of a window's batches, in one go where no callback looks at each."""
        if not self._by_step:
            return [self._run_batches(order)]
        size, losses = self.run.batch_size, []
        for start in range(0, len(order), size):
            losses.append(self._run_batches(order[start : start + size]))
            for callback in self._by_step:
                callback.on_step_end(self.run)
        return losses

    def _validated(self) -> dict[str, float]:
        if self.validation_stream is None:
            return super()._validated()
        totals: dict[str, float] = {}
        weight = 0.0
        with closing(self.validation_stream.windows(reuse=True)) as windows:
            for window in windows:
                found = self.trainer.evaluate_examples(self.run.network_state, (window.x, window.y, window.weights))
                own = float(len(window) if window.weights is None else window.weights.sum(dtype=np.float64))
                totals = {name: totals.get(name, 0.0) + own * value for name, value in found.items()}
                weight += own
        return {name: total / weight for name, total in totals.items()}


def _describe(stream: Stream) -> dict[str, Any]:
    """What tells a stream from another without a pass: its parts, its columns, and the digest of its first rows."""
    chunk = stream.first()
    weights = {} if chunk.weights is None else {"sample_weight": describe_rows(chunk.weights)}
    return {
        "columns": list(stream.names),
        "rows of parts": [piece.rows for piece in stream.source.pieces],
        "window": stream.window,
        "first rows": {"x": describe_rows(chunk.x), "y": describe_rows(chunk.y), **weights},
    }
