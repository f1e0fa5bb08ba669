"""The derivative of a scan: a scan that runs against it."""

from __future__ import annotations

from dataclasses import dataclass

from ..node import Node, ancestors, apply, substitute
from ..sizes import extent_product
from .linear import Matmul, matmul
from .reduction import Sum, sum
from .scan import Bound, Final, Part, PartGradients, Scan, Trace, outer_values, scan_node, scan_of, stepful_nodes, trace
from .shaping import PermuteDims, Reshape, permute_dims, reshape

__all__ = ["ScanGradient"]


class ScanGradient:
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
        backward = scan_node(
            [*self.first, *(zeros_like(t.whole) for t in summed)],
            list(self.sequences.values()),
            (*self.carries, *accumulators),
            tuple(self.sequences),
            (*next_carries, *(a + t.whole for a, t in zip(accumulators, summed, strict=True))),
            [*to_items.values(), *factors],
            op.length,
            not op.reverse,
        )
        # The body's outer nodes are names; what stands for them outside is what the forward scan has as inputs.
        free = len(backward.inputs) - len(scan_of(backward).outer)
        outside = substitute(backward.inputs[free:], outer_values(self.node))
        backward = apply(backward.op, *backward.inputs[:free], *outside)
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
        forward = stepful_nodes([*op.next_carries, *self._traced()], {*op.carries, *op.items})
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
