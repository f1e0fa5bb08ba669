"""The rectifier and its kin; all but the rectifier itself are compositions, so that each part can be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ShapeError
from ..node import Node, NodeLike, apply
from ..operation import Elementwise, float_operands, normalise_axis, number_operands, operands
from .arithmetic import multiply
from .comparison import greater, where
from .exponential import erf, expm1, sigmoid

__all__ = ["elu", "gelu", "leaky_relu", "maxout", "prelu", "relu", "selu", "silu"]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True)
class Relu(Elementwise):
    """max(a, 0); the derivative is 1 above 0, and 0 below and at 0. NaN stays NaN."""

    expression = "0.0 if a <= 0 else a"

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.maximum(arrays[0], 0)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (where(greater(node, 0), upstream, 0),)


def relu(a: NodeLike) -> Node:
    """max(a, 0), elementwise, with derivative 0 at 0 (Nair & Hinton 2010; Glorot et al. 2011).

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.0]).value
    array([0., 0., 2.])
    """
    return apply(Relu(), *number_operands(a))


def leaky_relu(a: NodeLike, slope: NodeLike = 0.01) -> Node:
    """a where a > 0, slope·a elsewhere (Maas et al. 2013).

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0], 0.1).value
    array([-0.1,  2. ])
    """
    [a] = float_operands(a)
    positive = greater(a, 0)
    # As in elu, the inner choice keeps the slope's gradient from being 0·inf where a is infinite.
    return where(positive, a, multiply(slope, where(positive, 0, a)))


def prelu(a: NodeLike, slope: NodeLike) -> Node:
    """a where a > 0, slope·a elsewhere, the slope being learnt, one for all or one a unit (He et al. 2015).

    Examples
    --------
    >>> prelu([[-1.0, -1.0]], [0.1, 0.5]).value
    array([[-0.1, -0.5]])
    """
    return leaky_relu(a, slope)


def elu(a: NodeLike, alpha: float = 1.0) -> Node:
    """a where a > 0, α(eᵃ − 1) elsewhere (Clevert et al. 2016).

    Examples
    --------
    >>> float(elu(2.0).value)
    2.0
    """
    [a] = float_operands(a)
    positive = greater(a, 0)
    # The inner choice keeps the branch that is not taken from overflowing, which would make its gradient 0·inf.
    return where(positive, a, multiply(alpha, expm1(where(positive, 0, a))))


def selu(a: NodeLike) -> Node:
    """λ·elu(a; α) with the λ and α that keep mean 0 and variance 1 (Klambauer et al. 2017).

    Examples
    --------
    >>> round(float(selu(1.0).value), 6)
    1.050701
    """
    return multiply(SELU_SCALE, elu(a, SELU_ALPHA))


def gelu(a: NodeLike) -> Node:
    """a·Φ(a) = a/2 · (1 + erf(a/√2)), Φ the normal distribution function (Hendrycks & Gimpel 2016).

    Examples
    --------
    >>> round(float(gelu(1.0).value), 6)
    0.841345
    """
    [a] = float_operands(a)
    return a * (0.5 * (1 + erf(a * (1 / math.sqrt(2)))))


def silu(a: NodeLike) -> Node:
    """a·σ(a), the swish (Elfwing et al. 2018).

    Examples
    --------
    >>> round(float(silu(1.0).value), 6)
    0.731059
    """
    [a] = float_operands(a)
    return a * sigmoid(a)


def maxout(a: NodeLike, pieces: int, axis: int = -1) -> Node:
    """The maximum over groups of ``pieces`` neighbours along an axis (Goodfellow et al. 2013).

    An axis of k·pieces becomes one of k.

    Examples
    --------
    >>> maxout([1.0, 5.0, 2.0, 3.0], 2).value
    array([5., 3.])
    """
    from .reduction import max
    from .shaping import reshape

    [a] = operands(a)
    axis = normalise_axis(axis, a.ndim, "maxout")
    extent = a.shape[axis]
    if not isinstance(extent, int) or pieces < 1 or extent % pieces:
        raise ShapeError(f"maxout: an axis of {extent} does not part into groups of {pieces}")
    grouped = reshape(a, (*a.shape[:axis], extent // pieces, pieces, *a.shape[axis + 1 :]))
    return max(grouped, axis + 1)
