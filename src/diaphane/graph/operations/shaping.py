"""The same elements in another arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..node import Node, NodeLike, apply
from ..operation import Operation, as_node, normalise_axes, normalise_axis, operands
from ..sizes import Extent, Shape, Size, exact_quotient, extent_product, show

__all__ = [
    "broadcast_to",
    "concat",
    "expand_dims",
    "matrix_transpose",
    "permute_dims",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "transpose",
]


@dataclass(frozen=True)
class Reshape(Operation):
    """The elements in their order, under another shape."""

    target: Shape

    def shape(self, *inputs: Node) -> Shape:
        return self.target

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.reshape(arrays[0], backend.sizes(self.target))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (reshape(upstream, node.inputs[0].shape),)

    def formula(self, *inputs: str) -> str:
        return f"reshape({inputs[0]}, {show(self.target)})"


@dataclass(frozen=True)
class PermuteDims(Operation):
    """The axes in another order."""

    axes: tuple[int, ...]

    def shape(self, *inputs: Node) -> Shape:
        return tuple(inputs[0].shape[i] for i in self.axes)

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0].transpose(self.axes)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (permute_dims(upstream, tuple(self.axes.index(i) for i in range(len(self.axes)))),)

    def formula(self, *inputs: str) -> str:
        return f"{inputs[0]}ᵀ" if self.axes == (1, 0) else f"permute_dims({inputs[0]}, {self.axes})"

    precedence = 50


@dataclass(frozen=True)
class BroadcastTo(Operation):
    """Repeated along axes of extent 1 and along new ones in front."""

    target: Shape

    def shape(self, *inputs: Node) -> Shape:
        source = inputs[0].shape
        tail = self.target[len(self.target) - len(source) :]
        if len(source) > len(self.target) or any(a not in (1, b) for a, b in zip(source, tail, strict=True)):
            raise ShapeError(f"broadcast_to: a value of shape {show(source)} does not broadcast to {show(self.target)}")
        return self.target

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.broadcast_to(arrays[0], backend.sizes(self.target))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (sum_to(upstream, node.inputs[0].shape),)

    def formula(self, *inputs: str) -> str:
        return f"broadcast_to({inputs[0]}, {show(self.target)})"


@dataclass(frozen=True)
class Concat(Operation):
    """Values one after another along an axis."""

    axis: int

    def shape(self, *inputs: Node) -> Shape:
        first = inputs[0]
        for other in inputs[1:]:
            if other.ndim != first.ndim or any(
                a != b for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)) if i != self.axis
            ):
                raise ShapeError(
                    f"concat: {first.label()} of shape {show(first.shape)} and {other.label()} of shape "
                    f"{show(other.shape)} differ elsewhere than on axis {self.axis}"
                )
        total = extent_sum([value.shape[self.axis] for value in inputs])
        return (*first.shape[: self.axis], total, *first.shape[self.axis + 1 :])

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.concatenate(arrays, axis=self.axis)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        from .indexing import slice_axis

        parts, start = [], 0
        for value in node.inputs:
            end: Extent = start + value.shape[self.axis]
            parts.append(slice_axis(upstream, self.axis, start, end))
            start = end  # type: ignore[assignment]
        return parts


def reshape(a: NodeLike, shape: Sequence[Extent] | Extent) -> Node:
    """The same elements under another shape; one extent may be −1, for what is left.

    Parameters
    ----------
    a : node or array-like
    shape : sequence of int or Size
        Its product must be the number of elements, for every value of the named sizes.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.placeholder((dia.Dim("N"), 2, 3), name="x")
    >>> reshape(x, (x.shape[0], -1))
    <reshape (N, 6) float32>
    """
    node = as_node(a)
    wanted = list(shape) if isinstance(shape, Sequence) else [shape]
    total = extent_product(node.shape)
    if wanted.count(-1) == 1:
        known = extent_product([e for e in wanted if e != -1])
        rest = exact_quotient(total, known) if known != 0 else None
        if rest is None:
            raise ShapeError(
                f"reshape: {node.label()} of shape {show(node.shape)} has {total} elements, which {known} does not "
                f"divide: −1 in {show(wanted)} cannot be worked out"
            )
        wanted[wanted.index(-1)] = rest
    target = tuple(e if isinstance(e, Size) else int(e) for e in wanted)
    if extent_product(target) != total or any(isinstance(e, int) and e < 0 for e in target):
        raise ShapeError(
            f"reshape: {node.label()} of shape {show(node.shape)} has {total} elements, {show(target)} has "
            f"{extent_product(target)}"
        )
    if target == node.shape:
        return node
    if isinstance(node.op, Reshape):
        return reshape(node.inputs[0], target)
    return apply(Reshape(target), node)


def permute_dims(a: NodeLike, axes: Sequence[int]) -> Node:
    """The axes in another order.

    Examples
    --------
    >>> permute_dims([[1.0, 2.0], [3.0, 4.0]], (1, 0)).value
    array([[1., 3.],
           [2., 4.]])
    """
    node = as_node(a)
    order = tuple(normalise_axis(i, node.ndim, "permute_dims") for i in axes)
    if sorted(order) != list(range(node.ndim)):
        raise ShapeError(f"permute_dims: {tuple(axes)} does not name each of the {node.ndim} axes once")
    if order == tuple(range(node.ndim)):
        return node
    if isinstance(node.op, PermuteDims):
        return permute_dims(node.inputs[0], [node.op.axes[i] for i in order])
    return apply(PermuteDims(order), node)


def transpose(a: NodeLike) -> Node:
    """The transpose of a matrix.

    Examples
    --------
    >>> transpose([[1.0, 2.0]]).value
    array([[1.],
           [2.]])
    """
    node = as_node(a)
    if node.ndim != 2:
        raise ShapeError(f"transpose takes a matrix, {node.label()} has shape {show(node.shape)}; use permute_dims")
    return permute_dims(node, (1, 0))


def matrix_transpose(a: NodeLike) -> Node:
    """The last two axes exchanged."""
    node = as_node(a)
    return permute_dims(node, (*range(node.ndim - 2), node.ndim - 1, node.ndim - 2))


def expand_dims(a: NodeLike, axis: int) -> Node:
    """A new axis of extent 1.

    Examples
    --------
    >>> expand_dims([1.0, 2.0], 0)
    <reshape (1, 2) float64>
    """
    node = as_node(a)
    axis = normalise_axis(axis, node.ndim + 1, "expand_dims")
    return reshape(node, (*node.shape[:axis], 1, *node.shape[axis:]))


def squeeze(a: NodeLike, axis: int | Sequence[int] | None = None) -> Node:
    """Without axes of extent 1: those named, or all of them.

    Examples
    --------
    >>> squeeze([[1.0, 2.0]], 0).value
    array([1., 2.])
    """
    node = as_node(a)
    ones = tuple(i for i, e in enumerate(node.shape) if e == 1)
    axes = ones if axis is None else normalise_axes(axis, node.ndim, "squeeze")
    if not set(axes) <= set(ones):
        raise ShapeError(
            f"squeeze: not every axis of {axes} has extent 1 in {node.label()} of shape {show(node.shape)}"
        )
    return reshape(node, [e for i, e in enumerate(node.shape) if i not in axes])


def broadcast_to(a: NodeLike, shape: Sequence[Extent]) -> Node:
    """a, repeated to a shape by NumPy's broadcasting.

    Examples
    --------
    >>> broadcast_to([1.0, 2.0], (2, 2)).value
    array([[1., 2.],
           [1., 2.]])
    """
    node = as_node(a)
    target = tuple(shape)
    return node if target == node.shape else apply(BroadcastTo(target), node)


def sum_to(a: Node, shape: Shape) -> Node:
    """The sum over every axis that broadcasting ``shape`` to a's repeats: broadcasting's derivative."""
    from .reduction import sum

    if a.shape == shape:
        return a
    new = a.ndim - len(shape)
    axes = [i for i in range(a.ndim) if i < new or (shape[i - new] == 1 and a.shape[i] != 1)]
    return reshape(sum(a, axes), shape)


def concat(values: Sequence[NodeLike], axis: int = 0) -> Node:
    """Values one after another along an axis.

    Examples
    --------
    >>> concat([[1.0], [2.0, 3.0]]).value
    array([1., 2., 3.])
    """
    nodes = operands(*values)
    if nodes[0].ndim == 0:
        raise ShapeError("concat: numbers have no axis to join along; use stack")
    if len(nodes) == 1:
        return nodes[0]
    return apply(Concat(normalise_axis(axis, nodes[0].ndim, "concat")), *nodes)


def stack(values: Sequence[NodeLike], axis: int = 0) -> Node:
    """Values of one shape side by side along a new axis.

    Examples
    --------
    >>> stack([1.0, 2.0]).value
    array([1., 2.])
    """
    return concat([expand_dims(node, axis) for node in operands(*values)], axis)


def split(a: NodeLike, parts: int | Sequence[int], axis: int = 0) -> list[Node]:
    """Along an axis, so many equal parts, or parts of these sizes.

    Examples
    --------
    >>> [part.value for part in split([1.0, 2.0, 3.0], [1, 2])]
    [array([1.]), array([2., 3.])]
    """
    from .indexing import slice_axis

    node = as_node(a)
    axis = normalise_axis(axis, node.ndim, "split")
    extent = node.shape[axis]
    if isinstance(parts, int | np.integer):
        whole = exact_quotient(extent, int(parts)) if parts > 0 else None
        if whole is None:
            raise ShapeError(f"split: axis {axis} of {node.label()} has {extent} elements: not {parts} equal parts")
        sizes: list[Extent] = [whole] * int(parts)
    else:
        sizes = list(parts)
        if extent_sum(sizes) != extent:
            raise ShapeError(f"split: parts of {show(sizes)} do not add up to the {extent} of axis {axis}")
    result, start = [], 0
    for size in sizes:
        end = start + size
        result.append(slice_axis(node, axis, start, end))
        start = end  # type: ignore[assignment]
    return result


def extent_sum(extents: Sequence[Extent]) -> Extent:
    """The sum of extents."""
    total: Extent = 0
    for extent in extents:
        total = total + extent
    return total
