"""One value from many, and the softmax family."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ....graph import Node
from ....graph.operations.reduction import ArgMax, LogSoftmax, LogSumExp, Max, Min, Prod, Reduction, Softmax, Sum
from ....graph.operations.reduction import _bound as bound
from ..memory import Slot
from ..registry import lowers
from ..table import Share
from .products import word

if TYPE_CHECKING:
    from ..lowering import Lowering

SHORT = 64
"""Elements of a row below which several rows share a loop."""

NAMES = {Sum: "sum", Prod: "prod", Max: "max", Min: "min", LogSumExp: "logsumexp"}


@lowers(*NAMES, placed=True)
def reduce(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Over the first axes as they lie, over others once they are the last."""
    op, x = node.op, inputs[0]
    assert isinstance(op, Reduction)
    kept = [i for i in range(len(x.shape)) if i not in op.axes]
    n, width = math.prod(x.shape[i] for i in kept), math.prod(x.shape[i] for i in op.axes)
    if isinstance(op, Sum) and list(op.axes) == list(range(len(op.axes))) and kept:
        sum_first(low, node, low.contiguous(x, node.inputs[0]), width, n)
        return
    extra = []
    if isinstance(op, Max | Min):
        extra = [word(bound(node.dtype, op.empty), node.dtype)]
    exponentials = isinstance(op, LogSumExp)
    over_last(low, node, x.permuted([*kept, *op.axes]), (n, width), f"{NAMES[type(op)]}_last", extra, exponentials)


def over_last(
    low: Lowering,
    node: Node,
    x: Slot,
    sizes: tuple[int, int],
    name: str,
    extra: list[int],
    exponentials: bool = False,
) -> None:
    """(n, width) → n."""
    rows = low.contiguous(x, node.inputs[0]).reshaped(sizes)
    out = low.home(node).reshaped(sizes[:1])

    def share(a: int, b: int) -> Share:
        return Share([rows.part(0, a, b)], [out.part(0, a, b)], [b - a, sizes[1], *extra])

    work = (1.0 if exponentials else 0.15) * rows.size
    low.call(low.kernel(name, node.dtype, x.dtype), node, share, sizes[0], work, 16, operations=rows.size)


def sum_first(low: Lowering, node: Node, x: Slot, n: int, width: int) -> None:
    """(n, width) → width."""
    columns, out = x.reshaped((n, width)), low.home(node).reshaped((width,))

    def share(a: int, b: int) -> Share:
        return Share([columns.part(1, a, b)], [out.part(0, a, b)], [n, b - a, width])

    low.call(low.kernel("sum_first", node.dtype, x.dtype), node, share, width, 0.1 * x.size, 16, operations=x.size)


@lowers(ArgMax, placed=True)
def argmax(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Over the axis once it is the last."""
    op, x = node.op, inputs[0]
    assert isinstance(op, ArgMax)
    kept = [i for i in range(len(x.shape)) if i != op.axis]
    n, width = math.prod(x.shape[i] for i in kept), x.shape[op.axis]
    if not width:
        low.fallback(node)
        return
    over_last(low, node, x.permuted([*kept, op.axis]), (n, width), "argmax_last", [])


@lowers(Softmax, LogSoftmax)
def softmax(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Along the last axis; another one is first brought there, and the result is seen through the axes' old order."""
    op, x = node.op, inputs[0]
    assert isinstance(op, Softmax | LogSoftmax)
    order = [*(i for i in range(len(x.shape)) if i != op.axis), op.axis]
    x = low.contiguous(x.permuted(order), node.inputs[0])
    out = low.fresh(x.shape, node.dtype)
    low.settle(node, out.permuted(np.argsort(order).tolist()))
    if not x.size:
        return
    sizes = (math.prod(x.shape[:-1]), x.shape[-1])
    rows, results = x.reshaped(sizes), out.reshaped(sizes)
    name = "softmax" if isinstance(op, Softmax) else "log_softmax"
    scratch = []
    if sizes[1] < SHORT:
        name, scratch = f"{name}_short", [low.fresh(sizes, node.dtype)]

    def share(a: int, b: int) -> Share:
        writes = [s.part(0, a, b) for s in (results, *scratch)]
        return Share([rows.part(0, a, b)], writes, [b - a, sizes[1]])

    work = 1.2 * x.size
    low.call(low.kernel(name, node.dtype), node, share, sizes[0], work, 16, operations=5 * x.size)
