"""The best classifier of two Gaussian classes, and by how much another is worse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data.gaussian_law import class_priors, gaussian_parameters, log_odds
from ...data.generators import bayes_error
from ...data.normal_quadric import negative_probability
from ...data.randomness import RandomState, as_random_state
from .examples import as_rows, as_the_model_knows_them

__all__ = ["BayesClassifier", "ExcessError", "bayes_classifier", "excess_error"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BayesClassifier:
    """The classifier that no other beats: the class of the greater posterior probability.

    Attributes
    ----------
    means : float64 array of shape (2, d)
    covariances : float64 array of shape (2, d, d)
    priors : float64 array of shape (2,)
    quadratic_ : float64 array of shape (d, d)
        Q of the log-odds xᵀQx + lᵀx + c; 0 where the covariances are one, and the boundary is a hyperplane.
    coef_ : float64 array of shape (1, d)
        l.
    intercept_ : float64 array of shape (1,)
        c.
    classes_ : int64 array of shape (2,)
        0 and 1.
    """

    means: Floats
    covariances: Floats
    priors: Floats
    quadratic_: Floats
    coef_: Floats
    intercept_: Floats
    classes_: NDArray[np.int64] = field(default_factory=lambda: np.arange(2))

    @property
    def is_linear(self) -> bool:
        """Whether the boundary is a hyperplane."""
        return not self.quadratic_.any()

    @property
    def error(self) -> float:
        """How often it errs: the Bayes error, exactly for one covariance, else to about 10⁻¹¹."""
        return bayes_error(self.means, self.covariances, priors=self.priors)

    def decision_function(self, X: ArrayLike) -> Floats:
        """The log-odds log p(1|x) − log p(0|x), (n,)."""
        rows = as_rows(X, self.means.shape[1])
        curved: Floats = np.einsum("ni,ij,nj->n", rows, self.quadratic_, rows)
        odds: Floats = curved + rows @ self.coef_[0] + self.intercept_[0]
        return odds

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """The likelier class of each row, (n,)."""
        return (self.decision_function(X) > 0).astype(np.int64)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """The posterior probabilities p(0|x) and p(1|x), (n, 2)."""
        from scipy.special import expit

        odds = self.decision_function(X)
        return np.column_stack([expit(-odds), expit(odds)])

    def density(self, X: ArrayLike) -> Floats:
        """p(x|0) and p(x|1), (n, 2)."""
        from scipy.stats import multivariate_normal

        rows = as_rows(X, self.means.shape[1])
        laws = zip(self.means, self.covariances, strict=True)
        return np.column_stack([np.atleast_1d(multivariate_normal.pdf(rows, m, s)) for m, s in laws])


def bayes_classifier(
    means: ArrayLike = ((-1.0, 0.0), (1.0, 0.0)),
    covariance: ArrayLike = ((1.0, 0.0), (0.0, 1.0)),
    *,
    priors: ArrayLike = (0.5, 0.5),
) -> BayesClassifier:
    """The Bayes classifier of two Gaussian classes; the defaults are those of `diaphane.data.gaussians`.

    It says 1 where log π₁N(x; μ₁, Σ₁) > log π₀N(x; μ₀, Σ₀): a hyperplane for one covariance, a quadric for two (Duda,
    Hart & Stork 2001, §2.6).

    Parameters
    ----------
    means : array of shape (2, d)
    covariance : array of shape (d, d) or (2, d, d)
    priors : array of shape (2,)

    Returns
    -------
    BayesClassifier

    Raises
    ------
    DataError
        If shapes disagree, a covariance is not symmetric and positive definite, or the priors are none.

    Examples
    --------
    >>> best = bayes_classifier()
    >>> best.coef_, best.intercept_, best.is_linear
    (array([[2., 0.]]), array([0.]), True)
    >>> circle = bayes_classifier([[0, 0], [0, 0]], [np.eye(2), 4 * np.eye(2)])
    >>> circle.predict([[0, 0], [3, 0]]), circle.is_linear
    (array([0, 1]), False)
    """
    centres, factors = gaussian_parameters(means, covariance)
    quadratic, linear, constant = log_odds(means, covariance, priors)
    return BayesClassifier(
        centres,
        factors @ np.swapaxes(factors, 1, 2),
        class_priors(priors),
        quadratic,
        linear[np.newaxis],
        np.array([constant]),
    )


@dataclass(frozen=True)
class ExcessError:
    """A classifier's error, and how much of it is its own.

    Attributes
    ----------
    error : float
    bayes_error : float
    excess : float
        What better learning could take away, at least 0.
    standard_error : float
        Of `excess`; 0 where it is computed and not sampled.
    method : str
        "hyperplane", "quadric" or "sample".
    """

    error: float
    bayes_error: float
    excess: float
    standard_error: float
    method: str

    def __str__(self) -> str:
        sampled = f" ± {self.standard_error:.1g}" if self.standard_error else ""
        return f"error {self.error:.6g} = Bayes error {self.bayes_error:.6g} + excess {self.excess:.3g}{sampled}"


def excess_error(
    classifier: Any,
    law: BayesClassifier,
    *,
    n_samples: int = 200_000,
    random_state: RandomState = 0,
) -> ExcessError:
    """How much more often than the Bayes classifier a classifier errs, on the law and not on a test set.

    A hyperplane's error has a closed form, π₀·Φ((wᵀμ₀ + b)/√(wᵀΣ₀w)) + π₁·Φ(−(wᵀμ₁ + b)/√(wᵀΣ₁w)), and so has a
    quadric's but for one integral (Imhof 1961). For any other classifier g

        excess = E[ |2η(x) − 1|·1[g(x) ≠ g*(x)] ],    η(x) = p(1|x)

    (Devroye, Györfi & Lugosi 1996, Theorem 2.2) is averaged over points drawn from the law: never negative, and
    with far less noise than the difference of two error rates.

    Parameters
    ----------
    classifier : fitted classifier
        With ``predict``, and ``classes_`` (0 and 1 where it has none), the first of which is the law's class 0.
        A hyperplane is one with ``coef_`` and ``intercept_``, a quadric one with ``quadratic_`` besides; whether it
        predicts what these say is checked.
    law : BayesClassifier
        From `bayes_classifier`.
    n_samples : int
        Points drawn where a sample is needed.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    ExcessError

    Raises
    ------
    ValueError
        If the classifier has not two classes, or n_samples is not positive.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from diaphane.data import gaussians
    >>> X, y = gaussians(200, random_state=0)
    >>> law = bayes_classifier()
    >>> print(excess_error(LogisticRegression().fit(X, y), law))
    error 0.159... = Bayes error 0.158655 + excess 0.000...
    >>> excess_error(KNeighborsClassifier(1).fit(X, y), law, n_samples=5000).excess > 0.05
    True
    """
    if isinstance(n_samples, bool) or not isinstance(n_samples, int | np.integer) or n_samples < 2:
        raise ValueError(f"n_samples is {n_samples!r}; expected a whole number of at least 2")
    classes = np.asarray(getattr(classifier, "classes_", np.arange(2)))
    if classes.shape != (2,):
        raise ValueError(f"the classifier's classes are {classes.tolist()}; expected two, as the law has")
    random = as_random_state(random_state)
    best = law.error
    points = _drawn(law, min(int(n_samples), 500), random)
    quadric = _quadric(classifier, classes, points)
    if quadric is not None:
        quadratic, linear, constant = quadric
        below = [negative_probability(law.means[k], law.covariances[k], quadratic, linear, constant) for k in (0, 1)]
        error = float(law.priors[0] * (1 - below[0]) + law.priors[1] * below[1])
        return ExcessError(error, best, max(error - best, 0.0), 0.0, "quadric" if quadratic.any() else "hyperplane")
    points = _drawn(law, int(n_samples), random)
    odds = law.decision_function(points)
    differs = (np.asarray(classifier.predict(as_the_model_knows_them(classifier, None, points))) == classes[1]) != (
        odds > 0
    )
    # |2η − 1| = |tanh(log-odds/2)|
    lost = np.where(differs, np.abs(np.tanh(odds / 2)), 0.0)
    excess, spread = float(lost.mean()), float(lost.std() / np.sqrt(len(lost)))
    return ExcessError(best + excess, best, excess, spread, "sample")


def _drawn(law: BayesClassifier, n: int, random: np.random.RandomState) -> Floats:
    y = (random.uniform(size=n) < law.priors[1]).astype(np.int64)
    factors = np.linalg.cholesky(law.covariances)
    normal = random.standard_normal((n, law.means.shape[1]))
    points: Floats = law.means[y] + np.einsum("nij,nj->ni", factors[y], normal)
    return points


def _quadric(classifier: Any, classes: NDArray[Any], points: Floats) -> tuple[Floats, Floats, float] | None:
    """Q, l and c of what the classifier decides by, where it says so and does so."""
    if not hasattr(classifier, "coef_") or not hasattr(classifier, "intercept_"):
        return None
    d = points.shape[1]
    linear = np.asarray(classifier.coef_, dtype=np.float64).ravel()
    constant = np.asarray(classifier.intercept_, dtype=np.float64).ravel()
    quadratic = np.asarray(getattr(classifier, "quadratic_", np.zeros((d, d))), dtype=np.float64)
    if linear.shape != (d,) or constant.shape != (1,) or quadratic.shape != (d, d):
        return None
    scores = np.einsum("ni,ij,nj->n", points, quadratic, points) + points @ linear + constant[0]
    # On the boundary itself rounding may decide otherwise.
    clear = np.abs(scores) > 1e-6 * np.abs(scores).max()
    said = np.asarray(classifier.predict(as_the_model_knows_them(classifier, None, points))) == classes[1]
    if not np.array_equal(said[clear], scores[clear] > 0):
        return None
    return quadratic, linear, float(constant[0])
