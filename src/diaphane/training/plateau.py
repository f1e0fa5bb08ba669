"""The learning rate goes down where a score stops rising or a loss stops falling."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

from .callbacks import FALLING, Callback
from .inputs import check_whole

if TYPE_CHECKING:
    from ..graph.node import Array
    from .run import TrainingRun

__all__ = ["ReduceOnPlateau"]


class ReduceOnPlateau(Callback):
    """ε₀ ← max(α·ε₀, ``min_rate``) after more than ``patience`` epochs in a row without a better value.

    The course's heuristic, and PyTorch's ``ReduceLROnPlateau``: a score v is better than the best one b where
    v > b + τ·|b|, a loss where v < b − τ·|b|; τ is the threshold, and τ alone stands there where it is not
    ``relative``. (PyTorch has b where we have its size, so that a negative loss which stands still would be better.)
    Under a schedule ε₀ is what the schedule's factor multiplies.

    Parameters
    ----------
    monitor : str
        A name in the history.
    alpha : float
        α, in (0, 1).
    patience : int
    threshold : float
        τ ≥ 0.
    relative : bool
    cooldown : int
        Epochs after a decay of which none counts as one without a better value.
    min_rate : float
        The rate never goes below it.
    mode : {"auto", "min", "max"}
        Whether less or more is better; by default less for names that end as losses and errors do, more for anything
        else, as :class:`~diaphane.training.EarlyStopping` has it.

    Attributes
    ----------
    reductions : list of int
        The epochs after which the rate went down.

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Dense(1), (1,))
    >>> plateau = ReduceOnPlateau("loss", alpha=0.5, patience=3)
    >>> optimizer = dia.optim.SGD(0.5)
    >>> x = np.linspace(-1, 1, 8, dtype="float32")[:, None]
    >>> trainer = dia.training.Trainer(network, "squared_error", optimizer, callbacks=[plateau], random_state=0)
    >>> history = trainer.fit(x, np.abs(x)).history
    >>> history["learning_rate"][0], history.last("learning_rate") < 0.01
    (0.5, True)
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        alpha: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        relative: bool = True,
        cooldown: int = 0,
        min_rate: float = 0.0,
        mode: str = "auto",
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be auto, min or max, got {mode!r}")
        if not _is_number(alpha) or not 0 < alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1, ends excluded, got {alpha!r}: the rate goes down by it")
        for name, value in (("threshold", threshold), ("min_rate", min_rate)):
            if not _is_number(value) or not 0 <= value < math.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")
        self.monitor, self.alpha, self.relative = monitor, float(alpha), bool(relative)
        self.patience, self.cooldown = check_whole("patience", patience, 0), check_whole("cooldown", cooldown, 0)
        self.threshold, self.min_rate = float(threshold), float(min_rate)
        lower = monitor.lower().endswith(FALLING) if mode == "auto" else mode == "min"
        self.sign = -1.0 if lower else 1.0
        self._start()

    def _start(self) -> None:
        self.best, self.waited, self.cooling = -math.inf, 0, 0
        self.reductions: list[int] = []

    def on_fit_start(self, run: TrainingRun) -> None:
        self._start()

    def on_epoch_end(self, run: TrainingRun) -> None:
        if self.monitor not in run.history:
            raise ValueError(
                f"the plateau of {self.monitor!r} is waited for, which the history does not have; "
                f"it has: {', '.join(run.history.records[-1])} (give validation data, or another monitor=)"
            )
        value = self.sign * run.history.last(self.monitor)
        if self.improves(value):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.cooling > 0:
            self.cooling, self.waited = self.cooling - 1, 0
        if self.waited > self.patience:
            self._reduce(run)

    def improves(self, value: float) -> bool:
        """Whether a value (the more, the better) betters the best one by enough; NaN does not."""
        if math.isinf(self.best):
            return value > self.best
        return value > self.best + self.threshold * (abs(self.best) if self.relative else 1.0)

    def epochs_ahead(self) -> float:
        # Before its patience is at an end it reads nothing but the history.
        return max(1, self.patience + 1 - self.waited)

    def _reduce(self, run: TrainingRun) -> None:
        self.cooling, self.waited = self.cooldown, 0
        rate = run.hyperparameter("learning_rate")
        lower = max(self.alpha * rate, self.min_rate)
        if lower < rate:
            run.set_hyperparameter("learning_rate", lower)
            self.reductions.append(run.epoch)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        kept = {name: getattr(self, name) for name in ("best", "waited", "cooling")}
        return {**kept, "reductions": list(self.reductions)}, {}

    def from_state(self, plain: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.best, self.waited, self.cooling = plain["best"], plain["waited"], plain["cooling"]
        self.reductions = list(plain["reductions"])


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
