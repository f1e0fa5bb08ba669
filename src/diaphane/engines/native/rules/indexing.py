"""Parts by index, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ....graph import Node
from ....graph.operations.indexing import InRange, Place, ScatterAdd, Take, bound_slices
from ..memory import Slot
from ..registry import lowers
from ..table import Share
from .products import fill

if TYPE_CHECKING:
    from ..lowering import Lowering

INDEX = np.dtype("int64")


@lowers(Place, placed=True)
def place(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """One number everywhere, then a copy into the slice."""
    op, out = node.op, low.home(node)
    assert isinstance(op, Place)
    if inputs[0].size < out.size:
        fill(low, node, out, op.fill)
    slices = bound_slices(op.spans, out.shape, low.backend)
    low.copy(inputs[0], out.sliced(slices, inputs[0].shape), node.inputs[0])


@lowers(Take, placed=True)
def take(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Rows by index; one outside stops the run."""
    op, out = node.op, low.home(node)
    assert isinstance(op, Take)
    a = low.contiguous(inputs[0], node.inputs[0])
    indices = low.converted(inputs[1], node.inputs[1], INDEX)
    outer, n, inner = _around(a.shape, op.axis, op.axis + 1)
    flat, parts = indices.reshaped((indices.size,)), out.reshaped((outer, indices.size, inner))

    def share(start: int, stop: int) -> Share:
        numbers = [outer, n, inner, stop - start, indices.size]
        return Share([a, flat.part(0, start, stop)], [parts.part(1, start, stop)], numbers)

    low.call(low.kernel("take", node.dtype), node, share, indices.size, 0.3 * out.size)


@lowers(ScatterAdd, placed=True)
def scatter_add(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Zeros, then one row after another added at its index."""
    op, out = node.op, low.home(node)
    assert isinstance(op, ScatterAdd)
    values = low.contiguous(inputs[0], node.inputs[0])
    indices = low.converted(inputs[1], node.inputs[1], INDEX)
    outer, n, inner = _around(out.shape, op.axis, op.axis + 1)
    given, parts = values.reshaped((outer, indices.size, inner)), out.reshaped((outer, n, inner))

    def share(start: int, stop: int) -> Share:
        numbers = [outer, n, inner, indices.size, stop - start]
        return Share([given.part(2, start, stop), indices], [parts.part(2, start, stop)], numbers)

    low.call(low.kernel("scatter_add", node.dtype), node, share, inner, 0.5 * values.size + 0.1 * out.size, 16)


@lowers(InRange, placed=True)
def in_range(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """A copy that stops the run at an index outside."""
    op, out = node.op, low.home(node)
    assert isinstance(op, InRange)
    x = low.contiguous(inputs[0], node.inputs[0])
    whole = Share([x], [out], [x.size, low.size(op.extent)])
    low.call(low.kernel("check_range", node.dtype), node, lambda a, b: whole, work=0.5 * x.size)


def _around(shape: tuple[int, ...], start: int, stop: int) -> tuple[int, int, int]:
    """The sizes before some axes, of them, and after."""
    return math.prod(shape[:start]), math.prod(shape[start:stop]), math.prod(shape[stop:])
