"""How sure a fit is of its coefficients: standard errors, tests and intervals from the information matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...graph.node import Array

__all__ = ["MOST_PARAMETERS", "Inference", "covariance_of"]

MOST_PARAMETERS = 2000
"""Parameters up to which a fit has a covariance matrix: its square is kept, and its cube is computed."""

LEVEL = 0.95


@dataclass(frozen=True)
class Inference:
    """Estimates with their standard errors: z = θ̂ⱼ / seⱼ under H₀: θⱼ = 0 (Wald 1943).

    z is compared with the normal distribution, or with Student's t where the errors' variance was estimated.

    Attributes
    ----------
    estimates : ndarray, shape (outputs, inputs) or (outputs, inputs + 1)
        An intercept comes last.
    standard_errors : ndarray of the same shape
        √ of the covariance's diagonal; NaN for what the data do not determine, as collinear columns' coefficients.
    covariance : ndarray, shape (outputs · inputs, the same)
        In the order of ``estimates.ravel()``.
    degrees : float or None
        Student's; None for the normal distribution.

    Examples
    --------
    >>> found = Inference(np.array([[1.96, 0.0]]), np.array([[1.0, 2.0]]), np.diag([1.0, 4.0]))
    >>> found.p_values.round(3)
    array([[0.05, 1.  ]])
    """

    estimates: Array
    standard_errors: Array
    covariance: Array
    degrees: float | None = None

    @cached_property
    def statistics(self) -> Array:
        """θ̂ⱼ / seⱼ."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.estimates / self.standard_errors

    @cached_property
    def p_values(self) -> Array:
        """P(|z| at least as large) if θⱼ were 0."""
        from scipy.stats import norm, t

        tail = norm if self.degrees is None else t(self.degrees)
        return np.asarray(2 * tail.sf(np.abs(self.statistics)))

    def intervals(self, level: float = LEVEL) -> tuple[Array, Array]:
        """θ̂ⱼ ± q·seⱼ, which cover θⱼ with this probability."""
        from scipy.stats import norm, t

        if not 0 < level < 1:
            raise ValueError(f"level is a probability between 0 and 1, got {level!r}")
        quantile = (norm if self.degrees is None else t(self.degrees)).ppf(0.5 + level / 2)
        return self.estimates - quantile * self.standard_errors, self.estimates + quantile * self.standard_errors

    def text(self, title: Sequence[str], names: Sequence[str], outputs: Sequence[str]) -> str:
        """A table to print, one line for each coefficient.

        Parameters
        ----------
        title : sequence of str
            Lines above it.
        names, outputs : sequence of str
            Of the estimates' columns and rows.
        """
        low, high = self.intervals()
        letter = "z" if self.degrees is None else "t"
        columns = [self.estimates, self.standard_errors, self.statistics, self.p_values, low, high]
        width = max(len(n) for n in names) + 2
        head = ["coef", "std err", letter, f"P>|{letter}|", "[0.025", "0.975]"]
        lines = [*title, " " * width + "".join(f"{word:>12}" for word in head)]
        for k, output in enumerate(outputs):
            lines += [output] if output else []
            for j, name in enumerate(names):
                numbers = [column[k, j] for column in columns]
                lines.append(f"{name:<{width}}" + "".join(f"{number:>12.4g}" for number in numbers))
        return "\n".join(lines)


def covariance_of(information: Array, outputs: int = 1, symmetric: bool = False) -> tuple[Array, Array]:
    """The inverse of the information matrix, and which parameters it does not determine.

    Parameters
    ----------
    information : ndarray, shape (P, P)
        Parameters in the order (inputs, outputs).
    outputs : int
    symmetric : bool
        Whether adding one number to a parameter of all outputs changes nothing, as in a softmax. The inverse is then
        that of the estimates that add up to 0 over the outputs.

    Returns
    -------
    covariance : ndarray, shape (P, P)
    free : ndarray of bool, shape (P,)
        Parameters that can move without the likelihood changing.

    Examples
    --------
    >>> covariance_of(np.diag([4.0, 0.0]))
    (array([[0.25, 0.  ],
           [0.  , 0.  ]]), array([False,  True]))
    """
    from scipy.linalg import eigh

    scale = np.sqrt(np.abs(np.diag(information)))
    scale[scale == 0] = 1.0
    if symmetric:
        # One scale for all outputs of an input keeps what adds up to 0 where it is.
        scale = np.repeat(np.sqrt(np.mean(scale.reshape(-1, outputs) ** 2, axis=1)), outputs)
    values, vectors = eigh(information / np.outer(scale, scale))
    known = values > len(values) * np.finfo(np.float64).eps * max(values.max(initial=0.0), 0.0) * 10
    along = vectors[:, known] / scale[:, None]
    covariance = (along / values[known]) @ along.T
    flat = vectors[:, ~known] / scale[:, None]
    if symmetric:
        by_output = flat.reshape(-1, outputs, flat.shape[1])
        flat = (by_output - by_output.mean(axis=1, keepdims=True)).reshape(flat.shape)
    size = np.abs(flat).max(axis=0, initial=0.0)
    free = (np.abs(flat) > 1e-6 * np.maximum(size, np.finfo(float).tiny)).any(axis=1, where=size > 1e-7)
    return covariance, free
