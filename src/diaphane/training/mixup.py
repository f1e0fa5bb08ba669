"""Mixtures of two examples for each example."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..graph import Node, astype, cos, exp, expm1, log1p, sqrt, uniform
from ..graph.record import Record
from ..optim.checking import check_number, hyperparameter, is_number

__all__ = ["Mixup", "symmetric_beta"]

STREAM = 2**31 - 1
"""Of the mixture's draws: layers count theirs from 0."""


@dataclass(frozen=True)
class Mixup(Record):
    """x ← λ·x + (1 − λ)·x_π, l ← λ·l(o, y) + (1 − λ)·l(o, y_π), λ ~ Beta(α, α) for each batch (Zhang et al. 2018, §2).

    π is the batch in reversed order, which is a random pairing as long as the trainer shuffles. Weights go with their
    examples' targets.

    Parameters
    ----------
    alpha : float
        α > 0, a hyperparameter of the program: ``"mixup/alpha"``. Near 0 hardly anything is mixed, at 1 λ is uniform;
        the paper has 0.1 to 0.4 for images.

    Examples
    --------
    >>> Mixup(0.2)
    Mixup(alpha=0.2)
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        advice = "leave mixup out (mixup=None) for examples as they are"
        check_number(self, "alpha", is_number(self.alpha) and self.alpha > 0, "greater than 0", advice)

    def share(self) -> Node:
        """λ, in float64."""
        draws = uniform((2,), stream=STREAM, dtype="float64")
        return symmetric_beta(hyperparameter(self, "alpha"), draws[0], draws[1])

    def blend(self, share: Node, x: Node) -> Node:
        """λ·x + (1 − λ)·x_π."""
        own = astype(share, x.dtype)
        return own * x + (1 - own) * x[::-1]


def symmetric_beta(alpha: Node, u: Node, v: Node) -> Node:
    """½·(1 + c·√(1 − p)/√(p + (1 − p)·c²)), c = cos 2πv, p = (1 − u)^(1/α): Beta(α, α) for any α > 0.

    Devroye 1996, *Random variate generation in one line of code*: T/√(2α + T²) for a T of Student's law with 2α
    degrees of freedom, which is √(2α(1/p − 1))·c (Bailey 1994).

    Parameters
    ----------
    alpha : node
        Greater than 0.
    u, v : nodes
        Independent, uniform in [0, 1).

    Examples
    --------
    >>> import diaphane as dia
    >>> float(symmetric_beta(dia.constant(1.0), dia.constant(0.5), dia.constant(0.25)).value)
    0.5
    """
    logarithm = log1p(-u) / alpha
    c, p, rest = cos(2 * math.pi * v), exp(logarithm), -expm1(logarithm)
    return 0.5 * (1 + c * sqrt(rest) / sqrt(p + rest * c * c))
