"""The epochs of a fit: the order of rows, several in one go or one in pieces, its records and callbacks."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engines import NonFiniteError
from ..graph.node import Array
from .callbacks import Callback
from .positions import CallbackState, Position
from .random_states import random_state_of

if TYPE_CHECKING:
    from .checkpoints import Keeper
    from .inputs import Examples
    from .run import TrainingRun
    from .trainer import Trainer

__all__ = ["Epochs"]

GO_SECONDS = 0.02
"""Epochs that nobody looks at are computed in one go of about so long; an interrupt takes back the whole of it."""


class Epochs:
    """Those of one fit.

    Parameters
    ----------
    trainer : Trainer
    run : TrainingRun
    rng : Generator or RandomState
        That rows are shuffled by.
    seed : int
        Of random nodes.
    validation : (x, y, weights), optional
    keeper : Keeper, optional
        That writes checkpoints.
    """

    def __init__(
        self,
        trainer: Trainer,
        run: TrainingRun,
        rng: Any,
        seed: int,
        validation: Examples | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        assert run.learnt is not None
        self.trainer, self.run, self.order, self.rng = trainer, run, run.learnt, rng
        self.seed, self.validation, self.keeper = seed, validation, keeper
        self._by_step = [c for c in run.callbacks if type(c).on_step_end is not Callback.on_step_end]
        self._begun: tuple[int, Array | None] = 0, None

    def run_all(self, position: Position | None = None) -> None:
        """From the start, or on from a position, until all are done or a callback has stopped them."""
        run, keeper = self.run, self.keeper
        if position is not None:
            run.epoch, run.steps, run.state = position.epoch, position.steps, position.state
        run.call("on_fit_start")
        run.last_whole = run.state
        if position is not None:
            self._take_up(position)
        ahead, seconds = 1, math.inf
        while run.epoch < run.epochs and not (run.epoch and run.stopping):
            started = time.perf_counter()
            run.epoch += 1
            run.call("on_epoch_start")
            if self.validation is None:
                ahead = self._ahead(seconds)
            orders = self._orders(ahead)
            try:
                self._run_some(orders, started)
            except NonFiniteError:
                if ahead == 1:
                    raise
                # Nothing of them was kept. One after another they end where it happened.
                self.keeper = None
                for k, epoch in enumerate(range(run.epoch, run.epoch + ahead)):
                    run.epoch = epoch
                    self._run_some(orders[k : k + 1], time.perf_counter())
                self.keeper = keeper
            seconds = (time.perf_counter() - started) / ahead

    def _take_up(self, position: Position) -> None:
        """Be where a former process was; what callbacks set at their first moments is what was set then."""
        run = self.run
        assert self.keeper is not None
        if position.batches:
            run.epoch, run.state = run.epoch + 1, position.state
            run.call("on_epoch_start")
        run.state, run.last_whole = position.state, position.last_whole
        run.stopping, run.history.stopped = position.stopping, position.stopped
        self.keeper.hand_back(position)
        if position.order is not None:
            self.order = position.order
        self._begun = position.batches, position.losses
        if position.batches:
            self._run_some(self.order[None], time.perf_counter() - position.seconds)

    def _ahead(self, seconds: float) -> int:
        """How many epochs can be computed in one go, an epoch taking so many seconds."""
        run = self.run
        most = [float(run.epochs - run.epoch + 1), GO_SECONDS / seconds, *(c.epochs_ahead() for c in run.callbacks)]
        if self.keeper is not None:
            most.append(self.keeper.epochs_ahead(run.epoch - 1))
        return max(1, int(min(most)))

    def _orders(self, epochs: int) -> Array:
        """The rows in the order of each epoch, (epochs, n), shuffled from one to the next."""
        order = self.order
        orders = np.empty((epochs, len(order)), order.dtype)
        for k in range(epochs):
            orders[k] = order = order[self.rng.permutation(len(order))] if self.trainer.shuffle else order
        self.order = orders[-1]
        return orders

    def _run_some(self, orders: Array, started: float) -> None:
        """Compute one epoch or several, then keep the record of each and call back."""
        run = self.run
        losses = self._losses(orders, started)
        record: dict[str, Any] = {}
        rates = run.learning_rates(len(losses))
        record.update({f"validation_{name}": value for name, value in self._validated().items()})
        record["seconds"] = (time.perf_counter() - started) / len(losses)
        if self.keeper is not None:
            self.keeper.settle()
        for k, (epoch, loss) in enumerate(enumerate(losses, run.epoch)):
            run.epoch = epoch
            rate = {"learning_rate": rates[k]} if rates else {}
            run.history.append({"epoch": epoch, "loss": loss, **rate, **record})
            run.last_whole = run.state
            run.call("on_epoch_end")
            run.last_whole = run.state
        if self.keeper is not None:
            self.keeper.note(self._position(run.epoch))

    def _validated(self) -> dict[str, float]:
        """The loss and the metrics on the validation data; nothing where there are none."""
        if self.validation is None:
            return {}
        return self.trainer.evaluate_examples(self.run.network_state, self.validation)

    def _losses(self, orders: Array, started: float) -> list[float]:
        """The mean loss of each epoch; those of several are computed without coming back in between."""
        in_pieces = len(orders) == 1 and (self._by_step or self._begun[0] or (self.keeper and self.keeper.by_clock))
        found = self._in_pieces(orders[0], started) if in_pieces else [self._run_batches(orders)]
        size, steps, count = self.run.batch_size, self.run.steps_per_epoch, orders.shape[1]
        each = np.concatenate(found).astype(np.float64).reshape(len(orders), -1)
        rows = np.full(steps, float(size))
        rows[-1] = count - size * (steps - 1)
        return [float(epoch.dot(rows) / count) for epoch in each]

    def _in_pieces(self, order: Array, started: float) -> list[Array]:
        """The losses of an epoch's batches, computed in pieces of whole ones: to the same bits as in one go."""
        run, keeper = self.run, self.keeper
        (done, before), self._begun = self._begun, (0, None)
        losses = [] if before is None else [before]
        while done < run.steps_per_epoch:
            began = time.perf_counter()
            count = 1 if self._by_step else (keeper.batches if keeper and keeper.by_clock else run.steps_per_epoch)
            losses.append(self._run_batches(order[done * run.batch_size : (done + count) * run.batch_size]))
            done += len(losses[-1])
            if keeper is not None:
                keeper.settle()
            for callback in self._by_step:
                callback.on_step_end(run)
            if keeper is not None and keeper.by_clock:
                keeper.paced(len(losses[-1]), time.perf_counter() - began)
                whole = run.epoch - 1
                if done < run.steps_per_epoch and (not self._by_step or keeper.is_due(whole, done)):
                    seconds = time.perf_counter() - started
                    keeper.note(self._position(whole, done, np.concatenate(losses), seconds))
        return losses

    def _run_batches(self, rows: Array) -> Array:
        """The loss of each batch of some rows, trained on."""
        run = self.run
        assert run.data is not None
        outputs, run.state = run.step.program.run_batches(
            run.state, run.data, rows, run.batch_size, seed=self.seed, first_step=run.steps
        )
        losses: Array = outputs["loss"]
        run.steps += len(losses)
        return losses

    def _position(self, epoch: int, batches: int = 0, losses: Array | None = None, seconds: float = 0.0) -> Position:
        run = self.run
        return Position(
            epoch=epoch,
            steps=run.steps,
            state=run.state,
            last_whole=run.last_whole,
            random=random_state_of(self.rng),
            order=self.order if self.trainer.shuffle else None,
            records=len(run.history),
            stopping=run.stopping,
            stopped=run.history.stopped,
            callbacks=tuple(CallbackState(type(c).__name__, *c.to_state()) for c in run.callbacks),
            batches=batches,
            losses=losses,
            seconds=seconds,
        )
