"""A linear model by mini-batches and an optimizer: one dense layer, through the graph."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...engines import Engine, State
from ...graph import Node, square, variable
from ...graph import abs as size_of
from ...graph import sum as sum_of
from ...graph.node import Array
from ...nn import Dense, Network, Sequential
from ...nn.losses import Loss
from ...optim import Optimizer
from ...training import Trainer, TrainingResult

__all__ = ["LayerPlan", "LinearLayer", "layer_of"]

MOST_SHARED = 16


@dataclass(frozen=True)
class LayerPlan:
    """All that a trainer of one dense layer is planned from.

    Attributes
    ----------
    inputs, outputs : int
    loss : callable
    optimizer : Optimizer
        Its formula counts and not its hyperparameters, which are inputs of a step.
    fit_intercept, with_l1, with_l2 : bool
    dtype : str
    engine : str or Engine
    """

    inputs: int
    outputs: int
    loss: Loss
    optimizer: Optimizer
    fit_intercept: bool
    with_l1: bool
    with_l2: bool
    dtype: str
    engine: str | Engine

    @property
    def is_fixed(self) -> bool:
        """Whether it means the same tomorrow, as this library's own parts do; a user's function may not."""
        parts = (self.loss, type(self.optimizer), type(self.engine))
        packages = {str(getattr(part, "__module__", None)).split(".")[0] for part in parts}
        return packages <= {__name__.split(".")[0], "builtins"}


class LinearLayer:
    """The layer, with a trainer whose penalty's strengths are inputs."""

    def __init__(self, plan: LayerPlan) -> None:
        layer = Dense(plan.outputs, use_bias=plan.fit_intercept, kernel_initializer="zeros")
        self.network = Network(Sequential([layer]), (plan.inputs,), dtype=plan.dtype)
        self.l1 = variable(0.0, "l1", dtype=plan.dtype, role="hyperparameter")
        self.l2 = variable(0.0, "l2", dtype=plan.dtype, role="hyperparameter")
        self.plan = plan
        penalty = self._penalty if plan.with_l1 or plan.with_l2 else None
        self.trainer = Trainer(self.network, plan.loss, plan.optimizer, penalty=penalty, engine=plan.engine)

    def _penalty(self, network: Network, examples: Node) -> Node:
        kernel = network.parameters[0]
        parts = []
        if self.plan.with_l1:
            parts.append(self.l1 * sum_of(size_of(kernel)))
        if self.plan.with_l2:
            parts.append(0.5 * self.l2 * sum_of(square(kernel)))
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def fit(
        self,
        optimizer: Optimizer,
        examples: tuple[Any, Array, Array | None],
        start: tuple[Array, Array],
        strengths: tuple[float, float],
        settings: dict[str, Any],
        validation: tuple[Any, ...] | None = None,
    ) -> TrainingResult:
        """Train it.

        Parameters
        ----------
        optimizer : Optimizer
            The plan's, with the hyperparameters that are wanted.
        examples : (x, target, weights or None)
        start : (weights (inputs, outputs), intercepts (outputs,))
        strengths : (l1, l2)
        settings : dict
            Attributes of the trainer: ``batch_size``, ``epochs``, ``callbacks`` …
        validation : (x, target) or (x, target, weights), optional

        Raises
        ------
        DivergenceError
            As :meth:`Trainer.fit`.
        """
        trainer = copy(self.trainer)
        trainer.optimizer = optimizer
        vars(trainer).update(settings)
        x, target, weights = examples
        dtype = self.network.dtype
        pairs = zip(self.network.parameters, start, strict=False)
        first = self.network.initial_state().replace({p: np.asarray(a, dtype) for p, a in pairs})
        step = trainer.step_for(target, weights is not None)
        hyper = step.hyperparameters.items()
        numbers: dict[Node, Any] = {n: getattr(optimizer, name) for name, n in hyper if hasattr(optimizer, name)}
        given = zip((self.l1, self.l2), strengths, strict=True)
        numbers |= {node: value for node, value in given if node in step.program.variables}
        state = step.initial_state(first).replace(numbers)
        return trainer.fit(x, target, sample_weight=weights, validation_data=validation, step_state=state)

    def unpack(self, state: State) -> tuple[Array, Array]:
        """Weights (inputs, outputs) and intercepts (outputs,) out of a network's state."""
        found = [state[p] for p in self.network.parameters]
        return found[0], found[1] if self.plan.fit_intercept else np.zeros(self.plan.outputs, found[0].dtype)


def layer_of(plan: LayerPlan) -> LinearLayer:
    """The layer of a plan, another estimator's where there is one: values live in states."""
    return _shared(plan) if plan.is_fixed else LinearLayer(plan)


@lru_cache(MOST_SHARED)
def _shared(plan: LayerPlan) -> LinearLayer:
    return LinearLayer(plan)
