"""What every operation is: its shape and type rules, its value, its derivative and its notation, in one place.

To add an operation, in this package or in a file of your own, subclass :class:`Operation` (or
:class:`Elementwise`) as a frozen dataclass and apply it with :func:`~diaphane.graph.apply`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .errors import DTypeError, ShapeError
from .node import Array, DType, Node, NodeLike
from .record import refuse_shadowing
from .sizes import Extent, Shape, show

if TYPE_CHECKING:
    from .backend import Backend

__all__ = ["Elementwise", "Operation", "as_node", "broadcast_shapes", "float_operands", "number_operands", "operands"]

OPERATIONS: dict[str, type[Operation]] = {}
"""Every operation there is, by name: what a saved graph is read with and what the table tests walk."""


@dataclass(frozen=True)
class Operation:
    """One kind of node.

    Fields of the dataclass are what distinguishes two applications besides their inputs (an axis, a
    target shape); they are hashable. Class attributes say how it is written: ``notation`` is a format
    string over the inputs' formulas, ``precedence`` its binding strength (see ``formula.py``).
    """

    notation: ClassVar[str | None] = None
    precedence: ClassVar[int] = 100

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            refuse_shadowing(OPERATIONS.get(cls.__name__), cls)
            OPERATIONS[cls.__name__] = cls

    def shape(self, *inputs: Node) -> Shape:
        """The value's shape; raises :class:`ShapeError` naming the inputs where they do not fit."""
        raise NotImplementedError

    def dtype(self, *inputs: Node) -> DType:
        """The value's type: the first input's, unless said otherwise."""
        return inputs[0].dtype

    def compute(self, backend: Backend, *arrays: Any) -> Any:
        """The value, from the inputs' values; ``backend.xp`` is the array namespace."""
        raise NotImplementedError

    def gradient(self, node: Node, upstream: Any) -> Sequence[Node | None]:
        """For each input its part of dl/d(input), where ``upstream`` is dl/d(node).

        None stands where there is none, for integers and conditions.
        """
        raise NotImplementedError(f"{self.label()} has no gradient")

    differentiable: ClassVar[bool] = True
    """False where the derivative is zero almost everywhere and asking for it is a mistake (argmax)."""

    def passes_gradient(self, node: Node) -> bool:
        """Whether a derivative can come through: the value is a float and the operation has one."""
        return self.differentiable and node.dtype.kind == "f"

    def specialise(self, users: Sequence[Node]) -> Callable[..., Any]:
        """What computes the value in a plan where these nodes use it: ``compute``, unless parts can be spared."""
        return self.compute

    def label(self) -> str:
        """The operation's name, in a person's words."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    def operand_binding(self, i: int) -> int:
        """How strongly the i-th operand must bind to stand without brackets: a − (b − c) needs them, a − b − c not."""
        return self.precedence + (i > 0)

    def formula(self, *inputs: str) -> str:
        """The operation written over its inputs' formulas."""
        if self.notation is not None:
            return self.notation.format(*inputs, op=self)
        return f"{self.label()}({', '.join(inputs)})"


@dataclass(frozen=True)
class Elementwise(Operation, abstract=True):
    """An operation on each element, with NumPy broadcasting.

    ``expression`` is the scalar formula over ``a``, ``b``, ``c``, from which an engine prints a fused
    loop; it is a Python expression of arithmetic, comparisons, conditional expressions and the
    functions of :data:`SCALAR_FUNCTIONS`.
    """

    expression: ClassVar[str]
    result: ClassVar[str | None] = None
    """The dtype's name where it is not the operands' own (comparisons give ``"bool"``)."""

    def shape(self, *inputs: Node) -> Shape:
        return broadcast_shapes(self.label(), *inputs)

    def dtype(self, *inputs: Node) -> DType:
        if self.result is not None:
            return np.dtype(self.result)
        return inputs[-1].dtype


SCALAR_FUNCTIONS = (
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "sin",
    "cos",
    "tanh",
    "erf",
    "fabs",
    "floor",
    "isnan",
    "pow",
)


def as_node(value: NodeLike, dtype: DType | None = None) -> Node:
    """A node as it is; anything else as a constant, of this dtype if one is given."""
    if isinstance(value, Node):
        return value
    from .leaves import constant

    return constant(value, dtype=dtype)


def operands(*values: NodeLike) -> list[Node]:
    """The values as nodes of one dtype, by the graph's promotion rule (casts are nodes).

    Floats win over integers and keep their width (int64 with float32 is float32, unlike NumPy's float64), the wider
    float wins over the narrower, and Python numbers take the type of what they meet. Among integers and
    booleans the rule is NumPy's; a Python float among integers makes float64.
    """
    from .operations.casting import astype

    typed = [v.dtype for v in values if isinstance(v, Node | np.ndarray | np.generic)]
    weak = [_kind(v) for v in values if not isinstance(v, Node | np.ndarray | np.generic)]
    floats = [d for d in typed if d.kind == "f"]
    if floats or typed:
        common = np.result_type(*(floats or typed))
    else:
        common = np.result_type(*[as_node(v).dtype for v in values])
    if common.kind != "f" and "f" in weak:
        common = np.dtype("float64")
    if common.kind == "b" and ("i" in weak or "u" in weak):
        common = np.dtype("int64")
    return [astype(v if isinstance(v, Node | np.ndarray) else as_node(v, common), common) for v in values]


def number_operands(*values: NodeLike) -> list[Node]:
    """As :func:`operands`; booleans become int64, so that they count."""
    from .operations.casting import astype

    nodes = operands(*values)
    return nodes if nodes[0].dtype.kind != "b" else [astype(n, "int64") for n in nodes]


def _kind(value: NodeLike) -> str:
    """What a Python number, or a list of them, is: ``"b"``, ``"i"`` or ``"f"``."""
    if value is None:
        raise DTypeError("an operation takes nodes, arrays and numbers, got None")
    return np.asarray(value).dtype.kind


def float_operands(*values: NodeLike) -> list[Node]:
    """As :func:`operands`; integers and booleans become float64."""
    from .operations.casting import astype

    nodes = operands(*values)
    return nodes if nodes[0].dtype.kind == "f" else [astype(n, "float64") for n in nodes]


def broadcast_shapes(label: str, *inputs: Node) -> Shape:
    """NumPy's broadcasting, over ints and named sizes.

    Two extents agree when they are equal or one of them is 1; a named size and a number, or two different
    names, never do, so that a name bound to 1 does not broadcast by accident.
    """
    ndim = max((n.ndim for n in inputs), default=0)
    result: list[Extent] = []
    for axis in range(-ndim, 0):
        extent: Extent = 1
        for node in inputs:
            if node.ndim < -axis:
                continue
            other = node.shape[axis]
            if extent == 1:
                extent = other
            elif other not in (1, extent):
                shapes = " and ".join(f"{_named(n)} of shape {show(n.shape)}" for n in inputs)
                raise ShapeError(
                    f"{label}: the shapes do not broadcast: {shapes}; axis {axis} is {extent} in one and {other} in "
                    "the other, and they must be equal or one of them 1 (reshape or expand_dims one of them)"
                )
        result.append(extent)
    return tuple(result)


def _named(node: Node) -> str:
    from .formula import short_formula

    return short_formula(node)


def normalise_axis(axis: int, ndim: int, label: str) -> int:
    """An axis counted from the front; raises where there is no such axis."""
    if not isinstance(axis, int | np.integer) or isinstance(axis, bool) or not -ndim <= axis < ndim:
        raise ShapeError(f"{label}: there is no axis {axis!r} in a value of {ndim} axes")
    return int(axis) % ndim


def normalise_axes(axis: int | Sequence[int] | None, ndim: int, label: str) -> tuple[int, ...]:
    """Axes counted from the front, each once, in order; all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    axes = [normalise_axis(a, ndim, label) for a in ([axis] if isinstance(axis, int | np.integer) else axis)]
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{label}: an axis is named twice in {axis!r}")
    return tuple(sorted(axes))


def same_array(a: Array, b: Array) -> bool:
    """Whether two arrays are the same to the bit, NaN included."""
    return a is b or (a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
