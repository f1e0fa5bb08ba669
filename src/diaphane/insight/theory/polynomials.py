"""Where one hidden layer fails: a polynomial activation, whose networks are polynomials of its degree."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...graph import constant
from ...nn import find_activation
from ...nn.activations import ActivationLike
from .approximation import Box, Domain, Function

__all__ = ["BestPolynomial", "best_polynomial", "polynomial_degree"]

Floats = NDArray[np.float64]

REACH = 8.0
"""Activations are looked at on [−8, 8], where no usual one is near a polynomial of a low degree."""


@dataclass(frozen=True, eq=False)
class BestPolynomial:
    """The polynomial that is nearest to a function in the worst case.

    Attributes
    ----------
    degree : int
    error : float
        E_m(f) = min over polynomials p of degree m of max |f − p|, over the points it was sought on.
    box : Box
    powers : array of int, shape (terms, d)
        Degrees of the Chebyshev polynomials that a term is the product of.
    coefficients : array, shape (terms,)
    """

    degree: int
    error: float
    box: Box
    powers: NDArray[np.int64]
    coefficients: Floats

    def __call__(self, points: ArrayLike) -> Floats:
        """p of each row of ``points``, shape (n, d): (n,)."""
        found: Floats = _terms(self.box, self.powers, np.asarray(points, dtype=np.float64)) @ self.coefficients
        return found


def best_polynomial(function: Function, domain: Domain, degree: int, *, n_points: int | None = None) -> BestPolynomial:
    """The best approximation by a polynomial of (total) degree m, in the sup norm: minimise t with |f − p| ≤ t.

    A linear program in the coefficients and t, over a grid (Cheney 1966, chapter 2). A network of one hidden layer
    whose activation is a polynomial of degree m is itself one, however many units it has: its worst error is never
    below E_m(f) (Leshno, Lin, Pinkus & Schocken 1993).

    Parameters
    ----------
    function : callable
    domain : (a, b) or ((a, b), (c, d))
    degree : int
    n_points : int, optional
        Of the grid, a side; by default 2001, or 101 for two variables.

    Returns
    -------
    BestPolynomial

    Raises
    ------
    ValueError
        If the degree is negative.

    Examples
    --------
    |x| on [−1, 1] is 1/8 from x² + 1/8, and no quadratic or cubic is nearer:

    >>> [round(best_polynomial(np.abs, (-1, 1), degree).error, 6) for degree in (1, 2, 3)]
    [0.5, 0.125, 0.125]
    """
    from scipy.optimize import linprog

    if isinstance(degree, bool) or not isinstance(degree, int | np.integer) or degree < 0:
        raise ValueError(f"degree is {degree!r}; expected a whole number of at least 0")
    box = Box.of(domain)
    points = box.grid(n_points)
    values = box.values(function, points)
    powers = np.array([p for p in product(range(degree + 1), repeat=box.dimensions) if sum(p) <= degree])
    terms, ones = _terms(box, powers, points), np.ones((len(points), 1))
    # The solver's tolerances are absolute.
    size = float(np.abs(values).max()) or 1.0
    found = linprog(
        np.r_[np.zeros(len(powers)), 1.0],
        A_ub=np.block([[terms, -ones], [-terms, -ones]]),
        b_ub=np.r_[values, -values] / size,
        bounds=(None, None),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"the linear program for the best polynomial was not solved: {found.message}")
    coefficients = size * found.x[:-1]
    return BestPolynomial(degree, float(np.abs(terms @ coefficients - values).max()), box, powers, coefficients)


def polynomial_degree(activation: ActivationLike, most: int = 10) -> int | None:
    """The degree of an activation that is a polynomial, None for one that is not (or is of a degree above ``most``).

    One hidden layer approximates every continuous function on a compact set if and only if φ is not a polynomial
    (Leshno et al. 1993, Theorem 1). φ is compared on [−8, 8] with the polynomial through ``most`` + 1 of its points.

    Examples
    --------
    >>> polynomial_degree("identity"), polynomial_degree(lambda a: a**3 - a), polynomial_degree("tanh")
    (1, 3, None)
    """
    from numpy.polynomial import chebyshev

    phi = find_activation(activation)

    def values(a: Floats) -> Floats:
        return np.broadcast_to(np.asarray(phi(constant(REACH * a)).value, dtype=np.float64), a.shape)

    nodes = chebyshev.chebpts1(most + 1)
    at_nodes = values(nodes)
    between = np.linspace(-1, 1, 20 * most + 1)
    truth = values(between)
    size = max(float(np.abs(truth).max()), float(np.abs(at_nodes).max()))
    if not np.isfinite(size):
        return None
    series = chebyshev.chebfit(nodes, at_nodes, most)
    if np.abs(chebyshev.chebval(between, series) - truth).max() > 1e-9 * size:
        return None
    return int(np.max(np.flatnonzero(np.abs(series) > 1e-9 * size), initial=0))


def _terms(box: Box, powers: NDArray[np.int64], points: Floats) -> Floats:
    """Products of Chebyshev polynomials of the box's sides, (n, terms): of a condition that powers do not have."""
    from numpy.polynomial import chebyshev

    most = int(powers.max(initial=0))
    sides = [chebyshev.chebvander(side, most) for side in box.unit(points).T]
    found = np.ones((len(points), len(powers)))
    for i, side in enumerate(sides):
        found *= side[:, powers[:, i]]
    return found
