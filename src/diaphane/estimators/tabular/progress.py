"""The Trainer's bar, on the epochs of all members together."""

from __future__ import annotations

from threading import Lock
from types import TracebackType

from ...engines import State
from ...training import ProgressBar, TrainingRun
from ...training.step import TrainingStep

__all__ = ["EpochBar"]


class EpochBar:
    """A bar that several threads may move; shown where that is wanted and the output is a terminal.

    Parameters
    ----------
    step : TrainingStep
        That the members share.
    epochs : int
        Of all members together.
    shown : bool
    """

    def __init__(self, step: TrainingStep, epochs: int, shown: bool) -> None:
        self._run = TrainingRun(step, State({}), epochs, callbacks=[ProgressBar()] if shown else [])
        self._lock = Lock()

    def __enter__(self) -> EpochBar:
        self._run.call("on_fit_start")
        return self

    def advance(self, epochs: int, loss: float, validation: float) -> None:
        """A member has done so many more epochs, or will not do them, and is where these say."""
        with self._lock:
            self._run.history.append({"loss": loss, "validation": validation})
            for _ in range(epochs):
                self._run.call("on_epoch_end")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.call("on_fit_end")
