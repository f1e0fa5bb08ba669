"""A loop as one operation: the same body at each step, a carry from step to step, sequences in and out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ..errors import ShapeError
from ..leaves import Leaf
from ..node import DType, Node, ancestors, apply, substitute
from ..operation import Operation, as_node
from ..sizes import Extent, Shape, show
from .indexing import arange
from .random import drawn_at
from .shaping import broadcast_to, reshape

__all__ = ["Part", "PartGradients", "Scan", "scan"]

Nodes: TypeAlias = Node | tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Bound(Leaf):
    """What a body's carry or item stands for at one step."""


@dataclass(frozen=True)
class Scan(Operation):
    """cₜ = body(cₜ₋₁, xₜ) for each t, never unrolled.

    The inputs are the first carries, the sequences, and the outer nodes that the body uses. The value is a
    bundle: its parts are picked by :class:`Final` (the last carry) and :class:`Trace` (any node of the body,
    stacked over the steps; what is not picked is not kept). So the gradient needs no second forward pass, and
    anything inside the loop can be looked at.
    """

    carries: tuple[Node, ...]
    items: tuple[Node, ...]
    outer: tuple[Node, ...]
    next_carries: tuple[Node, ...]
    length: Extent
    reverse: bool = False

    def shape(self, *inputs: Node) -> Shape:
        return ()

    def dtype(self, *inputs: Node) -> DType:
        return np.dtype("V")

    def passes_gradient(self, node: Node) -> bool:
        return True

    def specialise(self, users: Sequence[Node]) -> Callable[..., Any]:
        from ..evaluation import Plan

        traced = list(dict.fromkeys(n.op.node for n in users if isinstance(n.op, Trace)))
        given = [*self.carries, *self.items, *self.outer]
        plan = Plan([*self.next_carries, *traced], given)
        supplied = [given.index(n) for n in plan.given]

        def compute(backend: Any, *arrays: Any) -> _Bundle:
            first, sequences, closed = self._parted(arrays)

            def step(t: int, carry: Sequence[Any]) -> tuple[list[Any], list[Any]]:
                values = [*carry, *[s[t] for s in sequences], *closed]
                results = plan.run(backend, [values[i] for i in supplied])
                return results[: len(carry)], results[len(carry) :]

            shapes = [(backend.sizes(n.shape), n.dtype) for n in traced]
            finals, stacks = backend.loop(step, list(first), backend.size(self.length), self.reverse, shapes)
            return _Bundle(finals, dict(zip(traced, stacks, strict=True)))

        return compute

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return self.specialise(())(backend, *arrays)

    def _parted(self, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
        a, b = len(self.carries), len(self.carries) + len(self.items)
        return values[:a], values[a:b], values[b:]

    def gradient(self, node: Node, upstream: PartGradients) -> Sequence[Node | None]:
        from .scan_gradient import ScanGradient

        return ScanGradient(self, node, upstream).contributions()

    def label(self) -> str:
        return "scan"

    def formula(self, *inputs: str) -> str:
        return f"scan({', '.join(inputs)})"


@dataclass
class _Bundle:
    finals: Sequence[Any]
    traces: dict[Node, Any]


@dataclass(frozen=True)
class Part(Operation, abstract=True):
    """One value picked out of a scan."""


@dataclass(frozen=True)
class Final(Part):
    """The carry after the last step."""

    position: int

    def shape(self, *inputs: Node) -> Shape:
        return scan_of(inputs[0]).carries[self.position].shape

    def dtype(self, *inputs: Node) -> DType:
        return scan_of(inputs[0]).carries[self.position].dtype

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0].finals[self.position]

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        raise AssertionError("the gradient of a scan takes those of its parts together")


@dataclass(frozen=True)
class Trace(Part):
    """A node of the body, stacked over the steps along a new first axis."""

    node: Node

    def shape(self, *inputs: Node) -> Shape:
        return (scan_of(inputs[0]).length, *self.node.shape)

    def dtype(self, *inputs: Node) -> DType:
        return self.node.dtype

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0].traces[self.node]

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        raise AssertionError("the gradient of a scan takes those of its parts together")


@dataclass
class PartGradients:
    """What flows back into a scan: dl/d(part) for each part that is used, and which inputs want theirs."""

    upstreams: dict[Part, Node] = field(default_factory=dict)
    wanted: list[bool] = field(default_factory=list)


def scan(
    body: Callable[[Any, Any], tuple[Nodes, Nodes]],
    carry: Nodes,
    sequence: Nodes | None = None,
    *,
    length: Extent | None = None,
    reverse: bool = False,
) -> tuple[Nodes, Nodes]:
    """Run a body along the first axis of a sequence.

    Parameters
    ----------
    body : callable
        ``carry, output = body(carry, item)``, from nodes to nodes; called once, to draw the loop's graph.
    carry : node or tuple of nodes
        What the first step gets; shapes and dtypes stay the same from step to step.
    sequence : node or tuple of nodes, shape (T, ...), optional
        Each step gets one row of each; ``None`` where there is none.
    length : int or Size, optional
        The number of steps, needed where there is no sequence.
    reverse : bool
        From the last row to the first; outputs stay in the rows' order.

    Returns
    -------
    carry : node or tuple of nodes
        After the last step.
    outputs : node or tuple of nodes, shape (T, ...)

    Notes
    -----
    A random node made by the body draws anew at each step; one made outside is the same at all of them.

    Raises
    ------
    ShapeError
        If the body changes the carry's shape or dtype, or sequences differ in length.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.constant([1.0, 2.0, 3.0])
    >>> total, sums = dia.scan(lambda c, v: (c + v, c + v), dia.constant(0.0), x)
    >>> float(total.value), sums.value
    (6.0, array([1., 3., 6.]))
    """
    first, sequences = _tuple(carry), _tuple(sequence)
    lengths = [s.shape[0] if s.shape else None for s in sequences] + ([length] if length is not None else [])
    if not lengths or any(n is None or n != lengths[0] for n in lengths):
        raise ShapeError(
            "scan: sequences share the extent of their first axis (and length=, where it is given), got "
            + (", ".join(f"{s.label()} {show(s.shape)}" for s in sequences) or "no sequence and no length")
        )
    carries = tuple(apply(Bound(c.shape, c.dtype), name=f"carry_{i}" if i else "carry") for i, c in enumerate(first))
    items = tuple(
        apply(Bound(s.shape[1:], s.dtype), name=f"item_{i}" if i else "item") for i, s in enumerate(sequences)
    )
    step = apply(Bound((), np.dtype("int64")), name="step")
    with drawn_at(step):
        new, outputs = body(_like(carry, carries), None if sequence is None else _like(sequence, items))
    next_carries, emitted = _tuple(new), _tuple(outputs)
    if step in ancestors([*next_carries, *emitted]):
        items, sequences = (*items, step), (*sequences, arange(lengths[0]))  # type: ignore[arg-type]
    if len(next_carries) != len(carries):
        raise ShapeError(f"scan: the carry has {len(carries)} nodes, the body returned {len(next_carries)}")
    for before, after in zip(first, next_carries, strict=True):
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            raise ShapeError(
                f"scan: the body takes a carry of shape {show(before.shape)} {before.dtype} and returns "
                f"{show(after.shape)} {after.dtype}; it must keep both"
            )
    node = scan_node(first, sequences, carries, items, next_carries, emitted, lengths[0], reverse)  # type: ignore[arg-type]
    finals = tuple(apply(Final(i), node) for i in range(len(carries)))
    stacked = tuple(trace(node, output) for output in emitted)
    return _like(carry, finals), _like(outputs, stacked)


def trace(node: Node, inner: Node) -> Node:
    """A node of a scan's body (or of its outside), stacked over the steps."""
    op = scan_of(node)
    if inner in op.items:
        return node.inputs[len(op.carries) + op.items.index(inner)]
    if inner in op.outer or not stepful_nodes([inner], {*op.carries, *op.items}):
        [value] = substitute([inner], outer_values(node))
        return broadcast_to(reshape(value, (1, *value.shape)), (op.length, *value.shape))
    return apply(Trace(inner), node)


def outer_values(node: Node) -> dict[Node, Node]:
    """What stands for each outer node of the body: another one where the graph around the scan was substituted."""
    op = scan_of(node)
    return dict(zip(op.outer, node.inputs[len(op.carries) + len(op.items) :], strict=True))


def scan_node(
    first: Sequence[Node],
    sequences: Sequence[Node],
    carries: tuple[Node, ...],
    items: tuple[Node, ...],
    next_carries: tuple[Node, ...],
    emitted: Sequence[Node],
    length: Extent,
    reverse: bool,
) -> Node:
    """What does not change from step to step stays outside and is computed once."""
    stepful = stepful_nodes([*next_carries, *emitted], {*carries, *items})
    edge = [n for n in (*next_carries, *emitted) if n not in stepful]
    edge += [value for n in stepful for value in n.inputs if value not in stepful]
    outer = tuple(dict.fromkeys(edge))
    return apply(Scan(carries, items, outer, next_carries, length, reverse), *first, *sequences, *outer)


def stepful_nodes(outputs: Sequence[Node], leaves: set[Node]) -> dict[Node, None]:
    """The nodes whose value may differ from step to step, in order: those that depend on the leaves."""
    found: dict[Node, None] = {}
    for node in ancestors(outputs, stop=leaves):
        if node in leaves or any(value in found for value in node.inputs):
            found[node] = None
    return found


def scan_of(node: Node) -> Scan:
    assert isinstance(node.op, Scan)
    return node.op


def _tuple(nodes: Nodes | None) -> tuple[Node, ...]:
    if nodes is None:
        return ()
    return tuple(as_node(n) for n in nodes) if isinstance(nodes, tuple | list) else (as_node(nodes),)


def _like(pattern: Any, nodes: tuple[Node, ...]) -> Nodes:
    return nodes if isinstance(pattern, tuple | list) else nodes[0]
