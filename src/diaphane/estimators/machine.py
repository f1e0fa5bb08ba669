"""The graph behind a multi-layer perceptron: network, training and prediction programs, planned once.

An estimator's fitted attributes are plain arrays; this is what they are put into. It is dropped when an
estimator is pickled or copied.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..engines import Engine, State
from ..engines.rows import RowProgram
from ..graph import Node, log_softmax, square, stack, variable
from ..graph import sum as sum_of
from ..graph.node import Array
from ..nn import Dense, Dropout, GlorotUniform, Layer, Network, Sequential, Uniform, find_activation
from ..nn.initializers import InitializerLike
from ..nn.losses import Loss
from ..optim import Optimizer
from ..optim.penalties import L1
from ..training import Trainer
from ..training.step import Penalty
from .regularisation import Regularisation

__all__ = ["Machine", "Plan", "architecture", "machine_of"]

MOST_SHARED = 16
"""Machines kept for other estimators: a search looks at some architectures in turn."""


@dataclass(frozen=True)
class Plan:
    """All that a machine is made from.

    Attributes
    ----------
    inputs, hidden, outputs : int, tuple of int, int
        Units of each layer.
    activation, dropout, weight_init
        See :func:`architecture`.
    out_activation : str
    loss : callable
    optimizer : Optimizer or None
        Its formula counts and not its hyperparameters, which are inputs of a training step. None is for L-BFGS.
    dtype : str
    engine : str or Engine
    regularisation : Regularisation
        Of which the numbers do not count, as of the optimizer.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: Any
    dropout: float | tuple[float, ...]
    weight_init: Any
    out_activation: str
    loss: Loss
    optimizer: Optimizer | None
    dtype: str
    engine: str | Engine
    regularisation: Regularisation = field(default_factory=Regularisation)

    @property
    def is_fixed(self) -> bool:
        """Whether it means the same tomorrow, as this library's own parts do; a user's function may not."""
        kinds = map(type, (self.optimizer, self.weight_init, self.engine))
        parts = (find_activation(self.activation), self.loss, *kinds)
        packages = {str(getattr(part, "__module__", None)).split(".")[0] for part in parts}
        return packages <= {__name__.split(".")[0], "builtins"}


def machine_of(plan: Plan) -> Machine:
    """The machine of a plan, another estimator's where there is one.

    A search or a cross-validation fits clone after clone, and planning takes as long as dozens of epochs of a small
    network. Values live in states, so that those who share a machine never meet.
    """
    return _shared(plan) if plan.is_fixed else Machine(plan)


@lru_cache(MOST_SHARED)
def _shared(plan: Plan) -> Machine:
    return Machine(plan)


class Machine:
    """A network, with the programs that train it and those that predict.

    Attributes
    ----------
    plan : Plan
    network : Network
    alpha : Node
        The strength of the penalty ½·α·Σ‖W‖² / n, over coefficients and not intercepts: scikit-learn's ``alpha``.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        dense = architecture(plan.inputs, plan.hidden, plan.outputs, plan.activation, plan.dropout, plan.weight_init)
        layers = [*plan.regularisation.layers(), *dense.layers]
        self.network = Network(Sequential(layers), (plan.inputs,), dtype=plan.dtype)
        self.alpha = variable(0.0, "alpha", dtype=plan.dtype, role="hyperparameter")
        self._parameters = self.network.parameters
        self._others = {v: np.asarray(v.value) for v in self.network.variables if v not in self._parameters}
        self._programs: dict[str, RowProgram] = {}

    def state(self, coefs: Sequence[Array], intercepts: Sequence[Array]) -> State:
        """The weights, in the places of the network's parameters."""
        arrays = [a for pair in zip(coefs, intercepts, strict=True) for a in pair]
        return State({**dict(zip(self._parameters, arrays, strict=True)), **self._others})

    def weights(self, state: State) -> tuple[list[Array], list[Array]]:
        """Coefficients and intercepts out of a state."""
        arrays = [state[p] for p in self._parameters]
        return arrays[0::2], arrays[1::2]

    def trainer(self) -> Trainer:
        """A trainer to set up for one fit; what it has planned stays here."""
        return copy(self._trainer)

    @cached_property
    def _trainer(self) -> Trainer:
        assert self.plan.optimizer is not None
        asked = self.plan.regularisation
        return Trainer(
            self.network,
            asked.loss(self.plan.loss),
            self.plan.optimizer,
            penalty=self._l2_penalty if asked.l1 is None else self._both_penalties(asked.l1),
            clipping=asked.clipping,
            constraint=asked.constraint,
            averaging=asked.averaging,
            mixup=asked.mixup,
            engine=self.plan.engine,
        )

    def _l2_penalty(self, network: Network, examples: Node) -> Node:
        squares = [sum_of(square(p)) for p in network.parameters if p.ndim > 1]
        return 0.5 * self.alpha * sum_of(stack(squares)) / examples

    def _both_penalties(self, l1: L1) -> Penalty:
        return lambda network, examples: self._l2_penalty(network, examples) + l1(network, examples)

    def predict(self, state: State, x: Any, kind: str = "output") -> Array:
        """Probabilities (or numbers), logarithms of probabilities, or raw outputs."""
        program = self._programs.get(kind)
        if program is None:
            raw = self.network.output
            nodes = {
                "raw": lambda: raw,
                "output": lambda: find_activation(self.plan.out_activation)(raw),
                "log": lambda: log_softmax(raw),
            }
            program = self._programs[kind] = RowProgram(nodes[kind](), self.network.input, engine=self.plan.engine)
        return program(state, x)


def architecture(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: Any,
    dropout: float | Sequence[float] = 0.0,
    weight_init: InitializerLike | None = None,
) -> Sequential:
    """Dense layers with one activation between them; the last gives raw outputs.

    Without ``weight_init`` the first weights and biases are scikit-learn's:
    U[±√(6/(d_in + d_out))], a third of that variance for logistic units.
    """
    rates = list(dropout) if isinstance(dropout, Sequence | np.ndarray) else [dropout] * len(hidden)
    if len(rates) != len(hidden):
        raise ValueError(
            f"dropout must be a number or one for each of the {len(hidden)} hidden layers, got {dropout!r}"
        )
    gain = 1 / 3 if activation == "logistic" else 1.0
    layers: list[Layer] = []
    sizes = [inputs, *hidden, outputs]
    for i, (d_in, d_out) in enumerate(pairwise(sizes)):
        kernel, bias = weight_init, 0.0
        if weight_init is None:
            kernel, bias = GlorotUniform(gain), Uniform(math.sqrt(gain * 6 / (d_in + d_out)))  # type: ignore[assignment]
        last = i == len(hidden)
        layers.append(Dense(d_out, None if last else activation, kernel, bias))  # type: ignore[arg-type]
        if not last and rates[i]:
            layers.append(Dropout(float(rates[i])))
    return Sequential(layers)
