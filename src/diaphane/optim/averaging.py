"""The average of the parameters along the way, which is often better than where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..graph import Node, astype, equal, floor, logical_and, variable, where
from ..graph.record import Record
from .checking import as_whole_number, check_number, hyperparameter, is_number

__all__ = ["EMA", "SWA", "Average", "Averaging", "find_averaging"]


@dataclass
class Average:
    """What an average adds to a program.

    Attributes
    ----------
    vector : Node
        The variable of the average of the parameters.
    count : Node
        The variable of how many values are in it; as long as there is none the parameters themselves stand for it.
    next_values : dict of Node to Node
    """

    vector: Node
    count: Node
    next_values: dict[Node, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Averaging(Record, abstract=True):
    """θ̄ ← θ̄ + r·(θ − θ̄) after each step; frozen data that says what r is.

    Validation and the result of a training take θ̄; the optimizer goes on from θ. The running means of
    :class:`~diaphane.nn.BatchNorm` are those of θ: :func:`diaphane.training.refresh` computes them for θ̄.
    """

    def rate(self, count: Node, step: Node, steps_per_epoch: Node) -> tuple[Node, Node | None]:
        """r, and whether θ is taken in at all (None: always).

        Parameters
        ----------
        count : scalar node, int64
            Values averaged so far.
        step : scalar node, float64
            t = 1, 2, …: this step.
        steps_per_epoch : scalar node, float64
        """
        raise NotImplementedError(f"{type(self).__name__} says nothing of its rate")

    def updates(self, moved: Node, known: Mapping[str, Node]) -> Average:
        """The average of a vector after each step, and what it needs.

        Parameters
        ----------
        moved : node, shape (P,)
            The parameters after the step.
        known : mapping of str to Node
            The program's hyperparameters so far: ``"steps_per_epoch"`` is shared with a schedule's.
        """
        vector = variable(np.zeros(moved.shape, moved.dtype), "average", role="state")
        count = variable(0, "average_count", dtype="int64", role="state")
        step = variable(0, "average_step", dtype="int64", role="state")
        steps_per_epoch = known.get("steps_per_epoch")
        if steps_per_epoch is None:
            steps_per_epoch = variable(1.0, "steps_per_epoch", dtype="float64", role="hyperparameter")
        rate, due = self.rate(count, astype(step + 1, "float64"), steps_per_epoch)
        after = vector + astype(rate, moved.dtype) * (moved - vector)
        if due is None:
            return Average(vector, count, {vector: after, count: count + 1, step: step + 1})
        counted = count + astype(due, "int64")
        return Average(vector, count, {vector: where(due, after, vector), count: counted, step: step + 1})


@dataclass(frozen=True)
class EMA(Averaging):
    """θ̄_t = (1 − d)·Σ dᵗ⁻ⁱ·θᵢ / (1 − dᵗ), i = 1 … t: an exponential moving average (Polyak & Juditsky 1992).

    Divided by the sum of its weights, as Adam's are (Kingma & Ba 2015, §3), it has no bias from its start: θ̄₁ = θ₁,
    and r = (1 − d)/(1 − dᵗ).

    Parameters
    ----------
    decay : float in [0, 1)
        d, a hyperparameter of the program: ``"ema/decay"``. It looks back over about 1/(1 − d) steps.

    Examples
    --------
    >>> EMA(0.999)
    EMA(decay=0.999)
    """

    decay: float = 0.999

    def __post_init__(self) -> None:
        check_number(self, "decay", is_number(self.decay) and 0 <= self.decay < 1, "in [0, 1)")

    def rate(self, count: Node, step: Node, steps_per_epoch: Node) -> tuple[Node, Node | None]:
        decay = hyperparameter(self, "decay")
        return (1 - decay) / (1 - decay**step), None


@dataclass(frozen=True)
class SWA(Averaging):
    """The mean of the parameters at the ends of epochs s, s + c, s + 2c, … (Izmailov et al. 2018, algorithm 1).

    Before the end of epoch s there is no average, and the parameters stand for it. It wants a learning rate that stays
    large enough to move about: constant, or cyclic with the period c.

    Parameters
    ----------
    start_epoch : int
        s ≥ 1.
    every : int
        c ≥ 1. Both are hyperparameters of the program: ``"swa/start_epoch"``, ``"swa/every"``.

    Examples
    --------
    >>> SWA(start_epoch=30)
    SWA(start_epoch=30, every=1)
    """

    start_epoch: int
    every: int = 1

    def __post_init__(self) -> None:
        as_whole_number(self, "start_epoch", 1)
        as_whole_number(self, "every", 1)

    def rate(self, count: Node, step: Node, steps_per_epoch: Node) -> tuple[Node, Node | None]:
        epoch = step / steps_per_epoch
        cycles = (epoch - hyperparameter(self, "start_epoch")) / hyperparameter(self, "every")
        at_an_end = logical_and(equal(epoch, floor(epoch)), equal(cycles, floor(cycles)))
        return 1 / (astype(count, "float64") + 1), logical_and(at_an_end, cycles >= 0)


def find_averaging(value: str | Averaging | None) -> Averaging | None:
    """The averaging of a text, ``"ema:0.999"`` or ``"swa:30"`` or ``"swa:30,2"``; an averaging, or None, as it is.

    Raises
    ------
    ValueError
        If the text is none of these.

    Examples
    --------
    >>> find_averaging("ema"), find_averaging("swa:30")
    (EMA(decay=0.999), SWA(start_epoch=30, every=1))
    """
    if value is None or isinstance(value, Averaging):
        return value
    expected = f"averaging must be ema:DECAY (such as ema:0.999) or swa:START_EPOCH (such as swa:30), got {value!r}"
    if not isinstance(value, str):
        raise TypeError(expected)
    name, _, text = value.strip().partition(":")
    numbers = [part for part in text.split(",") if part]
    try:
        if name == "ema" and len(numbers) <= 1:
            return EMA(*map(float, numbers))
        if name == "swa" and 1 <= len(numbers) <= 2:
            return SWA(*map(int, numbers))
    except ValueError as error:
        raise ValueError(f"{expected}: {error}") from None
    raise ValueError(expected)
