"""Why the perceptron's mistakes end, or why they never do, for the examples at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .examples import AugmentedExamples, augment
from .margin import Margin, largest_margin
from .mistakes import ProofTrace, RosenblattRun, run_rosenblatt
from .separability import adds_up_to_nothing

__all__ = ["ConvergenceCertificate", "Witness", "convergence_certificate"]

Floats = NDArray[np.float64]

MOST_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Witness:
    """Farkas' proof that no hyperplane separates: α ≥ 0, Σα = 1, Σ αᵢ·yᵢ·x̃ᵢ = 0.

    The two classes' hulls have a point in common. Were there a separator w̃, then 0 = w̃ᵀ(Σ αᵢyᵢx̃ᵢ) =
    Σ αᵢ·yᵢw̃ᵀx̃ᵢ > 0.

    Attributes
    ----------
    examples : int64 array of shape (k,)
        Those with αᵢ > 0.
    multipliers : float64 array of shape (k,)
    residual : float
        ‖Σ αᵢ·yᵢ·x̃ᵢ‖, what rounding left of 0. Whatever it is, no separator has a margin above it.
    proved : bool
        Whether multipliers of these examples that give exactly 0 were found in fractions; of more than 40 examples
        they are not sought.
    """

    examples: NDArray[np.int64]
    multipliers: Floats
    residual: float
    proved: bool

    def __str__(self) -> str:
        shown = [f"{a:.4g}·[{i}]" for a, i in zip(self.multipliers, self.examples, strict=True)][:MOST_SHOWN]
        more = f" + {len(self.examples) - MOST_SHOWN} more" if len(self.examples) > MOST_SHOWN else ""
        exactly = "rounded from multipliers that give exactly 0" if self.proved else f"to {self.residual:.1e}"
        return f"Σ αᵢyᵢx̃ᵢ = 0 for α = {' + '.join(shown)}{more}, {exactly}"


@dataclass(frozen=True, eq=False)
class ConvergenceCertificate:
    """What Novikoff's theorem says of some examples, beside what Rosenblatt's rule did on them.

    All is measured in the augmented space x̃ = (x, 1).

    Attributes
    ----------
    separable : bool
        Whether some w̃ has yᵢ·w̃ᵀx̃ᵢ > 0 for every example, strictly. Where it is False and ``witness.proved`` is too,
        the examples cannot be told from ones that are not separable.
    radius : float
        R = maxᵢ ‖x̃ᵢ‖.
    margin : float
        γ = minᵢ yᵢ·w̃*ᵀx̃ᵢ of the separator; 0 where there is none, or where it is too small for a float.
    margin_at_most : float
        No unit w̃ has a greater margin.
    separator : float64 array of shape (d + 1,) or None
        The unit w̃* = (w, b).
    bound : float
        R²/γ², of the number of mistakes; infinite where there is no separator, or where it is too large for a float.
    mistakes : int
        Really made by the rule, in the order given.
    converged : bool
        Whether the last pass was free of mistakes; if not, `mistakes` is where counting stopped.
    passes : int
    witness : Witness or None
        Where there is no separator.
    trace : ProofTrace or None
        Where asked for and separable.
    classes : array of shape (2,)
        The labels that stand for −1 and +1.
    n_examples : int
    """

    separable: bool
    radius: float
    margin: float
    margin_at_most: float
    separator: Floats | None
    bound: float
    mistakes: int
    converged: bool
    passes: int
    witness: Witness | None
    trace: ProofTrace | None
    classes: NDArray[Any]
    n_examples: int
    exact: bool
    """Whether `margin` is the largest there is, to a relative 10⁻⁹; else it is a lower bound on it."""

    def __str__(self) -> str:
        made = f"mistakes made        {self.mistakes}"
        made += f" in {self.passes} passes" if self.converged else ", and counting stopped there"
        if self.witness is not None:
            never = ": the rule never stops making them" if self.witness.proved else ""
            told = "not separable" if self.witness.proved else "cannot be told from not separable"
            return "\n".join(
                [
                    f"{told}: {self.n_examples} examples in the augmented space (x, 1)",
                    f"  witness              {self.witness}",
                    f"  margin               at most {self.margin_at_most:.1e}, beside a radius of {self.radius:.6g}",
                    f"  {made}{never}",
                ]
            )
        known = f"{self.margin:.6g}" if self.exact else f"{self.margin:.6g} at least, {self.margin_at_most:.6g} at most"
        if self.margin == 0:
            known = "above 0, but too small for a float"
        bound = f"{self.bound:.6g}" if np.isfinite(self.bound) else "finite, but too large for a float"
        return "\n".join(
            [
                f"separable: {self.n_examples} examples in the augmented space (x, 1)",
                f"  radius R             {self.radius:.6g}",
                f"  margin γ             {known}",
                f"  bound R²/γ²          {bound}",
                f"  {made}",
            ]
        )


def convergence_certificate(
    X: ArrayLike, y: ArrayLike, *, trace: bool = False, unit_norm: bool = False, max_mistakes: int = 100_000
) -> ConvergenceCertificate:
    """How often the perceptron can be mistaken on these examples, and how often it was.

    Novikoff (1962): from w̃₀ = 0, with a mistake at yᵢ·w̃ᵀx̃ᵢ ≤ 0 and the update w̃ ← w̃ + yᵢ·x̃ᵢ, there are at most
    R²/γ² *mistakes* (not passes), whatever the order. R and γ are those of the **augmented** vectors x̃ = (x, 1):
    the best separator is the hard-margin support vector machine *without* intercept on x̃. One with a free
    intercept on x has another margin, for which the bound is false.

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n,)
        Any two values; the greater is +1.
    trace : bool
        Keep the two inequalities of the proof at each mistake.
    unit_norm : bool
        Of x̃ᵢ/‖x̃ᵢ‖ instead of x̃ᵢ: then R = 1.
    max_mistakes : int
        Where counting stops.

    Returns
    -------
    ConvergenceCertificate
        Up to 5000 examples with the largest margin, unless they lie far from the origin: where the distance is some
        10⁶ times their spread, rounding hides the best w̃. There, and above 5000, `margin` is that of a separator
        found, and `exact` says whether it is proved to be the largest; the bound holds in either case. Taking the
        mean from each feature gives a larger margin, and an exact one.

    Raises
    ------
    ValueError
        Unless X is a finite matrix and y has one label of two a row.

    Notes
    -----
    That a separator separates is checked without rounding, example by example, so `separable` is never said wrongly.
    "Not separable" rests on a witness, which is found with rounding and then proved in fractions. Where that fails,
    the hulls of the two classes touch but for rounding or the witness has many examples, and it says "cannot be told
    from not separable": a margin below the residual may be there.

    Examples
    --------
    >>> X, y = [[2.0, 1.0], [3.0, 2.0], [0.0, 1.0], [-1.0, 0.0]], [1, 1, -1, -1]
    >>> certificate = convergence_certificate(X, y, trace=True)
    >>> print(certificate)
    separable: 4 examples in the augmented space (x, 1)
      radius R             3.74166
      margin γ             0.816497
      bound R²/γ²          21
      mistakes made        3 in 3 passes
    >>> certificate.trace.holds
    True
    >>> print(convergence_certificate([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], max_mistakes=100))
    not separable: 4 examples in the augmented space (x, 1)
      witness              Σ αᵢyᵢx̃ᵢ = 0 for α = 0.25·[0] + 0.25·[1] + 0.25·[2] + 0.25·[3], rounded from ...
      margin               at most ..., beside a radius of 1.73205
      mistakes made        100, and counting stopped there: the rule never stops making them
    """
    if isinstance(max_mistakes, bool) or not isinstance(max_mistakes, int | np.integer) or max_mistakes < 1:
        raise ValueError(f"max_mistakes is {max_mistakes!r}; expected a whole number of at least 1")
    examples = augment(X, y, unit_norm=unit_norm)
    best = largest_margin(examples.rows)
    run = run_rosenblatt(examples.rows, int(max_mistakes))
    separable = best.separator is not None
    margin = best.at_least * examples.scale
    return ConvergenceCertificate(
        separable=separable,
        radius=examples.radius,
        margin=margin,
        margin_at_most=best.at_most * examples.scale,
        separator=best.separator,
        bound=_bound(examples.radius, margin),
        mistakes=len(run.examples),
        converged=run.converged,
        passes=run.passes,
        witness=None if separable else _witness(best, examples),
        trace=_trace(run, best, examples) if trace and separable else None,
        classes=examples.classes,
        n_examples=len(examples.rows),
        exact=separable and best.is_exact,
    )


def _witness(best: Margin, examples: AugmentedExamples) -> Witness:
    carrying = np.flatnonzero(best.multipliers).astype(np.int64)
    proved = examples.exact and adds_up_to_nothing(examples.rows[carrying])
    return Witness(carrying, best.multipliers[carrying], best.at_most * examples.scale, proved)


def _bound(radius: float, margin: float) -> float:
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.square(np.divide(radius, margin)))


def _trace(run: RosenblattRun, best: Margin, examples: AugmentedExamples) -> ProofTrace:
    assert best.separator is not None
    count = np.arange(1, len(run.examples) + 1, dtype=np.float64)
    alignment: Floats = np.cumsum((examples.rows @ best.separator)[run.examples]) * examples.scale
    growth: Floats = count * best.at_least * examples.scale
    # Squares of features of 10³⁰⁰ are infinite, and infinity is at most infinity.
    with np.errstate(over="ignore"):
        squared_norm: Floats = run.squared_norms * np.square(examples.scale)
        ceiling: Floats = count * np.square(examples.radius)
    return ProofTrace(run.examples, growth, alignment, squared_norm, ceiling)
