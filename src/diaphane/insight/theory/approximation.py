"""One hidden layer approximates a continuous function on a compact set: the construction, and what bounds its error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...engines import State
from ...graph import constant
from ...nn import Dense, Network, Sequential, find_activation
from ...nn.activations import ActivationLike

__all__ = ["Box", "Domain", "Function", "OneHiddenLayer", "modulus_of_continuity", "relu_interpolant"]

Floats = NDArray[np.float64]
Function: TypeAlias = Callable[..., ArrayLike]
"""From one array a variable, shape (n,), to the values, shape (n,): ``np.sin``, ``lambda x, y: x * np.cos(y)``."""
Domain: TypeAlias = "Box | Sequence[float] | Sequence[Sequence[float]]"
"""(a, b) of one variable, ((a₁, b₁), (a₂, b₂)) of two."""

GRID_OF_ONE, GRID_OF_TWO = 2001, 101


@dataclass(frozen=True)
class Box:
    """A compact set, K = [a₁, b₁] × … × [a_d, b_d] with d of 1 or 2.

    Attributes
    ----------
    lower, upper : tuple of float

    Examples
    --------
    >>> Box.of(((0, 1), (-1, 1))).grid(2).tolist()
    [[0.0, -1.0], [0.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]

    @classmethod
    def of(cls, domain: Domain) -> Box:
        """A box from its sides.

        Raises
        ------
        ValueError
            If it is not one or two intervals [a, b] with finite a < b.
        """
        if isinstance(domain, Box):
            return domain
        try:
            sides = np.atleast_2d(np.asarray(domain, dtype=np.float64))
        except (TypeError, ValueError):
            sides = np.empty((0, 0))
        if sides.ndim != 2 or sides.shape[1] != 2 or len(sides) not in (1, 2):
            raise ValueError(f"domain is {domain!r}; expected (a, b), or ((a, b), (c, d)) for two variables")
        if not np.isfinite(sides).all() or (sides[:, 0] >= sides[:, 1]).any():
            raise ValueError(f"domain is {domain!r}; a compact set here is a < b, both finite, on each side")
        return cls(tuple(sides[:, 0].tolist()), tuple(sides[:, 1].tolist()))

    @property
    def dimensions(self) -> int:
        """How many variables."""
        return len(self.lower)

    @property
    def centre(self) -> Floats:
        """Its middle, (d,)."""
        found: Floats = (np.array(self.lower) + np.array(self.upper)) / 2
        return found

    @property
    def half(self) -> Floats:
        """Half of each side, (d,)."""
        found: Floats = (np.array(self.upper) - np.array(self.lower)) / 2
        return found

    def grid(self, n_points: int | None = None) -> Floats:
        """Equally far points a side, ends among them, as rows (n_points^d, d); by default 2001, or 101 × 101."""
        if n_points is None:
            n_points = GRID_OF_ONE if self.dimensions == 1 else GRID_OF_TWO
        if isinstance(n_points, bool) or not isinstance(n_points, int | np.integer) or n_points < 2:
            raise ValueError(f"n_points is {n_points!r}; expected a whole number of points a side, at least 2")
        sides = [np.linspace(a, b, n_points) for a, b in zip(self.lower, self.upper, strict=True)]
        return np.column_stack([side.ravel() for side in np.meshgrid(*sides, indexing="ij")])

    def unit(self, points: Floats) -> Floats:
        """The same points of [−1, 1]^d."""
        found: Floats = (points - self.centre) / self.half
        return found

    def values(self, function: Function, points: Floats) -> Floats:
        """The function at the rows of ``points``, (n,).

        Raises
        ------
        TypeError
            If it does not take arrays.
        ValueError
            If its values are of another shape, or not finite: then it is not continuous on the compact set.
        """
        try:
            found = np.asarray(function(*points.T), dtype=np.float64)
        except TypeError as error:
            raise TypeError(
                f"the function was called with {self.dimensions} array(s) and said: {error}; expected one of "
                f"{self.dimensions} variable(s) that works on arrays, as NumPy's do (np.vectorize(f) makes one)"
            ) from error
        if found.shape not in ((), (len(points),)):
            raise ValueError(
                f"the function gives shape {found.shape} for {len(points)} points; expected one value each"
            )
        found = np.broadcast_to(found, (len(points),))
        if not np.isfinite(found).all():
            where = points[int(np.flatnonzero(~np.isfinite(found))[0])].tolist()
            raise ValueError(
                f"the function is not finite at {where}; expected a continuous one on the whole compact set"
            )
        return found


@dataclass(frozen=True, eq=False)
class OneHiddenLayer:
    """g(x) = c₀ + Σₖ cₖ·φ(wₖᵀx + bₖ), k = 1 … N: what the theorems of universal approximation are about.

    Parameters
    ----------
    kernel : array, shape (d, N)
        wₖ, a column a unit.
    bias : array, shape (N,)
    coef : array, shape (N,)
        cₖ.
    intercept : float
        c₀.
    activation : str or callable
        φ.

    Examples
    --------
    >>> hat = OneHiddenLayer(np.ones((1, 3)), np.array([1.0, 0.0, -1.0]), np.array([1.0, -2.0, 1.0]), 0.0, "relu")
    >>> hat(np.array([[-1.0], [-0.5], [0.0], [1.0]])).tolist()
    [0.0, 0.5, 1.0, 0.0]
    """

    kernel: Floats
    bias: Floats
    coef: Floats
    intercept: float
    activation: ActivationLike

    @property
    def n_units(self) -> int:
        """N."""
        return len(self.bias)

    def hidden(self, points: ArrayLike) -> Floats:
        """φ(wₖᵀx + bₖ) of each row, (n, N)."""
        phi = find_activation(self.activation)
        sums = np.asarray(points, dtype=np.float64) @ self.kernel + self.bias
        return np.broadcast_to(np.asarray(phi(constant(sums)).value, dtype=np.float64), sums.shape)

    def __call__(self, points: ArrayLike) -> Floats:
        """g of each row of ``points``, shape (n, d): (n,)."""
        found: Floats = self.hidden(points) @ self.coef + self.intercept
        return found

    def to_network(self) -> tuple[Network, State]:
        """The same as a network with its values: to draw, to save, to train further."""
        layers = Sequential([Dense(self.n_units, self.activation), Dense(1)])
        network = Network(layers, (len(self.kernel),), dtype="float64")
        values = (self.kernel, self.bias, self.coef[:, np.newaxis], np.array([self.intercept]))
        return network, State(dict(zip(network.parameters, values, strict=True)))


def relu_interpolant(function: Function, interval: Sequence[float], knots: int | Sequence[float]) -> OneHiddenLayer:
    """A hidden layer of rectifiers that goes through a function of one variable at its knots, no training needed.

    With knots x₀ < … < x_N, slopes sₖ = (f(xₖ₊₁) − f(xₖ))/(xₖ₊₁ − xₖ) and s₋₁ = 0,

        g(x) = f(x₀) + Σₖ (sₖ − sₖ₋₁)·relu(x − xₖ),    k = 0 … N − 1,

    is the broken line through (xₖ, f(xₖ)): one unit less than knots. Between two knots g is a mean of f at both, so

        max |f − g| ≤ ω(f, h),    h = maxₖ (xₖ₊₁ − xₖ),

    which goes to 0 with h for every continuous f (Heine–Cantor): universal approximation of one variable.

    Parameters
    ----------
    function : callable
    interval : (a, b)
    knots : int or sequence of float
        How many, equally far apart and with both ends, or where, ascending.

    Returns
    -------
    OneHiddenLayer

    Raises
    ------
    ValueError
        If there are fewer than two knots, they do not rise, or are outside of the interval.

    See Also
    --------
    modulus_of_continuity : ω, the bound.

    Examples
    --------
    >>> g = relu_interpolant(np.abs, (-1, 1), 3)
    >>> g.n_units, g([[-1.0], [-0.25], [0.5]]).tolist()
    (2, [1.0, 0.25, 0.5])
    """
    box = _interval(interval)
    if isinstance(knots, int | np.integer) and not isinstance(knots, bool):
        if knots < 2:
            raise ValueError(f"knots is {knots!r}; expected at least 2, the ends of the interval")
        places = box.grid(knots)[:, 0]
    else:
        places = np.asarray(knots, dtype=np.float64)
        if places.ndim != 1 or len(places) < 2 or not (np.diff(places) > 0).all():
            raise ValueError(f"knots is {knots!r}; expected how many, or at least two that rise")
        if places[0] < box.lower[0] or places[-1] > box.upper[0]:
            raise ValueError(f"knots go from {places[0]:g} to {places[-1]:g}, outside of {tuple(interval)}")
    values = box.values(function, places[:, np.newaxis])
    turns = np.diff(np.diff(values) / np.diff(places), prepend=0.0)
    return OneHiddenLayer(np.ones((1, len(turns))), -places[:-1], turns, float(values[0]), "relu")


def modulus_of_continuity(
    function: Function, width: float, interval: Sequence[float], *, n_points: int = GRID_OF_ONE
) -> float:
    """ω(f, h) = max { |f(x) − f(y)| : |x − y| ≤ h }: how far a function of one variable goes within h.

    Over the points of a grid, and so from below. It is 2·sin(k·h/2) for sin(k·x) where kh ≤ π, and at most L·h where
    |f′| ≤ L.

    Parameters
    ----------
    function : callable
    width : float
        h, at least a step of the grid.
    interval : (a, b)
    n_points : int
        Of the grid.

    Examples
    --------
    >>> round(modulus_of_continuity(np.sqrt, 0.25, (0, 1)), 6)
    0.5
    """
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    box = _interval(interval)
    points = box.grid(n_points)
    step = float(points[1, 0] - points[0, 0])
    # A width of a whole number of steps may be a rounding less than that.
    reach = int(np.floor(width / step + 1e-9)) if np.isfinite(width) else 0
    if reach < 1:
        raise ValueError(f"width is {width!r}; expected at least a step of the grid, {step:g}: give more n_points")
    values = box.values(function, points)
    size = min(reach, n_points - 1) + 1
    # Windows over an end repeat the value there, which adds no difference.
    highest = maximum_filter1d(values, size, mode="nearest")
    return float(np.max(highest - minimum_filter1d(values, size, mode="nearest")))


def _interval(interval: Sequence[float]) -> Box:
    box = Box.of(interval)
    if box.dimensions != 1:
        raise ValueError(f"interval is {interval!r}; expected (a, b), of one variable")
    return box
