"""What programs and engines agree on: a definition goes in, something that can be run comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..graph import DTypeError, Node, ShapeError, ancestors
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Array
from ..graph.sizes import show

__all__ = ["BatchesResult", "Definition", "Engine", "Executable", "StepResult", "define"]


@dataclass(frozen=True)
class Definition:
    """What is to be computed: all that an engine gets to know.

    Attributes
    ----------
    outputs : tuple of Node
    updates : tuple of (Node, Node)
        Variable and its next value.
    loss : Node or None
        Checked for NaN and infinity before the updates are committed.
    variables, placeholders : tuple of Node
        The leaves whose values are given, in the order in which they are given.
    """

    outputs: tuple[Node, ...]
    updates: tuple[tuple[Node, Node], ...]
    loss: Node | None
    variables: tuple[Node, ...]
    placeholders: tuple[Node, ...]

    @property
    def wanted(self) -> tuple[Node, ...]:
        """Everything that one step computes: outputs, next values, the loss."""
        return (*self.outputs, *(value for _, value in self.updates), *((self.loss,) if self.loss is not None else ()))


class Executable(Protocol):
    """A definition made ready by an engine. It holds no run's values, so that threads can share it."""

    def run(self, state: Sequence[Array], feeds: Sequence[Array], seed: int, step: int) -> StepResult:
        """One step."""
        ...

    def run_batches(
        self,
        state: Sequence[Array],
        feeds: Sequence[Array | None],
        data: Mapping[int, Any],
        orders: Array,
        batch_size: int,
        seed: int,
        first_step: int,
    ) -> BatchesResult:
        """One step for each batch of each row of ``orders``, an epoch's order.

        ``data`` gives sources of rows by the placeholder's position.
        """
        ...


@dataclass
class StepResult:
    """One step's outputs, and the state after it; ``finite`` is False where the updates were not committed."""

    outputs: list[Array]
    state: list[Array]
    finite: bool = True


@dataclass
class BatchesResult:
    """The outputs of each step that was committed, the state after the last, the one before, and where it stopped."""

    outputs: list[list[Array]]
    state: list[Array]
    previous: list[Array] | None
    failed_at: int | None = None


class Engine(Protocol):
    """How programs are computed."""

    @property
    def name(self) -> str:
        """What it is asked for by."""
        ...

    def prepare(self, definition: Definition) -> Executable:
        """Plan a definition."""
        ...


def define(outputs: Sequence[Node], updates: Mapping[Node, Node], loss: Node | None) -> Definition:
    """Check outputs and updates, and find the leaves that they need."""
    for variable, value in updates.items():
        if not isinstance(variable.op, Variable):
            raise DTypeError(f"only variables are updated, {variable.label()} is a {variable.op.label()}")
        if (value.shape, value.dtype) != (variable.shape, variable.dtype):
            raise ShapeError(
                f"the update of {variable.label()} has shape {show(value.shape)} {value.dtype}, "
                f"the variable {show(variable.shape)} {variable.dtype}"
            )
    if loss is not None and loss.shape != ():
        raise ShapeError(f"the loss is one number, {loss.label()} has shape {show(loss.shape)}; take its mean")
    wanted = [*outputs, *updates.values(), *([loss] if loss is not None else [])]
    order = ancestors(wanted)
    variables = dict.fromkeys(n for n in order if isinstance(n.op, Variable))
    variables.update(dict.fromkeys(updates))
    placeholders = [n for n in order if isinstance(n.op, Placeholder)]
    return Definition(tuple(outputs), tuple(updates.items()), loss, tuple(variables), tuple(placeholders))
