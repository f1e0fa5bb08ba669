"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ShapeError
from ..node import Node, NodeLike, apply
from ..operation import Operation, float_operands
from ..sizes import Shape, extent_product, show

__all__ = ["matmul"]


@dataclass(frozen=True)
class Matmul(Operation):
    """A·B over the last two axes, broadcast over those before.

    ∂l/∂A = G·Bᵀ and ∂l/∂B = Aᵀ·G, G being the upstream gradient.
    """

    notation = "{0} @ {1}"
    precedence = 20

    def shape(self, *inputs: Node) -> Shape:
        from ..formula import short_formula

        a, b = inputs
        if a.shape[-1] != b.shape[-2]:
            raise ShapeError(
                f"matmul: {short_formula(a)} of shape {show(a.shape)} and {short_formula(b)} of shape {show(b.shape)} "
                f"do not fit: the first has {a.shape[-1]} columns, the second {b.shape[-2]} rows"
            )
        batch = _broadcast_batch(a, b)
        return (*batch, a.shape[-2], b.shape[-1])

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.matmul(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        from .shaping import matrix_transpose, reshape

        a, b = node.inputs
        to_a = matmul(upstream, matrix_transpose(b))
        if b.ndim == 2 and a.ndim > 2:
            # One product over all leading axes, instead of one a matrix and a sum of them all.
            count = extent_product(a.shape[:-1])
            rows = reshape(a, (count, a.shape[-1]))
            return to_a, matmul(matrix_transpose(rows), reshape(upstream, (count, upstream.shape[-1])))
        return to_a, matmul(matrix_transpose(a), upstream)


def matmul(a: NodeLike, b: NodeLike) -> Node:
    """The matrix product; vectors count as a row on the left and as a column on the right.

    Parameters
    ----------
    a : node, shape (..., m, k) or (k,)
    b : node, shape (..., k, n) or (k,)
        Leading axes broadcast.

    Returns
    -------
    Node, shape (..., m, n), without the axis of a vector

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).value
    array([[11.]])
    >>> float(matmul([1.0, 2.0], [3.0, 4.0]).value)
    11.0
    """
    from .shaping import expand_dims, squeeze

    left, right = float_operands(a, b)
    if left.ndim == 0 or right.ndim == 0:
        raise ShapeError("matmul: a number has no rows and columns; use * to scale")
    product = apply(
        Matmul(), expand_dims(left, 0) if left.ndim == 1 else left, expand_dims(right, -1) if right.ndim == 1 else right
    )
    if right.ndim == 1:
        product = squeeze(product, -1)
    return squeeze(product, -1 if right.ndim == 1 else -2) if left.ndim == 1 else product


def _broadcast_batch(a: Node, b: Node) -> Shape:
    from ..formula import short_formula

    longest = max(a.ndim, b.ndim) - 2
    left, right = ((1,) * (longest - n.ndim + 2) + n.shape[:-2] for n in (a, b))
    batch = []
    for x, y in zip(left, right, strict=True):
        if x != y and 1 not in (x, y):
            raise ShapeError(
                f"matmul: the leading axes of {short_formula(a)} of shape {show(a.shape)} and {short_formula(b)} "
                f"of shape {show(b.shape)} do not broadcast"
            )
        batch.append(y if x == 1 else x)
    return tuple(batch)
