"""Parts of arrays: slices, rows by index, and putting them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..node import DType, Node, NodeLike, apply
from ..operation import Operation, as_node, normalise_axis, operands
from ..sizes import Extent, Shape, Size, show
from .casting import astype
from .comparison import equal
from .shaping import expand_dims, reshape

__all__ = ["arange", "index", "one_hot", "pad", "scatter_add", "slice_axis", "take"]

Span = tuple[Extent, Extent, int]
"""Along one axis: the first index, how many, and the step."""


@dataclass(frozen=True)
class Slice(Operation):
    """Every step-th element along each axis."""

    spans: tuple[Span, ...]

    def shape(self, *inputs: Node) -> Shape:
        return tuple(length for _, length, _ in self.spans)

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0][bound_slices(self.spans, arrays[0].shape, backend)]

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (apply(Place(self.spans, node.inputs[0].shape), upstream),)

    def formula(self, *inputs: str) -> str:
        return f"{inputs[0]}[{', '.join(_show_span(s) for s in self.spans)}]"


@dataclass(frozen=True)
class Place(Operation):
    """An array full of one number, with a smaller one written into a slice of it: the slice's derivative."""

    spans: tuple[Span, ...]
    target: Shape
    fill: float = 0.0

    def shape(self, *inputs: Node) -> Shape:
        return self.target

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.place(backend.sizes(self.target), self.fill, bound_slices(self.spans, None, backend), arrays[0])

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (apply(Slice(self.spans), upstream),)

    def formula(self, *inputs: str) -> str:
        return f"place({inputs[0]}, [{', '.join(_show_span(s) for s in self.spans)}])"


@dataclass(frozen=True)
class Take(Operation):
    """The parts of a along an axis at integer indices 0 ≤ i < n; an index outside is an error."""

    axis: int

    def shape(self, *inputs: Node) -> Shape:
        a, indices = inputs
        return (*a.shape[: self.axis], *indices.shape, *a.shape[self.axis + 1 :])

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.take(arrays[0], arrays[1], self.axis)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a, indices = node.inputs
        return scatter_add(upstream, indices, a.shape[self.axis], self.axis), None


@dataclass(frozen=True)
class ScatterAdd(Operation):
    """Zeros, with each part of the values added at its index along an axis: the derivative of taking."""

    axis: int
    extent: Extent

    def shape(self, *inputs: Node) -> Shape:
        values, indices = inputs
        return (*values.shape[: self.axis], self.extent, *values.shape[self.axis + indices.ndim :])

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.scatter_add(arrays[0], arrays[1], self.axis, backend.size(self.extent))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return take(upstream, node.inputs[1], self.axis), None


@dataclass(frozen=True)
class InRange(Operation):
    """Integer indices as they are, where each is 0 ≤ i < n; an index outside is an error."""

    extent: Extent

    def shape(self, *inputs: Node) -> Shape:
        return inputs[0].shape

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.check_indices(arrays[0], backend.size(self.extent), "one_hot")

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,)


@dataclass(frozen=True)
class Arange(Operation):
    """0, 1, …, n − 1."""

    extent: Extent

    def shape(self, *inputs: Node) -> Shape:
        return (self.extent,)

    def dtype(self, *inputs: Node) -> DType:
        return np.dtype("int64")

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.arange(backend.size(self.extent), dtype="int64")

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return ()

    def formula(self, *inputs: str) -> str:
        return f"arange({self.extent})"


def index(a: NodeLike, key: Any) -> Node:
    """NumPy's basic indexing, ``a[key]``: integers, slices, ``...``, ``None``; or one array of row indices.

    Along a named size, bounds count from either end and must lie inside when the program runs; a
    negative step takes the whole axis backwards.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> x[:, 1].value
    array([2., 4.])
    """
    node = as_node(a)
    keys = list(key) if isinstance(key, tuple) else [key]
    if len(keys) == 1 and isinstance(keys[0], Node | np.ndarray | list):
        return take(node, keys[0])
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if used > node.ndim or sum(k is Ellipsis for k in keys) > 1:
        raise ShapeError(f"index: {key!r} has more entries than {node.label()} of shape {show(node.shape)} has axes")
    if Ellipsis in [k for k in keys if k is Ellipsis]:
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        keys[at : at + 1] = [slice(None)] * (node.ndim - used)
    keys += [slice(None)] * (node.ndim - sum(k is not None for k in keys))
    spans: list[Span] = []
    shape: list[Extent] = []
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        extent = node.shape[len(spans)]
        span = _span(k, extent, node)
        spans.append(span)
        if isinstance(k, slice):
            shape.append(span[1])
    return reshape(_sliced(node, spans), shape)


def slice_axis(a: NodeLike, axis: int, start: Extent, stop: Extent) -> Node:
    """The elements from ``start`` to before ``stop`` along one axis; both may be named sizes."""
    node = as_node(a)
    spans: list[Span] = [(0, e, 1) for e in node.shape]
    spans[normalise_axis(axis, node.ndim, "slice_axis")] = (start, stop - start, 1)
    return _sliced(node, spans)


def pad(a: NodeLike, widths: Sequence[tuple[int, int]], value: float = 0.0) -> Node:
    """a with so many copies of a number before and after it along each axis.

    Parameters
    ----------
    a : node or array-like
    widths : sequence of (before, after)
        One pair for each axis.
    value : float
        What is written there.

    Examples
    --------
    >>> pad([1.0, 2.0], [(1, 2)]).value
    array([0., 1., 2., 0., 0.])
    """
    node = as_node(a)
    if len(widths) != node.ndim or any(len(w) != 2 or min(w) < 0 for w in widths):
        raise ShapeError(
            f"pad: {node.label()} has {node.ndim} axes and needs a pair (before, after) ≥ 0 for each, got {widths!r}"
        )
    spans = tuple((before, extent, 1) for (before, _), extent in zip(widths, node.shape, strict=True))
    target = tuple(before + extent + after for (before, after), extent in zip(widths, node.shape, strict=True))
    return node if target == node.shape else apply(Place(spans, target, float(value)), node)


def take(a: NodeLike, indices: NodeLike, axis: int = 0) -> Node:
    """The parts of a along an axis at integer indices.

    Parameters
    ----------
    a : node, shape (n, ...) for axis 0
    indices : integer node, any shape
        Each must satisfy 0 ≤ i < n, else the run stops with an ``IndexError``.
    axis : int

    Returns
    -------
    Node
        With the indices' shape in place of the axis.

    Examples
    --------
    >>> take([[1.0, 2.0], [3.0, 4.0]], [1, 1, 0]).value
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    node, rows = as_node(a), _indices(indices, "take")
    return apply(Take(normalise_axis(axis, node.ndim, "take")), node, rows)


def scatter_add(values: NodeLike, indices: NodeLike, extent: Extent, axis: int = 0) -> Node:
    """Zeros of ``extent`` along an axis, each part of the values added at its index; equal indices add up.

    Examples
    --------
    >>> scatter_add([1.0, 2.0, 4.0], [0, 2, 0], 3).value
    array([5., 0., 2.])
    """
    node, rows = as_node(values), _indices(indices, "scatter_add")
    axis = normalise_axis(axis, node.ndim - rows.ndim + 1, "scatter_add")
    if node.shape[axis : axis + rows.ndim] != rows.shape:
        raise ShapeError(
            f"scatter_add: values of shape {show(node.shape)} and indices of {show(rows.shape)} differ at axis {axis}"
        )
    return apply(ScatterAdd(axis, extent), node, rows)


def arange(extent: Extent) -> Node:
    """The whole numbers from 0 to before a size.

    Examples
    --------
    >>> arange(3).value
    array([0, 1, 2])
    """
    return apply(Arange(extent))


def one_hot(indices: NodeLike, classes: int, dtype: Any = "float32") -> Node:
    """1 at each index and 0 elsewhere, along a new last axis.

    Each index must satisfy 0 ≤ i < classes, else the run stops with an ``IndexError``.

    Examples
    --------
    >>> one_hot([0, 2], 3).value
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    rows = apply(InRange(classes), astype(_indices(indices, "one_hot"), "int64"))
    return astype(equal(expand_dims(rows, -1), arange(classes)), dtype)


def _indices(value: NodeLike, label: str) -> Node:
    [node] = operands(value)
    if node.dtype.kind not in "iu":
        raise DTypeError(
            f"{label}: indices are integers, got {node.label()} of dtype {node.dtype}; cast them with astype"
        )
    return node


def _sliced(node: Node, spans: Sequence[Span]) -> Node:
    if all(span == (0, extent, 1) for span, extent in zip(spans, node.shape, strict=True)):
        return node
    return apply(Slice(tuple(spans)), node)


def _span(key: Any, extent: Extent, node: Node) -> Span:
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        i = int(key)
        if isinstance(extent, int) and not -extent <= i < extent:
            raise ShapeError(f"index: {i} is outside an axis of {extent} of {node.label()}, shape {show(node.shape)}")
        return (i if i >= 0 else extent + i, 1, 1)
    if not isinstance(key, slice):
        raise DTypeError(
            f"index: entries are integers, slices, ... and None, got {key!r}; for indices in an array use take(), "
            "for a condition where()"
        )
    step = 1 if key.step is None else int(key.step)
    if isinstance(extent, int) and not isinstance(key.start, Size) and not isinstance(key.stop, Size):
        start, stop, step = key.indices(extent)
        return start, len(range(start, stop, step)), step
    if step < 0:
        if (key.start, key.stop, step) != (None, None, -1):
            raise ShapeError(f"index: along the named size {extent} a negative step takes the whole axis, [::-1]")
        return extent - 1, extent, -1
    first = _from_front(key.start, extent, 0)
    last = _from_front(key.stop, extent, extent)
    return first, (last - first + (step - 1)) // step, step


def _from_front(bound: Extent | None, extent: Extent, default: Extent) -> Extent:
    if bound is None:
        return default
    if isinstance(bound, Size):
        return bound
    return extent + int(bound) if bound < 0 else int(bound)


def bound_slices(spans: tuple[Span, ...], shape: tuple[int, ...] | None, backend: Any) -> tuple[slice, ...]:
    """Spans as slices, their sizes bound; refuses those outside of a shape that is given."""
    slices = []
    for axis, (start, length, step) in enumerate(spans):
        first, count = backend.size(start), backend.size(length)
        last = first + (count - 1) * step
        if shape is not None and count and not (0 <= first < shape[axis] and 0 <= last < shape[axis]):
            raise ShapeError(f"index: {_show_span((start, length, step))} lies outside an axis of {shape[axis]}")
        if count < 0:
            raise ShapeError(f"index: {_show_span((start, length, step))} has {count} elements in this run")
        stop = first + count * step
        slices.append(slice(first, stop if stop >= 0 else None, step))
    return tuple(slices)


def _show_span(span: Span) -> str:
    start, length, step = span
    first = "" if start == 0 and step > 0 else str(start)
    return f"{first}:{start + length * step}" + (f":{step}" if step != 1 else "")
