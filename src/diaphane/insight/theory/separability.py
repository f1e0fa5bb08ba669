"""Whether a hyperplane through the origin has all rows on its positive side, and the proof of the one or the other."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["adds_up_to_nothing", "centre", "is_positive", "least_product", "separator", "witness"]

Floats = NDArray[np.float64]

NO_DOUBT = 1e10
MOST_IN_FRACTIONS = 40
"""Equations that are solved in fractions; the digits grow with their number."""


def is_positive(rows: Floats, weights: Floats) -> bool:
    """Whether aᵢᵀw > 0 for every row, decided without rounding.

    A product whose sign rounding could have changed is computed again in fractions: floats are fractions.

    Parameters
    ----------
    rows : array of shape (n, d)
    weights : array of shape (d,)

    Examples
    --------
    >>> is_positive(np.array([[0.1, 0.2, -0.3]]), np.ones(3)), is_positive(np.array([[0.1, 0.2, -0.5]]), np.ones(3))
    (True, False)
    """
    products, doubt = _products(rows, weights)
    if not np.isfinite(products).all() or (products < -doubt).any():
        return False
    return all(value > 0 for value in _exact_products(rows[products <= doubt], weights))


def least_product(rows: Floats, weights: Floats) -> float:
    """minᵢ aᵢᵀw, rounded once.

    Examples
    --------
    >>> least_product(np.array([[1.0, -1.0], [1e16, 1.0]]), np.array([1.0, 1.0 - 2.0**-53])) == 2.0**-53
    True
    """
    products, doubt = _products(rows, weights)
    # Rows without a doubt about their being the least need no fractions, nor do any where rounding is not seen.
    if products.min() > NO_DOUBT * doubt.max():
        return float(products.min())
    return float(min(_exact_products(rows[products - doubt <= (products + doubt).min()], weights)))


def _products(rows: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """aᵢᵀw and how far rounding can have moved each (Higham 2002, §3.1)."""
    doubt = (rows.shape[1] + 2) * np.finfo(np.float64).eps * (np.abs(rows) @ np.abs(weights))
    return rows @ weights, doubt


def _exact_products(rows: Floats, weights: Floats) -> list[Fraction]:
    exact = [Fraction(value) for value in weights.tolist()]
    return [sum((Fraction(a) * w for a, w in zip(row, exact, strict=True)), Fraction(0)) for row in rows.tolist()]


def centre(rows: Floats) -> tuple[Floats, Callable[[Floats], Floats]]:
    """The rows y·(x, 1) as y·((x − m)/s, 1), and what brings weights found there back.

    The map of x̃ is linear and invertible, so it changes neither whether rows can be separated nor Farkas' witness.

    Parameters
    ----------
    rows : array of shape (n, d + 1)

    Examples
    --------
    >>> rows = np.array([[101.0, 1.0], [-99.0, -1.0]])
    >>> centred, back = centre(rows)
    >>> centred @ np.array([1.0, 0.0]), rows @ back(np.array([1.0, 0.0]))
    (array([1., 1.]), array([1., 1.]))
    """
    last = rows[:, -1:]
    middle = (rows[:, :-1] / last).mean(axis=0) if last.all() else np.zeros(rows.shape[1] - 1)
    centred = np.column_stack([rows[:, :-1] - last * middle, last])
    sizes = np.abs(centred).max(axis=0)
    sizes[sizes == 0] = 1.0
    # A power of two, so that weights of a tiny column do not overflow.
    least = float(np.ldexp(1.0, int(np.frexp(sizes.min())[1]) - 1))

    def back(weights: Floats) -> Floats:
        scaled: Floats = weights / (sizes / least)
        scaled[-1] -= scaled[:-1] @ middle
        return scaled

    return centred / sizes, back


def separator(rows: Floats) -> Floats | None:
    """Some w with aᵢᵀw > 0 for every row, or None where linear programming finds none.

    max t subject to aᵢᵀw ≥ t, |w| ≤ 1, in the coordinates of `centre` (Boyd & Vandenberghe 2004, §8.6.1). What is
    returned has been checked by `is_positive`.

    Parameters
    ----------
    rows : array of shape (n, d)
        yᵢ·(xᵢ, 1), each times any positive number.

    Returns
    -------
    array of shape (d,) or None

    Examples
    --------
    >>> separator(np.array([[2.0, 1.0], [-1.0, -1.0]])) is None, separator(np.array([[1.0, 1.0], [-1.0, -1.0]])) is None
    (False, True)
    """
    from scipy.optimize import linprog

    n_columns = rows.shape[1]
    centred, back = centre(rows)
    found = linprog(
        np.append(np.zeros(n_columns), -1.0),
        A_ub=np.column_stack([-centred, np.ones(len(rows))]),
        b_ub=np.zeros(len(rows)),
        bounds=[(-1.0, 1.0)] * n_columns + [(None, 1.0)],
        method="highs",
    )
    if found.x is None:
        return None
    weights = back(found.x[:-1])
    return weights if is_positive(rows, weights) else None


def witness(rows: Floats) -> Floats | None:
    """Multipliers α ≥ 0, Σα = 1 with Σ αᵢ·aᵢ = 0, or None where linear programming finds none.

    They exist exactly where no w has aᵢᵀw > 0 for every row: such a w would give 0 = wᵀ(Σ αᵢaᵢ) = Σ αᵢ·wᵀaᵢ > 0
    (Farkas 1902, Gordan 1873; Boyd & Vandenberghe 2004, §5.8).

    Parameters
    ----------
    rows : array of shape (n, d)

    Returns
    -------
    array of shape (n,) or None

    Examples
    --------
    >>> witness(np.array([[0.0, 1.0], [-1.0, -1.0], [4.0, 1.0]]))
    array([0.375, 0.5  , 0.125])
    >>> witness(np.array([[2.0, 1.0], [-1.0, -1.0]])) is None
    True
    """
    from scipy.optimize import linprog

    centred, _ = centre(rows)
    found = linprog(
        np.zeros(len(rows)),
        A_eq=np.vstack([centred.T, np.ones(len(rows))]),
        b_eq=np.append(np.zeros(rows.shape[1]), 1.0),
        method="highs-ds",
    )
    if found.x is None:
        return None
    multipliers = np.maximum(found.x, 0.0)
    share: Floats = multipliers / multipliers.sum()
    return share


def adds_up_to_nothing(rows: Floats) -> bool:
    """Whether some α ≥ 0, Σα = 1, has Σ αᵢ·aᵢ = 0 without rounding, each αᵢ being determined by the others.

    The equations are solved in fractions, as floats are. Of rows that carry a vertex of {α ≥ 0: Σ αᵢaᵢ = 0, Σα = 1} the
    solution is the only one; where they leave a choice, or are more than :data:`MOST_IN_FRACTIONS`, nothing is proved.

    Parameters
    ----------
    rows : array of shape (k, d)

    Examples
    --------
    >>> adds_up_to_nothing(np.array([[0.1, 1.0], [-0.3, -1.0], [0.7, 1.0]]))
    True
    >>> adds_up_to_nothing(np.array([[0.1, 1.0], [-0.1 - 2.0**-56, -1.0]]))
    False
    """
    n_rows = len(rows)
    if n_rows > min(MOST_IN_FRACTIONS, rows.shape[1] + 1):
        return False
    system = [[Fraction(value) for value in column] + [Fraction(0)] for column in rows.T.tolist()]
    system.append([Fraction(1)] * (n_rows + 1))
    for k in range(n_rows):
        pivot = next((i for i in range(k, len(system)) if system[i][k]), None)
        if pivot is None:
            return False
        system[k], system[pivot] = system[pivot], system[k]
        system[k] = [value / system[k][k] for value in system[k]]
        for i, line in enumerate(system):
            if i != k and line[k]:
                system[i] = [value - line[k] * above for value, above in zip(line, system[k], strict=True)]
    solved = all(line[-1] == 0 for line in system[n_rows:])
    return solved and all(line[-1] >= 0 for line in system[:n_rows])
