"""Changing the element type, and standing in the way of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..node import DType, Node, NodeLike, apply
from ..operation import Operation, as_node
from ..sizes import Shape

__all__ = ["astype", "stop_gradient"]


@dataclass(frozen=True)
class Astype(Operation):
    """The same values in another type; a float becomes an integer by cutting its fraction off."""

    target: str

    def shape(self, *inputs: Node) -> Shape:
        return inputs[0].shape

    def dtype(self, *inputs: Node) -> DType:
        return np.dtype(self.target)

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.asarray(arrays[0]).astype(self.target)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        source = node.inputs[0].dtype
        return (astype(upstream, source) if source.kind == "f" else None,)

    def label(self) -> str:
        return self.target


@dataclass(frozen=True)
class StopGradient(Operation):
    """The same values; no gradient passes."""

    def shape(self, *inputs: Node) -> Shape:
        return inputs[0].shape

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0]

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,)


def astype(a: NodeLike, dtype: Any) -> Node:
    """The same values in another type.

    Parameters
    ----------
    a : node or array-like
    dtype : numpy dtype
        float32, float64, an integer type or bool.

    Examples
    --------
    >>> astype([1.7, -1.7], "int64").value
    array([ 1, -1])
    """
    from ..leaves import Constant, check_dtype, constant

    node = as_node(a)
    target = check_dtype(dtype)
    if node.dtype == target:
        return node
    if isinstance(node.op, Constant):
        with np.errstate(all="ignore"):
            return constant(node.op.array.astype(target), name=node.name)
    return apply(Astype(target.name), node)


def stop_gradient(a: NodeLike) -> Node:
    """a, taken as a constant by :func:`~diaphane.graph.gradient`.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.variable(3.0, "x")
    >>> [slope] = dia.gradient(x * stop_gradient(x), [x])
    >>> float(slope.value)
    3.0
    """
    return apply(StopGradient(), as_node(a))
