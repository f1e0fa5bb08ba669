"""One graph for a training step: forward, backward, update; and one for evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..engines import Engine, Program, State, initial_state
from ..graph import Dim, FeedError, Node, ancestors, astype, extent_value, gradient, placeholder, substitute
from ..graph import sum as sum_of
from ..graph.leaves import Variable
from ..graph.node import Array
from ..graph.operations.random import Random
from ..nn.losses import Loss, mean_loss, of_true_targets
from ..nn.network import Network
from ..optim.averaging import Average, Averaging
from ..optim.clipping import Clipping
from ..optim.constraints import Constraint
from ..optim.flat import flatten
from ..optim.optimizers import Optimizer
from ..optim.schedule_names import find_schedule
from .mixup import Mixup

__all__ = ["Evaluation", "Penalty", "TrainingStep", "check_parts"]

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
    clipping : Clipping, optional
        Of the gradient, before the optimizer sees it.
    constraint : Constraint, optional
        What parameters are held to after the update.
    averaging : Averaging, optional
        Of the parameters along the way, which then are the network's.
    mixup : Mixup, optional
        Mixtures of two examples for each example.
    engine : str or Engine

    Attributes
    ----------
    schedule : Schedule or None
        Of the learning rate.
    is_random : bool
        Whether a step draws numbers, as dropout does.
    output : Node
        What the network gives for a batch of the step, in training.
    hyperparameters : dict of str to Node
        The optimizer's, the penalty's and so on, by name: variables whose value in the state may be set at any time.
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
        clipping: Clipping | None = None,
        constraint: Constraint | None = None,
        averaging: Averaging | None = None,
        mixup: Mixup | None = None,
        engine: str | Engine = "native",
    ) -> None:
        check_parts(penalty, clipping, constraint, averaging, mixup)
        self.network, self.optimizer = network, optimizer
        self.x, self.y, self.weights = _placeholders(network, target_shape, target_dtype, weighted)
        share = None if mixup is None else mixup.share()
        seen = self.x if mixup is None or share is None else mixup.blend(share, self.x)
        forward = network.forward(seen, training=True)
        total = self._mean_loss(loss, forward.output, share)
        if penalty is not None:
            examples = sum_of(self.weights) if self.weights is not None else extent_value(Dim("N"), network.dtype)
            total = total + penalty(network, examples)
        self.flat = flatten(network.parameters)
        on_views = substitute([total, forward.output, *forward.updates.values()], self.flat.views)
        self.loss, self.output, kept = on_views[0].named("loss"), on_views[1], on_views[2:]
        self.gradient = self.flat.gradient(gradient(self.loss, list(self.flat.views.values()))).named("gradient")
        self.schedule = find_schedule(optimizer.schedule)
        clipped, watched = self.gradient, self.loss
        if clipping is not None:
            clipped, finite = clipping(self.gradient)
            # What clipping would hide makes this NaN, and the step is taken back.
            watched = self.loss + (finite - finite)
        self.formulas = optimizer.updates(self.flat.vector, clipped, self.flat.kernels)
        next_values = self.formulas.next_values
        if constraint is not None:
            next_values[self.flat.vector] = constraint(self.flat, next_values[self.flat.vector])
        self.average: Average | None = None
        if averaging is not None:
            self.average = averaging.updates(next_values[self.flat.vector], self.formulas.hyperparameters)
            next_values.update(self.average.next_values)
        updates = {**dict(zip(forward.updates, kept, strict=True)), **next_values}
        self.program = Program({"loss": self.loss}, updates, loss=watched, engine=engine)
        self.kept = tuple(v for v in network.variables if v not in self.flat.views)
        self.is_random = any(isinstance(n.op, Random) for n in ancestors(self.program.definition.wanted))
        self.hyperparameters = {**self._other_hyperparameters(), **self.formulas.hyperparameters}

    def _mean_loss(self, loss: Loss, output: Node, share: Node | None) -> Node:
        """The loss of a batch; of mixtures with λ of their own targets and 1 − λ of those in reversed order."""
        own = mean_loss(loss(output, self.y), self.weights)
        if share is None:
            return own
        weights = None if self.weights is None else self.weights[::-1]
        other = mean_loss(loss(output, self.y[::-1]), weights)
        share = astype(share, own.dtype)
        return share * own + (1 - share) * other

    def _other_hyperparameters(self) -> dict[str, Node]:
        """Those that neither the optimizer has nor the network."""
        foreign = {*self.network.variables, *self.formulas.hyperparameters.values()}
        found = {v.name: v for v in self.program.variables if v not in foreign and _role(v) == "hyperparameter"}
        return {name: node for name, node in found.items() if name}

    def initial_state(self, network_state: State) -> State:
        """The network's values with the optimizer's first ones."""
        foreign = {self.flat.vector, *self.network.variables}
        own = initial_state(v for v in self.program.variables if v not in foreign)
        values = {v: network_state[v] for v in self.kept}
        return State({self.flat.vector: self.flat.pack(network_state), **values, **own})

    def network_state(self, state: State) -> State:
        """The network's values out of the step's: averaged ones where there is an average."""
        averaged = self.average is not None and int(state[self.average.count]) > 0
        vector = self.average.vector if self.average is not None and averaged else self.flat.vector
        values = {**self.flat.unpack(state[vector]), **{v: state[v] for v in self.kept}}
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
        One of smoothed targets is computed of the targets themselves.
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
        losses = of_true_targets(loss)(output, self.y)
        self.program = Program({"output": output, "losses": losses}, engine=engine)

    def run(self, state: State, x: Any, y: Any, weights: Array | None, batch_size: int) -> tuple[Array, float]:
        """The outputs, and the mean loss over all rows."""
        given = _data(self.x, self.y, None, x, y, None)
        data: dict[Node | str, Any] = {n: rows for n, rows in given.items() if n in self.program.placeholders}
        results, _ = self.program.run_batches(state, data, batch_size=batch_size)
        return results["output"], float(np.average(results["losses"], weights=weights))


def check_parts(penalty: Any, clipping: Any, constraint: Any, averaging: Any, mixup: Any) -> None:
    """Refuse what cannot be a part of a step.

    Raises
    ------
    TypeError
    """
    if penalty is not None and (not callable(penalty) or isinstance(penalty, type)):
        raise TypeError(
            f"penalty must be one such as L2(1e-4), a function (network, examples) → node or None, got {penalty!r}"
        )
    for name, value, kind, example in (
        ("clipping", clipping, Clipping, "ClipNorm(1.0)"),
        ("constraint", constraint, Constraint, "MaxNorm(2.0)"),
        ("averaging", averaging, Averaging, "EMA(0.999)"),
        ("mixup", mixup, Mixup, "Mixup(0.2)"),
    ):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} must be a {kind.__name__} such as {example}, or None, got {value!r}")


def _role(node: Node) -> str:
    assert isinstance(node.op, Variable)
    return node.op.role


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
