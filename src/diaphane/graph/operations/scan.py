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
from ..sizes import Extent, Shape, extent_product, show
from .indexing import arange
from .linear import Matmul, matmul
from .random import drawn_at
from .reduction import Sum, sum
from .shaping import PermuteDims, Reshape, broadcast_to, permute_dims, reshape

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

    def body_nodes(self) -> list[Node]:
        """The nodes that are computed anew at each step, for the carry."""
        return ancestors(self.next_carries, stop=[*self.carries, *self.items, *self.outer])

    def gradient(self, node: Node, upstream: PartGradients) -> Sequence[Node | None]:
        return _ScanGradient(self, node, upstream).contributions()

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
        return _scan(inputs[0]).carries[self.position].shape

    def dtype(self, *inputs: Node) -> DType:
        return _scan(inputs[0]).carries[self.position].dtype

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0].finals[self.position]

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        raise AssertionError("the gradient of a scan takes those of its parts together")


@dataclass(frozen=True)
class Trace(Part):
    """A node of the body, stacked over the steps along a new first axis."""

    node: Node

    def shape(self, *inputs: Node) -> Shape:
        return (_scan(inputs[0]).length, *self.node.shape)

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
    node = _scan_node(first, sequences, carries, items, next_carries, emitted, lengths[0], reverse)  # type: ignore[arg-type]
    finals = tuple(apply(Final(i), node) for i in range(len(carries)))
    stacked = tuple(trace(node, output) for output in emitted)
    return _like(carry, finals), _like(outputs, stacked)


def trace(node: Node, inner: Node) -> Node:
    """A node of a scan's body (or of its outside), stacked over the steps."""
    op = _scan(node)
    if inner in op.items:
        return node.inputs[len(op.carries) + op.items.index(inner)]
    if inner in op.outer or not _stepful([inner], {*op.carries, *op.items}):
        value = node.inputs[len(op.carries) + len(op.items) + op.outer.index(inner)] if inner in op.outer else inner
        return broadcast_to(reshape(value, (1, *value.shape)), (op.length, *value.shape))
    return apply(Trace(inner), node)


def _scan_node(
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
    stepful = _stepful([*next_carries, *emitted], {*carries, *items})
    edge = [n for n in (*next_carries, *emitted) if n not in stepful]
    edge += [value for n in stepful for value in n.inputs if value not in stepful]
    outer = tuple(dict.fromkeys(edge))
    return apply(Scan(carries, items, outer, next_carries, length, reverse), *first, *sequences, *outer)


def _stepful(outputs: Sequence[Node], leaves: set[Node]) -> dict[Node, None]:
    """The nodes whose value may differ from step to step, in order: those that depend on the leaves."""
    found: dict[Node, None] = {}
    for node in ancestors(outputs, stop=leaves):
        if node in leaves or any(value in found for value in node.inputs):
            found[node] = None
    return found


class _ScanGradient:
    """The scan that runs against the first one.

    Its carry is dl/dc, its items are what the forward steps computed (their traces), and it emits the
    gradient of each item. Gradients of outer nodes add up over the steps: products and sums are taken once,
    over all steps, from the emitted factors; anything else is added up in the carry.
    """

    def __init__(self, op: Scan, node: Node, upstream: PartGradients) -> None:
        from ..gradient import backpropagate, zeros_like

        self.op, self.node, self.wanted = op, node, upstream.wanted
        self.first: list[Node] = []
        seeds: dict[Node, Node] = {}
        self.carries = [apply(Bound(c.shape, c.dtype), name=f"gradient_{c.label()}") for c in op.carries]
        self.sequences: dict[Node, Node] = {}
        for i, (carry, new) in enumerate(zip(self.carries, op.next_carries, strict=True)):
            final = upstream.upstreams.get(Final(i))
            self.first.append(zeros_like(op.carries[i]) if final is None else final)
            seeds[new] = seeds[new] + carry if new in seeds else carry
        for part, value in upstream.upstreams.items():
            if isinstance(part, Trace):
                item = self._item(part.node, value)
                seeds[part.node] = seeds[part.node] + item if part.node in seeds else item
        # An outer node may depend on another one: that way back is outside of the loop, so here both are leaves.
        leaves = {n: apply(Bound(n.shape, n.dtype), name=n.label()) for n in op.outer if n.inputs}
        outside = {leaf: n for n, leaf in leaves.items()}
        seeds = {n: g for n, g in seeds.items() if n.dtype.kind == "f"}
        inside = dict(zip(substitute(list(seeds), leaves), seeds.values(), strict=True))
        differentiable = [leaves.get(n, n) for n in (*op.carries, *op.items, *op.outer) if n.dtype.kind == "f"]
        found = backpropagate(inside, differentiable).gradients
        replaced = substitute([*found, *found.values()], outside)
        self.gradients = dict(zip(replaced[: len(found)], replaced[len(found) :], strict=True))

    def _item(self, like: Node, sequence: Node) -> Node:
        leaf = apply(Bound(like.shape, like.dtype), name=f"step_{like.label()}")
        self.sequences[leaf] = sequence
        return leaf

    def contributions(self) -> list[Node | None]:
        from ..gradient import zeros_like

        op = self.op
        inner = [*op.carries, *op.items, *op.outer]
        # The gradient of a carry always goes on to the step before, also where the first carry's is not asked for.
        asked = {n for n, wanted in zip(inner, self.wanted, strict=True) if wanted} | set(op.carries)
        found = [n for n in inner if n in asked and n in self.gradients]
        replaced = dict(zip(found, self._without_forward_nodes([self.gradients[n] for n in found]), strict=True))
        next_carries = [replaced.get(c, zeros_like(c)) for c in op.carries]
        to_items = {n: replaced[n] for n in found if n in op.items}
        terms = {n: _terms(replaced[n]) for n in found if n in op.outer}
        factors = [f for parts in terms.values() for term in parts for f in term.factors]
        summed = [term for parts in terms.values() for term in parts if not term.factors]
        accumulators = [apply(Bound(t.whole.shape, t.whole.dtype), name="total") for t in summed]
        backward = _scan_node(
            [*self.first, *(zeros_like(t.whole) for t in summed)],
            list(self.sequences.values()),
            (*self.carries, *accumulators),
            tuple(self.sequences),
            (*next_carries, *(a + t.whole for a, t in zip(accumulators, summed, strict=True))),
            [*to_items.values(), *factors],
            op.length,
            not op.reverse,
        )
        totals = {id(t): apply(Final(len(op.carries) + i), backward) for i, t in enumerate(summed)}
        results: list[Node | None] = []
        for i, n in enumerate(inner):
            if n not in replaced or not self.wanted[i]:
                results.append(None)
            elif n in op.carries:
                results.append(apply(Final(op.carries.index(n)), backward))
            elif n in op.items:
                results.append(trace(backward, to_items[n]))
            else:
                parts = [totals[id(t)] if not t.factors else t.over_steps(backward) for t in terms[n]]
                total = parts[0]
                for part in parts[1:]:
                    total = total + part
                results.append(total)
        return results

    def _without_forward_nodes(self, outputs: list[Node]) -> list[Node]:
        """The backward body with each value of the forward body read from its trace."""
        op = self.op
        forward = _stepful([*op.next_carries, *self._traced()], {*op.carries, *op.items})
        own = set(self.carries) | set(self.sequences)
        # Of an inner loop its parts are traced, also those only its gradient asks for; the bundle itself cannot be.
        traced = {n for n in forward if not isinstance(n.op, Scan)}
        order = ancestors(outputs, stop=[*own, *traced, *op.outer])
        traced |= {n for n in order if isinstance(n.op, Part) and n.inputs[0] in forward}
        used = ancestors(outputs, stop=[*own, *traced, *op.outer])
        replacements = {n: self._item(n, trace(self.node, n)) for n in used if n in traced and n not in own}
        return substitute(outputs, replacements)

    def _traced(self) -> list[Node]:
        return [n for n in self.gradients if n not in self.op.outer]


@dataclass(eq=False)
class _Term:
    """A summand of an outer node's gradient at one step, and how to take it over all steps at once."""

    whole: Node
    factors: tuple[Node, ...] = ()

    def over_steps(self, node: Node) -> Node:
        op = self.whole.op
        traces = [trace(node, f) for f in self.factors]
        if len(traces) == 1:
            reduction = op if isinstance(op, Sum) else self.whole.inputs[0].op
            assert isinstance(reduction, Sum)
            return reshape(sum(traces[0], (0, *(a + 1 for a in reduction.axes))), self.whole.shape)
        left, right = traces
        # Σₜ Lᵀₜ·Rₜ with Lᵀ (T, k, m) and R (T, k, n) is one product over T·k rows.
        count = extent_product(left.shape[:-1])
        rows = reshape(left, (count, left.shape[-1]))
        return matmul(permute_dims(rows, (1, 0)), reshape(right, (count, right.shape[-1])))


def _terms(value: Node) -> list[_Term]:
    from .arithmetic import Add

    op = value.op
    if isinstance(op, Add) and all(v.shape == value.shape for v in value.inputs):
        return [term for v in value.inputs for term in _terms(v)]
    if isinstance(op, Reshape) and isinstance(value.inputs[0].op, Sum):
        return [_Term(value, value.inputs[0].inputs)]
    if isinstance(op, Sum):
        return [_Term(value, value.inputs)]
    if isinstance(op, Matmul) and value.ndim == 2:
        left, right = value.inputs
        if isinstance(left.op, PermuteDims) and left.op.axes == (1, 0):
            return [_Term(value, (left.inputs[0], right))]
    return [_Term(value)]


def _scan(node: Node) -> Scan:
    assert isinstance(node.op, Scan)
    return node.op


def _tuple(nodes: Nodes | None) -> tuple[Node, ...]:
    if nodes is None:
        return ()
    return tuple(as_node(n) for n in nodes) if isinstance(nodes, tuple | list) else (as_node(nodes),)


def _like(pattern: Any, nodes: tuple[Node, ...]) -> Nodes:
    return nodes if isinstance(pattern, tuple | list) else nodes[0]
