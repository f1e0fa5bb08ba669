"""Exponentials, logarithms and the functions made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..node import Node, NodeLike, apply
from ..operation import Elementwise, float_operands

__all__ = ["cos", "erf", "exp", "expm1", "log", "log1p", "sigmoid", "sin", "softplus", "tanh"]


@dataclass(frozen=True)
class Exp(Elementwise):
    """eᵃ; exp(−inf) = 0."""

    expression = "exp(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.exp(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * node,)


@dataclass(frozen=True)
class Expm1(Elementwise):
    """eᵃ − 1, exact to the last digits near 0."""

    expression = "expm1(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.expm1(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * exp(node.inputs[0]),)


@dataclass(frozen=True)
class Log(Elementwise):
    """The natural logarithm; log 0 = −inf, NaN below."""

    expression = "log(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.log(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream / node.inputs[0],)


@dataclass(frozen=True)
class Log1p(Elementwise):
    """log(1 + a), exact to the last digits near 0."""

    expression = "log1p(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.log1p(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream / (1 + node.inputs[0]),)


@dataclass(frozen=True)
class Sin(Elementwise):
    """sin a."""

    expression = "sin(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.sin(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * cos(node.inputs[0]),)


@dataclass(frozen=True)
class Cos(Elementwise):
    """cos a."""

    expression = "cos(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.cos(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (-upstream * sin(node.inputs[0]),)


@dataclass(frozen=True)
class Tanh(Elementwise):
    """tanh a = (eᵃ − e⁻ᵃ)/(eᵃ + e⁻ᵃ) = 2σ(2a) − 1.

    tanh' = 1 − tanh²: it vanishes where |a| is large.
    """

    expression = "tanh(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.tanh(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * (1 - node * node),)


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """σ(a) = 1/(1 + e⁻ᵃ), computed without overflow for any a.

    σ' = σ(1 − σ): it vanishes where |a| is large, so saturated units stop learning.
    """

    expression = "1 / (1 + exp(-a)) if a >= 0 else exp(a) / (1 + exp(a))"
    notation = "σ({0})"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.expit(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * (node * (1 - node)),)


@dataclass(frozen=True)
class Softplus(Elementwise):
    """log(1 + eᵃ), without overflow; its derivative is σ(a)."""

    expression = "a + log1p(exp(-a)) if a > 0 else log1p(exp(a))"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        xp, (a,) = backend.xp, arrays
        return xp.maximum(a, 0) + xp.log1p(xp.exp(-xp.abs(a)))

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (upstream * sigmoid(node.inputs[0]),)


@dataclass(frozen=True)
class Erf(Elementwise):
    """erf a = 2/√π · ∫₀ᵃ e^(−t²) dt."""

    expression = "erf(a)"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.erf(*arrays)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        from .arithmetic import square

        return (upstream * (2 / math.sqrt(math.pi) * exp(-square(node.inputs[0]))),)


def exp(a: NodeLike) -> Node:
    """eᵃ, elementwise.

    Examples
    --------
    >>> float(exp(0.0).value)
    1.0
    """
    return apply(Exp(), *float_operands(a))


def expm1(a: NodeLike) -> Node:
    """eᵃ − 1, elementwise, exact near 0."""
    return apply(Expm1(), *float_operands(a))


def log(a: NodeLike) -> Node:
    """The natural logarithm, elementwise.

    Examples
    --------
    >>> float(log(1.0).value)
    0.0
    """
    return apply(Log(), *float_operands(a))


def log1p(a: NodeLike) -> Node:
    """log(1 + a), elementwise, exact near 0."""
    return apply(Log1p(), *float_operands(a))


def sin(a: NodeLike) -> Node:
    """sin a, elementwise; a in radians."""
    return apply(Sin(), *float_operands(a))


def cos(a: NodeLike) -> Node:
    """cos a, elementwise; a in radians."""
    return apply(Cos(), *float_operands(a))


def tanh(a: NodeLike) -> Node:
    """The hyperbolic tangent, elementwise: 2σ(2a) − 1.

    Examples
    --------
    >>> float(tanh(0.0).value)
    0.0
    """
    return apply(Tanh(), *float_operands(a))


def sigmoid(a: NodeLike) -> Node:
    """σ(a) = 1/(1 + e⁻ᵃ), elementwise.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 1000.0]).value
    array([0. , 0.5, 1. ])
    """
    return apply(Sigmoid(), *float_operands(a))


def softplus(a: NodeLike) -> Node:
    """log(1 + eᵃ), elementwise: a smooth max(a, 0).

    Examples
    --------
    >>> float(softplus(1000.0).value)
    1000.0
    """
    return apply(Softplus(), *float_operands(a))


def erf(a: NodeLike) -> Node:
    """The error function, elementwise."""
    return apply(Erf(), *float_operands(a))
