"""Parts by index, and back; windows, which are parts by index along each axis."""

from __future__ import annotations

import numpy as np

from ....graph import Node
from ....graph.operations.indexing import Arange, InRange, Place, ScatterAdd, Slice, Span, Take
from ....graph.operations.windows import Fold, Windows
from ....graph.sizes import Extent, Shape
from ..registry import exports
from ..writing import Writer

BEFORE_ALL = np.iinfo("int64").min
"""Where a slice ends that runs backwards to the first element."""


@exports(Slice)
def slice_of(write: Writer, node: Node, inputs: list[str]) -> str:
    """Only along the axes that are cut."""
    op, source = node.op, node.inputs[0].shape
    assert isinstance(op, Slice)
    cut = {i: span for i, span in enumerate(op.spans) if span != (0, source[i], 1)}
    if not cut:
        return write.emit("Identity", *inputs)
    starts = write.shape(tuple(start for start, _, _ in cut.values()))
    stops = [_stop(write, span) for span in cut.values()]
    ends = stops[0] if len(stops) == 1 else write.emit("Concat", *stops, axis=0)
    steps = write.integers([step for _, _, step in cut.values()])
    return write.emit("Slice", *inputs, starts, ends, write.integers(list(cut)), steps)


def _stop(write: Writer, span: Span) -> str:
    start, length, step = span
    stop = start + length * step
    if isinstance(stop, int):
        return write.integers([stop if stop >= 0 else BEFORE_ALL])
    found = write.shape((stop,))
    if step > 0:
        return found
    return write.emit("Where", write.emit("Less", found, write.integers([0])), write.integers([BEFORE_ALL]), found)


@exports(Place)
def place(write: Writer, node: Node, inputs: list[str]) -> str:
    """Padding along axes where the elements lie side by side; else each place takes its element, or the number."""
    op, value = node.op, node.inputs[0]
    assert isinstance(op, Place)
    wide = np.dtype("int64") if value.dtype.kind in "iu" else value.dtype
    found = write.cast(inputs[0], value.dtype, wide)
    fill = write.constant(np.asarray(op.fill).astype(wide))
    before: list[Extent] = []
    after: list[Extent] = []
    for (start, length, step), extent in zip(op.spans, op.target, strict=True):
        # One element more along the other axes: the number, for all the places that get no element.
        before.append(start if step == 1 else 0)
        after.append(extent - start - length if step == 1 else 1)
    found = write.emit("Pad", found, write.shape((*before, *after)), fill)
    for axis, (span, extent) in enumerate(zip(op.spans, op.target, strict=True)):
        if span[2] != 1:
            found = write.emit("Gather", found, _sources(write, span, extent), axis=axis)
    return write.cast(found, wide, node.dtype)


def _sources(write: Writer, span: Span, extent: Extent) -> str:
    """For each place along an axis which element comes there; the one after the last where none does."""
    start, length, step = span
    if isinstance(start, int) and isinstance(length, int) and isinstance(extent, int):
        sources = np.full(extent, length)
        sources[start + step * np.arange(length)] = np.arange(length)
        return write.constant(sources)
    ahead = write.emit("Sub", _range(write, extent), write.number(start))
    stride, zero = write.constant(np.int64(step)), write.constant(np.int64(0))
    rest = write.emit("Mod", ahead, stride)
    index = write.emit("Div", write.emit("Sub", ahead, rest), stride)
    inside = write.emit("And", write.emit("LessOrEqual", zero, index), write.emit("Less", index, write.number(length)))
    hit = write.emit("And", inside, write.emit("Equal", rest, zero))
    return write.emit("Where", hit, index, write.number(length))


@exports(Take)
def take(write: Writer, node: Node, inputs: list[str]) -> str:
    """An index outside is for the runtime to refuse."""
    assert isinstance(node.op, Take)
    return write.emit("Gather", inputs[0], _indices(write, node, inputs), axis=node.op.axis)


@exports(ScatterAdd)
def scatter_add(write: Writer, node: Node, inputs: list[str]) -> str:
    """Sums into zeros."""
    op, (values, indices) = node.op, node.inputs
    assert isinstance(op, ScatterAdd)
    wide = values.dtype if values.dtype.kind == "f" else np.dtype("int64")
    found = write.cast(inputs[0], values.dtype, wide)
    found = _added(write, found, values.shape, _indices(write, node, inputs), indices.ndim, op.axis, op.extent, wide)
    return write.cast(found, wide, node.dtype)


def _indices(write: Writer, node: Node, inputs: list[str]) -> str:
    return write.cast(inputs[1], node.inputs[1].dtype, "int64")


def _added(
    write: Writer, values: str, shape: Shape, indices: str, n_axes: int, axis: int, extent: Extent, dtype: object
) -> str:
    """Zeros of an extent along an axis, and the parts of the values added at their indices."""
    inner = list(range(axis, axis + n_axes))
    others = [i for i in range(len(shape)) if i not in inner]
    if axis:
        values = write.emit("Transpose", values, perm=[*inner, *others])
    target = (extent, *(shape[i] for i in others))
    zeros = write.emit("Expand", write.constant(np.zeros((), dtype)), write.shape(target))
    where = write.emit("Unsqueeze", indices, write.integers([-1]))
    found = write.emit("ScatterND", zeros, where, values, reduction="add")
    if not axis:
        return found
    return write.emit("Transpose", found, perm=[*range(1, axis + 1), 0, *range(axis + 1, len(target))])


@exports(InRange)
def in_range(write: Writer, node: Node, inputs: list[str]) -> str:
    """The indices as they are: ONNX has nothing that refuses."""
    return write.emit("Identity", *inputs)


@exports(Arange)
def arange(write: Writer, node: Node, inputs: list[str]) -> str:
    """A constant where the size is known."""
    return _range(write, node.shape[0])


def _range(write: Writer, extent: Extent) -> str:
    if isinstance(extent, int):
        return write.constant(np.arange(extent))
    return write.emit("Range", write.number(0), write.number(extent), write.number(1))


@exports(Windows)
def windows(write: Writer, node: Node, inputs: list[str]) -> str:
    """Along each axis the elements of each window, (N, H, …) → (N, H', h, W', w, …), then in their order."""
    op, [found] = node.op, inputs
    assert isinstance(op, Windows)
    k = len(op.sizes)
    for i, (size, stride) in enumerate(zip(op.sizes, op.strides, strict=True)):
        found = write.emit("Gather", found, _elements(write, node.shape[i + 1], size, stride), axis=2 * i + 1)
    rest = range(2 * k + 1, node.ndim)
    return write.emit("Transpose", found, perm=[0, *range(1, 2 * k + 1, 2), *range(2, 2 * k + 1, 2), *rest])


@exports(Fold)
def fold(write: Writer, node: Node, inputs: list[str]) -> str:
    """Axis by axis each element of each window added where it lay."""
    op, value = node.op, node.inputs[0]
    assert isinstance(op, Fold)
    k = len(op.sizes)
    wide = value.dtype if value.dtype.kind == "f" else np.dtype("int64")
    pairs = [axis for i in range(k) for axis in (i + 1, i + 1 + k)]
    order = [0, *pairs, *range(2 * k + 1, value.ndim)]
    found = write.emit("Transpose", write.cast(inputs[0], value.dtype, wide), perm=order)
    shape = [value.shape[i] for i in order]
    for i, (size, stride) in enumerate(zip(op.sizes, op.strides, strict=True)):
        elements = _elements(write, shape[i + 1], size, stride)
        found = _added(write, found, tuple(shape), elements, 2, i + 1, op.target[i + 1], wide)
        shape[i + 1 : i + 3] = [op.target[i + 1]]
    return write.cast(found, wide, node.dtype)


def _elements(write: Writer, count: Extent, size: int, stride: int) -> str:
    """Which elements along an axis each window holds, (count, size)."""
    offsets = np.arange(size)
    if isinstance(count, int):
        return write.constant(stride * np.arange(count)[:, None] + offsets)
    firsts = write.emit("Mul", _range(write, count), write.constant(np.int64(stride)))
    return write.emit("Add", write.emit("Unsqueeze", firsts, write.integers([1])), write.constant(offsets))
