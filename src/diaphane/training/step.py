"""One graph for a training step: forward, backward, update; and one for evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..engines import Engine, Program, State, initial_state
from ..graph import Dim, FeedError, Node, ancestors, extent_value, gradient, placeholder, substitute
from ..graph import sum as sum_of
from ..graph.node import Array
from ..graph.operations.random import Random
from ..nn.losses import Loss, mean_loss
from ..nn.network import Network
from ..optim.flat import flatten
from ..optim.optimizers import Optimizer

__all__ = ["Evaluation", "Penalty", "TrainingStep"]

Penalty: TypeAlias = Callable[[Network, Node], Node]
"""A number to add to the loss, from a network and the number of examples (or sum of weights) of a batch."""


class TrainingStep:
    """The program of one step of gradient descent on a batch.

    All parameters are one vector; the network's own variables are views of it, so that the optimizer
    moves them in one pass.

    Parameters
    ----------
    network : Network
    loss : callable
        From outputs and targets to one number an example.
    optimizer : Optimizer
    target_shape : tuple of int
        Of one example's target.
    target_dtype : numpy dtype
    weighted : bool
        Whether examples carry weights.
    penalty : callable, optional
    engine : str or Engine

    Attributes
    ----------
    is_random : bool
        Whether a step draws numbers, as dropout does.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        *,
        target_shape: tuple[int, ...] = (),
        target_dtype: Any = None,
        weighted: bool = False,
        penalty: Penalty | None = None,
        engine: str | Engine = "native",
    ) -> None:
        self.network = network
        self.x, self.y, self.weights = _placeholders(network, target_shape, target_dtype, weighted)
        forward = network.forward(self.x, training=True)
        total = mean_loss(loss(forward.output, self.y), self.weights)
        if penalty is not None:
            examples = sum_of(self.weights) if self.weights is not None else extent_value(Dim("N"), network.dtype)
            total = total + penalty(network, examples)
        self.flat = flatten(network.parameters)
        on_views = substitute([total, *forward.updates.values()], self.flat.views)
        self.loss, kept = on_views[0].named("loss"), on_views[1:]
        self.gradient = self.flat.gradient(gradient(self.loss, list(self.flat.views.values()))).named("gradient")
        self.formulas = optimizer.updates(self.flat.vector, self.gradient)
        updates = {**dict(zip(forward.updates, kept, strict=True)), **self.formulas.next_values}
        self.program = Program({"loss": self.loss}, updates, loss=self.loss, engine=engine)
        self.kept = tuple(v for v in network.variables if v not in self.flat.views)
        self.is_random = any(isinstance(n.op, Random) for n in ancestors(self.program.definition.wanted))

    @property
    def hyperparameters(self) -> dict[str, Node]:
        """The optimizer's, by name: variables whose value in the state may be set at any time."""
        return self.formulas.hyperparameters

    def initial_state(self, network_state: State) -> State:
        """The network's values with the optimizer's first ones."""
        foreign = {self.flat.vector, *self.network.variables}
        own = initial_state(v for v in self.program.variables if v not in foreign)
        values = {v: network_state[v] for v in self.kept}
        return State({self.flat.vector: self.flat.pack(network_state), **values, **own})

    def network_state(self, state: State) -> State:
        """The network's values out of the step's."""
        values = {**self.flat.unpack(state[self.flat.vector]), **{v: state[v] for v in self.kept}}
        return State({v: values[v] for v in self.network.variables})

    def adopt(self, state: State) -> State:
        """A state of another step of the same network and optimizer, as one of this step's.

        Raises
        ------
        FeedError
            If it lacks a value that this step has, by name and shape.
        """
        if all(v in state for v in self.program.variables):
            return state
        known = {v.name: value for v, value in state.items()}
        fits = {v: v.name in known and known[v.name].shape == v.shape for v in self.program.variables}
        missing = [v.label() for v, fit in fits.items() if not fit]
        if missing:
            raise FeedError(f"this state is of another network or optimizer: it lacks {', '.join(missing)}")
        return State({v: known[v.name] for v in self.program.variables})

    def data(self, x: Any, y: Any, weights: Any = None) -> dict[Node | str, Any]:
        """What the program's batches are gathered from."""
        # A loss may leave its target out, as one of an activity penalty alone does.
        given = _data(self.x, self.y, self.weights, x, y, weights)
        return {node: rows for node, rows in given.items() if node in self.program.placeholders}


class Evaluation:
    """The program that gives outputs and loss without training.

    Parameters
    ----------
    network : Network
    loss : callable
    target_shape, target_dtype, weighted, engine
        As for :class:`TrainingStep`.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        *,
        target_shape: tuple[int, ...] = (),
        target_dtype: Any = None,
        engine: str | Engine = "native",
    ) -> None:
        self.x, self.y, _ = _placeholders(network, target_shape, target_dtype, False)
        output = network.forward(self.x).output
        self.program = Program({"output": output, "losses": loss(output, self.y)}, engine=engine)

    def run(self, state: State, x: Any, y: Any, weights: Array | None, batch_size: int) -> tuple[Array, float]:
        """The outputs, and the mean loss over all rows."""
        given = _data(self.x, self.y, None, x, y, None)
        data: dict[Node | str, Any] = {n: rows for n, rows in given.items() if n in self.program.placeholders}
        results, _ = self.program.run_batches(state, data, batch_size=batch_size)
        return results["output"], float(np.average(results["losses"], weights=weights))


def _placeholders(
    network: Network, target_shape: tuple[int, ...], target_dtype: Any, weighted: bool
) -> tuple[Node, Node, Node | None]:
    n = Dim("N")
    x = placeholder((n, *network.input_shape), network.dtype, "x")
    y = placeholder((n, *target_shape), network.dtype if target_dtype is None else target_dtype, "y")
    return x, y, placeholder((n,), network.dtype, "weights") if weighted else None


def _data(x_node: Node, y_node: Node, w_node: Node | None, x: Any, y: Any, weights: Any) -> dict[Node | str, Any]:
    data: dict[Node | str, Any] = {x_node: x, y_node: y}
    if w_node is not None:
        data[w_node] = np.ones(y.shape[0], w_node.dtype) if weights is None else weights
    return data
