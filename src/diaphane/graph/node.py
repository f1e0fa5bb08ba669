"""The node: what is computed, immutable and shared.

A node is an operation applied to other nodes. Two nodes that compute the same thing in the same way are the
same object (hash-consing), so a graph is compared, walked and rewritten by identity.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from .errors import DTypeError
from .sizes import Extent, Shape, show

if TYPE_CHECKING:
    from .operation import Operation

__all__ = ["Array", "DType", "Node", "NodeLike", "ancestors", "apply", "substitute"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
DType: TypeAlias = np.dtype[Any]
NodeLike: TypeAlias = Union["Node", Array, float, int, bool, Sequence[Any]]

_INTERNED: weakref.WeakValueDictionary[tuple[Any, ...], Node] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()
_HERE = str(Path(__file__).resolve().parent.parent) + os.sep


class Node:
    """One value in a computation: an operation and the nodes it takes.

    Made by :func:`apply`, by Python's operators on other nodes and by the functions of
    ``diaphane.graph``; never changed afterwards. ``==`` and ``hash`` are by identity (for the elementwise
    comparison there is :func:`~diaphane.graph.equal`).

    Attributes
    ----------
    op : Operation
        What is computed.
    inputs : tuple of Node
        From what.
    shape : tuple of int or Size
        The value's shape; named sizes are bound when a program runs.
    dtype : numpy.dtype
        The value's element type.
    name : str or None
        What a person calls it.
    site : tuple of (str, int) or None
        The file and line outside this package where it was first made.

    Examples
    --------
    >>> import diaphane as dia
    >>> x, y, z = dia.variable(-2.0, "x"), dia.variable(5.0, "y"), dia.variable(-4.0, "z")
    >>> f = (x + y) * z
    >>> float(f.value)
    -12.0
    >>> print(f)
    (x + y)·z
    """

    __slots__ = ("__weakref__", "dtype", "inputs", "name", "op", "shape", "site")

    op: Operation
    inputs: tuple[Node, ...]
    shape: Shape
    dtype: DType
    name: str | None
    site: tuple[str, int] | None

    __array_ufunc__ = None  # so that ``array + node`` is asked of the node

    def __init__(self) -> None:
        raise TypeError("nodes are made by functions such as variable() and by operators, not by Node()")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Extent:
        """The number of elements."""
        from .sizes import extent_product

        return extent_product(self.shape)

    @property
    def value(self) -> Array:
        """The value under the variables' initial values (see :func:`~diaphane.graph.evaluate`)."""
        from .evaluation import evaluate

        return evaluate(self)

    @property
    def T(self) -> Node:
        """The transpose of a matrix."""
        return _operations.transpose(self)

    def named(self, name: str) -> Node:
        """The same computation under a name; a leaf is given its own when it is made.

        Raises
        ------
        TypeError
            For a variable or a placeholder: the one of another name would be another one.
        """
        from .leaves import Leaf

        if isinstance(self.op, Leaf) and name != self.name:
            raise TypeError(
                f"{self.label()} is a {self.op.label()}: name it where it is made, variable(value, {name!r})"
            )
        return apply(self.op, *self.inputs, name=name)

    def reshape(self, *shape: Extent | Sequence[Extent]) -> Node:
        """See :func:`~diaphane.graph.reshape`."""
        flat = (
            shape[0] if len(shape) == 1 and not isinstance(shape[0], int) and isinstance(shape[0], Sequence) else shape
        )
        return _operations.reshape(self, flat)  # type: ignore[arg-type]

    def sum(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Node:
        """See :func:`~diaphane.graph.sum`."""
        return _operations.sum(self, axis, keepdims)

    def mean(self, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Node:
        """See :func:`~diaphane.graph.mean`."""
        return _operations.mean(self, axis, keepdims)

    def astype(self, dtype: Any) -> Node:
        """See :func:`~diaphane.graph.astype`."""
        return _operations.astype(self, dtype)

    def __add__(self, other: NodeLike) -> Node:
        return _operations.add(self, other)

    def __radd__(self, other: NodeLike) -> Node:
        return _operations.add(other, self)

    def __sub__(self, other: NodeLike) -> Node:
        return _operations.subtract(self, other)

    def __rsub__(self, other: NodeLike) -> Node:
        return _operations.subtract(other, self)

    def __mul__(self, other: NodeLike) -> Node:
        return _operations.multiply(self, other)

    def __rmul__(self, other: NodeLike) -> Node:
        return _operations.multiply(other, self)

    def __truediv__(self, other: NodeLike) -> Node:
        return _operations.divide(self, other)

    def __rtruediv__(self, other: NodeLike) -> Node:
        return _operations.divide(other, self)

    def __pow__(self, other: NodeLike) -> Node:
        return _operations.power(self, other)

    def __rpow__(self, other: NodeLike) -> Node:
        return _operations.power(other, self)

    def __matmul__(self, other: NodeLike) -> Node:
        return _operations.matmul(self, other)

    def __rmatmul__(self, other: NodeLike) -> Node:
        return _operations.matmul(other, self)

    def __neg__(self) -> Node:
        return _operations.negative(self)

    def __abs__(self) -> Node:
        return _operations.abs(self)

    def __lt__(self, other: NodeLike) -> Node:
        return _operations.less(self, other)

    def __le__(self, other: NodeLike) -> Node:
        return _operations.less_equal(self, other)

    def __gt__(self, other: NodeLike) -> Node:
        return _operations.greater(self, other)

    def __ge__(self, other: NodeLike) -> Node:
        return _operations.greater_equal(self, other)

    def __and__(self, other: NodeLike) -> Node:
        return _operations.logical_and(self, other)

    def __or__(self, other: NodeLike) -> Node:
        return _operations.logical_or(self, other)

    def __invert__(self) -> Node:
        return _operations.logical_not(self)

    def __getitem__(self, index: Any) -> Node:
        return _operations.index(self, index)

    def __iter__(self) -> Iterator[Node]:
        if not self.shape or not isinstance(self.shape[0], int):
            raise TypeError(
                f"{self.label()} of shape {show(self.shape)} cannot be iterated: its length is not a number"
            )
        return iter([self[i] for i in range(self.shape[0])])

    def __len__(self) -> int:
        if not self.shape or not isinstance(self.shape[0], int):
            raise TypeError(f"{self.label()} of shape {show(self.shape)} has no fixed length")
        return self.shape[0]

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.label()} has no truth value before it is computed: use where(condition, a, b), "
            "or .value for a number"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Array:
        raise TypeError(
            f"{self.label()} is a node, not an array: use its .value, or the function of the same name "
            "in diaphane.graph"
        )

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: Any) -> Node:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(f"{self.label()} cannot be pickled: a graph is saved with diaphane.save, its values as arrays")

    def label(self) -> str:
        """The name, or what the operation is called."""
        return self.name or self.op.label()

    def __str__(self) -> str:
        from .formula import formula

        return formula(self)

    def __repr__(self) -> str:
        return f"<{self.label()} {show(self.shape)} {self.dtype}>"

    def _repr_svg_(self) -> str:
        from .drawing import draw

        return draw(self).svg


def apply(op: Operation, *inputs: Node, name: str | None = None) -> Node:
    """The node that applies an operation, the one there is already if there is one.

    Parameters
    ----------
    op : Operation
        What to compute; its ``check`` refuses inputs that do not fit.
    *inputs : Node
        From what.
    name : str, optional
        What a person calls it; nodes of different names are different nodes.

    Returns
    -------
    Node
    """
    key = (op, inputs, name)
    node = _INTERNED.get(key)
    if node is not None:
        return node
    for value in inputs:
        if not isinstance(value, Node):
            raise DTypeError(f"{op.label()} takes nodes, got {type(value).__name__}: wrap it with constant()")
    node = object.__new__(Node)
    node.op, node.inputs, node.name = op, inputs, name
    node.shape = op.shape(*inputs)
    node.dtype = np.dtype(op.dtype(*inputs))
    node.site = _user_site()
    with _LOCK:
        # Another thread may have made the same node meanwhile; the first one stays.
        return _INTERNED.setdefault(key, node)


def ancestors(outputs: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node that the outputs are computed from, inputs before users; nothing beyond ``stop``.

    An iterative walk: the depth of a graph is not limited by Python's stack.
    """
    seen: set[Node] = set()
    order: list[Node] = []
    leaves = set(stop)
    stack = [(node, False) for node in reversed(list(outputs))]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node not in leaves:
                stack.extend((value, False) for value in reversed(node.inputs) if value not in seen)
    return order


def substitute(outputs: Sequence[Node], replacements: Mapping[Node, Node]) -> list[Node]:
    """The same graph with some nodes replaced by others of the same shape.

    Examples
    --------
    >>> import diaphane as dia
    >>> x, y = dia.variable(2.0, "x"), dia.variable(3.0, "y")
    >>> [square] = substitute([x * x], {x: y})
    >>> float(square.value)
    9.0
    """
    new = dict(replacements)
    for node in ancestors(outputs, stop=replacements):
        if node in new:
            continue
        inputs = tuple([new[value] for value in node.inputs])
        new[node] = node if inputs == node.inputs else apply(node.op, *inputs, name=node.name)
    return [new[node] for node in outputs]


def _user_site() -> tuple[str, int] | None:
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back  # type: ignore[assignment]
    return (frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


from . import operations as _operations  # noqa: E402  the operators above are functions of nodes: they need Node first
