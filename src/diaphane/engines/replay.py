"""A step of a program again, node by node, on the reference engine: to look at, or to find where NaN began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Node, ancestors
from ..graph.backend import NumpyBackend
from ..graph.evaluation import Plan, bind_sizes
from ..graph.formula import describe
from ..graph.leaves import Variable
from ..graph.node import Array
from .contract import Definition
from .state import State

__all__ = ["NonFiniteError", "Replay", "Step"]

PHASES = ("forward", "backward", "update")


class NonFiniteError(FloatingPointError):
    """The loss, or what it updates, became NaN or infinite; nothing of that step was kept.

    Attributes
    ----------
    node : Node or None
        Where NaN or infinity first appeared.
    step : int
        The step at which the loss was not finite.
    state : State
        The last state without NaN or infinity.
    outputs : list
        Those of the steps before.
    """

    def __init__(self, node: Node | None, step: int, state: State, outputs: Any) -> None:
        where = f" It first appeared in {describe(node)}." if node is not None else ""
        super().__init__(
            f"the loss became NaN or infinite at step {step}.{where} The parameters from before are kept; "
            "try a smaller learning rate, scaled inputs, or clipped gradients"
        )
        self.node, self.step, self.state, self.outputs = node, step, state, outputs


@dataclass(frozen=True)
class Step:
    """One node of a program as it is computed.

    Attributes
    ----------
    index : int
        Its place in the order.
    phase : {"forward", "backward", "update"}, in this order
        Whether the first output needs it, or gradients, or only the next values.
    node : Node
    value : ndarray
    """

    index: int
    phase: str
    node: Node
    value: Array


class Replay:
    """One step's leaves, ready to be computed from.

    Parameters
    ----------
    definition : Definition
    state, feeds : sequence of ndarray
        The values of its variables and placeholders.
    seed, step : int
        What random nodes draw from.
    """

    def __init__(
        self, definition: Definition, state: Sequence[Array], feeds: Sequence[Any], seed: int, step: int
    ) -> None:
        self.definition = definition
        self.leaves = dict(zip((*definition.variables, *definition.placeholders), (*state, *feeds), strict=True))
        self._backend = NumpyBackend(bind_sizes(list(self.leaves), list(self.leaves.values())), seed, step)

    def steps(self) -> Iterator[Step]:
        """Every computed node, forward then backward then update."""
        phases = _phases(self.definition)
        order = sorted(phases, key=lambda node: PHASES.index(phases[node]))
        for i, (node, value) in enumerate(self._trace(order)):
            yield Step(i, phases[node], node, value)

    def first_nonfinite(self) -> Node | None:
        """The first node with NaN or infinity in its value; leaves come first."""
        for leaf, value in self.leaves.items():
            if not np.isfinite(value).all():
                return leaf
        return next((node for node, value in self._trace(self.definition.wanted) if not np.isfinite(value).all()), None)

    def _trace(self, nodes: Sequence[Node]) -> Iterator[tuple[Node, Array]]:
        plan = Plan(nodes)
        values = plan.trace(self._backend, [self.leaves[node] for node in plan.given])
        while True:
            # Not around a yield: what is done with a value in between keeps its own settings.
            with np.errstate(all="ignore"):
                found = next(values, None)
            if found is None:
                return
            # A scan's value is a bundle of its parts, which come as nodes of their own.
            if isinstance(found[1], np.ndarray | np.generic):
                yield found[0], np.asarray(found[1])


def _phases(definition: Definition) -> dict[Node, str]:
    order = ancestors(definition.wanted)
    forward = set(ancestors(definition.outputs[:1]))
    updating: set[Node] = {
        n for n in order if isinstance(n.op, Variable) and n.op.role != "parameter" and n not in forward
    }
    phases: dict[Node, str] = {}
    for node in order:
        if node not in forward and any(value in updating for value in node.inputs):
            updating.add(node)
        phases[node] = "forward" if node in forward else "update" if node in updating else "backward"
    return phases
