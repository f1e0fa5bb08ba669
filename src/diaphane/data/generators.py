"""Points in the plane whose law is known, so that a network's error can be held against the best there is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diaphane.data.errors import DataError
from diaphane.data.gaussian_law import class_priors, gaussian_parameters, log_odds
from diaphane.data.normal_quadric import negative_probability
from diaphane.data.randomness import RandomState, as_random_state

__all__ = ["bayes_error", "circles", "gaussians", "moons", "spirals", "xor"]

Points: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]


def xor(n_samples: int = 400, noise: float = 0.3, random_state: RandomState = None) -> Points:
    """Four clouds around (±1, ±1), labelled by the exclusive or of the coordinates' signs.

    x = s + noise·ε with s uniform on {−1, +1}², ε ~ N(0, I), and y = 1 if s₁·s₂ < 0 else 0. No line
    separates the classes (Minsky & Papert 1969). The best classifier is the sign of x₁·x₂; with q =
    Φ(−1/noise) its error is 2q(1 − q).

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the clouds.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    X : float64 array of shape (n_samples, 2)
    y : int64 array of shape (n_samples,)
        0 or 1.

    Raises
    ------
    DataError
        If there are fewer than 2 samples or the noise is negative.

    Examples
    --------
    >>> X, y = xor(8, noise=0.0, random_state=0)
    >>> bool(np.all((X[:, 0] * X[:, 1] < 0) == y))
    True
    """
    _check(n_samples, noise)
    random = as_random_state(random_state)
    corners = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)], dtype=np.float64)
    corner = random.permutation(np.arange(n_samples) % 4)
    X = corners[corner] + noise * random.standard_normal((n_samples, 2))
    return X, (corner % 2).astype(np.int64)


def moons(n_samples: int = 400, noise: float = 0.2, random_state: RandomState = None) -> Points:
    """Two half circles that reach into one another.

    Class 0 lies on (cos t, sin t) and class 1 on (1 − cos t, ½ − sin t), t in [0, π], each moved by N(0,
    noise²·I); scikit-learn's ``make_moons``.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the noise.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    X : float64 array of shape (n_samples, 2)
    y : int64 array of shape (n_samples,)

    Raises
    ------
    DataError
        If there are fewer than 2 samples or the noise is negative.

    Examples
    --------
    >>> X, y = moons(100, random_state=0)
    >>> X.shape, np.bincount(y).tolist()
    ((100, 2), [50, 50])
    """
    from sklearn.datasets import make_moons

    _check(n_samples, noise)
    X, y = make_moons(n_samples, noise=noise, random_state=as_random_state(random_state))
    return X.astype(np.float64), y.astype(np.int64)


def circles(
    n_samples: int = 400, noise: float = 0.1, random_state: RandomState = None, *, factor: float = 0.5
) -> Points:
    """A circle within a circle.

    Class 0 lies on the circle of radius 1, class 1 on that of radius `factor`, each point moved by N(0,
    noise²·I); scikit-learn's ``make_circles``.

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the noise.
    random_state : None, int, RandomState or Generator
    factor : float
        Radius of the inner circle, at least 0 and less than 1.

    Returns
    -------
    X : float64 array of shape (n_samples, 2)
    y : int64 array of shape (n_samples,)

    Raises
    ------
    DataError
        If there are fewer than 2 samples, the noise is negative or the factor not in [0, 1).

    Examples
    --------
    >>> X, y = circles(100, noise=0.0, random_state=0)
    >>> sorted({round(float(radius), 6) for radius in np.hypot(*X.T)})
    [0.5, 1.0]
    """
    from sklearn.datasets import make_circles

    _check(n_samples, noise)
    if not 0 <= factor < 1:
        raise DataError(f"factor is {factor!r}; expected the inner radius, from 0 to less than 1")
    X, y = make_circles(n_samples, noise=noise, factor=factor, random_state=as_random_state(random_state))
    return X.astype(np.float64), y.astype(np.int64)


def spirals(
    n_samples: int = 400, noise: float = 0.05, random_state: RandomState = None, *, turns: float = 1.5
) -> Points:
    """Two arms wound around one another, in the manner of Lang & Witbrock (1988).

    The arm of class k is r·(cos(2π·turns·r + kπ), sin(2π·turns·r + kπ)) with r = √u, u uniform on [0.02,
    1], so that points are not crowded at the centre, each moved by N(0, noise²·I).

    Parameters
    ----------
    n_samples : int
    noise : float
        Standard deviation of the noise; neighbouring arms are 1/(2·turns) apart.
    random_state : None, int, RandomState or Generator
    turns : float
        How often an arm goes round.

    Returns
    -------
    X : float64 array of shape (n_samples, 2)
    y : int64 array of shape (n_samples,)

    Raises
    ------
    DataError
        If there are fewer than 2 samples, the noise is negative or the turns not positive.

    Examples
    --------
    >>> X, y = spirals(100, noise=0.0, random_state=0)
    >>> bool(np.hypot(*X.T).max() <= 1)
    True
    """
    _check(n_samples, noise)
    if not turns > 0:
        raise DataError(f"turns is {turns!r}; expected a positive number")
    random = as_random_state(random_state)
    y = random.permutation(np.arange(n_samples) % 2).astype(np.int64)
    radius = np.sqrt(random.uniform(0.02, 1.0, n_samples))
    angle = 2 * np.pi * turns * radius + np.pi * y
    X = radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])
    return X + noise * random.standard_normal((n_samples, 2)), y


def gaussians(
    n_samples: int = 400,
    random_state: RandomState = None,
    *,
    means: ArrayLike = ((-1.0, 0.0), (1.0, 0.0)),
    covariance: ArrayLike = ((1.0, 0.0), (0.0, 1.0)),
) -> Points:
    """Two Gaussian classes, equally likely: x given y = k is N(μₖ, Σₖ).

    With one covariance the best classifier is a line, with two it is a conic; its error is `bayes_error`.

    Parameters
    ----------
    n_samples : int
    random_state : None, int, RandomState or Generator
    means : array of shape (2, d)
        μ₀ and μ₁.
    covariance : array of shape (d, d) or (2, d, d)
        Σ of both classes, or Σ₀ and Σ₁.

    Returns
    -------
    X : float64 array of shape (n_samples, d)
    y : int64 array of shape (n_samples,)

    Raises
    ------
    DataError
        If shapes disagree or a covariance is not symmetric and positive definite.

    Examples
    --------
    >>> X, y = gaussians(20_000, random_state=0)
    >>> mistakes = np.mean((X[:, 0] > 0) != y)
    >>> abs(float(mistakes) - bayes_error()) < 0.01
    True
    """
    _check(n_samples, 0.0)
    centres, factors = gaussian_parameters(means, covariance)
    random = as_random_state(random_state)
    y = random.permutation(np.arange(n_samples) % 2).astype(np.int64)
    standard = random.standard_normal((n_samples, centres.shape[1]))
    X = centres[y] + np.einsum("nij,nj->ni", factors[y], standard)
    return X, y


def bayes_error(
    means: ArrayLike = ((-1.0, 0.0), (1.0, 0.0)),
    covariance: ArrayLike = ((1.0, 0.0), (0.0, 1.0)),
    *,
    priors: ArrayLike = (0.5, 0.5),
) -> float:
    """Return the least error any classifier can have on two Gaussian classes, such as `gaussians` draws.

    With one covariance the log-odds are normal in each class, and the error is

        π₀·Φ(−Δ/2 + λ/Δ) + π₁·Φ(−Δ/2 − λ/Δ),    Δ² = (μ₁ − μ₀)ᵀ Σ⁻¹ (μ₁ − μ₀),    λ = log π₁/π₀,

    Φ(−Δ/2) for equally likely classes (Hastie, Tibshirani & Friedman 2009, §4.3; Duda, Hart & Stork 2001, §2.8).
    With two covariances the log-odds are a quadratic function of normal variables, whose law is found by inverting
    its characteristic function (Imhof 1961), to about 10⁻¹¹, in any number of dimensions.

    Parameters
    ----------
    means : array of shape (2, d)
    covariance : array of shape (d, d) or (2, d, d)
    priors : array of shape (2,)
        π₀ and π₁.

    Returns
    -------
    float
        Between 0 and the smaller prior.

    Raises
    ------
    DataError
        If shapes disagree, a covariance is not symmetric and positive definite, or the priors are none.

    Examples
    --------
    >>> round(bayes_error(), 4)
    0.1587
    >>> round(bayes_error([[0.0], [0.0]], [[[1.0]], [[4.0]]]), 4)
    0.3387
    """
    from scipy.special import ndtr

    centres, factors = gaussian_parameters(means, covariance)
    prior = class_priors(priors)
    if np.array_equal(factors[0], factors[1]):
        distance = float(np.linalg.norm(np.linalg.solve(factors[0], centres[1] - centres[0])))
        if distance == 0:
            return float(prior.min())
        shift = np.log(prior[1] / prior[0]) / distance * np.array([1.0, -1.0])
        return float(prior @ ndtr(shift - distance / 2))
    quadratic, linear, constant = log_odds(means, covariance, priors)
    covariances = factors @ np.swapaxes(factors, 1, 2)
    below = [negative_probability(centres[k], covariances[k], quadratic, linear, constant) for k in (0, 1)]
    return float(prior[0] * (1 - below[0]) + prior[1] * below[1])


def _check(n_samples: int, noise: float) -> None:
    if not n_samples >= 2:
        raise DataError(f"n_samples is {n_samples!r}; expected at least 2, one a class")
    if not 0 <= noise < np.inf:
        raise DataError(f"noise is {noise!r}; expected a standard deviation, 0 or more")
