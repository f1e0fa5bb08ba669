"""Comparisons, logic, and choices between elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..node import Node, NodeLike, apply
from ..operation import Elementwise, as_node, operands

__all__ = [
    "clip",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "not_equal",
    "where",
]


@dataclass(frozen=True)
class Comparison(Elementwise, abstract=True):
    """True or False for each element; a comparison with NaN is False, but for ≠."""

    result = "bool"
    precedence = 5

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,) * len(node.inputs)


@dataclass(frozen=True)
class Less(Comparison):
    """a < b."""

    expression = "a < b"
    notation = "{0} < {1}"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.less(*arrays)


@dataclass(frozen=True)
class LessEqual(Comparison):
    """a ≤ b."""

    expression = "a <= b"
    notation = "{0} ≤ {1}"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.less_equal(*arrays)


@dataclass(frozen=True)
class Equal(Comparison):
    """a = b."""

    expression = "a == b"
    notation = "{0} = {1}"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.equal(*arrays)


@dataclass(frozen=True)
class NotEqual(Comparison):
    """a ≠ b."""

    expression = "a != b"
    notation = "{0} ≠ {1}"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.not_equal(*arrays)


@dataclass(frozen=True)
class IsFinite(Comparison):
    """Neither NaN nor ±inf."""

    expression = "a - a == 0"
    precedence = 100

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.isfinite(*arrays)


@dataclass(frozen=True)
class LogicalAnd(Comparison):
    """a and b."""

    expression = "a and b"
    notation = "{0} ∧ {1}"
    precedence = 4

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.logical_and(*arrays)


@dataclass(frozen=True)
class LogicalOr(Comparison):
    """a or b."""

    expression = "a or b"
    notation = "{0} ∨ {1}"
    precedence = 3

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.logical_or(*arrays)


@dataclass(frozen=True)
class LogicalNot(Comparison):
    """not a."""

    expression = "not a"
    notation = "¬{0}"
    precedence = 30

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.logical_not(*arrays)


@dataclass(frozen=True)
class Where(Elementwise):
    """b where a holds, c elsewhere; the gradient goes to the one that was chosen."""

    expression = "b if a else c"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.where(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        condition, _, _ = node.inputs
        return None, where(condition, upstream, 0), where(condition, 0, upstream)


@dataclass(frozen=True)
class Extremum(Elementwise, abstract=True):
    """The larger or the smaller of two; NaN where either is; at a tie each gets half the gradient."""

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a, b = node.inputs
        half = upstream * 0.5
        tie = equal(a, b)
        wins = [where(tie, half, where(equal(node, own), upstream, 0)) for own in (a, b)]
        return wins


@dataclass(frozen=True)
class Maximum(Extremum):
    """max(a, b)."""

    expression = "a if isnan(a) else (b if isnan(b) else (a if a > b else b))"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.maximum(*arrays)


@dataclass(frozen=True)
class Minimum(Extremum):
    """min(a, b)."""

    expression = "a if isnan(a) else (b if isnan(b) else (a if a < b else b))"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.minimum(*arrays)


@dataclass(frozen=True)
class Clip(Elementwise):
    """min(max(a, b), c), NaN where any is; the gradient of a passes where b ≤ a ≤ c, and none goes to the bounds."""

    expression = (
        "a if isnan(a) else (b if isnan(b) else (c if isnan(c) else "
        "(c if (b if a < b else a) > c else (b if a < b else a))))"
    )

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.minimum(backend.xp.maximum(arrays[0], arrays[1]), arrays[2])

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        a, low, high = node.inputs
        return where(logical_and(less_equal(low, a), less_equal(a, high)), upstream, 0), None, None


def less(a: NodeLike, b: NodeLike) -> Node:
    """a < b, elementwise.

    Examples
    --------
    >>> less([1.0, 2.0], 2.0).value
    array([ True, False])
    """
    return apply(Less(), *operands(a, b))


def less_equal(a: NodeLike, b: NodeLike) -> Node:
    """a ≤ b, elementwise."""
    return apply(LessEqual(), *operands(a, b))


def greater(a: NodeLike, b: NodeLike) -> Node:
    """a > b, elementwise."""
    return less(b, a)


def greater_equal(a: NodeLike, b: NodeLike) -> Node:
    """a ≥ b, elementwise."""
    return less_equal(b, a)


def equal(a: NodeLike, b: NodeLike) -> Node:
    """a = b, elementwise (``==`` on nodes compares the nodes, not their values).

    Examples
    --------
    >>> equal([1.0, 2.0], 2.0).value
    array([False,  True])
    """
    return apply(Equal(), *operands(a, b))


def not_equal(a: NodeLike, b: NodeLike) -> Node:
    """a ≠ b, elementwise."""
    return apply(NotEqual(), *operands(a, b))


def isfinite(a: NodeLike) -> Node:
    """Whether each element is neither NaN nor infinite."""
    return apply(IsFinite(), *operands(a))


def logical_and(a: NodeLike, b: NodeLike) -> Node:
    """a and b, elementwise, of booleans."""
    return apply(LogicalAnd(), _condition(a), _condition(b))


def logical_or(a: NodeLike, b: NodeLike) -> Node:
    """a or b, elementwise, of booleans."""
    return apply(LogicalOr(), _condition(a), _condition(b))


def logical_not(a: NodeLike) -> Node:
    """not a, elementwise, of booleans."""
    return apply(LogicalNot(), _condition(a))


def where(condition: NodeLike, a: NodeLike, b: NodeLike) -> Node:
    """a where the condition holds, b elsewhere.

    Examples
    --------
    >>> where([True, False], 1.0, [3.0, 4.0]).value
    array([1., 4.])
    """
    return apply(Where(), _condition(condition), *operands(a, b))


def maximum(a: NodeLike, b: NodeLike) -> Node:
    """The larger of two, elementwise; at a tie each gets half of the gradient.

    Examples
    --------
    >>> maximum([1.0, 5.0], 3.0).value
    array([3., 5.])
    """
    return apply(Maximum(), *operands(a, b))


def minimum(a: NodeLike, b: NodeLike) -> Node:
    """The smaller of two, elementwise; at a tie each gets half of the gradient."""
    return apply(Minimum(), *operands(a, b))


def clip(a: NodeLike, low: NodeLike, high: NodeLike) -> Node:
    """a, held between two bounds.

    Examples
    --------
    >>> clip([-2.0, 0.5, 2.0], -1.0, 1.0).value
    array([-1. ,  0.5,  1. ])
    """
    return apply(Clip(), *operands(a, low, high))


def _condition(value: NodeLike) -> Node:
    node = as_node(value)
    return node if node.dtype.kind == "b" else not_equal(node, 0)
