"""Parameters of centred columns of one size, in which descent finds its way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...graph.node import Array
from .objective import Objective

__all__ = ["Coordinates"]

SAMPLE_ELEMENTS, LEAST_ROWS, MOST_ROWS = 1 << 19, 64, 1024
"""A sample of the rows tells columns' means and sizes near enough: any others would be as exact, and only slower."""

CONSTANT = 100
"""Times the rounding of a column's numbers: one that spreads no further is taken for a constant."""


@dataclass(frozen=True)
class Coordinates:
    """φ = (V, c), the parameters of (xⱼ − mⱼ)/σⱼ, for θ = (W, b), those of xⱼ: W = V/σ, b = c − mᵀW.

    The scores, and so the loss, are the same. Where columns are far from 0, or of very different sizes, the loss is a
    narrow valley in W and b, and nearly round in V and c (LeCun, Bottou, Orr & Müller 1998, section 5). Only the
    parameters are changed, not the data.

    Attributes
    ----------
    means, sizes : ndarray, shape (inputs,)
        mⱼ, 0 without an intercept; σⱼ > 0, which has an L2 penalty's curvature in it.
    outputs : int
    fit_intercept : bool

    Examples
    --------
    >>> here = Coordinates(np.array([100.0]), np.array([2.0]), 1, True, np.array([100.0]))
    >>> here.inward(np.array([3.0, 1.0])), here.outward(np.array([6.0, 301.0]))
    (array([  6., 301.]), array([3., 1.]))
    """

    means: Array
    sizes: Array
    outputs: int
    fit_intercept: bool
    offsets: Array

    @classmethod
    def of(cls, objective: Objective) -> Coordinates:
        """Of an objective's columns; those that are mostly 0 as they are."""
        n, inputs = objective.x.shape
        rows = int(np.clip(SAMPLE_ELEMENTS // max(inputs, 1), LEAST_ROWS, MOST_ROWS))
        stride = max(1, n // rows)
        some, shares = objective.x[::stride], np.ones(-(-n // stride))
        if objective.weights is not None and objective.weights[::stride].any():
            shares = np.asarray(objective.weights[::stride], np.float64)
        shares = shares / shares.sum()
        with np.errstate(over="ignore", invalid="ignore"):
            if hasattr(some, "tocsr") and 2 * some.nnz < some.shape[0] * inputs:
                # Mostly 0, they are not far from it; and the sample may not hold a single number of a rare column.
                offsets = np.asarray(shares @ abs(some))
                return cls(np.zeros(inputs), np.ones(inputs), objective.outputs, objective.fit_intercept, offsets)
            some = np.asarray(some.toarray() if hasattr(some, "tocsr") else some, np.float64)
            offsets = np.median(np.abs(some), axis=0)
            means, squares = shares @ some, shares @ np.square(some)
            spread = shares @ np.square(some - means) if objective.fit_intercept else squares
            constant = spread <= (CONSTANT * np.finfo(objective.dtype).eps) ** 2 * squares
            sizes = np.sqrt(np.where(constant, squares, spread) + objective.l2)
        sizes[~((sizes > 0) & np.isfinite(sizes))] = 1.0
        means = np.where(np.isfinite(means), means, 0.0) if objective.fit_intercept else np.zeros(inputs)
        return cls(means, sizes, objective.outputs, objective.fit_intercept, offsets)

    def inward(self, vector: Array) -> Array:
        """φ of θ."""
        coef, intercept = self._parts(vector)
        return np.concatenate([(coef * self.sizes[:, None]).ravel(), intercept + self._shift(coef)])

    def outward(self, vector: Array) -> Array:
        """θ of φ."""
        coef, intercept = self._parts(vector)
        coef = coef / self.sizes[:, None]
        return np.concatenate([coef.ravel(), intercept - self._shift(coef)])

    def slope(self, slope: Array) -> Array:
        """∂l/∂φ of ∂l/∂θ."""
        by_coef, by_intercept = self._parts(slope)
        if self.fit_intercept:
            by_coef = by_coef - self.means[:, None] * by_intercept
        return np.concatenate([(by_coef / self.sizes[:, None]).ravel(), by_intercept])

    def reach(self, vector: Array) -> Array:
        """How large the numbers are that scores are sums of, (outputs,)."""
        coef, intercept = (np.abs(part) for part in self._parts(vector))
        return np.asarray(self.offsets @ coef + (intercept if self.fit_intercept else 0.0))

    def rounding(self, vector: Array, precision: float) -> Array:
        """What of ∂l/∂θ is rounding."""
        own = precision * (1 + self.reach(vector))
        return np.concatenate([np.outer(self.offsets, own).ravel(), own if self.fit_intercept else own[:0]])

    def strengths(self, l1: float) -> Array:
        """λ of |Vⱼ| that is l1·|Wⱼ|; 0 for intercepts."""
        own = np.repeat(l1 / self.sizes, self.outputs)
        return np.concatenate([own, np.zeros(self.outputs * self.fit_intercept)])

    def _parts(self, vector: Array) -> tuple[Array, Array]:
        split = len(self.sizes) * self.outputs
        return vector[:split].reshape(-1, self.outputs), vector[split:]

    def _shift(self, coef: Array) -> Array:
        return self.means @ coef if self.fit_intercept else np.zeros(0)
