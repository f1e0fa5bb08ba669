"""Leaves, what is computed element by element, and random values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .... import graph
from ....graph import Node
from ....graph.leaves import Constant, Placeholder, Variable
from ....graph.node import DType
from ....graph.operations import activation, arithmetic, casting, comparison, exponential
from ....graph.operations.linear import Matmul
from ....graph.operations.random import Bernoulli, Normal, Permutation, Uniform
from ....graph.operations.reduction import ExtentValue
from ....graph.operations.scan import Bound
from ..registry import ExportError, exports
from ..writing import Writer

__all__ = ["widened"]

SAME: dict[type[graph.Operation], str] = {
    activation.Relu: "Relu",
    arithmetic.Abs: "Abs",
    arithmetic.Add: "Add",
    arithmetic.Divide: "Div",
    arithmetic.Floor: "Floor",
    arithmetic.Multiply: "Mul",
    arithmetic.Negative: "Neg",
    arithmetic.Power: "Pow",
    arithmetic.Sign: "Sign",
    arithmetic.Sqrt: "Sqrt",
    arithmetic.Subtract: "Sub",
    casting.StopGradient: "Identity",
    comparison.Equal: "Equal",
    comparison.Less: "Less",
    comparison.LessEqual: "LessOrEqual",
    comparison.Maximum: "Max",
    comparison.Minimum: "Min",
    comparison.Where: "Where",
    exponential.Cos: "Cos",
    exponential.Exp: "Exp",
    exponential.Log: "Log",
    exponential.Sigmoid: "Sigmoid",
    exponential.Sin: "Sin",
    exponential.Tanh: "Tanh",
}
"""What ONNX has under a name of its own."""

LOGIC: dict[type[graph.Operation], str] = {
    comparison.LogicalAnd: "And",
    comparison.LogicalNot: "Not",
    comparison.LogicalOr: "Or",
}


def _log1p(a: Node) -> Node:
    """log(1 + a) near 0 by Kahan's trick: what 1 + a loses of a is divided out again."""
    u = 1 + a
    lost = u - 1
    near = graph.where(graph.equal(lost, 0), a, graph.log(u) * (a / lost))
    return graph.where(graph.abs(a) < 0.5, near, graph.log(u))


def _isfinite(a: Node) -> Node:
    return graph.abs(a) < np.inf if a.dtype.kind == "f" else graph.equal(a, a)


COMPOSED: dict[type[graph.Operation], Callable[..., Node]] = {
    arithmetic.Square: lambda a: graph.multiply(a, a),
    comparison.Clip: lambda a, low, high: graph.minimum(graph.maximum(a, low), high),
    comparison.IsFinite: _isfinite,
    comparison.NotEqual: lambda a, b: graph.logical_not(graph.equal(a, b)),
    # (e^(a/2) − e^(−a/2))/(e^(a/2) + e^(−a/2)) · (eᵃ + 1) = eᵃ − 1, and tanh is exact near 0.
    exponential.Expm1: lambda a: graph.tanh(a * 0.5) * (graph.exp(a) + 1),
    exponential.Log1p: _log1p,
    exponential.Softplus: lambda a: graph.relu(a) + graph.log1p(graph.exp(-graph.abs(a))),
}
"""What ONNX does not have, or computes with less care, in terms of other operations."""


@exports(*SAME)
def same(write: Writer, node: Node, inputs: list[str]) -> str:
    """One operation; whole numbers are reckoned with as int64, the type that every runtime has them in."""
    chooses = isinstance(node.op, comparison.Where)
    wide = [
        name if chooses and not i else widened(write, name, value.dtype)
        for i, (name, value) in enumerate(zip(inputs, node.inputs, strict=True))
    ]
    found = write.emit(SAME[type(node.op)], *wide)
    computed = np.dtype("bool") if isinstance(node.op, comparison.Comparison) else _wide(node.dtype)
    return write.cast(found, computed, node.dtype)


@exports(*LOGIC)
def logic(write: Writer, node: Node, inputs: list[str]) -> str:
    """And, or, not."""
    return write.emit(LOGIC[type(node.op)], *inputs)


@exports(*COMPOSED)
def composed(write: Writer, node: Node, inputs: list[str]) -> str:
    """Smaller operations in its place."""
    return write.composed(graph.astype(COMPOSED[type(node.op)](*node.inputs), node.dtype))


@exports(exponential.Erf)
def erf(write: Writer, node: Node, inputs: list[str]) -> str:
    """In float32, as runtimes have no other: exact to 10⁻⁷."""
    narrow = np.dtype("float32")
    found = write.emit("Erf", write.cast(inputs[0], node.dtype, narrow))
    return write.cast(found, narrow, node.dtype)


@exports(casting.Astype)
def astype(write: Writer, node: Node, inputs: list[str]) -> str:
    """The same values in another type."""
    return write.cast(inputs[0], node.inputs[0].dtype, node.dtype)


@exports(Matmul)
def matmul(write: Writer, node: Node, inputs: list[str]) -> str:
    """Over the last two axes, broadcast over those before."""
    return write.emit("MatMul", *inputs)


@exports(ExtentValue)
def extent_value(write: Writer, node: Node, inputs: list[str]) -> str:
    """A size as a number."""
    assert isinstance(node.op, ExtentValue)
    return write.cast(write.number(node.op.extent), np.dtype("int64"), node.dtype)


@exports(Constant)
def constant(write: Writer, node: Node, inputs: list[str]) -> str:
    """An initializer."""
    assert isinstance(node.op, Constant)
    return write.constant(node.op.array, node.name)


@exports(Placeholder, Variable, Bound)
def leaf(write: Writer, node: Node, inputs: list[str]) -> str:
    """Refused: what has a value has one by now."""
    raise ExportError(
        f"{node.label()} is a {node.op.label()} that is neither an input of the network nor a value of its state"
    )


@exports(Bernoulli, Normal, Permutation, Uniform)
def random(write: Writer, node: Node, inputs: list[str]) -> str:
    """Refused."""
    raise ExportError(
        f"{node.label()} (the operation {type(node.op).__name__}) draws random numbers, which an ONNX runtime would "
        "draw otherwise; export the network at inference, without random nodes: network.forward(x, training=False)"
    )


def widened(write: Writer, name: str, dtype: DType) -> str:
    """Whole numbers and truths as int64, floats as they are."""
    return write.cast(name, dtype, _wide(dtype))


def _wide(dtype: DType) -> DType:
    return dtype if dtype.kind == "f" else np.dtype("int64")
