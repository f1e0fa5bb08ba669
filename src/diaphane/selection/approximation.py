"""Universal approximation, tried: the worst error of one hidden layer against its number of units."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.randomness import RandomState, as_random_state
from ..engines import Engine
from ..engines.native.threads import one_blas_thread
from ..engines.program import check_whole
from ..insight.theory.approximation import (
    Box,
    Domain,
    Function,
    OneHiddenLayer,
    modulus_of_continuity,
    relu_interpolant,
)
from ..insight.theory.polynomials import best_polynomial, polynomial_degree
from ..nn import find_activation
from ..nn.activations import ActivationLike
from .worst_error import Learner, Problem

if TYPE_CHECKING:
    from ..insight.displays import ApproximationDisplay

__all__ = ["CONSTRUCTED", "Approximation", "ApproximationStudy", "universal_approximation"]

Floats = NDArray[np.float64]

CONSTRUCTED = "relu, constructed"
LEARN_FROM_ONE, LEARN_FROM_TWO = 401, 31
"""Points a side that are learnt from."""


@dataclass(frozen=True, eq=False)
class Approximation:
    """One number of hidden units of one activation.

    Attributes
    ----------
    name : str
        Of the activation, or ``"relu, constructed"``.
    n_units : int
    network : OneHiddenLayer
        The best of all starts.
    error : float
        max |f − g| of it over the grid.
    errors : float64 array of shape (starts,)
        Of each start.
    bound : float or None
        ω(f, h), for a constructed network.
    """

    name: str
    n_units: int
    network: OneHiddenLayer
    error: float
    errors: Floats
    bound: float | None = None


@dataclass(frozen=True, eq=False)
class ApproximationStudy:
    """Worst errors of networks with one hidden layer, by activation and number of units.

    Attributes
    ----------
    function : callable
    box : Box
        The compact set.
    points : float64 array of shape (n, d)
        The grid that errors are measured on.
    target : float64 array of shape (n,)
        The function there.
    units : tuple of int
    approximations : tuple of Approximation
    floors : dict of name to (degree, error)
        For each polynomial activation its degree m and E_m(f), the error of the best polynomial of that degree.
    """

    function: Function
    box: Box
    points: Floats
    target: Floats
    units: tuple[int, ...]
    approximations: tuple[Approximation, ...]
    floors: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the activations, in the order asked for."""
        return tuple(dict.fromkeys(a.name for a in self.approximations))

    def of(self, name: str) -> list[Approximation]:
        """Those of one activation, by their number of units.

        Raises
        ------
        ValueError
            If it is not in the study.
        """
        if name not in self.names:
            raise ValueError(f"there is no {name!r} in the study; there are: {', '.join(self.names)}")
        return [a for a in self.approximations if a.name == name]

    def errors(self, name: str) -> Floats:
        """The worst error of the best start, for each number of units."""
        return np.array([a.error for a in self.of(name)])

    def table(self) -> list[dict[str, Any]]:
        """One plain record a network, as a data frame takes them."""
        return [
            {
                "activation": a.name,
                "units": a.n_units,
                "error": a.error,
                "median": float(np.median(a.errors)),
                "bound": a.bound,
                "floor": self.floors[a.name][1] if a.name in self.floors else None,
            }
            for a in self.approximations
        ]

    @property
    def verdict(self) -> str:
        """A sentence an activation."""
        return "\n".join(self._sentence(name) for name in self.names)

    def _sentence(self, name: str) -> str:
        found = self.of(name)
        units = "unit" if found[0].n_units == 1 else "units"
        ends = f"{found[0].error:.3g} with {found[0].n_units} {units}, {found[-1].error:.3g} with {found[-1].n_units}"
        if name in self.floors:
            degree, floor = self.floors[name]
            return (
                f"{name}: {ends}; a polynomial of degree {degree}, and so is each of its networks: "
                f"none is nearer than {floor:.3g}, the best polynomial's error"
            )
        if found[-1].bound is not None:
            return f"{name}: {ends}; promised is at most ω(f, h) = {found[-1].bound:.3g}"
        return f"{name}: {ends}"

    def plot(self, axes: Any = None, *, show: Sequence[int] | None = None) -> ApproximationDisplay:
        """The fits beside the worst errors against the number of units.

        Parameters
        ----------
        axes : sequence of Axes, optional
        show : sequence of int, optional
            The numbers of units whose fits are drawn; by default the first, a middle one and the last.
        """
        from ..insight.displays import ApproximationDisplay

        fits = {n: {a.n_units: a.network(self.points) for a in self.of(n)} for n in self.names}
        return ApproximationDisplay.from_fits(
            self.points,
            self.target,
            fits,
            spread={n: [a.errors for a in self.of(n)] for n in self.names},
            bounds={n: [a.bound for a in self.of(n)] for n in self.names if self.of(n)[0].bound is not None},
            floors={n: (f"E{_lowered(m)}(f)", e) for n, (m, e) in self.floors.items()},
            show=show,
            axes=axes,
        )

    def __str__(self) -> str:
        width = max(len(name) for name in (*self.names, "worst error"))
        lines = [f"{'worst error':<{width}}" + "".join(f"{units:>9}" for units in self.units) + "  units"]
        for name in self.names:
            cells = "".join(f"{error:>9.2g}" for error in self.errors(name))
            floor = f"  never below {self.floors[name][1]:.2g}" if name in self.floors else ""
            lines.append(f"{name:<{width}}{cells}{floor}")
        return "\n".join(lines)


def universal_approximation(
    function: Function,
    domain: Domain = (-1.0, 1.0),
    units: Sequence[int] = (1, 2, 4, 8, 16, 32),
    activations: ActivationLike | Sequence[ActivationLike] | Mapping[str, ActivationLike] = "tanh",
    *,
    n_starts: int = 3,
    max_iter: int = 200,
    n_train: int | None = None,
    n_points: int | None = None,
    random_state: RandomState = 0,
    engine: str | Engine = "native",
) -> ApproximationStudy:
    """How near one hidden layer of N units comes to a continuous function on a compact set, in the worst case.

        sup over x in K of |f(x) − g(x)|,    g(x) = c₀ + Σₖ cₖ·φ(wₖᵀx + bₖ),  k = 1 … N,

    can be made as small as one likes with N, for every continuous f, if φ is a sigmoid (Cybenko 1989; Hornik 1991),
    and exactly if φ is not a polynomial (Leshno, Lin, Pinkus & Schocken 1993, Theorem 1). The theorems say that such
    weights exist; here they are looked for. From each start, hyperplanes wᵀx + b = 0 through random points of K with
    the best c for them, L-BFGS minimises mean |f − g|², then mean |f − g|^p with p of 8, 32 and 128, which are ruled
    more and more by the worst error. A narrower network is a wider one with units of c = 0, so one start goes on from
    the best narrower one, and the best error never rises with N.

    Of one variable the network of rectifiers that :func:`relu_interpolant` constructs stands beside them, with its
    bound. A polynomial φ is recognised, and stands beside the best polynomial of its degree.

    Parameters
    ----------
    function : callable
        f of one array or two, as ``domain`` has sides.
    domain : (a, b) or ((a, b), (c, d))
        K.
    units : sequence of int
        Ascending.
    activations : str, callable, sequence or mapping of name to either
        φ; a function is one of a node, as for :func:`diaphane.nn.register_activation`.
    n_starts : int
        Beside the one that goes on from the narrower network.
    max_iter : int
        Iterations of L-BFGS for each of the four means.
    n_train, n_points : int, optional
        Points a side that are learnt from (401, or 31 of two variables) and that errors are measured on (2001, or
        101).
    random_state : None, int, RandomState or Generator
    engine : str or Engine

    Returns
    -------
    ApproximationStudy
        With ``errors(name)``, ``table()``, ``verdict`` and ``plot()``.

    Raises
    ------
    ValueError
        If the domain is no compact interval or rectangle, f is not finite on it, or units do not rise from 1.
    TypeError
        If f does not take arrays.

    Examples
    --------
    >>> study = universal_approximation(np.abs, units=[2, 8], activations=["relu", lambda a: a * a], n_starts=2)
    >>> bool(study.errors("relu")[-1] < 0.01), study.names
    (True, ('relu', '<lambda>', 'relu, constructed'))
    >>> degree, floor = study.floors["<lambda>"]
    >>> degree, round(floor, 3), bool((study.errors("<lambda>") >= floor).all())
    (2, 0.125, True)
    """
    box = Box.of(domain)
    sizes = _checked_units(units)
    named = _named(activations)
    starts = check_whole("n_starts", n_starts)
    check_whole("max_iter", max_iter)
    random = as_random_state(random_state)
    if n_train is None:
        n_train = LEARN_FROM_ONE if box.dimensions == 1 else LEARN_FROM_TWO
    learn, points = box.grid(n_train), box.grid(n_points)
    problem = Problem(box, learn, box.values(function, learn), points, box.values(function, points), max_iter)
    found: list[Approximation] = []
    with one_blas_thread(sys.maxsize):
        for name, activation in named.items():
            found += _by_width(problem, name, activation, sizes, starts, random, engine)
    if box.dimensions == 1:
        found += [_constructed(problem, function, n) for n in sizes]
    degrees = {name: polynomial_degree(activation) for name, activation in named.items()}
    floors = {
        name: (degree, best_polynomial(function, box, degree, n_points=n_points).error)
        for name, degree in degrees.items()
        if degree is not None
    }
    return ApproximationStudy(function, box, points, problem.target, sizes, tuple(found), floors)


def _checked_units(units: Sequence[int]) -> tuple[int, ...]:
    found = list(units) if np.iterable(units) and not isinstance(units, str) else []
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in found)
    if not found or not whole or found[0] < 1 or any(b <= a for a, b in pairwise(found)):
        raise ValueError(f"units is {units!r}; expected numbers of hidden units that rise from at least 1")
    return tuple(int(n) for n in found)


def _named(activations: Any) -> dict[str, ActivationLike]:
    if isinstance(activations, Mapping):
        named = dict(activations)
    else:
        listed = [activations] if isinstance(activations, str) or callable(activations) else list(activations or ())
        named = {a if isinstance(a, str) else getattr(a, "__name__", repr(a)): a for a in listed}
        if len(named) < len(listed):
            raise ValueError(
                f"two activations have one name, of {', '.join(map(str, listed))}; give a mapping of names to them"
            )
    if not named:
        raise ValueError("activations is empty; expected one at least, such as 'tanh'")
    if CONSTRUCTED in named:
        raise ValueError(f"{CONSTRUCTED!r} is the name of the network that is not learnt; choose another")
    for activation in named.values():
        find_activation(activation)
    return named


def _constructed(problem: Problem, function: Function, n_units: int) -> Approximation:
    interval = problem.box.lower[0], problem.box.upper[0]
    network = relu_interpolant(function, interval, n_units + 1)
    error = problem.error(network)
    width = (interval[1] - interval[0]) / n_units
    bound = modulus_of_continuity(function, width, interval, n_points=max(len(problem.points), 20 * n_units + 1))
    return Approximation(CONSTRUCTED, n_units, network, error, np.array([error]), bound)


def _by_width(
    problem: Problem,
    name: str,
    activation: ActivationLike,
    units: Sequence[int],
    n_starts: int,
    random: np.random.RandomState,
    engine: str | Engine,
) -> list[Approximation]:
    found: list[Approximation] = []
    for n in units:
        learner = Learner(problem, activation, n, engine)
        tried = [learner.improved(learner.start(random)) for _ in range(n_starts)]
        if found:
            narrower = found[-1].network
            tried += [learner.improved(learner.widened(narrower, random)), (narrower, found[-1].error)]
        network, error = min(tried, key=lambda one: one[1])
        errors = np.array([e for _, e in tried[: n_starts + 1]])
        found.append(Approximation(name, n, network, error, errors))
    return found


def _lowered(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
