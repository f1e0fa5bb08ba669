"""Where a graph begins: variables, placeholders and constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .errors import DTypeError, FeedError, ShapeError
from .node import Array, DType, Node, NodeLike, apply
from .operation import Operation, same_array
from .sizes import Extent, Shape, Size, show

__all__ = ["Constant", "Initializer", "Placeholder", "Variable", "constant", "placeholder", "variable"]


@runtime_checkable
class Initializer(Protocol):
    """What a variable's first value is drawn from."""

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: DType) -> Array:
        """An array of this shape; ``rng`` is a numpy ``Generator`` or ``RandomState``."""
        ...


@dataclass(frozen=True, eq=False)
class Leaf(Operation, abstract=True):
    """A node without inputs whose value comes from outside; two of them are never the same."""

    extents: Shape = ()
    element: DType = field(default_factory=lambda: np.dtype("float64"))

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def shape(self, *inputs: Node) -> Shape:
        return self.extents

    def dtype(self, *inputs: Node) -> DType:
        return self.element

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return ()


@dataclass(frozen=True, eq=False)
class Variable(Leaf):
    """A value that lives on from run to run: an identity; what it holds is in a program's state."""

    initial: Any = None
    role: str = "parameter"


@dataclass(frozen=True, eq=False)
class Placeholder(Leaf):
    """A value that is given anew at each run."""


@dataclass(frozen=True, eq=False)
class Constant(Operation):
    """A fixed array."""

    array: Array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and same_array(self.array, other.array)

    def __hash__(self) -> int:
        head = self.array.ravel()[:16].tobytes() if self.array.size else b""
        return hash((self.array.dtype.str, self.array.shape, head))

    def shape(self, *inputs: Node) -> Shape:
        return tuple(self.array.shape)

    def dtype(self, *inputs: Node) -> DType:
        return self.array.dtype

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.asarray(self.array)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return ()

    def label(self) -> str:
        return _short(self.array)


ROLES = ("parameter", "state", "hyperparameter")


def variable(
    initial: NodeLike | Initializer,
    name: str | None = None,
    *,
    shape: Sequence[int] | None = None,
    dtype: Any = None,
    role: str = "parameter",
) -> Node:
    """A value that a program keeps and may update.

    Parameters
    ----------
    initial : array-like or Initializer
        Its first value, or what that is drawn from (which then needs ``shape``).
    name : str, optional
        What a person calls it.
    shape : sequence of int, optional
        Only with an initialiser.
    dtype : numpy dtype, optional
        By default the initial value's own (Python floats are float64), float32 for an initialiser.
    role : {"parameter", "state", "hyperparameter"}
        What it is for: ``"parameter"`` is learnt, ``"state"`` is kept by a layer or an optimizer,
        ``"hyperparameter"`` is set from outside.

    Returns
    -------
    Node
        Each call gives a variable of its own, whatever its name.

    Examples
    --------
    >>> import diaphane as dia
    >>> w = dia.variable([1.0, 2.0], "w")
    >>> w
    <w (2,) float64>
    """
    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, got {role!r}")
    if isinstance(initial, Initializer):
        if shape is None:
            raise ShapeError("a variable with an initialiser needs its shape: variable(initialiser, shape=(3, 4))")
        extents = tuple(_fixed(e, name) for e in shape)
        element = check_dtype(dtype or "float32")
        return apply(Variable(extents, element, initial, role), name=name)
    if isinstance(initial, Node):
        raise DTypeError("a variable's first value is an array or a number, not a node: pass node.value")
    array = _array(initial, dtype)
    if shape is not None and tuple(shape) != array.shape:
        raise ShapeError(f"variable {name or ''}: the initial value has shape {array.shape}, asked was {tuple(shape)}")
    return apply(Variable(array.shape, array.dtype, array, role), name=name)


def placeholder(shape: Sequence[Extent] = (), dtype: Any = "float32", name: str | None = None) -> Node:
    """A value that is given at each run.

    Parameters
    ----------
    shape : sequence of int or Size
        Named sizes (``Dim("N")``) are bound by the arrays given.
    dtype : numpy dtype
        Arrays of another type are cast when the cast is safe for the kind (float64 to float32 is,
        float to int is not).
    name : str, optional
        Under which it can be fed.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.placeholder((dia.Dim("N"), 3), "float64", "x")
    >>> x
    <x (N, 3) float64>
    >>> dia.evaluate(x.sum(0), {x: [[1, 2, 3], [4, 5, 6]]})
    array([5., 7., 9.])
    """
    extents = tuple(e if isinstance(e, Size) else _fixed(e, name) for e in shape)
    return apply(Placeholder(extents, check_dtype(dtype)), name=name)


def constant(value: NodeLike, name: str | None = None, *, dtype: Any = None) -> Node:
    """A fixed number or array.

    Parameters
    ----------
    value : array-like
        Copied, so that later changes to it change nothing here.
    name : str, optional
        What a person calls it.
    dtype : numpy dtype, optional
        By default the value's own.
    """
    if isinstance(value, Node):
        return value
    return apply(Constant(_array(value, dtype)), name=name)


def initial_value(node: Node, rng: Any = None) -> Array:
    """A variable's first value; ``rng`` is what an initialiser draws from (a Generator seeded with 0 if None)."""
    op = node.op
    if not isinstance(op, Variable):
        raise FeedError(
            f"{node.label()} is a {op.label()}: it has no value of its own; give it one: evaluate(y, {{x: …}})"
        )
    if isinstance(op.initial, np.ndarray):
        return op.initial
    shape = tuple(int(e) for e in op.extents)  # type: ignore[arg-type]
    return np.asarray(
        op.initial.sample(np.random.default_rng(0) if rng is None else rng, shape, op.element), op.element
    )


def _array(value: Any, dtype: Any) -> Array:
    if value is None:
        raise DTypeError("a number or an array is wanted, got None")
    array = np.array(value, dtype=None if dtype is None else check_dtype(dtype))
    check_dtype(array.dtype, f", got {_short(value)} of dtype {array.dtype}; convert it first")
    array.setflags(write=False)
    return array


def check_dtype(dtype: Any, given: str | None = None) -> DType:
    """The dtype, where a graph computes with it."""
    found: DType = np.dtype(dtype)
    if found.kind not in "fiub" or found.itemsize > 8 or found == np.float16:
        raise DTypeError(
            "a graph computes with float32, float64, integers and booleans" + (given or f", not with {found}")
        )
    return found


def _fixed(extent: Any, name: str | None) -> int:
    if not isinstance(extent, int | np.integer) or isinstance(extent, bool) or extent < 0:
        raise ShapeError(f"{name or 'a shape'}: an extent is a whole number ≥ 0 or a Dim, got {extent!r}")
    return int(extent)


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return f"{value.item():.6g}" if value.dtype.kind == "f" else str(value.item())
    if isinstance(value, np.ndarray):
        return f"constant{show(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"
