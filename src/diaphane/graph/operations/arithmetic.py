"""Sums, products, quotients and powers of elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..node import Node, NodeLike, apply
from ..operation import Elementwise, float_operands, number_operands, operands

__all__ = ["abs", "add", "divide", "floor", "multiply", "negative", "power", "sign", "sqrt", "square", "subtract"]


@dataclass(frozen=True)
class Add(Elementwise):
    """a + b."""

    expression = "a + b"
    notation = "{0} + {1}"
    precedence = 10

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.add(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return upstream, upstream


@dataclass(frozen=True)
class Subtract(Elementwise):
    """a − b."""

    expression = "a - b"
    notation = "{0} − {1}"
    precedence = 10

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.subtract(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return upstream, -upstream


@dataclass(frozen=True)
class Multiply(Elementwise):
    """a · b."""

    expression = "a * b"
    notation = "{0}·{1}"
    precedence = 20

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.multiply(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a, b = node.inputs
        return upstream * b, upstream * a


@dataclass(frozen=True)
class Divide(Elementwise):
    """a / b; a/0 is ±inf and 0/0 is NaN, as in IEEE 754."""

    expression = "a / b"
    notation = "{0} / {1}"
    precedence = 19

    def operand_binding(self, i: int) -> int:
        return 21 if i else 19

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.divide(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        _, b = node.inputs
        return upstream / b, -upstream * node / b


@dataclass(frozen=True)
class Power(Elementwise):
    """aᵇ, as C's pow: 0⁰ = 1, and NaN for a negative base under a fraction."""

    expression = "pow(a, b)"
    notation = "{0}^{1}"
    precedence = 40

    def operand_binding(self, i: int) -> int:
        return 41

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.power(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        from .comparison import equal, logical_and, logical_or, where
        from .exponential import log

        a, b = node.inputs
        # lim a→0 of aᵇ log a is 0 for b > 0; the product of the two floats would be NaN. At 0⁰ it is taken to be 0 too.
        flat = logical_or(equal(node, 0), logical_and(equal(a, 0), equal(b, 0)))
        by_exponent = where(flat, 0, node * log(where(flat, 1, a)))
        by_base = where(equal(b, 0), 0, b * power(a, b - 1))
        return upstream * by_base, upstream * by_exponent


@dataclass(frozen=True)
class Negative(Elementwise):
    """−a."""

    expression = "-a"
    notation = "−{0}"
    precedence = 30

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.negative(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (-upstream,)


@dataclass(frozen=True)
class Square(Elementwise):
    """a²."""

    expression = "a * a"
    notation = "{0}²"
    precedence = 40

    def operand_binding(self, i: int) -> int:
        return 41

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.square(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * (2 * node.inputs[0]),)


@dataclass(frozen=True)
class Sqrt(Elementwise):
    """√a; NaN below zero, and an infinite derivative at zero."""

    expression = "sqrt(a)"
    notation = "√({0})"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.sqrt(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream / (2 * node),)


@dataclass(frozen=True)
class Abs(Elementwise):
    """|a|; the derivative at zero is 0."""

    expression = "fabs(a)"
    notation = "|{0}|"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.abs(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * sign(node.inputs[0]),)


@dataclass(frozen=True)
class Sign(Elementwise):
    """−1, 0 or 1 (0 for both zeros, NaN for NaN); its derivative is 0."""

    expression = "a if isnan(a) else (1.0 if a > 0 else (-1.0 if a < 0 else 0.0))"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.sign(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,)


@dataclass(frozen=True)
class Floor(Elementwise):
    """The greatest whole number ≤ a; its derivative is 0."""

    expression = "floor(a)"
    notation = "⌊{0}⌋"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.floor(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,)


def add(a: NodeLike, b: NodeLike) -> Node:
    """a + b, elementwise.

    Examples
    --------
    >>> float(add(1.0, 2.0).value)
    3.0
    """
    return apply(Add(), *number_operands(a, b))


def subtract(a: NodeLike, b: NodeLike) -> Node:
    """a − b, elementwise.

    Examples
    --------
    >>> float(subtract(1.0, 2.0).value)
    -1.0
    """
    return apply(Subtract(), *number_operands(a, b))


def multiply(a: NodeLike, b: NodeLike) -> Node:
    """a · b, elementwise.

    Examples
    --------
    >>> multiply([1.0, 2.0], 3.0).value
    array([3., 6.])
    """
    left, right = operands(a, b)
    if is_number(b, 1) and left is a and left.dtype.kind == "f":
        return left
    if is_number(a, 1) and right is b and right.dtype.kind == "f":
        return right
    return apply(Multiply(), left, right)


def divide(a: NodeLike, b: NodeLike) -> Node:
    """a / b, elementwise; integers become float64.

    Examples
    --------
    >>> float(divide(1, 2).value)
    0.5
    """
    return apply(Divide(), *float_operands(a, b))


def power(a: NodeLike, b: NodeLike) -> Node:
    """aᵇ, elementwise.

    Exponents 1, 2 and ½ given as numbers become a itself (in the type of both), :func:`square` and :func:`sqrt`.

    Examples
    --------
    >>> power([1.0, 2.0], 3.0).value
    array([1., 8.])
    """
    if is_number(b, 1):
        return operands(a, b)[0]
    if is_number(b, 2):
        return square(operands(a, b)[0])
    if is_number(b, 0.5):
        return sqrt(operands(a, b)[0])
    return apply(Power(), *(float_operands(a, b) if _may_be_fraction(b) else operands(a, b)))


def negative(a: NodeLike) -> Node:
    """−a, elementwise.

    Examples
    --------
    >>> float(negative(1.0).value)
    -1.0
    """
    return apply(Negative(), *number_operands(a))


def square(a: NodeLike) -> Node:
    """a², elementwise.

    Examples
    --------
    >>> float(square(3.0).value)
    9.0
    """
    return apply(Square(), *number_operands(a))


def sqrt(a: NodeLike) -> Node:
    """√a, elementwise.

    Examples
    --------
    >>> float(sqrt(9.0).value)
    3.0
    """
    return apply(Sqrt(), *float_operands(a))


def abs(a: NodeLike) -> Node:
    """|a|, elementwise; its derivative is sign(a), 0 at 0.

    Examples
    --------
    >>> float(abs(-3.0).value)
    3.0
    """
    return apply(Abs(), *number_operands(a))


def sign(a: NodeLike) -> Node:
    """−1, 0 or 1, elementwise; its derivative is 0.

    Examples
    --------
    >>> sign([-2.0, 0.0, 3.0]).value
    array([-1.,  0.,  1.])
    """
    return apply(Sign(), *number_operands(a))


def floor(a: NodeLike) -> Node:
    """The greatest whole number ≤ a, elementwise; its derivative is 0.

    Examples
    --------
    >>> floor([-1.5, 1.5]).value
    array([-2.,  1.])
    """
    return apply(Floor(), *float_operands(a))


def is_number(value: NodeLike, number: float) -> bool:
    """Whether the value is this one number, given as such or as a constant without a name."""
    from ..leaves import Constant

    if isinstance(value, Node):
        if not isinstance(value.op, Constant) or value.shape or value.name:
            return False
        return bool(value.op.array == number)
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(value == number)


def _may_be_fraction(exponent: NodeLike) -> bool:
    from ..leaves import Constant

    if isinstance(exponent, Node) and isinstance(exponent.op, Constant):
        exponent = exponent.op.array
    if isinstance(exponent, Node):
        return True
    values = np.asarray(exponent)
    return values.dtype.kind == "f" or bool(np.any(values < 0))
