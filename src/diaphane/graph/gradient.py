"""Backpropagation: a graph in, a graph out.

One walk from the value back to its inputs (Rumelhart, Hinton & Williams 1986; reverse accumulation:
Linnainmaa 1970). What it builds are nodes like any other: to be printed, drawn, run and differentiated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .errors import DTypeError, NotDifferentiableError, ShapeError
from .leaves import constant
from .node import Node, ancestors
from .operations.casting import StopGradient
from .operations.indexing import arange
from .operations.scan import Part, PartGradients, scan
from .operations.shaping import broadcast_to, reshape, sum_to
from .sizes import extent_product, show

__all__ = ["Backpropagation", "backpropagate", "gradient", "jacobian"]


@dataclass
class Backpropagation:
    """What one backward walk gives.

    Attributes
    ----------
    gradients : dict of Node to Node
        dl/d(node), for each node on the way.
    contributions : dict of (Node, int) to Node
        The part that came through one edge: through the i-th input of a node. At a fan-out the
        contributions of all edges add up to the gradient.
    """

    gradients: dict[Node, Node] = field(default_factory=dict)
    contributions: dict[tuple[Node, int], Node] = field(default_factory=dict)


def gradient(y: Node, wrt: Sequence[Node], *, upstream: Node | None = None) -> list[Node]:
    """dy/d(each of wrt), as nodes.

    Parameters
    ----------
    y : Node
        A single number (shape ``()``), or any shape if ``upstream`` is given.
    wrt : sequence of Node
        Any floating nodes of the graph, not only variables.
    upstream : Node, optional
        dl/dy for a further l: what comes out is then dl/d(wrt) = upstreamᵀ · ∂y/∂wrt.

    Returns
    -------
    list of Node
        Of the shapes of ``wrt``; zeros where y does not depend on it.

    Raises
    ------
    ShapeError
        If y is not one number and there is no upstream gradient.
    NotDifferentiableError
        If y depends on a node only through an operation without a derivative (argmax).

    Examples
    --------
    >>> import diaphane as dia
    >>> x, y, z = dia.variable(-2.0, "x"), dia.variable(5.0, "y"), dia.variable(-4.0, "z")
    >>> f = (x + y) * z
    >>> [float(g.value) for g in dia.gradient(f, [x, y, z])]
    [-4.0, -4.0, 3.0]

    A Hessian-vector product is the gradient of a product with the gradient (Pearlmutter 1994):

    >>> w = dia.variable([1.0, 2.0], "w")
    >>> [g] = dia.gradient(dia.sum(w ** 3), [w])
    >>> [hv] = dia.gradient(dia.sum(g * dia.constant([1.0, 0.0])), [w])
    >>> hv.value
    array([6., 0.])
    """
    if isinstance(wrt, Node):
        raise DTypeError(f"gradient: a list of nodes is wanted, got one: gradient(y, [{wrt.label()}])")
    wanted = list(wrt)
    for node in wanted:
        if not isinstance(node, Node):
            raise DTypeError(f"gradient: a list of nodes is wanted, got {node!r} in it")
        if node.dtype.kind != "f":
            raise DTypeError(f"gradient: {node.label()} is of dtype {node.dtype}; only floats have derivatives")
    if upstream is None:
        if y.shape != ():
            raise ShapeError(
                f"gradient: {y.label()} has shape {show(y.shape)}; take its sum or mean, "
                "give upstream=, or use jacobian"
            )
        upstream = constant(1.0, dtype=y.dtype)
    elif upstream.shape != y.shape:
        raise ShapeError(f"gradient: upstream has shape {show(upstream.shape)}, {y.label()} has {show(y.shape)}")
    found = backpropagate({y: upstream}, wanted).gradients
    for node in wanted:
        if node not in found:
            _refuse_undifferentiable(y, node)
    return [found[node] if node in found else zeros_like(node) for node in wanted]


def backpropagate(seeds: Mapping[Node, Node], wrt: Sequence[Node]) -> Backpropagation:
    """The backward walk from several values at once, given the upstream gradient of each."""
    result = Backpropagation(gradients=dict(seeds))
    order = ancestors(seeds)
    leading = _leading_to(order, wrt)
    parts: dict[Node, PartGradients] = {}
    for node in reversed(order):
        if node not in leading:
            continue
        if node in parts:
            parts[node].wanted = [value in leading for value in node.inputs]
            contributions = node.op.gradient(node, parts[node])
        elif node not in result.gradients:
            continue
        elif isinstance(node.op, Part):
            upstreams = parts.setdefault(node.inputs[0], PartGradients()).upstreams
            upstreams[node.op] = result.gradients[node]
            continue
        else:
            contributions = node.op.gradient(node, result.gradients[node])
        for i, (value, contribution) in enumerate(zip(node.inputs, contributions, strict=True)):
            if contribution is None or value not in leading:
                continue
            contribution = _fitted(contribution, value)
            result.contributions[node, i] = contribution
            known = result.gradients.get(value)
            result.gradients[value] = contribution if known is None else known + contribution
    return result


def jacobian(y: Node, wrt: Node) -> Node:
    """∂y/∂x, of shape m × n for y ∈ ℝᵐ and x ∈ ℝⁿ.

    Row i is the gradient of yᵢ: one backward pass a row, in a :func:`scan`.

    Parameters
    ----------
    y : Node, any shape
    wrt : Node, any shape

    Returns
    -------
    Node
        Of y's shape followed by x's.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.variable([1.0, 2.0], "x")
    >>> dia.jacobian(dia.stack([x[0] * x[1], x[0], x[1] ** 2]), x).value
    array([[2., 1.],
           [1., 0.],
           [0., 4.]])
    """
    from .operations.casting import astype
    from .operations.comparison import equal

    m = extent_product(y.shape)

    def row(_: tuple[Node, ...], i: Node) -> tuple[tuple[Node, ...], Node]:
        unit = reshape(astype(equal(arange(m), i), y.dtype), y.shape)
        return (), gradient(y, [wrt], upstream=unit)[0]

    _, rows = scan(row, (), arange(m))
    return reshape(rows, (*y.shape, *wrt.shape))


def zeros_like(node: Node) -> Node:
    """Zeros of a node's shape and type."""
    return broadcast_to(constant(0.0, dtype=node.dtype), node.shape)


def _leading_to(order: Sequence[Node], wrt: Sequence[Node]) -> set[Node]:
    """The nodes of an order whose value depends on one of ``wrt`` in a way that can be differentiated."""
    leading = set(wrt)
    for node in order:
        if node not in leading and node.op.passes_gradient(node) and any(v in leading for v in node.inputs):
            leading.add(node)
    return leading


def _fitted(contribution: Node, value: Node) -> Node:
    """A contribution in its input's shape: summed where the input was broadcast, spread where it is broader."""
    if contribution.shape == value.shape:
        return contribution
    summed = contribution if contribution.ndim < value.ndim else sum_to(contribution, value.shape)
    return broadcast_to(summed, value.shape)


def _refuse_undifferentiable(y: Node, node: Node) -> None:
    reached = {node}
    for other in ancestors([y]):
        if any(value in reached for value in other.inputs) and not isinstance(other.op, StopGradient):
            reached.add(other)
    blocking = [n for n in reached if not n.op.differentiable]
    if y in reached and blocking:
        raise NotDifferentiableError(
            f"gradient: {y.label()} depends on {node.label()} only through {blocking[0].op.label()}, "
            "which has no gradient; use softmax for a differentiable choice, or stop_gradient to say that none is meant"
        )
