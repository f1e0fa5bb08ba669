"""Sums, means, extrema and products over axes, and the softmax family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..node import DType, Node, NodeLike, apply
from ..operation import Operation, as_node, float_operands, normalise_axes, normalise_axis
from ..sizes import Extent, Shape, extent_product
from .arithmetic import divide, square
from .casting import astype
from .comparison import equal, where
from .exponential import exp

__all__ = [
    "argmax",
    "extent_value",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "softmax",
    "sum",
    "var",
]

Axis = int | Sequence[int] | None


@dataclass(frozen=True)
class Reduction(Operation, abstract=True):
    """One value from many, along axes."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def shape(self, *inputs: Node) -> Shape:
        return _reduced(inputs[0].shape, self.axes, self.keepdims)

    def _spread(self, reduced: Node, like: Node) -> Node:
        """A reduced value, broadcast back over the axes it was reduced along."""
        from .shaping import broadcast_to, reshape

        return broadcast_to(reshape(reduced, _reduced(like.shape, self.axes, True)), like.shape)

    def formula(self, *inputs: str) -> str:
        keep = ", keepdims" if self.keepdims else ""
        return f"{self.label()}({inputs[0]}, axis={_show_axes(self.axes)}{keep})"


@dataclass(frozen=True)
class Sum(Reduction):
    """Σ a over axes; 0 where there is nothing to add."""

    def dtype(self, *inputs: Node) -> DType:
        return inputs[0].dtype if inputs[0].dtype.kind == "f" else np.dtype("int64")

    def compute(self, backend: Any, *arrays: Any) -> Any:
        a = arrays[0]
        return a.sum(axis=self.axes, keepdims=self.keepdims, dtype=None if a.dtype.kind == "f" else "int64")

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (self._spread(upstream, node.inputs[0]),)


@dataclass(frozen=True)
class Prod(Reduction):
    """Π a over axes; 1 where there is nothing to multiply.

    Two derivatives are right where factors are 0: that of one factor is the product of the others.
    """

    def dtype(self, *inputs: Node) -> DType:
        return inputs[0].dtype if inputs[0].dtype.kind == "f" else np.dtype("int64")

    def compute(self, backend: Any, *arrays: Any) -> Any:
        a = arrays[0]
        return a.prod(axis=self.axes, keepdims=self.keepdims, dtype=None if a.dtype.kind == "f" else "int64")

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a = node.inputs[0]
        zero = equal(a, 0)
        nonzero = where(zero, 1, a)
        others = divide(self._spread(prod(nonzero, self.axes, self.keepdims), a), nonzero)
        zeros = where(zero, a, 0)
        # The sum of the other zeros is 0 too, but it is their product if there is but one, and has its derivative.
        other_zeros = self._spread(sum(zeros, self.axes, self.keepdims), a) - zeros
        count = self._spread(sum(zero, self.axes, self.keepdims), a) - astype(zero, "int64")
        product_of_zeros = where(equal(count, 0), 1, where(equal(count, 1), other_zeros, 0))
        return (self._spread(upstream, a) * (others * product_of_zeros),)


@dataclass(frozen=True)
class Max(Reduction):
    """max a over axes; −inf for nothing, NaN where there is one; ties share the gradient evenly."""

    empty: ClassVar[float] = -np.inf

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0].max(axis=self.axes, keepdims=self.keepdims, initial=_bound(arrays[0].dtype, self.empty))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a = node.inputs[0]
        best = equal(a, self._spread(node, a))
        ties = astype(sum(best, self.axes, self.keepdims), upstream.dtype)
        return (where(best, self._spread(divide(upstream, ties), a), 0),)


@dataclass(frozen=True)
class Min(Max):
    """min a over axes; +inf for nothing, NaN where there is one; ties share the gradient evenly."""

    empty: ClassVar[float] = np.inf

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return arrays[0].min(axis=self.axes, keepdims=self.keepdims, initial=_bound(arrays[0].dtype, self.empty))


@dataclass(frozen=True)
class ArgMax(Operation):
    """The index of the greatest element along an axis, the first of equals; of NaN where there is one."""

    axis: int
    differentiable = False

    def shape(self, *inputs: Node) -> Shape:
        return _reduced(inputs[0].shape, (self.axis,), False)

    def dtype(self, *inputs: Node) -> DType:
        return np.dtype("int64")

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.asarray(backend.xp.argmax(arrays[0], axis=self.axis)).astype("int64")

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,)

    def label(self) -> str:
        return "argmax"


@dataclass(frozen=True)
class ExtentValue(Operation):
    """A size as a number: what it is bound to in this run."""

    extent: Extent
    element: str

    def shape(self, *inputs: Node) -> Shape:
        return ()

    def dtype(self, *inputs: Node) -> DType:
        return np.dtype(self.element)

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.asarray(backend.size(self.extent), dtype=self.element)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return ()

    def label(self) -> str:
        return str(self.extent)

    def formula(self, *inputs: str) -> str:
        return str(self.extent)


@dataclass(frozen=True)
class LogSumExp(Reduction):
    """log Σ eᵃ over axes, shifted by the maximum so that nothing overflows; −inf for nothing."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        xp, (a,) = backend.xp, arrays
        top = a.max(axis=self.axes, keepdims=True, initial=-np.inf)
        top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
        total = xp.log(xp.exp(a - top).sum(axis=self.axes, keepdims=True)) + top
        return total if self.keepdims else total.reshape([n for i, n in enumerate(a.shape) if i not in self.axes])

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a = node.inputs[0]
        share = exp(a - self._spread(node, a))
        return (self._spread(upstream, a) * share,)

    def label(self) -> str:
        return "logsumexp"


@dataclass(frozen=True)
class SoftmaxLike(Operation, abstract=True):
    """A normalisation along one axis."""

    axis: int

    def shape(self, *inputs: Node) -> Shape:
        return inputs[0].shape

    def formula(self, *inputs: str) -> str:
        return f"{self.label()}({inputs[0]}, axis={self.axis})"


@dataclass(frozen=True)
class Softmax(SoftmaxLike):
    """oⱼ = e^(aⱼ) / Σₖ e^(aₖ) along an axis; ∂oⱼ/∂aₖ = oⱼ(δⱼₖ − oₖ)."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        powers = backend.xp.exp(_shifted(backend.xp, arrays[0], self.axis))
        return powers / powers.sum(axis=self.axis, keepdims=True)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (node * (upstream - sum(upstream * node, self.axis, keepdims=True)),)


@dataclass(frozen=True)
class LogSoftmax(SoftmaxLike):
    """aⱼ − log Σₖ e^(aₖ) along an axis; the gradient of −log oₜ is o − onehot(t)."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        xp = backend.xp
        shifted = _shifted(xp, arrays[0], self.axis)
        return shifted - xp.log(xp.exp(shifted).sum(axis=self.axis, keepdims=True))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream - exp(node) * sum(upstream, self.axis, keepdims=True),)


def sum(a: NodeLike, axis: Axis = None, keepdims: bool = False) -> Node:
    """Σ a over axes (all of them by default); booleans and integers add up to int64.

    Examples
    --------
    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).value
    array([4., 6.])
    """
    node = as_node(a)
    axes = normalise_axes(axis, node.ndim, "sum")
    return node if not axes and node.dtype.kind == "f" else apply(Sum(axes, keepdims), node)


def mean(a: NodeLike, axis: Axis = None, keepdims: bool = False) -> Node:
    """Σ a / n over axes; over a named size n is the size it has in the run. NaN for nothing.

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=0).value
    array([2., 3.])
    """
    [node] = float_operands(a)
    axes = normalise_axes(axis, node.ndim, "mean")
    count = extent_product([node.shape[i] for i in axes])
    return divide(sum(node, axes, keepdims), extent_value(count, node.dtype))


def var(a: NodeLike, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Node:
    """Σ (a − ā)² / (n − correction) over axes.

    Examples
    --------
    >>> float(var([1.0, 2.0, 3.0, 4.0]).value)
    1.25
    """
    [node] = float_operands(a)
    axes = normalise_axes(axis, node.ndim, "var")
    count = extent_value(extent_product([node.shape[i] for i in axes]), node.dtype)
    spread = square(node - mean(node, axes, keepdims=True))
    return divide(sum(spread, axes, keepdims), count - correction if correction else count)


def max(a: NodeLike, axis: Axis = None, keepdims: bool = False) -> Node:
    """The greatest element over axes; equals share the gradient evenly.

    Examples
    --------
    >>> max([[1.0, 2.0], [3.0, 4.0]], axis=1).value
    array([2., 4.])
    """
    node = as_node(a)
    return apply(Max(normalise_axes(axis, node.ndim, "max"), keepdims), node)


def min(a: NodeLike, axis: Axis = None, keepdims: bool = False) -> Node:
    """The smallest element over axes; equals share the gradient evenly.

    Examples
    --------
    >>> min([[1.0, 2.0], [3.0, 4.0]], axis=1).value
    array([1., 3.])
    """
    node = as_node(a)
    return apply(Min(normalise_axes(axis, node.ndim, "min"), keepdims), node)


def prod(a: NodeLike, axis: Axis = None, keepdims: bool = False) -> Node:
    """Π a over axes.

    Examples
    --------
    >>> prod([[1.0, 2.0], [3.0, 4.0]], axis=1).value
    array([ 2., 12.])
    """
    node = as_node(a)
    return apply(Prod(normalise_axes(axis, node.ndim, "prod"), keepdims), node)


def logsumexp(a: NodeLike, axis: Axis = None, keepdims: bool = False) -> Node:
    """log Σ eᵃ over axes, without overflow.

    Examples
    --------
    >>> round(float(logsumexp([1000.0, 1000.0]).value), 4)
    1000.6931
    """
    [node] = float_operands(a)
    return apply(LogSumExp(normalise_axes(axis, node.ndim, "logsumexp"), keepdims), node)


def softmax(a: NodeLike, axis: int = -1) -> Node:
    """e^(aⱼ) / Σₖ e^(aₖ) along an axis: positive, and adding up to 1.

    Examples
    --------
    >>> softmax([0.0, 0.0]).value
    array([0.5, 0.5])
    """
    [node] = float_operands(a)
    return apply(Softmax(normalise_axis(axis, node.ndim, "softmax")), node)


def log_softmax(a: NodeLike, axis: int = -1) -> Node:
    """The logarithm of :func:`softmax`, finite where the softmax itself rounds to 0.

    Examples
    --------
    >>> log_softmax([0.0, -1000.0]).value
    array([    0., -1000.])
    """
    [node] = float_operands(a)
    return apply(LogSoftmax(normalise_axis(axis, node.ndim, "log_softmax")), node)


def argmax(a: NodeLike, axis: int = -1) -> Node:
    """The index of the greatest element along an axis, the first of equals. It has no gradient.

    Examples
    --------
    >>> int(argmax([1.0, 3.0, 2.0]).value)
    1
    """
    node = as_node(a)
    return apply(ArgMax(normalise_axis(axis, node.ndim, "argmax")), node)


def extent_value(extent: Extent, dtype: Any = "int64") -> Node:
    """A size as a number in the graph: a constant where it is known, else what it is bound to.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.placeholder((dia.Dim("N"),), "float64", "x")
    >>> int(dia.evaluate(extent_value(x.shape[0]), {x: [1, 2, 3]}))
    3
    """
    from ..leaves import constant

    element = np.dtype(dtype).name
    return constant(extent, dtype=element) if isinstance(extent, int) else apply(ExtentValue(extent, element))


def _reduced(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    if keepdims:
        return tuple(1 if i in axes else extent for i, extent in enumerate(shape))
    return tuple(extent for i, extent in enumerate(shape) if i not in axes)


def _shifted(xp: Any, a: Any, axis: int) -> Any:
    top = a.max(axis=axis, keepdims=True, initial=-np.inf)
    return a - xp.where(xp.isfinite(top), top, xp.zeros_like(top))


def _bound(dtype: DType, value: float) -> Any:
    if dtype.kind == "f":
        return value
    if dtype.kind == "b":
        return value > 0
    return np.iinfo(dtype).max if value > 0 else np.iinfo(dtype).min


def _show_axes(axes: tuple[int, ...]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(axes)
