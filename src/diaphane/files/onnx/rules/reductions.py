"""Sums, extrema and the softmax family."""

from __future__ import annotations

import numpy as np

from .... import graph
from ....graph import Node
from ....graph.operations.reduction import (
    ArgMax,
    LogSoftmax,
    LogSumExp,
    Max,
    Min,
    Prod,
    Reduction,
    Softmax,
    SoftmaxLike,
    Sum,
)
from ..registry import exports
from ..writing import Writer, element_type
from .elementwise import widened

REDUCTIONS = {Sum: "ReduceSum", Prod: "ReduceProd", Max: "ReduceMax", Min: "ReduceMin"}
TRUTH = np.dtype("bool")
SOFTMAX = {Softmax: "Softmax", LogSoftmax: "LogSoftmax"}


@exports(*REDUCTIONS)
def reduction(write: Writer, node: Node, inputs: list[str]) -> str:
    """Along axes; over none the value stays as it is."""
    op, [value] = node.op, node.inputs
    assert isinstance(op, Reduction)
    wide = widened(write, inputs[0], value.dtype)
    computed = value.dtype if value.dtype.kind == "f" else np.dtype("int64")
    if not op.axes:
        return write.cast(wide, computed, node.dtype)
    axes, keepdims = write.integers(op.axes), int(op.keepdims)
    found = write.emit(REDUCTIONS[type(op)], wide, axes, keepdims=keepdims)
    if isinstance(op, Max) and computed.kind == "f":
        # Runtimes pass over what is not a number, as if no value were missing.
        lost = write.emit("Cast", write.emit("IsNaN", wide), to=element_type(np.dtype("int32")))
        lost = write.emit("Cast", write.emit("ReduceMax", lost, axes, keepdims=keepdims), to=element_type(TRUTH))
        found = write.emit("Where", lost, write.constant(np.array(np.nan, computed)), found)
    return write.cast(found, computed, node.dtype)


@exports(LogSumExp)
def logsumexp(write: Writer, node: Node, inputs: list[str]) -> str:
    """log Σ e^(a − m) + m, m being the maximum, or 0 where that is infinite."""
    op, [a] = node.op, node.inputs
    assert isinstance(op, LogSumExp)
    top = graph.max(a, op.axes, keepdims=True)
    top = graph.where(graph.isfinite(top), top, 0)
    total = graph.log(graph.sum(graph.exp(a - top), op.axes, keepdims=True)) + top
    return write.composed(graph.reshape(total, node.shape))


@exports(*SOFTMAX)
def softmax(write: Writer, node: Node, inputs: list[str]) -> str:
    """Along one axis, shifted by the maximum as here."""
    assert isinstance(node.op, SoftmaxLike)
    return write.emit(SOFTMAX[type(node.op)], *inputs, axis=node.op.axis)


@exports(ArgMax)
def argmax(write: Writer, node: Node, inputs: list[str]) -> str:
    """The first of equals."""
    assert isinstance(node.op, ArgMax)
    wide = widened(write, inputs[0], node.inputs[0].dtype)
    return write.emit("ArgMax", wide, axis=node.op.axis, keepdims=0)
