"""Arrangement: most of it is views, which cost nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ....graph import Node
from ....graph.leaves import Constant
from ....graph.operations.indexing import Arange, Slice, bound_slices
from ....graph.operations.reduction import ExtentValue
from ....graph.operations.shaping import BroadcastTo, Concat, PermuteDims, Reshape
from ....graph.operations.windows import Fold, Windows
from ..cache import generated_kernel
from ..kernels import fold_source
from ..memory import Slot
from ..registry import lowers
from ..table import Share

if TYPE_CHECKING:
    from ..lowering import Lowering


@lowers(Constant, ExtentValue, Arange)
def known(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Known before the run."""
    low.settle(node, low.constant(np.asarray(node.op.compute(low.backend))))


@lowers(Reshape)
def reshape(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """A view of what lies one after another."""
    low.settle(node, low.contiguous(inputs[0], node.inputs[0]).reshaped(low.shape(node)))


@lowers(PermuteDims)
def permute_dims(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """A view."""
    assert isinstance(node.op, PermuteDims)
    low.settle(node, inputs[0].permuted(node.op.axes))


@lowers(BroadcastTo)
def broadcast_to(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """A view with strides of 0."""
    low.settle(node, inputs[0].broadcast(low.shape(node)))


@lowers(Slice)
def slice_(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """A view."""
    assert isinstance(node.op, Slice)
    slices = bound_slices(node.op.spans, inputs[0].shape, low.backend)
    low.settle(node, inputs[0].sliced(slices, low.shape(node)))


@lowers(Windows)
def windows(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """A view: each window's strides are those of the array, and windows lie so many steps apart."""
    op, x = node.op, inputs[0]
    assert isinstance(op, Windows)
    k = len(op.sizes)
    apart = [s * t for s, t in zip(x.strides[1 : k + 1], op.strides, strict=True)]
    strides = (x.strides[0], *apart, *x.strides[1:])
    low.settle(node, Slot(x.buffer, low.shape(node), strides, x.dtype, x.offset))


@lowers(Fold, placed=True)
def fold(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Zeros, then each window added where it lay."""
    op = node.op
    assert isinstance(op, Fold)
    out, x, k = low.home(node), low.contiguous(inputs[0], node.inputs[0]), len(op.sizes)
    channels = math.prod(out.shape[k + 1 :])
    axes = [number for d in range(k) for number in (out.shape[d + 1], x.shape[d + 1], op.sizes[d], op.strides[d])]

    def share(a: int, b: int) -> Share:
        return Share([x.part(0, a, b)], [out.part(0, a, b)], [b - a, channels, *axes])

    low.call(generated_kernel(fold_source(node.dtype.name, k)), node, share, out.shape[0], 0.4 * x.size)


@lowers(Concat, placed=True)
def concat(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Copies of what was not computed in its place."""
    assert isinstance(node.op, Concat)
    out, axis, start = low.home(node), node.op.axis, 0
    for value, slot in zip(node.inputs, inputs, strict=True):
        stop = start + slot.shape[axis]
        part = [slice(None)] * len(out.shape)
        part[axis] = slice(start, stop)
        place = out.sliced(part, slot.shape)
        if slot != place:
            low.copy(slot, place, value)
        start = stop
