"""A training in progress, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engines import State
from ..graph import Node
from ..graph.node import Array
from .history import History

if TYPE_CHECKING:
    from .callbacks import Callback
    from .step import TrainingStep

__all__ = ["TrainingResult", "TrainingRun"]


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
    batch_size, steps_per_epoch : int
        Rows of a step (the last of an epoch may have fewer), and steps of an epoch.
    callbacks : tuple of Callback
        All that are called back, the trainer's own and those that the fit adds.
    data : dict of Node to rows, or None
        What batches are gathered from: the step's placeholders with the rows in memory at hand.
    learnt : array of int, or None
        The numbers of those rows that are learnt from.
    history : History
    """

    def __init__(
        self,
        step: TrainingStep,
        state: State,
        epochs: int,
        steps: int = 0,
        *,
        batch_size: int = 0,
        steps_per_epoch: int = 0,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.network, self.step, self.state, self.epochs = step.network, step, state, epochs
        self.last_whole = state
        self.data: dict[Node | str, Any] | None = None
        self.learnt: Array | None = None
        self.batch_size, self.steps_per_epoch, self.callbacks = batch_size, steps_per_epoch, tuple(callbacks)
        self.epoch, self.steps = 0, steps
        self.history = History()
        self.stopping = False

    def call(self, moment: str) -> None:
        """Call every callback back at a named moment."""
        for callback in self.callbacks:
            getattr(callback, moment)(self)

    def stop(self, reason: str) -> None:
        """End after this epoch."""
        self.stopping, self.history.stopped = True, reason

    @property
    def network_state(self) -> State:
        """The network's values."""
        return self.step.network_state(self.state)

    @property
    def learning_rate(self) -> float | None:
        """ε of the last step done, its schedule's factor included; None where the optimizer has none."""
        return next(iter(self.learning_rates(1)), None)

    def learning_rates(self, epochs: int) -> list[float]:
        """ε at the last step of each of the last so many epochs; nothing where the optimizer has none."""
        if "learning_rate" not in self.step.hyperparameters:
            return []
        base = self.hyperparameter("learning_rate")
        schedule = self.step.schedule
        if schedule is None:
            return [base] * epochs
        last = self._schedule_step() - 1 - self.steps_per_epoch * np.arange(epochs - 1, -1, -1)
        factors = schedule.values(np.maximum(last, 0), self.steps_per_epoch, self._schedule_numbers())
        return [base * float(factor) for factor in factors]

    def check_schedule(self) -> None:
        """Refuse a learning rate that turns negative in the epochs to come.

        Raises
        ------
        ScheduleError
        """
        if self.step.schedule is not None:
            left = self.epochs - self.epoch
            self.step.schedule.check(left, self.steps_per_epoch, self._schedule_step(), self._schedule_numbers())

    def _schedule_step(self) -> int:
        """The steps that the schedule has counted."""
        return int(next(value for v, value in self.state.items() if v.name == "schedule_step"))

    def _schedule_numbers(self) -> dict[str, float]:
        known = self.step.hyperparameters
        return {n.removeprefix("schedule/"): self.hyperparameter(n) for n in known if n.startswith("schedule/")}

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
