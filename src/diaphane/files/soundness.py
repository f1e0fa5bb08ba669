"""What a node read from a file must fulfil, so that no engine ever computes what nobody could have built.

The functions that build graphs check what they are given; a file names operations and their fields by itself. An
engine that trusts a graph reads beyond its arrays where a field is wrong. The amount of reckoning with named sizes is
bounded too, as it grows exponentially in a few lines that someone made up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Elementwise, Node, Operation, Size
from ..graph.leaves import ROLES, Constant, Leaf, Variable, check_dtype
from ..graph.operations import arithmetic, comparison, exponential
from ..graph.operations.casting import Astype, StopGradient
from ..graph.operations.columns import ClipColumns
from ..graph.operations.indexing import Arange, InRange, Place, ScatterAdd, Slice, Take
from ..graph.operations.linear import Matmul
from ..graph.operations.random import Bernoulli, Permutation, Random
from ..graph.operations.reduction import ArgMax, ExtentValue, LogSumExp, Reduction, SoftmaxLike
from ..graph.operations.scan import Final, Scan, Trace
from ..graph.operations.shaping import BroadcastTo, Concat, PermuteDims, Reshape
from ..graph.operations.windows import Fold, Windows
from ..graph.sizes import Extent, Shape, extent_product, show

__all__ = ["check_extent", "check_operands", "check_size", "require"]

MOST_AXES = 64
"""As many as an array of NumPy's may have."""
LARGEST_EXTENT = 2**48
MOST_WRITTEN = 10_000
"""Characters of the named sizes in the shapes that an operation is applied to, all of them written out."""
MOST_TERMS = 4096
"""Of a product of extents, before like ones are put together."""

FLOATS = (
    arithmetic.Divide,
    arithmetic.Sqrt,
    arithmetic.Floor,
    *(getattr(exponential, name.capitalize()) for name in exponential.__all__),
)
LOGIC = (comparison.LogicalAnd, comparison.LogicalOr, comparison.LogicalNot)


def require(holds: bool, what: str) -> None:
    """Raise where something does not hold."""
    if not holds:
        raise ValueError(what)


def check_extent(extent: Any, what: str = "an extent") -> None:
    """Refuse what is neither a whole number nor a named size."""
    whole = isinstance(extent, int) and not isinstance(extent, bool) and 0 <= extent <= LARGEST_EXTENT
    require(
        whole or isinstance(extent, Size),
        f"{what} is a whole number up to {LARGEST_EXTENT} or a size, not {extent!r:.60}",
    )


def check_size(terms: Any) -> None:
    """Refuse a stored size that would take long to reckon with."""
    require(isinstance(terms, list) and len(terms) <= 256, "a size has at most 256 terms")
    for monomial, coefficient in terms:
        require(isinstance(monomial, list) and len(monomial) <= 16, "a size's term has at most 16 factors")
        require(
            type(coefficient) is int and abs(coefficient) <= LARGEST_EXTENT, "a size's coefficients are whole numbers"
        )


def check_operands(op: Operation, inputs: Sequence[Node]) -> None:
    """Refuse an operation whose fields or inputs no function that builds graphs would have given it."""
    require(all(isinstance(v, Node) for v in inputs), "its inputs are nodes")
    written = sum(len(str(e)) for v in inputs for e in v.shape if isinstance(e, Size))
    require(written <= MOST_WRITTEN, "its inputs' named sizes are too long")
    if type(op).__module__.split(".")[0] != __name__.split(".")[0]:
        return
    for kind in type(op).__mro__:
        check = CHECKS.get(kind)
        if check is not None:
            check(op, inputs)
            return


def _takes(inputs: Sequence[Node], *kinds: str) -> None:
    """So many inputs, each of one of some kinds of dtype."""
    require(len(inputs) == len(kinds), f"it takes {len(kinds)} inputs, not {len(inputs)}")
    for value, kind in zip(inputs, kinds, strict=True):
        require(value.dtype.kind in kind, f"it takes no {value.dtype}")


def _axis(axis: Any, ndim: int) -> None:
    require(type(axis) is int and 0 <= axis < ndim, f"there is no axis {axis!r:.20} of {ndim}")


def _axes(axes: Any, ndim: int) -> None:
    require(isinstance(axes, tuple), f"axes are a list, not {axes!r:.20}")
    for axis in axes:
        _axis(axis, ndim)
    require(len(set(axes)) == len(axes), "an axis is named twice")


def _shape(shape: Any) -> None:
    require(isinstance(shape, tuple) and len(shape) <= MOST_AXES, f"a shape has at most {MOST_AXES} axes")
    for extent in shape:
        check_extent(extent)


def _product(shape: Shape) -> Extent:
    terms = math.prod(len(e.terms) for e in shape if isinstance(e, Size))
    require(terms <= MOST_TERMS, "the product of its extents is too long")
    return extent_product(shape)


def _positive(numbers: Any) -> None:
    require(isinstance(numbers, tuple), "a list of numbers is wanted")
    require(all(type(n) is int and 1 <= n <= LARGEST_EXTENT for n in numbers), "numbers of at least 1 are wanted")


def _elementwise(op: Elementwise, inputs: Sequence[Node]) -> None:
    wanted = len(set(re.findall(r"\b[abc]\b", op.expression)))
    require(len(inputs) == wanted, f"it takes {wanted} inputs, not {len(inputs)}")
    same = inputs
    if isinstance(op, comparison.Where):
        require(inputs[0].dtype.kind == "b", "its condition is a truth")
        same = inputs[1:]
    require(len({v.dtype for v in same}) == 1, "its inputs are of one dtype")
    if isinstance(op, FLOATS):
        require(same[0].dtype.kind == "f", f"it takes no {same[0].dtype}")
    if isinstance(op, LOGIC):
        require(same[0].dtype.kind == "b", f"it takes no {same[0].dtype}")


def _leaf(op: Leaf, inputs: Sequence[Node]) -> None:
    _takes(inputs)
    _shape(op.extents)
    require(isinstance(op.element, np.dtype), "it has a dtype")
    check_dtype(op.element)
    if isinstance(op, Variable):
        require(all(isinstance(e, int) for e in op.extents), "a variable's extents are numbers")
        require(isinstance(op.role, str) and op.role in ROLES, f"a variable's role is one of {', '.join(ROLES)}")
        initial = op.initial
        require(isinstance(initial, np.ndarray), "a variable's first value is an array")
        require((initial.shape, initial.dtype) == (op.extents, op.element), "a variable's first value does not fit it")


def _constant(op: Constant, inputs: Sequence[Node]) -> None:
    _takes(inputs)
    require(isinstance(op.array, np.ndarray), "a constant is an array")
    check_dtype(op.array.dtype)


def _astype(op: Astype, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    require(isinstance(op.target, str), "a dtype is named")
    check_dtype(op.target)


def _any_one(op: Operation, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")


def _matmul(op: Matmul, inputs: Sequence[Node]) -> None:
    _takes(inputs, "f", "f")
    require(inputs[0].dtype == inputs[1].dtype and min(v.ndim for v in inputs) >= 2, "it takes matrices of one dtype")


def _reduction(op: Reduction, inputs: Sequence[Node]) -> None:
    _takes(inputs, "f" if isinstance(op, LogSumExp) else "fiub")
    _axes(op.axes, inputs[0].ndim)
    require(isinstance(op.keepdims, bool), "keepdims is true or false")


def _along(op: ArgMax | SoftmaxLike, inputs: Sequence[Node]) -> None:
    _takes(inputs, "f" if isinstance(op, SoftmaxLike) else "fiub")
    _axis(op.axis, inputs[0].ndim)


def _extent_value(op: ExtentValue, inputs: Sequence[Node]) -> None:
    _takes(inputs)
    check_extent(op.extent)
    require(isinstance(op.element, str), "a dtype is named")
    check_dtype(op.element)


def _arange(op: Arange, inputs: Sequence[Node]) -> None:
    _takes(inputs)
    check_extent(op.extent)


def _in_range(op: InRange, inputs: Sequence[Node]) -> None:
    _takes(inputs, "iu")
    check_extent(op.extent)


def _spans(spans: Any, shape: Shape) -> None:
    """One for each axis, within it where that can be known."""
    require(isinstance(spans, tuple) and len(spans) == len(shape), "there is a span for each axis")
    for span, extent in zip(spans, shape, strict=True):
        require(isinstance(span, tuple) and len(span) == 3, "a span is a first index, a length and a step")
        start, length, step = span
        require(type(step) is int and step != 0 and abs(step) <= LARGEST_EXTENT, "a step is a number other than 0")
        require(isinstance(start, Size) or type(start) is int, "a span's first index is a number or a size")
        check_extent(length)
        if isinstance(start, int) and isinstance(length, int) and isinstance(extent, int) and length:
            last = start + (length - 1) * step
            require(0 <= start < extent and 0 <= last < extent, "a span lies outside of its axis")


def _slice(op: Slice, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    _spans(op.spans, inputs[0].shape)


def _place(op: Place, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    _shape(op.target)
    _spans(op.spans, op.target)
    require(tuple(length for _, length, _ in op.spans) == inputs[0].shape, "its value does not fit its spans")
    require(isinstance(op.fill, int | float), "what it is filled with is a number")


def _take(op: Take, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub", "iu")
    _axis(op.axis, inputs[0].ndim)


def _scatter_add(op: ScatterAdd, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub", "iu")
    values, indices = inputs
    check_extent(op.extent)
    require(type(op.axis) is int and 0 <= op.axis <= values.ndim - indices.ndim, "there is no such axis")
    require(values.shape[op.axis : op.axis + indices.ndim] == indices.shape, "its values and indices differ")


def _reshape(op: Reshape, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    _shape(op.target)
    total, wanted = _product(inputs[0].shape), _product(op.target)
    require(total == wanted, f"of {show(inputs[0].shape)} there is no shape {show(op.target)}")


def _permute(op: PermuteDims, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    _axes(op.axes, inputs[0].ndim)
    require(len(op.axes) == inputs[0].ndim, "each axis is named once")


def _broadcast(op: BroadcastTo, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    _shape(op.target)


def _concat(op: Concat, inputs: Sequence[Node]) -> None:
    require(len(inputs) >= 1 and len({v.dtype for v in inputs}) == 1, "it takes values of one dtype")
    _axis(op.axis, inputs[0].ndim)


def _windows(op: Windows | Fold, inputs: Sequence[Node]) -> None:
    _takes(inputs, "fiub")
    _positive(op.sizes)
    _positive(op.strides)
    require(len(op.sizes) == len(op.strides), "it has a stride for each size")
    whole = inputs[0].shape
    if isinstance(op, Fold):
        whole = op.target
        _shape(whole)
    require(len(whole) >= len(op.sizes) + 1, "its windows have more axes than it")
    if isinstance(op, Fold):
        counts = [(e - s) // t + 1 for e, s, t in zip(whole[1:], op.sizes, op.strides, strict=False)]
        laid = (whole[0], *counts, *op.sizes, *whole[len(op.sizes) + 1 :])
        require(inputs[0].shape == laid, f"windows of {show(whole)} are {show(laid)}, not {show(inputs[0].shape)}")


def _random(op: Random, inputs: Sequence[Node]) -> None:
    _shape(op.target)
    require(type(op.stream) is int and 0 <= op.stream < 2**32, "a stream is a number")
    own = "bool" if isinstance(op, Bernoulli) else "int64" if isinstance(op, Permutation) else None
    require(
        isinstance(op.element, str) and op.element in ((own,) if own else ("float32", "float64")),
        "it has no such dtype",
    )
    require(not isinstance(op, Permutation) or len(op.target) == 1, "a permutation has one axis")
    chance = 1 if isinstance(op, Bernoulli) else 0
    require(len(inputs) >= chance, "it takes a probability")
    for i, value in enumerate(inputs):
        wanted = "f" if i < chance else "i"
        require(value.shape == () and value.dtype.kind == wanted, "it takes numbers: a probability, steps of loops")


def _clip_columns(op: ClipColumns, inputs: Sequence[Node]) -> None:
    _takes(inputs, "f", "f")
    vector, limit = inputs
    require(vector.ndim == 1 and limit.shape == () and vector.dtype == limit.dtype, "it takes a vector and its limit")
    require(isinstance(vector.shape[0], int), "its vector is of a known length")
    done = 0
    for start, rows, columns in op.matrices:
        require(all(type(n) is int and 0 <= n <= LARGEST_EXTENT for n in (start, rows, columns)), "places are numbers")
        require(start >= done, "its matrices lie one after another")
        done = start + int(rows * columns)  # type: ignore[arg-type]
    require(done <= vector.shape[0], "its matrices lie outside of its vector")  # type: ignore[operator]


def _scan(op: Scan, inputs: Sequence[Node]) -> None:
    lists = (op.carries, op.items, op.outer, op.next_carries)
    require(all(isinstance(part, tuple) for part in lists), "its parts are lists")
    require(all(isinstance(n, Node) for part in lists for n in part), "its parts are nodes")
    check_extent(op.length)
    require(isinstance(op.reverse, bool), "reverse is true or false")
    inner = [*op.carries, *op.items, *op.outer]
    require(len(inputs) == len(inner), f"it takes {len(inner)} inputs, not {len(inputs)}")
    require(len(op.carries) == len(op.next_carries), "each carry has a next one")
    _bindable([*op.carries, *op.items])
    rows = [(op.length, *n.shape) if n in op.items else n.shape for n in inner]
    for value, node, shape in zip(inputs, inner, rows, strict=True):
        require((value.shape, value.dtype) == (shape, node.dtype), f"{value!r} does not stand for {node!r}")
    for before, after in zip(op.carries, op.next_carries, strict=True):
        require((before.shape, before.dtype) == (after.shape, after.dtype), "a carry changes its shape or dtype")


def _bindable(nodes: Sequence[Node]) -> None:
    require(
        all(isinstance(n.op, Leaf) for n in nodes) and len(set(nodes)) == len(nodes), "carries and items are leaves"
    )


def _part(op: Final | Trace, inputs: Sequence[Node]) -> None:
    require(len(inputs) == 1 and isinstance(inputs[0].op, Scan), "it is a part of a scan")
    if isinstance(op, Final):
        scan = inputs[0].op
        assert isinstance(scan, Scan)
        require(type(op.position) is int and 0 <= op.position < len(scan.carries), "there is no such carry")
    else:
        require(isinstance(op.node, Node), "what is traced is a node")


Check = Callable[[Any, Sequence[Node]], None]
CHECKS: dict[type, Check] = {
    Elementwise: _elementwise,
    Leaf: _leaf,
    Constant: _constant,
    Astype: _astype,
    StopGradient: _any_one,
    Matmul: _matmul,
    Reduction: _reduction,
    ArgMax: _along,
    SoftmaxLike: _along,
    ExtentValue: _extent_value,
    Arange: _arange,
    InRange: _in_range,
    Slice: _slice,
    Place: _place,
    Take: _take,
    ScatterAdd: _scatter_add,
    Reshape: _reshape,
    PermuteDims: _permute,
    BroadcastTo: _broadcast,
    Concat: _concat,
    Windows: _windows,
    Fold: _windows,
    Random: _random,
    ClipColumns: _clip_columns,
    Scan: _scan,
    Final: _part,
    Trace: _part,
}
"""By kind; an operation of a user's, whose module was imported, is trusted to check its inputs in its shape rule."""
