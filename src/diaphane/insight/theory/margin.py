"""The largest margin of a hyperplane through the origin, bounded from both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .separability import centre, is_positive, least_product, separator, witness

__all__ = ["EXACT_UP_TO", "Margin", "largest_margin"]

Floats = NDArray[np.float64]

EXACT_UP_TO = 5000
"""The rows the quadratic program takes all at once; of more, those that matter are sought in rounds."""
ROUNDS = 40
CLOSED = 1e-9
"""The relative gap between the two bounds at which the margin counts as found."""
ROUNDING = 1e-14
"""What rounding may leave of 0 in sums of rows of length 1."""
SMALLEST_NORMAL = float(np.finfo(np.float64).tiny)
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Margin:
    """γ = max over unit w of minᵢ aᵢᵀw, between two bounds that are proved.

    Attributes
    ----------
    separator : array of shape (d,) or None
        The unit w whose least aᵢᵀw is `at_least`; None where no separator exists. (Where the margin is of the size of
        rounding, a w between ½ and 1 long, if the unit one would no longer separate.)
    at_least : float
        0 where no separator exists.
    at_most : float
        ‖Σ αᵢaᵢ‖ for the multipliers: no unit w has a greater margin.
    multipliers : array of shape (n,)
        α ≥ 0, Σα = 1. Without a separator they are Farkas' witness, and `at_most` is what rounding left of 0.
    """

    separator: Floats | None
    at_least: float
    at_most: float
    multipliers: Floats

    @property
    def is_exact(self) -> bool:
        """Whether the two bounds are one number, but for a relative 10⁻⁹."""
        return self.at_most - self.at_least <= CLOSED * self.at_most


def largest_margin(rows: Floats, *, all_at_once: int = EXACT_UP_TO) -> Margin:
    """The hard-margin support vector machine without intercept, by its dual.

    The nearest point of the convex hull of the rows to the origin, z = Σ αᵢaᵢ, points along the best w, and
    γ = ‖z‖ (Bennett & Bredensteiner 2000); it is a non-negative least-squares problem, Lawson & Hanson's LDP
    (1974, ch. 23), min ‖Σ αᵢaᵢ‖² + c²·(Σα − 1)². Any α ≥ 0 bounds γ from above and any w from below, so what is
    returned is proved whether or not the solver did well.

    Parameters
    ----------
    rows : array of shape (n, d)
        yᵢ·x̃ᵢ, of length at most 1.
    all_at_once : int
        Of more rows than these the problem is solved on those that matter, found in rounds.

    Returns
    -------
    Margin

    Examples
    --------
    >>> found = largest_margin(np.array([[0.6, 0.2], [0.6, 0.0], [0.8, 0.3]]))
    >>> found.separator.round(6), round(found.at_least, 6), found.is_exact
    (array([1., 0.]), 0.6, True)
    """
    found = _search(rows, all_at_once)
    if found.separator is not None and is_positive(rows, found.separator):
        return found
    # Far from the origin all examples lie in almost one direction; around their middle what tells them apart is seen.
    centred, back = centre(rows)
    there = _search(centred / np.linalg.norm(centred, axis=1).max(), all_at_once)
    weights = None if there.separator is None else back(there.separator)
    if weights is not None and is_positive(rows, weights):
        return _of_separator(rows, weights, found)
    in_doubt = there.at_most > ROUNDING
    weights = separator(rows) if in_doubt else None
    if weights is not None:
        return _of_separator(rows, weights, found)
    return _of_witness(rows, centred, [found.multipliers, there.multipliers], in_doubt)


def _search(rows: Floats, all_at_once: int) -> Margin:
    """The best separator and the nearest point found, neither of them checked."""
    n_rows, n_columns = rows.shape
    chosen = np.arange(n_rows) if n_rows <= all_at_once else _least_along_the_mean(rows, 4 * n_columns + 200)
    n_worst = min(2 * n_columns + 100, n_rows - 1)
    best: Floats | None = None
    at_least, at_most, weight = -np.inf, np.inf, 1.0
    multipliers = np.full(n_rows, 1.0 / n_rows)
    for _ in range(ROUNDS):
        share = _nearest_point(rows[chosen], weight)
        if share is None:
            break
        point = rows[chosen].T @ share
        distance = _length(point)
        if distance < at_most:
            at_most, multipliers = distance, np.zeros(n_rows)
            multipliers[chosen] = share
        if distance == 0:
            break
        direction, products, least = _better(rows, point, _flat(rows[chosen[share > 0]]))
        if least > at_least:
            best, at_least = direction, least
        # A point that near the origin is the origin, but for rounding.
        if at_most - at_least <= CLOSED * at_most or distance <= ROUNDING:
            break
        if len(chosen) < n_rows:
            # What carries the hull stays, so that each round comes nearer.
            chosen = np.union1d(chosen[share > 0], np.argpartition(products, n_worst)[: n_worst + 1])
        elif weight <= 2 * distance:
            break
        else:
            # Where γ is small beside R, rounding hides it unless both terms of the sum are of its size.
            weight = distance
    return Margin(best, at_least, at_most, multipliers)


def _of_separator(rows: Floats, weights: Floats, found: Margin) -> Margin:
    direction = weights / _length(weights)
    if not is_positive(rows, direction):
        # Where dividing rounds the separator away, a power of two brings it near length 1 without rounding.
        direction = weights / np.ldexp(1.0, int(np.frexp(_length(weights))[1]))
    least = least_product(rows, direction) / _length(direction)
    # The sum of rows of length 1 that bounds γ is itself rounded, which is seen where γ is no larger.
    return Margin(direction, least, max(found.at_most + EPSILON, least), found.multipliers)


def _of_witness(rows: Floats, centred: Floats, candidates: list[Floats], in_doubt: bool) -> Margin:
    """The multipliers that come nearest to 0 around the middle of the examples.

    Far from the origin all rows but for their signs are nearly one vector: there many multipliers that prove nothing
    leave as little as those that do.
    """
    by_program = witness(rows) if in_doubt else None
    if by_program is not None:
        candidates = [*candidates, by_program]
    best = min(candidates, key=lambda multipliers: float(np.linalg.norm(centred.T @ multipliers)))
    return Margin(None, 0.0, _length(rows.T @ best), best)


def _nearest_point(rows: Floats, weight: float) -> Floats | None:
    """α ≥ 0, Σα = 1, of the hull's point nearest to the origin; None where the solver gives up."""
    from scipy.optimize import nnls

    system = np.vstack([rows.T, np.full(len(rows), weight)])
    try:
        share, _ = nnls(system, np.append(np.zeros(rows.shape[1]), weight), maxiter=30 * max(system.shape))
    except RuntimeError:
        return None
    total = float(share.sum())
    return share / total if total > 0 else None


def _length(vector: Floats) -> float:
    """‖v‖, also where the squares are 0 or infinite."""
    largest = float(np.abs(vector).max())
    return largest * float(np.linalg.norm(vector / largest)) if largest > SMALLEST_NORMAL else largest


def _flat(support: Floats) -> Floats:
    """The shortest w with aᵀw = 1 on the support vectors: more exact than the sum of the multipliers."""
    return np.asarray(np.linalg.lstsq(support, np.ones(len(support)))[0], dtype=np.float64)


def _better(rows: Floats, *candidates: Floats) -> tuple[Floats, Floats, float]:
    """Of some directions the one with the larger margin, as a unit vector, with its products."""
    tried = []
    for candidate in candidates:
        direction = candidate / max(_length(candidate), SMALLEST_NORMAL)
        products = rows @ direction
        tried.append((direction, products, float(products.min())))
    return max(tried, key=lambda found: found[2])


def _least_along_the_mean(rows: Floats, count: int) -> NDArray[np.int64]:
    return np.argpartition(rows @ rows.mean(axis=0), min(count, len(rows) - 1))[:count].astype(np.int64)
