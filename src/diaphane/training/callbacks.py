"""What may happen at the named moments of a training run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..files.runs import name_values, values_by_name

if TYPE_CHECKING:
    from ..engines import State
    from ..graph import Node
    from ..graph.node import Array
    from .run import TrainingRun

__all__ = ["Callback", "EarlyStopping", "ProgressBar"]


class Callback:
    """Override the moments that you want; each gets the run.

    ``on_step_end`` makes the trainer come back from the engine after every batch: leave it out where an
    epoch's end will do, and see :meth:`epochs_ahead` for what an epoch's end costs.

    Examples
    --------
    >>> class PrintLoss(Callback):
    ...     def on_epoch_end(self, run):
    ...         print(run.epoch, round(run.history.last("loss"), 3))
    """

    def on_fit_start(self, run: TrainingRun) -> None:
        """Before the first epoch."""

    def on_epoch_start(self, run: TrainingRun) -> None:
        """Before each epoch."""

    def on_step_end(self, run: TrainingRun) -> None:
        """After each batch."""

    def on_epoch_end(self, run: TrainingRun) -> None:
        """After each epoch, when its record is in the history."""

    def on_fit_end(self, run: TrainingRun) -> None:
        """After the last epoch, also when training was interrupted, diverged or failed."""

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """What this keeps from epoch to epoch, for a checkpoint: plain data that JSON can hold, and arrays by name.

        Called after an epoch, or between two batches of one.
        """
        return {}, {}

    def from_state(self, plain: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Take up what :meth:`to_state` gave, after ``on_fit_start`` of the training that goes on."""

    def epochs_ahead(self) -> float:
        """How many epochs may be computed in one go before this is called back for each of them in turn.

        1 where a moment between two epochs is overridden. More is for whoever reads nothing but the history
        there, and acts on the run after the last of them only: its ``state`` is then that of the last.
        """
        between = ("on_epoch_start", "on_step_end", "on_epoch_end")
        return 1 if any(getattr(type(self), m) is not getattr(Callback, m) for m in between) else math.inf


FALLING = ("loss", "error", "losses", "errors", "mae", "mse", "rmse", "nll", "deviance", "perplexity")
"""Endings of names whose values are better the lower they are."""


class EarlyStopping(Callback):
    """Stop when a value no longer gets better, and go back to the best parameters.

    Training stops after more than ``patience`` epochs in a row that did not better the best value by at
    least ``min_delta`` (Prechelt 1998).

    Parameters
    ----------
    monitor : str
        A name in the history.
    patience : int
    min_delta : float
    mode : {"auto", "min", "max"}
        Whether less or more is better; by default less for names that end as losses and errors do
        (:data:`FALLING`), more for anything else.
    restore_best : bool
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be auto, min or max, got {mode!r}")
        self.monitor, self.patience, self.min_delta, self.restore_best = monitor, patience, min_delta, restore_best
        lower = monitor.lower().endswith(FALLING) if mode == "auto" else mode == "min"
        self.sign = -1.0 if lower else 1.0
        self.best, self.best_epoch, self.waited = -math.inf, 0, 0
        self._best_state: State | None = None
        self._variables: tuple[Node, ...] = ()

    @property
    def best_value(self) -> float:
        """The best value of what is monitored."""
        return self.sign * self.best

    def on_fit_start(self, run: TrainingRun) -> None:
        self.best, self.best_epoch, self.waited = -math.inf, 0, 0
        self._best_state, self._variables = None, tuple(run.state)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        best = {} if self._best_state is None or not self.restore_best else name_values(self._best_state)
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}, best

    def from_state(self, plain: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.best, self.best_epoch, self.waited = plain["best"], plain["best_epoch"], plain["waited"]
        self._best_state = values_by_name(self._variables, arrays, "early stopping's best state") if arrays else None

    def on_epoch_end(self, run: TrainingRun) -> None:
        if self.monitor not in run.history:
            raise ValueError(
                f"early stopping watches {self.monitor!r}, which the history does not have; "
                f"it has: {', '.join(run.history.records[-1])} (give validation data, or another monitor=)"
            )
        value = self.sign * run.history.last(self.monitor)
        # Written so that NaN, for which every comparison is false, counts as no improvement.
        self.waited = 0 if self.improves(value) else self.waited + 1
        if value > self.best:
            self.best, self.best_epoch, self._best_state = value, run.epoch, run.state
        if self.waited > self.patience:
            self.on_exhausted(run)

    def improves(self, value: float) -> bool:
        """Whether a value (the more, the better) betters the best one by enough; a tie does not."""
        return value > self.best and value >= self.best + self.min_delta

    def on_exhausted(self, run: TrainingRun) -> None:
        """When patience is at its end: stop."""
        run.stop(f"{self.monitor} did not improve by {self.min_delta:g} for {self.patience} epochs in a row")

    def on_fit_end(self, run: TrainingRun) -> None:
        if self.restore_best and self._best_state is not None:
            run.state = self._best_state
        # Not kept: an estimator that holds this callback is pickled without a graph.
        self._best_state, self._variables = None, ()


class ProgressBar(Callback):
    """A bar with the epoch, the losses and the time left; quiet where the output is not a terminal."""

    def __init__(self, description: str = "training") -> None:
        self.description = description
        self._progress: Any = None

    def on_fit_start(self, run: TrainingRun) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        if not console.is_terminal:
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[values]}"),
        )
        self._progress = Progress(*columns, TimeRemainingColumn(), console=console)
        self._progress.start()
        self._task = self._progress.add_task(self.description, total=run.epochs, values="")

    def on_epoch_end(self, run: TrainingRun) -> None:
        if self._progress is not None:
            record = run.history.records[-1]
            names = [n for n in record if n == "loss" or n.startswith("validation")]
            values = "  ".join(f"{name.replace('_', ' ')} {record[name]:.4f}" for name in names)
            self._progress.update(self._task, advance=1, values=values)

    def on_fit_end(self, run: TrainingRun) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
