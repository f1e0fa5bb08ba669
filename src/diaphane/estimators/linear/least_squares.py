"""The squared error's minimum in closed form, with and without an L2 penalty."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.node import Array

__all__ = ["Moments", "Solution", "least_squares", "nonnegative", "ridge_by_gram", "ridge_by_svd", "squared_residuals"]

BLOCK_ELEMENTS = 1 << 20


@dataclass(frozen=True)
class Solution:
    """Coefficients (inputs, targets), intercepts (targets,), and what was learnt on the way."""

    coef: Array
    intercept: Array
    rank: int | None = None
    singular: Array | None = None
    solver: str = "cholesky"


@dataclass(frozen=True)
class Moments:
    """Weighted means, and the products of rows around them, in float64.

    Attributes
    ----------
    x_mean, y_mean : ndarray, shape (inputs,) and (targets,)
        0 where there is no intercept.
    gram : ndarray, shape (inputs, inputs)
        Σᵢ sᵢ·(xᵢ − x̄)(xᵢ − x̄)ᵀ.
    cross : ndarray, shape (inputs, targets)
        Σᵢ sᵢ·(xᵢ − x̄)(yᵢ − ȳ)ᵀ.
    total : float
        Σᵢ sᵢ.
    """

    x_mean: Array
    y_mean: Array
    gram: Array
    cross: Array
    total: float

    @classmethod
    def of(cls, x: Any, y: Array, weights: Array | None, centred: bool) -> Moments:
        """Two passes over blocks of rows: around the means nothing cancels, and nothing is copied whole."""
        x_mean, y_mean, total = _means(x, y, weights, centred)
        inputs, targets = x.shape[1], y.shape[1]
        gram, cross = np.zeros((inputs, inputs)), np.zeros((inputs, targets))
        for rows in _blocks(x):
            here, there = y[rows] - y_mean, _dense(x[rows]) - x_mean
            weighted = there if weights is None else there * weights[rows, None]
            gram += weighted.T @ there
            cross += weighted.T @ here
        return cls(x_mean, y_mean, gram, cross, total)

    def intercept(self, coef: Array) -> Array:
        return np.asarray(self.y_mean - self.x_mean @ coef)


def squared_residuals(x: Any, y: Array, weights: Array | None, found: Solution) -> Array:
    """Σᵢ sᵢ·(yᵢ − ŷᵢ)², (targets,)."""
    total = np.zeros(y.shape[1])
    for rows in _blocks(x):
        squares = np.square(y[rows] - np.asarray(x[rows] @ found.coef) - found.intercept)
        total += squares.sum(axis=0) if weights is None else weights[rows] @ squares
    return total


def least_squares(x: Any, y: Array, weights: Array | None, centred: bool, tol: float) -> Solution:
    """The solution of least norm: by the SVD (LAPACK's gelsd), or by LSQR for sparse rows (Paige & Saunders 1982)."""
    from scipy.linalg import lstsq

    x_mean, y_mean, _ = _means(x, y, weights, centred)
    roots = None if weights is None else np.sqrt(weights)
    if hasattr(x, "tocsr"):
        coef = _lsqr(x, y - y_mean, x_mean, roots, tol)
        return Solution(coef, y_mean - x_mean @ coef)
    here = (x - x_mean.astype(x.dtype)) if centred else x
    there = (y - y_mean).astype(x.dtype)
    if roots is not None:
        here, there = here * roots[:, None].astype(x.dtype), there * roots[:, None].astype(x.dtype)
    coef, _, rank, singular = lstsq(here, there, cond=tol, check_finite=False)
    return Solution(coef, y_mean - x_mean @ coef, int(rank), singular)


def nonnegative(x: Array, y: Array, weights: Array | None, centred: bool) -> Solution:
    """The best coefficients of at least 0 (Lawson & Hanson 1974)."""
    from scipy.optimize import nnls

    x_mean, y_mean, _ = _means(x, y, weights, centred)
    here, there = x - x_mean, y - y_mean
    if weights is not None:
        roots = np.sqrt(weights)[:, None]
        here, there = here * roots, there * roots
    coef = np.column_stack([nnls(here, column)[0] for column in there.T])
    return Solution(coef, y_mean - x_mean @ coef)


def ridge_by_gram(x: Any, y: Array, weights: Array | None, centred: bool, alphas: Array) -> Solution:
    """(XᵀX + αI)·W = XᵀY over centred rows, or W = Xᵀ(XXᵀ + αI)⁻¹·Y where there are fewer rows than columns."""
    from scipy.linalg import LinAlgError, LinAlgWarning, solve

    n, inputs = x.shape
    if n < inputs and not hasattr(x, "tocsr"):
        return _ridge_dual(x, y, weights, centred, alphas)
    moments = Moments.of(x, y, weights, centred)
    coef = np.empty(moments.cross.shape)
    for alpha in np.unique(alphas):
        own = alphas == alpha
        matrix = moments.gram + alpha * np.eye(inputs)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", LinAlgWarning)
                coef[:, own] = solve(matrix, moments.cross[:, own], assume_a="pos")
        except (LinAlgError, LinAlgWarning):
            return ridge_by_svd(x, y, weights, centred, alphas)
    return Solution(coef, moments.intercept(coef))


def ridge_by_svd(x: Any, y: Array, weights: Array | None, centred: bool, alphas: Array) -> Solution:
    """W = V·diag(s/(s² + α))·Uᵀ·Y of the centred rows' U·diag(s)·Vᵀ."""
    from scipy.linalg import svd

    here, there, x_mean, y_mean = _centred(x, y, weights, centred)
    u, s, vt = svd(here, full_matrices=False)
    known = s > 1e-15 * s.max(initial=0.0) * max(here.shape)
    factors = np.where(known[:, None], s[:, None], 0) / np.where(known[:, None], s[:, None] ** 2 + alphas, 1)
    coef = vt.T @ (factors * (u.T @ there))
    return Solution(coef, y_mean - x_mean @ coef, solver="svd")


def _ridge_dual(x: Array, y: Array, weights: Array | None, centred: bool, alphas: Array) -> Solution:
    from scipy.linalg import LinAlgError, solve

    here, there, x_mean, y_mean = _centred(x, y, weights, centred)
    products, dual = here @ here.T, np.empty(there.shape)
    for alpha in np.unique(alphas):
        own = alphas == alpha
        if alpha <= 1e-12 * max(np.trace(products), 1e-300):
            return ridge_by_svd(x, y, weights, centred, alphas)
        try:
            dual[:, own] = solve(products + alpha * np.eye(len(there)), there[:, own], assume_a="pos")
        except LinAlgError:
            return ridge_by_svd(x, y, weights, centred, alphas)
    coef = here.T @ dual
    return Solution(coef, y_mean - x_mean @ coef)


def _centred(x: Any, y: Array, weights: Array | None, centred: bool) -> tuple[Array, Array, Array, Array]:
    """Rows and targets around their means, times √sᵢ, in float64."""
    x_mean, y_mean, _ = _means(x, y, weights, centred)
    here, there = _dense(x) - x_mean, y - y_mean
    if weights is not None:
        roots = np.sqrt(weights)[:, None]
        here, there = here * roots, there * roots
    return here, there, x_mean, y_mean


def _means(x: Any, y: Array, weights: Array | None, centred: bool) -> tuple[Array, Array, float]:
    total = float(x.shape[0] if weights is None else weights.sum())
    if not centred:
        return np.zeros(x.shape[1]), np.zeros(y.shape[1]), total
    x_sum, y_sum = np.zeros(x.shape[1]), np.zeros(y.shape[1])
    for rows in _blocks(x):
        own = np.ones(rows.stop - rows.start) if weights is None else weights[rows]
        x_sum += own @ x[rows]
        y_sum += own @ y[rows]
    return x_sum / total, y_sum / total, total


def _blocks(x: Any) -> Iterator[slice]:
    n = x.shape[0]
    size = max(1, BLOCK_ELEMENTS // max(x.shape[1], 1))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _dense(x: Any) -> Array:
    return np.asarray(x.toarray() if hasattr(x, "toarray") else x, np.float64)


def _lsqr(x: Any, y: Array, x_mean: Array, roots: Array | None, tol: float) -> Array:
    """LSQR on √s·(X − 1·x̄ᵀ), which is never made."""
    from scipy.sparse.linalg import LinearOperator, lsqr

    scale = np.ones(x.shape[0]) if roots is None else roots
    rows = LinearOperator(
        x.shape,
        matvec=lambda v: scale * (x @ np.ravel(v) - x_mean @ np.ravel(v)),
        rmatvec=lambda u: x.T @ (scale * np.ravel(u)) - x_mean * float(scale @ np.ravel(u)),
        dtype=np.float64,
    )
    columns = [lsqr(rows, scale * column, atol=tol, btol=tol)[0] for column in y.T]
    return np.column_stack(columns)
