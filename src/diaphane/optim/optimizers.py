"""Optimizers as graph formulas: for a vector of parameters and its gradient, the node that is its next value.

Each formula is that of PyTorch's optimizer of the same name (so that 50 steps agree to rounding), unless
said otherwise. ε is the learning rate, g the gradient; all hyperparameters are inputs of the program.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any, ClassVar

from ..graph import Node, astype, maximum, sqrt, square, variable
from ..graph.record import Record

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
    """

    next_values: dict[Node, Node] = field(default_factory=dict)
    hyperparameters: dict[str, Node] = field(default_factory=dict)


class Slots:
    """Where one group's formula finds its hyperparameters and keeps its state."""

    def __init__(self, optimizer: Optimizer, parameters: Node) -> None:
        self.parameters = parameters
        self.updates = Updates()
        for f in fields(optimizer):
            value = getattr(optimizer, f.name)
            if isinstance(value, float):
                self.updates.hyperparameters[f.name] = variable(value, f.name, dtype="float64", role="hyperparameter")

    def __getitem__(self, name: str) -> Node:
        """A hyperparameter in the parameters' precision."""
        return astype(self.updates.hyperparameters[name], self.parameters.dtype)

    def exact(self, name: str) -> Node:
        """A hyperparameter in float64: 1 − 0.999 has lost four digits in float32."""
        return self.updates.hyperparameters[name]

    def kept(self, name: str, formula: Callable[[Node], Node]) -> Node:
        """A vector kept from step to step, 0 at first; its next value by the formula of its present one."""
        import numpy as np

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
        """The parameters go by a change."""
        self.updates.next_values[self.parameters] = self.parameters + change
        return self.updates


@dataclass(frozen=True)
class Optimizer(Record, abstract=True):
    """Frozen data with a formula. Float fields are hyperparameters that a program takes as inputs."""

    learning_rate: float = 0.01

    nonnegative: ClassVar[tuple[str, ...]] = ("weight_decay",)
    fractions: ClassVar[tuple[str, ...]] = ("momentum", "rho", "alpha")
    proper_fractions: ClassVar[tuple[str, ...]] = ("beta_1", "beta_2")  # 1 − βᵗ is divided by

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(f.default, bool):
                continue
            if isinstance(value, Real) and not isinstance(value, bool):
                object.__setattr__(self, f.name, float(value))
            _check(type(self), f.name, value)

    def updates(self, parameters: Node, gradient: Node) -> Updates:
        """The next values of a vector of parameters and of the optimizer's own state.

        Parameters
        ----------
        parameters : variable, shape (P,)
        gradient : node, shape (P,)
        """
        return self.formula(gradient, Slots(self, parameters))

    def formula(self, g: Node, slots: Slots) -> Updates:
        """The update, written with ``slots``."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Optimizer):
    """θ ← θ − ε·g (Robbins & Monro 1951)."""

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(-(slots["learning_rate"] * g))


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v ← μ·v − ε·g; θ ← θ + v (Polyak 1964).

    The velocity holds the learning rate it was built with, as in scikit-learn; with a constant ε it is
    PyTorch's.
    """

    momentum: float = 0.9

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(slots.kept("velocity", lambda v: slots["momentum"] * v - slots["learning_rate"] * g))


@dataclass(frozen=True)
class Nesterov(Momentum):
    """v ← μ·v − ε·g; θ ← θ + μ·v − ε·g, v being the new one (Nesterov 1983; Sutskever et al. 2013)."""

    def formula(self, g: Node, slots: Slots) -> Updates:
        step = slots["learning_rate"] * g
        velocity = slots.kept("velocity", lambda v: slots["momentum"] * v - step)
        return slots.move(slots["momentum"] * velocity - step)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """s ← s + g²; θ ← θ − ε·g/(√s + η) (Duchi, Hazan & Singer 2011).

    η stands outside the root; without it the first step of a zero gradient would be 0/0.
    """

    epsilon: float = 1e-10

    def formula(self, g: Node, slots: Slots) -> Updates:
        total = slots.kept("sum_of_squares", lambda s: s + square(g))
        return slots.move(-(slots["learning_rate"] * (g / (sqrt(total) + slots["epsilon"]))))


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """s ← αs + (1 − α)g²; θ ← θ − ε·g/(√s + η) (Tieleman & Hinton 2012, lecture 6.5)."""

    alpha: float = 0.99
    epsilon: float = 1e-8

    def formula(self, g: Node, slots: Slots) -> Updates:
        alpha = slots["alpha"]
        squares = slots.kept("mean_square", lambda s: alpha * s + (1 - alpha) * square(g))
        return slots.move(-(slots["learning_rate"] * (g / (sqrt(squares) + slots["epsilon"]))))


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class AMSGrad(Adam):
    """Adam with the greatest v there has been in the denominator (Reddi, Kale & Kumar 2018)."""

    def formula(self, g: Node, slots: Slots) -> Updates:
        return slots.move(self._change(g, slots, lambda v: slots.kept("greatest", lambda old: maximum(old, v))))


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← (1 − ε·λ)θ before the step (Loshchilov & Hutter 2019)."""

    weight_decay: float = 0.01

    def formula(self, g: Node, slots: Slots) -> Updates:
        decay = slots["learning_rate"] * slots["weight_decay"] * slots.parameters
        return slots.move(self._change(g, slots, lambda v: v) - decay)


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
