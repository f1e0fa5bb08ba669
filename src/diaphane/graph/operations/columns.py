"""The lengths of a matrix's columns held to a limit, for matrices that lie one after another in a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ShapeError
from ..node import Node, NodeLike, apply, substitute
from ..operation import Operation, float_operands
from ..sizes import Extent, Shape, show
from .arithmetic import sqrt, square
from .comparison import greater, where
from .reduction import sum as sum_of
from .shaping import concat, reshape

__all__ = ["Matrix", "clip_columns"]

Matrix = tuple[int, Extent, Extent]
"""Where it begins in the vector, its rows and its columns; they lie row after row."""


@dataclass(frozen=True)
class ClipColumns(Operation):
    """w · min(1, c/‖w‖) for each column w; what is in no matrix, and what is not too long, keeps its bits.

    Lengths are added up in float64, where the square of no float32 overflows.
    """

    matrices: tuple[Matrix, ...]

    def shape(self, *inputs: Node) -> Shape:
        vector, limit = inputs
        if vector.ndim != 1 or limit.shape != ():
            raise ShapeError(
                f"clip_columns: a vector and one limit are wanted, got {show(vector.shape)} and {show(limit.shape)}"
            )
        return vector.shape

    def compute(self, backend: Any, *arrays: Any) -> Any:
        xp, (vector, limit) = backend.xp, arrays
        pieces, done = [], 0
        for start, rows, columns in self.matrices:
            n, width = backend.size(rows), backend.size(columns)
            w = vector[start : start + n * width].reshape(n, width)
            length = xp.sqrt(xp.square(w.astype("float64")).sum(axis=0))
            longer = length > limit
            factor = xp.where(longer, limit / xp.where(longer, length, 1.0), 1.0).astype(vector.dtype)
            pieces += [vector[done:start], xp.where(longer, w * factor, w).reshape(-1)]
            done = start + n * width
        return xp.concatenate([*pieces, vector[done:]])

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        from ..gradient import gradient
        from ..leaves import placeholder

        stand_ins = [placeholder(v.shape, v.dtype, "w") for v in node.inputs]
        slopes = gradient(self.composed(*stand_ins), stand_ins, upstream=upstream)
        return substitute(slopes, dict(zip(stand_ins, node.inputs, strict=True)))

    def composed(self, vector: Node, limit: Node) -> Node:
        """The same in smaller operations, in the vector's precision."""
        return concat(list(self._pieces(vector, limit)))

    def _pieces(self, vector: Node, limit: Node) -> Iterator[Node]:
        done: Extent = 0
        for start, rows, columns in self.matrices:
            stop = start + rows * columns
            w = reshape(vector[start:stop], (rows, columns))
            squares = sum_of(square(w), axis=0)
            longer = greater(sqrt(squares), limit)
            # Where nothing is clipped no root is taken, whose slope at 0 has no bound.
            length = sqrt(where(longer, squares, 1.0))
            yield vector[done:start]
            yield reshape(where(longer, w * (limit / length), w), (rows * columns,))
            done = stop
        yield vector[done:]

    def formula(self, *inputs: str) -> str:
        return f"clip_columns({', '.join(inputs)})"


def clip_columns(vector: NodeLike, limit: NodeLike, matrices: Sequence[Matrix]) -> Node:
    """w · min(1, c/‖w‖) for each column w of matrices in a vector, c being the limit.

    Parameters
    ----------
    vector : node, shape (P,)
    limit : float or scalar node
    matrices : sequence of (start, rows, columns)
        In the order in which they lie, none over another.

    Returns
    -------
    Node, shape (P,)

    Examples
    --------
    >>> clip_columns([3.0, 0.1, 4.0, 0.1, 9.0], 1.0, [(0, 2, 2)]).value
    array([0.6, 0.1, 0.8, 0.1, 9. ])
    """
    parameters, bound = float_operands(vector, limit)
    return apply(ClipColumns(tuple(matrices)), parameters, bound)
