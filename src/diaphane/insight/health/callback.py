"""Gradient health over a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.randomness import RandomState, as_random_state
from ...engines import State
from ...engines.batches import gather, row_count
from ...engines.program import check_whole
from ...graph import Node
from ...graph.node import Array
from ...training import Callback, TrainingRun
from .looks import LayerHealth, Look
from .probe import probe_of
from .report import HealthReport
from .verdict import Finding

if TYPE_CHECKING:
    from ..displays import HealthDisplay

__all__ = ["GradientHealth", "sampled"]

ROWS = 256
STEP_SECONDS, FLOPS = 3e-6, 2e11
LOOK_SECONDS, LOOK_FLOPS, ELEMENT_SECONDS = 8e-4, 5e10, 2e-8
"""What a step and a look cost on a fast core, for choosing how often to look: a fixed part, the products of a network
of P parameters (6·P a row: forward, and backward by weights and by values), and for a look the passes over P numbers.
Only their ratio matters, a slower machine being slower at both; a clock would make the epochs looked at a matter of
chance."""

NUMBERS = [f.name for f in fields(LayerHealth) if f.type in ("float", "int") and f.name != "number"]


class GradientHealth(Callback):
    """Look at gradients, updates and idle units as a network trains, and say what is wrong.

    It looks before the first step, after epochs, and at the end, at the same few rows (of a stream, some of its first
    ones): one more run of a program that is planned once. Training gives the same bits with it as without.

    Parameters
    ----------
    every : int
        Look after every so many epochs, at most.
    rows : int
        How many rows to look at, of those that are learnt from.
    cost : float or None
        About which share of the training's time looking may take: small networks are looked at after fewer epochs.
        None looks whenever ``every`` says.
    random_state : int, RandomState or None
        Which rows.

    Attributes
    ----------
    report : HealthReport

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> from diaphane.training import Trainer
    >>> x = np.random.default_rng(0).standard_normal((200, 5))
    >>> layers = [dia.nn.Dense(16, "sigmoid") for _ in range(8)]
    >>> network = dia.nn.Network(dia.nn.Sequential([*layers, dia.nn.Dense(1)]), (5,), dtype="float64")
    >>> health = GradientHealth()
    >>> trainer = Trainer(network, "squared_error", "sgd", epochs=5, callbacks=[health], random_state=0)
    >>> _ = trainer.fit(x, x[:, :1] * x[:, 1:2])
    >>> [finding.kind for finding in health.verdict()], health.healthy
    (['vanishing'], False)
    """

    def __init__(
        self, every: int = 1, *, rows: int = ROWS, cost: float | None = 0.1, random_state: RandomState = 0
    ) -> None:
        self.every, self.rows = check_whole("every", every), check_whole("rows", rows)
        if cost is not None and not (isinstance(cost, int | float) and 0 < cost <= 1):
            raise ValueError(f"cost is the share of the training's time to look for, in (0, 1], or None; got {cost!r}")
        self.cost, self.random_state = cost, random_state
        self._begin()

    def _begin(self) -> None:
        self._looks: list[Look] = []
        self._diverged = False
        self._rows: dict[Node | str, Array] = {}
        self._seen: State | None = None
        self._done = self._due = 0

    @property
    def report(self) -> HealthReport:
        """What was seen so far."""
        return HealthReport(tuple(self._looks), self._diverged)

    @property
    def looks(self) -> tuple[Look, ...]:
        """Every look, in the order of time."""
        return self.report.looks

    def table(self) -> list[dict[str, Any]]:
        """The last look: one record a layer."""
        return self.report.table()

    def plot(self, axes: Sequence[Any] | None = None) -> HealthDisplay:
        """Gradient, update and idle units by layer over time."""
        return self.report.plot(axes)

    def verdict(self) -> list[Finding]:
        """What is wrong, in words; empty for a healthy training."""
        return self.report.verdict()

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return self.report.healthy

    def __str__(self) -> str:
        return str(self.report)

    def on_fit_start(self, run: TrainingRun) -> None:
        self._begin()
        self._look(run)
        self._due = run.epoch + self._gap(run)

    def on_epoch_end(self, run: TrainingRun) -> None:
        self._done = run.epoch
        if run.epoch >= self._due:
            self._look(run)
            self._due = run.epoch + self._gap(run)

    def on_fit_end(self, run: TrainingRun) -> None:
        self._diverged = run.history.stopped == "diverged"
        # Early stopping may have gone back to former values, so that the last look was at others.
        if run.history.stopped != "failed" and run.state is not self._seen:
            self._look(run)
        # Not kept: an estimator that holds this callback is pickled without a graph.
        self._rows, self._seen = {}, None

    def epochs_ahead(self) -> float:
        """Until the next look."""
        return max(self._due - self._done, 1)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        plain = {
            "due": self._due,
            "looks": [[look.epoch, look.steps] for look in self._looks],
            "layers": [[layer.name, layer.number, layer.activation] for layer in self._looks[0].layers]
            if self._looks
            else [],
        }
        losses = [[look.loss, look.constant_loss, look.zero_loss] for look in self._looks]
        numbers = [[[float(asdict(layer)[n]) for n in NUMBERS] for layer in look.layers] for look in self._looks]
        return plain, {"losses": np.array(losses, float), "numbers": np.array(numbers, float)}

    def from_state(self, plain: dict[str, Any], arrays: dict[str, Array]) -> None:
        def layer(named: Sequence[Any], numbers: Array) -> LayerHealth:
            values: dict[str, Any] = dict(zip(NUMBERS, map(float, numbers), strict=True))
            values["units"] = int(values["units"])
            return LayerHealth(name=named[0], number=named[1], activation=named[2], **values)

        each = zip(plain["looks"], arrays["losses"].tolist(), arrays["numbers"], strict=True)
        self._looks = [
            Look(epoch, steps, loss, constant, zero, tuple(map(layer, plain["layers"], numbers)))
            for (epoch, steps), (loss, constant, zero), numbers in each
        ]
        self._due = plain["due"]
        self._done = self._looks[-1].epoch if self._looks else 0

    def _look(self, run: TrainingRun) -> None:
        if run.data is None:
            return
        if not self._rows:
            learnt = np.arange(row_count(next(iter(run.data.values())))) if run.learnt is None else run.learnt
            picked = sampled(learnt, self.rows, self.random_state)
            # Copied: of a stream there is another window in a moment.
            self._rows = {node: gather(each, picked, each.dtype) for node, each in run.data.items()}
        every = np.arange(row_count(next(iter(self._rows.values()))))
        look = probe_of(run.step).look(run.state, self._rows, every, epoch=run.epoch, steps=run.steps)
        # Other values after as many steps: those that early stopping went back to. (Where training diverged, the
        # steps of the epoch that failed are not counted.)
        if self._looks and self._looks[-1].steps == look.steps and not self._diverged:
            self._looks.pop()
        self._looks.append(look)
        self._seen = run.state

    def _gap(self, run: TrainingRun) -> int:
        """How many epochs until the next look."""
        if self.cost is None or not run.steps_per_epoch:
            return self.every
        size = run.step.flat.vector.shape[0]
        assert isinstance(size, int)
        step = STEP_SECONDS + 6 * size * run.batch_size / FLOPS
        look = LOOK_SECONDS + 6 * size * self.rows / LOOK_FLOPS + size * ELEMENT_SECONDS
        return max(self.every, math.ceil(look / (self.cost * step * run.steps_per_epoch)))


def sampled(learnt: Array, rows: int, random_state: RandomState) -> Array:
    """So many of the rows, without repeats, in their own order; all where there are no more.

    Examples
    --------
    >>> sampled(np.arange(5), 8, 0), len(sampled(np.arange(1000), 8, 0))
    (array([0, 1, 2, 3, 4]), 8)
    """
    if len(learnt) <= rows:
        return learnt
    picked: Array = np.sort(as_random_state(random_state).choice(len(learnt), rows, replace=False))
    found: Array = learnt[picked]
    return found
