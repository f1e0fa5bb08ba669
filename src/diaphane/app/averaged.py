"""Several networks of one architecture as one: their probabilities, or their numbers, averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .. import graph
from ..engines import State
from ..graph import Node
from ..graph.node import Array
from ..nn import Layer, Network, Sequential
from ..nn.layer import Context

__all__ = ["AveragedMembers", "averaged_network", "member_of"]


@dataclass(frozen=True)
class Member(Layer):
    """One of them, under a path of its own."""

    inner: Sequential

    def forward(self, x: Node, context: Context) -> Node:
        return self.inner(x, context)


@dataclass(frozen=True)
class AveragedMembers(Layer):
    """log p̄ₖ = log (1/M)·Σₘ softmaxₖ(aₘ) of classes; of a number ā = (1/M)·Σₘ aₘ, held within bounds.

    So the softmax of what comes out is the mean of the members' probabilities.

    Parameters
    ----------
    member : Sequential
        (N, features) → (N, classes), or (N, 1).
    members : int
        M.
    order : tuple of int
        Which feature of the input is each of those that the members take.
    classify : bool
    low, high : float
        The bounds of a number.

    Examples
    --------
    >>> import diaphane as dia
    >>> layers = Sequential([dia.nn.Dense(2)])
    >>> network = Network(AveragedMembers(layers, 2, (1, 0)), (2,))
    >>> [p.name for p in network.parameters]
    ['member_1/dense_1/kernel', 'member_1/dense_1/bias', 'member_2/dense_1/kernel', 'member_2/dense_1/bias']
    """

    member: Sequential
    members: int
    order: tuple[int, ...]
    classify: bool = True
    low: float = 0.0
    high: float = 0.0

    def forward(self, x: Node, context: Context) -> Node:
        if self.order != tuple(range(len(self.order))):
            x = graph.take(x, self.order, 1)
        outputs = [Member(self.member)(x, context) for _ in range(self.members)]
        if not self.classify:
            total = outputs[0]
            for output in outputs[1:]:
                total = total + output
            return graph.clip(total * (1 / self.members), self.low, self.high)
        logarithms = graph.stack([graph.log_softmax(output) for output in outputs])
        return graph.logsumexp(logarithms, 0) - float(np.log(self.members))

    def __call__(self, x: Node, context: Context) -> Node:
        """The members lie directly under the paths of this one's surroundings."""
        return self.forward(x, context)


def averaged_network(layer: AveragedMembers, values: Sequence[Mapping[str, Array]]) -> tuple[Network, State]:
    """The network of a layer, with each member's values by their paths in it."""
    network = Network(layer, (len(layer.order),))
    state = {}
    for path, variable in network.named_variables().items():
        member, _, own = path.partition("/")
        state[variable] = np.asarray(values[int(member.removeprefix("member_")) - 1][own], variable.dtype)
    return network, State(state)


def member_of(network: Network, state: State, number: int) -> tuple[Network, State]:
    """One member alone, counted from 1; what is no average is its own only member.

    It takes features in the order of the layer.
    """
    layer = network.architecture
    if not isinstance(layer, AveragedMembers):
        return network, state
    one = Network(layer.member, network.input_shape, dtype=network.dtype)
    own = one.named_variables().items()
    return one, State({variable: state[network.variable(f"member_{number}/{path}")] for path, variable in own})
