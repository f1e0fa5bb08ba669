"""Why a third set: by how much the score of the best of many, on the rows that chose it, is above the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data.randomness import RandomState, as_random_state
from ..engines.program import check_whole

if TYPE_CHECKING:
    from ..insight.displays import OverstatementDisplay

__all__ = ["OverstatementRow", "OverstatementStudy", "expected_overstatement", "study_overstatement"]

Floats: TypeAlias = NDArray[np.float64]


def expected_overstatement(accuracy: float, n_test: int, n_candidates: int, *, correlation: float = 0.0) -> float:
    """E[best test score of k candidates that are all right with probability p] − p.

    Candidates that err independently have test scores B/n, B ~ Binomial(n, p) with distribution function F, and

        E[max] = (1/n)·Σ_{j=0}^{n−1} (1 − F(j)^k)

    exactly. Those tested on the same rows err together, with correlation ρ of being right on a row; the central limit
    theorem then gives scores p + √(p(1 − p)/n)·(√ρ·z₀ + √(1 − ρ)·z_i), whose greatest is above p by

        √(1 − ρ)·√(p(1 − p)/n)·m_k,    m_k = E[max of k standard normals] = ∫ z·k·φ(z)·Φ(z)^{k−1} dz

    m_k grows as √(2·log k): slowly, but without end (David & Nagaraja 2003, chapter 10; for ρ: Owen & Steck 1962).

    Parameters
    ----------
    accuracy : float
        p, within 0 and 1.
    n_test : int
        n, rows that choose.
    n_candidates : int
        k.
    correlation : float
        ρ, at least 0 and less than 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    A hundred guesses at heads or tails: on 50 tosses the best of them is right in two of three.

    >>> round(0.5 + expected_overstatement(0.5, 50, 100), 3)
    0.676
    >>> [round(expected_overstatement(0.8, 1000, 30, correlation=r), 4) for r in (0.0, 0.5)]
    [0.0255, 0.0183]
    """
    n, k = check_whole("n_test", n_test), check_whole("n_candidates", n_candidates)
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy is {accuracy!r}; expected a probability, within 0 and 1")
    if not 0 <= correlation < 1:
        raise ValueError(f"correlation is {correlation!r}; expected 0 (independent mistakes) to less than 1")
    if correlation == 0:
        from scipy.stats import binom

        below = binom.cdf(np.arange(n), n, accuracy)
        return float(np.sum(1 - below**k) / n - accuracy)
    return float(np.sqrt((1 - correlation) * accuracy * (1 - accuracy) / n) * _greatest_normal(k))


def _greatest_normal(k: int) -> float:
    """E[max of k standard normals] = ∫₀^∞ (1 − Φ(z)^k) − Φ(−z)^k dz."""
    from scipy.integrate import quad
    from scipy.special import log_ndtr

    return float(quad(lambda z: -np.expm1(k * log_ndtr(z)) - np.exp(k * log_ndtr(-z)), 0, 40, limit=200)[0])


@dataclass(frozen=True)
class OverstatementRow:
    """The best of k candidates, chosen on n rows; means over repeats.

    Attributes
    ----------
    n_test, n_candidates : int
    chosen_score : float
        Accuracy of the chosen one on the rows that chose it.
    third_score : float
        Its accuracy on as many rows that had no part in the choice.
    true_accuracy : float
        What it really is.
    overstated, third_overstated : float
        Each score less the true accuracy.
    standard_error, third_standard_error : float
        Of these over the repeats.
    expected : float
        `overstated` by the closed form; NaN where the candidates are not equally good.
    """

    n_test: int
    n_candidates: int
    chosen_score: float
    third_score: float
    true_accuracy: float
    overstated: float
    third_overstated: float
    standard_error: float
    third_standard_error: float
    expected: float


@dataclass(frozen=True, eq=False)
class OverstatementStudy:
    """How far the score of the chosen candidate is from the truth, by candidates and rows.

    Attributes
    ----------
    results : tuple of OverstatementRow
    accuracies : tuple of two floats
        The least and the greatest true accuracy among the candidates.
    bayes_accuracy : float
        What no classifier is above.
    correlation : float
        Of two candidates' being right on one row; NaN where they are not equally good.
    n_repeats : int
    """

    results: tuple[OverstatementRow, ...]
    accuracies: tuple[float, float]
    bayes_accuracy: float
    correlation: float
    n_repeats: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of test rows, in the order asked for."""
        return tuple(dict.fromkeys(row.n_test for row in self.results))

    def of(self, n_test: int) -> list[OverstatementRow]:
        """The results on so many rows, the fewest candidates first.

        Raises
        ------
        ValueError
            If there are none.
        """
        if n_test not in self.sizes:
            raise ValueError(f"there are no results on {n_test} rows; there are on {', '.join(map(str, self.sizes))}")
        return sorted((row for row in self.results if row.n_test == n_test), key=lambda row: row.n_candidates)

    def rows(self) -> list[dict[str, Any]]:
        """One plain record a result, as a data frame takes them."""
        return [dict(vars(row)) for row in self.results]

    def plot(self, axes: Sequence[Any] | None = None) -> OverstatementDisplay:
        """What the score says against what is true; the difference against the number of candidates."""
        from ..insight.displays import OverstatementDisplay

        return OverstatementDisplay.from_study(self, axes=axes)

    def __str__(self) -> str:
        lines = ["rows  candidates  on rows that chose  on a third set   truth  overstated by    closed form"]
        for row in self.results:
            lines.append(
                f"{row.n_test:>4}  {row.n_candidates:>10}  {row.chosen_score:>18.3f}  {row.third_score:>14.3f}  "
                f"{row.true_accuracy:>6.3f}  {row.overstated:>6.4f} ± {row.standard_error:.4f}  {row.expected:>11.4f}"
            )
        return "\n".join(lines)


def study_overstatement(
    n_candidates: Sequence[int] = (1, 2, 5, 10, 30, 100),
    n_test: Sequence[int] = (50, 200, 1000),
    *,
    accuracy: float = 0.8,
    spread: float = 0.0,
    bayes_accuracy: float = 0.9,
    n_repeats: int = 300,
    random_state: RandomState = 0,
) -> OverstatementStudy:
    """Choose the best of k classifiers whose true accuracy is known, on n test rows, many times.

    Two classes are N(±(Δ/2)·u, I), equally likely, u a unit vector (as :func:`~diaphane.data.gaussians` draws): the
    best accuracy is Φ(Δ/2). Candidate i decides by the sign of wᵢᵀx, wᵢ = cos θᵢ·u + sin θᵢ·eᵢ, with eᵢ at right angles
    to u and to one another; its true accuracy is Φ(cos θᵢ·Δ/2), whatever it scores. Two equally good candidates are
    both right on a row with the probability that two normals of correlation cos²θ are both positive, from which their
    correlation ρ follows, and :func:`expected_overstatement` says what must come out.

    Parameters
    ----------
    n_candidates : sequence of int
    n_test : sequence of int
    accuracy : float
        p: the true accuracy of all candidates, from ½ (they guess, and err independently) to `bayes_accuracy`.
    spread : float
        True accuracies are evenly spaced from p − spread to p + spread instead, in random order.
    bayes_accuracy : float
        Φ(Δ/2), more than ½ and less than 1.
    n_repeats : int
        Fresh test sets, for the means and their standard errors.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    OverstatementStudy

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> study = study_overstatement([1, 100], [50], accuracy=0.5, n_repeats=200)
    >>> one, best = study.of(50)
    >>> abs(one.overstated) < 0.02, 0.15 < best.overstated < 0.2, abs(best.third_overstated) < 0.02
    (True, True, True)
    """
    from scipy.special import ndtr, ndtri

    if not 0.5 < bayes_accuracy < 1:
        raise ValueError(f"bayes_accuracy is {bayes_accuracy!r}; expected more than 0.5 and less than 1")
    low, high = accuracy - spread, accuracy + spread
    if not (spread >= 0 and 0.5 <= low <= high <= bayes_accuracy):
        raise ValueError(
            f"accuracy is {accuracy!r} with a spread of {spread!r}; expected true accuracies from 0.5 to those of the "
            f"Bayes classifier, {bayes_accuracy:g}"
        )
    counts = [check_whole("n_candidates", k) for k in n_candidates]
    sizes = [check_whole("n_test", n) for n in n_test]
    if not counts or not sizes:
        raise ValueError("n_candidates or n_test is empty; give numbers such as (1, 10, 100)")
    repeats = check_whole("n_repeats", n_repeats)
    if repeats < 2:
        raise ValueError("n_repeats is 1; expected 2 or more, for the standard error")
    random = as_random_state(random_state)
    half_distance = float(ndtri(bayes_accuracy))
    together = _correlation(accuracy, half_distance) if spread == 0 else float("nan")
    results = []
    for n in sizes:
        for k in counts:
            truth = np.linspace(low, high, k) if k > 1 else np.array([accuracy])
            cosines = np.clip(ndtri(truth) / half_distance, 0, 1)
            found = np.array([_one_choice(cosines, half_distance, n, random) for _ in range(repeats)])
            expected = expected_overstatement(accuracy, n, k, correlation=together) if spread == 0 else float("nan")
            results.append(_summary(n, k, found, ndtr(cosines * half_distance), expected))
    return OverstatementStudy(tuple(results), (low, high), bayes_accuracy, together, repeats)


def _one_choice(cosines: Floats, half_distance: float, n: int, random: np.random.RandomState) -> tuple[float, ...]:
    """Which one is chosen, its score there, and on a third set."""
    # Of equals the first would be chosen: in random order each is as likely.
    order = random.permutation(len(cosines))
    scores = _scores(cosines[order], half_distance, n, random)
    best = int(np.argmax(scores))
    third = _scores(cosines[order[best : best + 1]], half_distance, n, random)
    return float(order[best]), float(scores[best]), float(third[0])


def _scores(cosines: Floats, half_distance: float, n: int, random: np.random.RandomState) -> Floats:
    """Test accuracies on n fresh rows, (k,): what matters of a row is y·uᵀx ~ N(Δ/2, 1) and y·eᵢᵀx ~ N(0, 1)."""
    along = half_distance + random.standard_normal((n, 1))
    across = random.standard_normal((n, len(cosines)))
    right = cosines * along + np.sqrt(1 - cosines**2) * across > 0
    means: Floats = right.mean(axis=0)
    return means


def _correlation(accuracy: float, half_distance: float) -> float:
    """ρ of two candidates' being right on a row: (P(both right) − p²)/(p(1 − p))."""
    from scipy.special import ndtri
    from scipy.stats import multivariate_normal

    margin = float(ndtri(accuracy))
    shared = (margin / half_distance) ** 2
    if shared == 0:
        return 0.0
    if shared >= 1 - 1e-9:
        raise ValueError("candidates as good as the Bayes classifier are all the same one; choose a lower accuracy")
    both = float(multivariate_normal.cdf([margin, margin], mean=[0, 0], cov=[[1, shared], [shared, 1]]))
    return (both - accuracy**2) / (accuracy * (1 - accuracy))


def _summary(n: int, k: int, found: Floats, accuracies: Floats, expected: float) -> OverstatementRow:
    truth = accuracies[found[:, 0].astype(np.int64)]
    above, third_above = found[:, 1] - truth, found[:, 2] - truth
    root = np.sqrt(len(found))
    return OverstatementRow(
        n,
        k,
        float(found[:, 1].mean()),
        float(found[:, 2].mean()),
        float(truth.mean()),
        float(above.mean()),
        float(third_above.mean()),
        float(above.std(ddof=1) / root),
        float(third_above.std(ddof=1) / root),
        expected,
    )
