"""Maximum likelihood: of a coin, and as the nearest distribution to the data's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .examples import as_rows, as_the_model_knows_them

__all__ = ["BernoulliTrials", "KLIdentity", "bernoulli_trials", "kl_identity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BernoulliTrials:
    """Independent draws of 0 or 1, and how likely each probability of 1 makes them.

    L(p) = pᵏ·(1 − p)ⁿ⁻ᵏ for k ones of n draws; its logarithm is concave and greatest at p̂ = k/n, the mean (Bishop
    2006, §2.1).

    Attributes
    ----------
    successes : int
        k.
    trials : int
        n.
    """

    successes: int
    trials: int

    @property
    def estimate(self) -> float:
        """p̂ = k/n, the maximum-likelihood estimate."""
        return self.successes / self.trials

    @property
    def standard_error(self) -> float:
        """√(p̂(1 − p̂)/n), from the curvature of the log-likelihood at its top."""
        return float(np.sqrt(self.estimate * (1 - self.estimate) / self.trials))

    @property
    def maximum(self) -> float:
        """The log-likelihood at its top, −n·H(p̂)."""
        return float(self.log_likelihood(self.estimate))

    def log_likelihood(self, p: ArrayLike) -> Floats:
        """k·log p + (n − k)·log(1 − p), in nats, with 0·log 0 = 0.

        Parameters
        ----------
        p : float or array
            Between 0 and 1.

        Raises
        ------
        ValueError
            For what is no probability.
        """
        from scipy.special import xlog1py, xlogy

        chance = np.asarray(p, dtype=np.float64)
        if not ((chance >= 0) & (chance <= 1)).all():
            raise ValueError(f"p is {p!r}; expected probabilities, from 0 to 1")
        found: Floats = xlogy(self.successes, chance) + xlog1py(self.trials - self.successes, -chance)
        return found

    def likelihood(self, p: ArrayLike) -> Floats:
        """pᵏ·(1 − p)ⁿ⁻ᵏ; 0 where it is too small for a float."""
        return np.exp(self.log_likelihood(p))

    def curve(self, points: int = 201) -> tuple[Floats, Floats]:
        """The log-likelihood at as many p from 0 to 1."""
        chance = np.linspace(0.0, 1.0, points)
        return chance, self.log_likelihood(chance)


def bernoulli_trials(outcomes: ArrayLike) -> BernoulliTrials:
    """A sequence of zeros and ones as trials of one coin.

    Parameters
    ----------
    outcomes : array of shape (n,)
        0 and 1, or False and True.

    Returns
    -------
    BernoulliTrials

    Raises
    ------
    ValueError
        For no outcome, or one that is neither.

    Examples
    --------
    >>> trials = bernoulli_trials([1, 0, 1, 1])
    >>> trials.estimate, float(trials.likelihood(0.5))
    (0.75, 0.0625)
    >>> p, log_likelihood = trials.curve()
    >>> float(p[log_likelihood.argmax()])
    0.75
    """
    drawn = np.asarray(outcomes)
    if drawn.ndim != 1 or not drawn.size:
        raise ValueError(f"outcomes have shape {drawn.shape}; expected a sequence of at least one")
    odd = [value for value in drawn.tolist() if value not in (0, 1)]
    if odd:
        raise ValueError(f"outcomes hold {odd[0]!r}; expected zeros and ones")
    return BernoulliTrials(int(np.count_nonzero(drawn)), len(drawn))


@dataclass(frozen=True)
class KLIdentity:
    """Mean negative log-likelihood = KL(p_data ‖ p_θ) + H(p_data), all three conditional on x and in nats.

    The entropy does not depend on θ: who maximises the likelihood minimises the divergence.

    Attributes
    ----------
    negative_log_likelihood : float
        −(1/n)·Σᵢ log p_θ(yᵢ|xᵢ), as a classifier is trained on it.
    divergence : float
        Σₓ p(x)·Σ_y p(y|x)·log(p(y|x)/p_θ(y|x)) with the frequencies p of the data, at least 0.
    entropy : float
        −Σₓ p(x)·Σ_y p(y|x)·log p(y|x): the least the negative log-likelihood can be; 0 where no point repeats
        with another label.
    n_points : int
        Different x.
    """

    negative_log_likelihood: float
    divergence: float
    entropy: float
    n_points: int

    @property
    def gap(self) -> float:
        """By how much the two sides differ: rounding."""
        both = self.divergence + self.entropy
        return 0.0 if both == self.negative_log_likelihood else abs(both - self.negative_log_likelihood)

    def __str__(self) -> str:
        return (
            f"mean negative log-likelihood {self.negative_log_likelihood:.6g} = "
            f"KL {self.divergence:.6g} + entropy {self.entropy:.6g}, over {self.n_points} different points"
        )


def kl_identity(model: Any, X: ArrayLike, y: ArrayLike) -> KLIdentity:
    """Split a classifier's mean negative log-likelihood into what it could learn and what nobody can.

    −(1/n)·Σᵢ log p_θ(yᵢ|xᵢ) = KL(p_data ‖ p_θ) + H(p_data), with p_data the frequencies of the labels at each
    different x (Goodfellow, Bengio & Courville 2016, §5.5). Conditional on x, as p_θ is: the joint entropy of (x, y)
    would be another number.

    Parameters
    ----------
    model : classifier or array
        Anything with ``predict_proba`` (and ``classes_``), or the probabilities themselves: of class 1 (n,), or of
        each class (n, K) in ascending order of the labels.
    X : array of shape (n, d)
    y : array of shape (n,)

    Returns
    -------
    KLIdentity

    Raises
    ------
    ValueError
        If shapes disagree, rows are no probabilities, a label is not among the classes, or the model gives other
        probabilities where it sees the same point again.

    Examples
    --------
    >>> X, y = [[0], [0], [0], [1], [1]], [0, 0, 1, 1, 1]
    >>> print(kl_identity([0.5, 0.5, 0.5, 0.8, 0.8], X, y))
    mean negative log-likelihood 0.505146 = KL 0.123237 + entropy 0.381909, over 2 different points
    >>> kl_identity([1 / 3, 1 / 3, 1 / 3, 1.0, 1.0], X, y).divergence
    0.0
    """
    rows = as_rows(X)
    if hasattr(model, "predict_proba"):
        chances, place = _chances(model, as_the_model_knows_them(model, X, rows), np.asarray(y))
    else:
        chances, place = _chances(model, rows, np.asarray(y))
    _, point = np.unique(rows, axis=0, return_inverse=True)
    point = point.ravel()
    n_points, n_classes = int(point.max()) + 1, chances.shape[1]
    counts = np.zeros((n_points, n_classes))
    np.add.at(counts, (point, place), 1.0)
    given = np.zeros((n_points, n_classes))
    given[point] = chances
    if not np.allclose(given[point], chances, rtol=1e-9, atol=1e-12):
        raise ValueError("the model gives different probabilities for the same x; expected a function of x alone")
    n = len(rows)
    with np.errstate(divide="ignore"):
        negative_log_likelihood = -float(np.log(chances[np.arange(n), place]).mean())
        seen = counts > 0
        share = counts[seen] / n
        frequency = (counts / counts.sum(axis=1, keepdims=True))[seen]
        divergence = float((share * (np.log(frequency) - np.log(given[seen]))).sum())
    entropy = float((share * -np.log(frequency)).sum())
    # Rounding may take a divergence of 0 below it.
    return KLIdentity(negative_log_likelihood, max(divergence, 0.0), entropy + 0.0, n_points)


def _chances(model: Any, rows: Any, labels: NDArray[Any]) -> tuple[Floats, NDArray[np.int64]]:
    """p_θ of each class for each row, and the place of each label."""
    if labels.shape != (len(rows),):
        raise ValueError(f"y has shape {labels.shape}; expected ({len(rows)},), one label a row of X")
    if hasattr(model, "predict_proba"):
        chances, classes = np.asarray(model.predict_proba(rows), dtype=np.float64), np.asarray(model.classes_)
    else:
        chances, classes = np.asarray(model, dtype=np.float64), np.unique(labels)
        if chances.ndim == 1:
            chances = np.column_stack([1 - chances, chances])
            # Labels that are 0 and 1 mean themselves, also where only one of them is there.
            classes = np.array([0, 1]) if np.isin(labels, [0, 1]).all() else classes
            if len(classes) != 2:
                raise ValueError(
                    f"a probability a row is that of the second of two classes, and y has {len(classes)}, "
                    f"{classes.tolist()[:5]}: give the probabilities of all classes, a column for each"
                )
    if chances.shape != (len(rows), len(classes)):
        raise ValueError(
            f"the probabilities have shape {chances.shape}; expected {(len(rows), len(classes))}, "
            "a row for each x and a column for each class"
        )
    if not ((chances >= 0) & (chances <= 1)).all() or not np.allclose(chances.sum(axis=1), 1.0, atol=1e-6):
        raise ValueError("the probabilities of a row are to lie between 0 and 1 and add up to 1")
    place = np.searchsorted(classes, labels)
    unknown = (place >= len(classes)) | (classes[np.minimum(place, len(classes) - 1)] != labels)
    if unknown.any():
        raise ValueError(f"y holds {labels[unknown].tolist()[0]!r}; the model knows {classes.tolist()}")
    return chances, place.astype(np.int64)
