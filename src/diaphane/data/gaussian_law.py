"""The law of two Gaussian classes: its parameters, checked, and the log-odds that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diaphane.data.errors import DataError

__all__ = ["class_priors", "gaussian_parameters", "log_odds"]

Floats = NDArray[np.float64]


def gaussian_parameters(means: ArrayLike, covariance: ArrayLike) -> tuple[Floats, Floats]:
    """Return μ of shape (2, d) and the Cholesky factors of Σ, shape (2, d, d).

    Raises
    ------
    DataError
        If shapes disagree or a covariance is not symmetric and positive definite.

    Examples
    --------
    >>> centres, factors = gaussian_parameters([[0.0], [1.0]], [[4.0]])
    >>> factors.ravel()
    array([2., 2.])
    """
    centres = np.asarray(means, dtype=np.float64)
    if centres.ndim != 2 or len(centres) != 2:
        raise DataError(f"means have shape {centres.shape}; expected two rows, one a class")
    n_features = centres.shape[1]
    matrices = np.asarray(covariance, dtype=np.float64)
    expected: Sequence[tuple[int, ...]] = ((n_features, n_features), (2, n_features, n_features))
    if matrices.shape not in expected:
        raise DataError(f"covariance has shape {matrices.shape}; expected {expected[0]} or {expected[1]}")
    both = np.broadcast_to(matrices, expected[1])
    if not np.allclose(both, np.swapaxes(both, 1, 2)):
        raise DataError("covariance is not symmetric; expected Σ = Σᵀ")
    try:
        return centres, np.linalg.cholesky(both).astype(np.float64)
    except np.linalg.LinAlgError as error:
        raise DataError("covariance is not positive definite; expected positive eigenvalues") from error


def class_priors(priors: ArrayLike) -> Floats:
    """Return π₀ and π₁.

    Raises
    ------
    DataError
        Unless they are two positive numbers that add up to 1.

    Examples
    --------
    >>> class_priors((0.5, 0.6))
    Traceback (most recent call last):
        ...
    diaphane.data.errors.DataError: priors are (0.5, 0.6); expected two positive numbers that add up to 1
    """
    found = np.asarray(priors, dtype=np.float64)
    if found.shape != (2,) or not (found > 0).all() or abs(float(found.sum()) - 1) > 1e-9:
        raise DataError(f"priors are {priors!r}; expected two positive numbers that add up to 1")
    return found


def log_odds(means: ArrayLike, covariance: ArrayLike, priors: ArrayLike = (0.5, 0.5)) -> tuple[Floats, Floats, float]:
    """Return Q, l and c of log(p(1|x)/p(0|x)) = xᵀQx + lᵀx + c.

    Q = ½(Σ₀⁻¹ − Σ₁⁻¹), l = Σ₁⁻¹μ₁ − Σ₀⁻¹μ₀, c = ½(μ₀ᵀΣ₀⁻¹μ₀ − μ₁ᵀΣ₁⁻¹μ₁ + log|Σ₀|/|Σ₁|) + log π₁/π₀ (Duda, Hart &
    Stork 2001, §2.6). Q is 0 where the covariances are one.

    Parameters
    ----------
    means : array of shape (2, d)
    covariance : array of shape (d, d) or (2, d, d)
    priors : array of shape (2,)

    Examples
    --------
    >>> log_odds([[-1.0], [1.0]], [[0.5]])
    (array([[0.]]), array([4.]), 0.0)
    """
    centres, factors = gaussian_parameters(means, covariance)
    prior = class_priors(priors)
    inverse = np.linalg.inv(factors)
    precision = np.swapaxes(inverse, 1, 2) @ inverse
    pulled = np.einsum("kij,kj->ki", precision, centres)
    squares = np.einsum("ki,ki->k", pulled, centres)
    log_determinants = 2 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    constant = 0.5 * (squares[0] - squares[1] + log_determinants[0] - log_determinants[1])
    return 0.5 * (precision[0] - precision[1]), pulled[1] - pulled[0], float(constant + np.log(prior[1] / prior[0]))
