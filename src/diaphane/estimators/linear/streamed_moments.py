"""Least squares on a stream: one pass for means and products, from which everything else follows."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np

from ...data.streams import Stream
from ...data.windows import Window
from ...graph.node import Array
from .least_squares import Moments, Solution

__all__ = ["StreamMoments", "solved"]

BLOCK_ROWS = 1 << 13
LEAST_SHARE = 1e-13
"""Of the largest eigenvalue of a Gram matrix: what is below is rounding."""


@dataclass(frozen=True)
class StreamMoments:
    """What a pass tells of rows (x, y).

    Attributes
    ----------
    moments : Moments
    y_gram : ndarray, shape (targets,)
        Σᵢ sᵢ·(yᵢ − ȳ)².
    counted : int
        Rows with a weight.
    several : bool
        Whether targets have columns.
    """

    moments: Moments
    y_gram: Array
    counted: int
    several: bool

    @classmethod
    def of(cls, stream: Stream, centred: bool) -> StreamMoments:
        """One pass, added up block by block in float64.

        Of two parts a and b with weights sₐ, s_b (Chan, Golub & LeVeque 1983, for matrices): δ = mean_b − meanₐ,
        G = Gₐ + G_b + δδᵀ·sₐ·s_b/(sₐ + s_b).
        """
        inputs, total, counted, several = stream.n_features, 0.0, 0, False
        mean: Array = np.zeros(0)
        gram: Array = np.zeros((0, 0))
        with closing(stream.windows(reuse=True)) as windows:
            for window in windows:
                several = window.y.ndim > 1
                for start in range(0, len(window), BLOCK_ROWS):
                    rows, weights = _block(window, start)
                    weight = float(len(rows) if weights is None else weights.sum())
                    counted += len(rows) if weights is None else int(np.count_nonzero(weights))
                    if not weight:
                        continue
                    own, product = _products(rows, weights, weight, centred)
                    if not total:
                        mean, gram = np.zeros(len(own)), np.zeros(product.shape)
                    distance = own - mean
                    gram += product + np.outer(distance, distance) * (total * (weight / (total + weight)))
                    mean += distance * (weight / (total + weight))
                    total += weight
        if not total:
            raise ValueError("no row counts: all weights are 0")
        if not np.isfinite(gram).all():
            raise ValueError("X or y has numbers whose squares overflow. Scale them")
        x, y = slice(0, inputs), slice(inputs, None)
        found = Moments(mean[x], mean[y], gram[x, x], gram[x, y], total)
        return cls(found, np.diag(gram)[y].copy(), counted, several)

    def squared_residuals(self, found: Solution) -> Array:
        """Σᵢ sᵢ·(yᵢ − ŷᵢ)² = Σᵢ sᵢ·(yᵢ − ȳ)² − Wᵀ·(2·XᵀY − XᵀX·W) of centred rows, (targets,)."""
        moments, coef = self.moments, found.coef
        return np.maximum(self.y_gram - (coef * (2 * moments.cross - moments.gram @ coef)).sum(axis=0), 0.0)


def solved(moments: Moments, tol: float) -> Solution:
    """The W of least norm with XᵀX·W = XᵀY; singular values below ``tol`` of the largest count as 0.

    The Gram matrix squares them: below 3·10⁻⁷ of the largest they cannot be told from 0.
    """
    values, vectors = np.linalg.eigh(moments.gram)
    largest = max(float(values[-1]), 0.0)
    kept = values > max(tol * tol, LEAST_SHARE) * largest
    along = vectors[:, kept]
    coef = along @ ((along.T @ moments.cross) / values[kept, None])
    singular = np.sqrt(np.maximum(values[::-1], 0.0))
    return Solution(coef, moments.intercept(coef), int(kept.sum()), singular)


def _block(window: Window, start: int) -> tuple[Array, Array | None]:
    """Some rows of (x, y) in float64, and their weights."""
    rows = slice(start, start + BLOCK_ROWS)
    y = window.y[rows].reshape(len(window.y[rows]), -1)
    joined = np.concatenate([window.x[rows], y], axis=1, dtype=np.float64)
    return joined, None if window.weights is None else np.asarray(window.weights[rows], np.float64)


def _products(rows: Array, weights: Array | None, weight: float, centred: bool) -> tuple[Array, Array]:
    with np.errstate(over="ignore", invalid="ignore"):
        if not centred:
            mean: Array = np.zeros(rows.shape[1])
        else:
            mean = (rows.sum(axis=0) if weights is None else weights @ rows) / weight
        around = rows - mean
        return mean, (around if weights is None else around * weights[:, None]).T @ around
