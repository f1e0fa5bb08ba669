"""Optimizers as graph formulas: for a vector of parameters and its gradient, the node that is its next value.

Each formula is that of PyTorch's optimizer of the same name (so that 50 steps agree to rounding), unless
said otherwise. ε is the learning rate, g the gradient; all hyperparameters are inputs of the program.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from ..graph import Node, ancestors, astype, constant, maximum, sqrt, square, variable, where
from ..graph.node import Array
from ..graph.record import Record
from .schedule_names import find_schedule, needs_total
from .schedules import Schedule

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "AMSGrad",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "Updates",
    "find_optimizer",
]


@dataclass
class Updates:
    """What an optimizer adds to a program.

    Attributes
    ----------
    next_values : dict of Node to Node
        For the parameters and for the optimizer's own state.
    hyperparameters : dict of str to Node
        Variables of role ``"hyperparameter"``: set them in the state at any time, nothing is planned anew.
        Those of a schedule have ``schedule/`` in front; ``steps_per_epoch`` is what turns its steps into epochs.
    """

    next_values: dict[Node, Node] = field(default_factory=dict)
    hyperparameters: dict[str, Node] = field(default_factory=dict)


class Slots:
    """Where one group's formula finds its hyperparameters and keeps its state."""

    def __init__(self, optimizer: Optimizer, parameters: Node, decayed: Array | None = None) -> None:
        self.parameters = parameters
        self.updates = Updates()
        self.decayed = None if optimizer.decay_biases else decayed
        for name, value in optimizer.own_numbers().items():
            self._hyperparameter(name, value)
        self.rate = self.updates.hyperparameters["learning_rate"]
        schedule = find_schedule(optimizer.schedule)
        if schedule is not None:
            self.rate = (self.rate * self._factor(schedule)).named("learning_rate_now")

    def _hyperparameter(self, name: str, value: float) -> Node:
        node = variable(value, name, dtype="float64", role="hyperparameter")
        self.updates.hyperparameters[name] = node
        return node

    def _factor(self, schedule: Schedule) -> Node:
        """The schedule's factor after the steps done so far, which are counted."""
        done = variable(0, "schedule_step", dtype="int64", role="state")
        self.updates.next_values[done] = done + 1
        steps_per_epoch = self._hyperparameter("steps_per_epoch", 1.0)
        found = schedule.factor(done, steps_per_epoch, lambda n, v: self._hyperparameter(f"schedule/{n}", v))
        if steps_per_epoch not in ancestors([found]):
            del self.updates.hyperparameters["steps_per_epoch"]
        return found

    def __getitem__(self, name: str) -> Node:
        """A hyperparameter in the parameters' precision; the learning rate is the present step's."""
        return astype(self.exact(name), self.parameters.dtype)

    def exact(self, name: str) -> Node:
        """A hyperparameter in float64: 1 − 0.999 has lost four digits in float32."""
        return self.rate if name == "learning_rate" else self.updates.hyperparameters[name]

    def kept(self, name: str, formula: Callable[[Node], Node]) -> Node:
        """A vector kept from step to step, 0 at first; its next value by the formula of its present one."""
        before = variable(np.zeros(self.parameters.shape, self.parameters.dtype), name, role="state")
        after = formula(before)
        self.updates.next_values[before] = after
        return after

    def count(self) -> Node:
        """t = 1, 2, …: the number of this update, in float64."""
        before = variable(0, "t", dtype="int64", role="state")
        self.updates.next_values[before] = before + 1
        return astype(before + 1, "float64")

    def move(self, change: Node) -> Updates:
        """The parameters go by a change, and by ε_t·λ of themselves where there is weight decay."""
        if "weight_decay" in self.updates.hyperparameters:
            change = change - self._decay()
        self.updates.next_values[self.parameters] = self.parameters + change
        return self.updates

    def _decay(self) -> Node:
        decay = self["learning_rate"] * self["weight_decay"] * self.parameters
        if self.decayed is None or self.decayed.all():
            return decay
        return where(constant(self.decayed.astype(bool)), decay, 0)


@dataclass(frozen=True, repr=False)
class Optimizer(Record, abstract=True):
    """Frozen data with a formula. Float fields are hyperparameters that a program takes as inputs.

    Parameters
    ----------
    learning_rate : float
        ε₀.
    schedule : Schedule or str, optional
        The rate of a step is ε_t = ε₀·factor(t). For a text see :func:`~diaphane.optim.find_schedule`; what it leaves
        out follows from the epochs of the training.
    weight_decay : float
        λ, decoupled from the gradient: θ ← θ − ε_t·λ·θ beside the step (Loshchilov & Hutter 2019). The penalty
        :class:`~diaphane.optim.L2` is another thing. 0 is none, and adds nothing to a step.
    decay_biases : bool
        Whether it moves biases and the scales of normalisation too, or kernels only.

    Examples
    --------
    >>> Momentum(0.1, schedule="step:0.5,10", weight_decay=1e-4)
    Momentum(learning_rate=0.1, momentum=0.9, schedule='step:0.5,10', weight_decay=0.0001)
    """

    learning_rate: float = 0.01
    schedule: Schedule | str | None = field(default=None, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    decay_biases: bool = field(default=False, kw_only=True)

    nonnegative: ClassVar[tuple[str, ...]] = ("weight_decay",)
    fractions: ClassVar[tuple[str, ...]] = ("momentum", "rho", "alpha")
    proper_fractions: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2")  # 1 − βᵗ is divided by

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(f.default, bool) or f.name == "schedule":
                continue
            if isinstance(value, Real) and not isinstance(value, bool):
                object.__setattr__(self, f.name, float(value))
            _check(type(self), f.name, value)
        if not isinstance(self.decay_biases, bool | np.bool_):
            raise ValueError(f"{type(self).__name__}: decay_biases must be True or False, got {self.decay_biases!r}")
        if isinstance(self.schedule, str):
            needs_total(self.schedule)
        else:
            find_schedule(self.schedule)

    def __repr__(self) -> str:
        """Name what is not as it is for everybody after what is the class's own."""
        shared = {f.name: f.default for f in fields(Optimizer) if f.name != "learning_rate"}
        own = [f for f in fields(self) if f.name not in shared or getattr(self, f.name) != f.default]
        ordered = sorted(own, key=lambda f: f.name in shared)
        return f"{type(self).__name__}({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in ordered)})"

    def for_epochs(self, epochs: int) -> Optimizer:
        """Itself, with what its schedule's text leaves out filled in for a training of so many epochs.

        Examples
        --------
        >>> SGD(0.1, schedule="cosine").for_epochs(20).schedule.period
        20.0
        """
        if not isinstance(self.schedule, str):
            return self
        return replace(self, schedule=find_schedule(self.schedule, total=epochs))

    def own_numbers(self) -> dict[str, float]:
        """The formula's own numbers by name, a weight decay of 0 left out."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {n: v for n, v in found.items() if isinstance(v, float) and (n != "weight_decay" or v)}

    def numbers(self) -> dict[str, float]:
        """What the hyperparameters of its program are set to at first, the schedule's included.

        Examples
        --------
        >>> SGD(0.1, schedule="exponential:0.05").numbers()
        {'learning_rate': 0.1, 'schedule/alpha': 0.05}
        """
        schedule = find_schedule(self.schedule)
        of_schedule = {} if schedule is None else {f"schedule/{n}": v for n, v in schedule.numbers().items()}
        return {**self.own_numbers(), **of_schedule}

    def with_default_numbers(self) -> Optimizer:
        """The same formula with its classes' own numbers: those of one plan are then equal.

        Examples
        --------
        >>> SGD(0.3, weight_decay=0.2).with_default_numbers() == SGD(0.1, weight_decay=0.5).with_default_numbers()
        True
        """
        own: dict[str, Any] = {f.name: f.default for f in fields(self) if isinstance(f.default, float)}
        schedule = find_schedule(self.schedule)
        own["weight_decay"] = 1.0 if self.weight_decay else 0.0
        own["schedule"] = None if schedule is None else schedule.with_default_numbers()
        return replace(self, **own)

    def updates(self, parameters: Node, gradient: Node, decayed: Array | None = None) -> Updates:
        """The next values of a vector of parameters and of the optimizer's own state.

        Parameters
        ----------
        parameters : variable, shape (P,)
        gradient : node, shape (P,)
        decayed : array of bool, shape (P,), optional
            Which of them weight decay moves, all by default; see :attr:`FlatParameters.kernels`.
        """
        return self.formula(gradient, Slots(self, parameters, decayed))

    def formula(self, g: Node, slots: Slots) -> Updates:
        """The update, written with ``slots``."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class SGD(Optimizer):
    """θ ← θ − ε·g (Robbins & Monro 1951)."""

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(-(slots["learning_rate"] * g))


@dataclass(frozen=True, repr=False)
class Momentum(Optimizer):
    """v ← μ·v − ε·g; θ ← θ + v (Polyak 1964).

    The velocity holds the learning rates of its steps, v ← μ·v − ε_t·g, as in scikit-learn: under a schedule a step
    made at a greater rate goes on at that rate. PyTorch's velocity has no rate and all of it is scaled by the present
    one; with a constant ε the two are the same.
    """

    momentum: float = 0.9

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(slots.kept("velocity", lambda v: slots["momentum"] * v - slots["learning_rate"] * g))


@dataclass(frozen=True, repr=False)
class Nesterov(Momentum):
    """v ← μ·v − ε·g; θ ← θ + μ·v − ε·g, v being the new one (Nesterov 1983; Sutskever et al. 2013)."""

    def formula(self, g: Node, slots: Slots) -> Updates:
        step = slots["learning_rate"] * g
        velocity = slots.kept("velocity", lambda v: slots["momentum"] * v - step)
        return slots.move(slots["momentum"] * velocity - step)


@dataclass(frozen=True, repr=False)
class Adagrad(Optimizer):
    """s ← s + g²; θ ← θ − ε·g/(√s + η) (Duchi, Hazan & Singer 2011).

    η stands outside the root; without it the first step of a zero gradient would be 0/0.
    """

    epsilon: float = 1e-10

    def formula(self, g: Node, slots: Slots) -> Updates:
        total = slots.kept("sum_of_squares", lambda s: s + square(g))
        return slots.move(-(slots["learning_rate"] * (g / (sqrt(total) + slots["epsilon"]))))


@dataclass(frozen=True, repr=False)
class Adadelta(Optimizer):
    """s ← ρs + (1 − ρ)g²; Δ = √(d + η)/√(s + η)·g; d ← ρd + (1 − ρ)Δ²; θ ← θ − ε·Δ (Zeiler 2012)."""

    learning_rate: float = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6

    def formula(self, g: Node, slots: Slots) -> Updates:
        rho, eta = slots["rho"], slots["epsilon"]
        squares = slots.kept("mean_square", lambda s: rho * s + (1 - rho) * square(g))
        change: list[Node] = []

        def next_delta(d: Node) -> Node:
            change.append(sqrt(d + eta) / sqrt(squares + eta) * g)
            return rho * d + (1 - rho) * square(change[0])

        slots.kept("mean_square_change", next_delta)
        return slots.move(-(slots["learning_rate"] * change[0]))


@dataclass(frozen=True, repr=False)
class RMSProp(Optimizer):
    """s ← αs + (1 − α)g²; θ ← θ − ε·g/(√s + η) (Tieleman & Hinton 2012, lecture 6.5)."""

    alpha: float = 0.99
    epsilon: float = 1e-8

    def formula(self, g: Node, slots: Slots) -> Updates:
        alpha = slots["alpha"]
        squares = slots.kept("mean_square", lambda s: alpha * s + (1 - alpha) * square(g))
        return slots.move(-(slots["learning_rate"] * (g / (sqrt(squares) + slots["epsilon"]))))


@dataclass(frozen=True, repr=False)
class Adam(Optimizer):
    """m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; θ ← θ − ε·m̂/(√v̂ + η), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    Kingma & Ba 2015, algorithm 1. With ``uncorrected_epsilon`` the step is ε·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + η),
    the order of the end of their section 2, which scikit-learn has.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    uncorrected_epsilon: bool = False

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(self._change(g, slots, lambda v: v))

    def _change(self, g: Node, slots: Slots, ceiling: Callable[[Node], Node]) -> Node:
        beta_1, beta_2, t = slots.exact("beta_1"), slots.exact("beta_2"), slots.count()
        dtype = slots.parameters.dtype
        rest_1, rest_2 = astype(1 - beta_1, dtype), astype(1 - beta_2, dtype)
        m = slots.kept("mean", lambda m: slots["beta_1"] * m + rest_1 * g)
        v = ceiling(slots.kept("mean_square", lambda v: slots["beta_2"] * v + rest_2 * square(g)))
        rate = slots.exact("learning_rate") / (1 - beta_1**t)
        root = sqrt(1 - beta_2**t)
        if self.uncorrected_epsilon:
            return -(astype(rate * root, dtype) * m / (sqrt(v) + slots["epsilon"]))
        return -(astype(rate, dtype) * m / (sqrt(v) / astype(root, dtype) + slots["epsilon"]))


@dataclass(frozen=True, repr=False)
class AMSGrad(Adam):
    """Adam with the greatest v there has been in the denominator (Reddi, Kale & Kumar 2018)."""

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(self._change(g, slots, lambda v: slots.kept("greatest", lambda old: maximum(old, v))))


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← (1 − ε·λ)θ before the step (Loshchilov & Hutter 2019).

    Kernels only, unless ``decay_biases``; PyTorch's decays whatever it is given.
    """

    weight_decay: float = field(default=0.01, kw_only=True)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSProp,
    "adam": Adam,
    "amsgrad": AMSGrad,
    "adamw": AdamW,
}
"""Optimizers by name."""


def find_optimizer(value: str | Optimizer, **settings: Any) -> Optimizer:
    """The optimizer of a name with these settings, or the optimizer itself.

    Examples
    --------
    >>> find_optimizer("sgd", learning_rate=0.1)
    SGD(learning_rate=0.1)
    """
    if isinstance(value, Optimizer):
        return value
    if value not in OPTIMIZERS:
        raise ValueError(f"there is no optimizer {value!r}; there are: {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[value](**settings)


def _check(kind: type[Optimizer], name: str, value: Any) -> None:
    where = f"{kind.__name__}: {name}"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{where} must be a finite number, got {value!r}")
    number = float(value)
    if name in kind.fractions and not 0 <= number <= 1:
        raise ValueError(f"{where} must be in [0, 1], got {value!r}")
    if name in kind.proper_fractions and not 0 <= number < 1:
        raise ValueError(f"{where} must be in [0, 1), got {value!r}")
    if name in kind.nonnegative and number < 0:
        raise ValueError(f"{where} must be at least 0, got {value!r}")
    if name in ("learning_rate", "epsilon") and number <= 0:
        raise ValueError(f"{where} must be greater than 0, got {value!r}")
