"""Whether probabilities mean what they say: how often what is said with a confidence comes true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data.randomness import RandomState, as_random_state
from ..engines.program import check_whole

if TYPE_CHECKING:
    from ..insight.displays import ReliabilityDisplay

__all__ = ["Reliability", "reliability"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often what was said with a confidence came true, bin by bin.

    Attributes
    ----------
    confidence, accuracy : float64 arrays, shape (m,)
        Means over the rows of each bin that has some.
    counts : float64 array, shape (m,)
        Rows a bin, or their weights.
    edges : float64 array, shape (bins + 1,)
    ece : float
        Expected calibration error, Σ_b (n_b/n)·|accuracy_b − confidence_b|.
    mce : float
        Maximum calibration error, max_b |accuracy_b − confidence_b|.
    of : str
        Whose confidence: of the predicted class, or of one class.
    """

    confidence: Floats
    accuracy: Floats
    counts: Floats
    edges: Floats
    ece: float
    mce: float
    of: str = "the predicted class"

    def ece_by_chance(self, level: float = 0.95, draws: int = 1000, random_state: RandomState = 0) -> float:
        """What the ECE of right probabilities is at most, by chance, with a probability of ``level``.

        In each bin n_b rows are drawn anew that are right with the probability confidence_b.

        Examples
        --------
        >>> few, many = (Reliability(np.array([0.7]), np.array([0.7]), np.array([n]), np.array([0.0, 1.0]), 0.0, 0.0)
        ...              for n in (50.0, 5000.0))
        >>> round(few.ece_by_chance(), 2), round(many.ece_by_chance(), 2)
        (0.12, 0.01)
        """
        rng = as_random_state(random_state)
        counts = np.maximum(np.round(self.counts).astype(np.int64), 1)
        shares = rng.binomial(counts, np.clip(self.confidence, 0, 1), (draws, len(counts))) / counts
        found = np.abs(shares - self.confidence) @ (self.counts / self.counts.sum())
        return float(np.quantile(found, level))

    def plot(self, ax: Any = None) -> ReliabilityDisplay:
        """Accuracy against confidence, with the rows of each bin."""
        from ..insight.displays import ReliabilityDisplay

        return ReliabilityDisplay.from_curves({"estimator": self}, ax=ax)

    def __str__(self) -> str:
        lines = ["confidence  accuracy    rows"]
        lines += [
            f"{c:>10.3f}  {a:>8.3f}  {n:>6g}"
            for c, a, n in zip(self.confidence, self.accuracy, self.counts, strict=True)
        ]
        return "\n".join([*lines, f"ECE {self.ece:.4f}, at most {self.mce:.4f} in a bin"])


def reliability(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    n_bins: int = 15,
    strategy: Literal["uniform", "quantile"] = "uniform",
    positive: Any = None,
    sample_weight: Any = None,
) -> Reliability:
    """The reliability curve of a fitted classifier's probabilities, and its expected calibration error.

    A row's confidence is max_k p_k, and it is right or not; rows are put into bins ((b − 1)/M, b/M] of confidence, and

        ECE = Σ_b (n_b/n)·|accuracy_b − confidence_b|

    (Naeini et al. 2015; Guo et al. 2017, §2, with M = 15). With ``positive`` it is p(positive) against how often that
    class was there (DeGroot & Fienberg 1983). ECE depends on the bins, and is above 0 by chance on few rows; a model
    that says the classes' frequencies to all has none, and is of no use: read it beside the log-loss.

    Parameters
    ----------
    estimator : fitted classifier with ``predict_proba``
    X : array or data frame, (n, …)
    y : array, shape (n,)
    n_bins : int
        M.
    strategy : "uniform" or "quantile"
        Bins of one width, or with as many rows each.
    positive : label, optional
    sample_weight : array, shape (n,), optional

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If the estimator has no probabilities, or an argument is none of those above.

    Examples
    --------
    >>> from diaphane.data import gaussians
    >>> from diaphane.insight.theory import bayes_classifier
    >>> X, y = gaussians(20_000, random_state=0)
    >>> reliability(bayes_classifier(), X, y).ece < 0.01
    True
    """
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(f"{type(estimator).__name__} has no predict_proba; wrap it in TemperatureScaled")
    probabilities, truth = np.asarray(estimator.predict_proba(X), np.float64), np.asarray(y)
    classes = np.asarray(estimator.classes_)
    if truth.shape != probabilities.shape[:1] or not len(truth):
        raise ValueError(f"X has {len(probabilities)} rows and y shape {truth.shape}; expected ({len(probabilities)},)")
    if positive is None:
        confidence = probabilities.max(axis=1)
        right, of = classes[probabilities.argmax(axis=1)] == truth, "the predicted class"
    elif positive in classes.tolist():
        confidence = probabilities[:, classes.tolist().index(positive)]
        right, of = truth == positive, f"class {positive!r}"
    else:
        raise ValueError(f"positive is {positive!r}; expected one of the classes {classes.tolist()}")
    weights = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    return _binned(confidence, right, weights, _edges(confidence, n_bins, strategy), of)


def _edges(confidence: Floats, n_bins: int, strategy: str) -> Floats:
    count = check_whole("n_bins", n_bins)
    if strategy == "uniform":
        return np.linspace(0, 1, count + 1)
    if strategy == "quantile":
        return np.unique(np.percentile(confidence, 100 * np.linspace(0, 1, count + 1)))
    raise ValueError(f"strategy is {strategy!r}; expected 'uniform' or 'quantile'")


def _binned(confidence: Floats, right: NDArray[np.bool_], weights: Floats, edges: Floats, of: str) -> Reliability:
    n_bins = max(len(edges) - 1, 1)
    # A bin has its right edge and not its left one.
    of_row = np.searchsorted(edges[1:-1], confidence, side="left")
    rows, said, true = (np.bincount(of_row, weights * v, n_bins) for v in (1.0, confidence, right))
    filled = rows > 0
    counts = rows[filled].astype(np.float64)
    means, shares = said[filled] / counts, true[filled] / counts
    gaps = np.abs(shares - means)
    return Reliability(means, shares, counts, edges, float(gaps @ counts / counts.sum()), float(gaps.max()), of)
