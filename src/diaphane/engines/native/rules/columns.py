"""Columns that are held to a length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....graph import Node
from ....graph.operations.columns import ClipColumns
from ..memory import Slot
from ..registry import lowers
from ..table import Share

if TYPE_CHECKING:
    from ..lowering import Lowering


@lowers(ClipColumns, placed=True)
def clip_columns(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Where the vector lies if it may be written there, else in a copy of it."""
    op, (vector, limit) = node.op, inputs
    assert isinstance(op, ClipColumns)
    out = low.home(node)
    if vector != out:
        low.copy(vector, out, node.inputs[0])
    for start, rows, columns in op.matrices:
        _clip(low, node, limit, out, (start, low.size(rows), low.size(columns)))


def _clip(low: Lowering, node: Node, limit: Slot, vector: Slot, place: tuple[int, int, int]) -> None:
    start, n, width = place
    matrix = vector.part(0, start, start + n * width).reshaped((n, width))
    factors = low.fresh((width,), np.dtype("float64"))

    def share(a: int, b: int) -> Share:
        return Share([limit], [matrix.part(1, a, b), factors.part(0, a, b)], [n, b - a, width])

    kernel = low.kernel("clip_columns", node.dtype)
    low.call(kernel, node, share, width, 0.2 * matrix.size, 16, operations=2.0 * matrix.size)
