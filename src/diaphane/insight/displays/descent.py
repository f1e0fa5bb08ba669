"""Gradient descent on the surface of a loss of two parameters, for several learning rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from ...optim.drivers import minimize_gradient_descent
from .plane import View, checked_labels
from .style import GREY, INK, ORANGE, dress, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DescentDisplay"]

LEVELS = 22
LossAndGradient = Callable[[Array], tuple[float, Array]]


@dataclass(eq=False)
class DescentDisplay:
    """θ ← θ − ε·∇l(θ) over the level lines of l, one panel a learning rate ε.

    On a quadratic l = ½·(θ − θ*)ᵀA(θ − θ*) the part of the error along an eigenvector of A shrinks by 1 − ε·λ a step:
    it needs ε < 2/λ_max to shrink at all, and is fastest at ε = 2/(λ_min + λ_max) (Nesterov 2004, §2.1.5). Any
    smooth convex l is nearly one at its minimum, with A its Hessian there.

    Parameters
    ----------
    loss : callable
        From points, shape (n, 2), to the loss at each, (n,).
    optimum : array, shape (2,)
    paths : dict of str to array, shape (steps + 1, 2)
        For each panel its title and where the descent was, from the start on.
    names : tuple of str
        Of the two parameters.
    view : View
        What is shown; a path may leave it.

    Attributes
    ----------
    axes_ : list of matplotlib.axes.Axes
    ax_ : matplotlib.axes.Axes
        The first of them.
    figure_
    lines_ : list of matplotlib.lines.Line2D
        The path in each panel.

    Examples
    --------
    >>> display = DescentDisplay.from_quadratic([[1.0, 0.0], [0.0, 10.0]], n_iter=20)
    >>> [bool(display.excess(title) < 0.01) for title in display.paths]
    [False, True, False]
    """

    loss: Callable[[Array], Array]
    optimum: Array
    paths: dict[str, Array]
    names: tuple[str, str]
    view: View
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    lines_: list[Any] = field(init=False, repr=False, default_factory=list)

    @classmethod
    def from_quadratic(
        cls,
        matrix: Any = ((1.0, 0.0), (0.0, 8.0)),
        *,
        optimum: Any = (0.0, 0.0),
        start: Any = (-4.0, 1.4),
        learning_rates: Mapping[str, float | str] | Sequence[float] | None = None,
        n_iter: int = 25,
        ax: Sequence[Axes] | None = None,
    ) -> DescentDisplay:
        """Descend on ½·(θ − θ*)ᵀA(θ − θ*).

        Parameters
        ----------
        matrix : array, shape (2, 2)
            A, symmetric with positive eigenvalues.
        optimum, start : arrays, shape (2,)
        learning_rates : mapping of what to call it to ε, or sequence of ε, optional
            ε may be ``"exact"``, for the best step along each gradient. By default one too small, 0.1/λ_max; the
            best, 2/(λ_min + λ_max); and one too large, 2.1/λ_max.
        n_iter : int
            Steps.
        ax : sequence of Axes, optional
            One a learning rate.

        Raises
        ------
        ValueError
            If the matrix is no such one, or a learning rate not above 0.
        """
        a, centre = np.asarray(matrix, float), _pair(optimum, "optimum")
        if a.shape != (2, 2) or not np.allclose(a, a.T) or np.linalg.eigvalsh(a).min() <= 0:
            raise ValueError(f"matrix must be symmetric, of shape (2, 2), with positive eigenvalues; got {matrix!r}")

        def loss_and_gradient(point: Array) -> tuple[float, Array]:
            slope = a @ (point - centre)
            return float(0.5 * (point - centre) @ slope), slope

        def loss(points: Array) -> Array:
            return np.asarray(0.5 * np.einsum("ni,ij,nj->n", points - centre, a, points - centre))

        rates = _around(np.linalg.eigvalsh(a)) if learning_rates is None else learning_rates
        names = ("$θ_1$", "$θ_2$")
        return cls._descended(loss, loss_and_gradient, centre, _pair(start, "start"), rates, n_iter, names, ax)

    @classmethod
    def from_logistic(
        cls,
        x: Any,
        y: Any,
        *,
        start: Any = (-2.0, 3.0),
        learning_rates: Mapping[str, float | str] | Sequence[float] | None = None,
        n_iter: int = 25,
        ax: Sequence[Axes] | None = None,
    ) -> DescentDisplay:
        """Descend on logistic regression's mean loss of one feature, l(w, b) = mean log(1 + exp(−y·(w·x + b))).

        ∇l = −mean[(t − σ(w·x + b))·(x, 1)] with t = 0 or 1. Its slope is bounded, so that a learning rate that is
        too large does not throw θ to infinity but back and forth around the optimum, which it never reaches.

        Parameters
        ----------
        x : array, shape (n,) or (n, 1)
        y : array, shape (n,)
            Two values, of which the greater one is +1; classes that overlap, or the optimum is at infinity.
        start : array, shape (2,)
            w and b.
        learning_rates : mapping of what to call it to ε, or sequence of ε, optional
            By default 0.05/L, 1/L and 4/λ_max, with L = λ_max(mean x̃x̃ᵀ)/4, which bounds the Hessian
            everywhere, and λ_max that of the Hessian at the optimum.
        n_iter, ax
            As for :meth:`from_quadratic`.

        Raises
        ------
        ValueError
            If shapes disagree, y has not two values, or the classes do not overlap.
        """
        values, signs = _one_feature(x, y)
        design = np.column_stack([values, np.ones(len(values))])

        def loss(points: Array) -> Array:
            return np.asarray(np.logaddexp(0, -signs * (points @ design.T)).mean(axis=1))

        def loss_and_gradient(point: Array) -> tuple[float, Array]:
            from scipy.special import expit

            slope = -(signs * expit(-signs * (design @ point))) @ design / len(design)
            return float(loss(point[None])[0]), slope

        best, curvature = _logistic_optimum(design, signs)
        if learning_rates is None:
            # σ′ ≤ ¼ bounds the Hessian everywhere, so that 1/L never rises; at the optimum it is less steep.
            steepest = float(np.linalg.eigvalsh(design.T @ design / len(design) / 4).max())
            too_large = 4 / float(np.linalg.eigvalsh(curvature).max())
            learning_rates = {"too small": 0.05 / steepest, "right": 1 / steepest, "too large": too_large}
        return cls._descended(
            loss, loss_and_gradient, best, _pair(start, "start"), learning_rates, n_iter, ("w", "b"), ax
        )

    @classmethod
    def _descended(
        cls,
        loss: Callable[[Array], Array],
        loss_and_gradient: LossAndGradient,
        optimum: Array,
        start: Array,
        rates: Mapping[str, float | str] | Sequence[float],
        n_iter: int,
        names: tuple[str, str],
        axes: Sequence[Axes] | None,
    ) -> DescentDisplay:
        if n_iter < 1:
            raise ValueError(f"n_iter is {n_iter!r}; expected at least 1 step")
        pairs = list(rates.items()) if isinstance(rates, Mapping) else [("", rate) for rate in rates]
        paths = {}
        for name, rate in pairs:
            title = ", ".join(part for part in (_shown(rate), name) if part)
            found = minimize_gradient_descent(
                loss_and_gradient, start, step=rate, delta=0, n_iter=n_iter, keep_path=True
            )
            paths[title] = np.asarray(found.path)
        reach = 1.25 * np.abs(start - optimum).max()
        view = View(optimum[0] - reach, optimum[0] + reach, optimum[1] - reach, optimum[1] + reach)
        return cls(loss, optimum, paths, names, view).plot(ax=axes)

    def excess(self, title: str) -> float:
        """l(θ) − l(θ*) where a path ends."""
        return float(self.loss(self.paths[title][-1:])[0] - self.loss(self.optimum[None])[0])

    def plot(self, ax: Sequence[Axes] | None = None) -> DescentDisplay:
        """Draw on the axes given, one a learning rate, or on new ones."""
        count = len(self.paths)
        self.axes_ = panels(ax, count, (3.3 * count, 3.8), sharey=True)
        self.ax_, self.lines_ = self.axes_[0], []
        u, v, grid = self.view.grid(160)
        surface = self.loss(grid)
        # Level lines close together at the bottom, where a quadratic is flat.
        least = float(self.loss(self.optimum[None])[0])
        levels = least + (surface.max() - least) * np.linspace(0, 1, LEVELS) ** 2
        for axes, (title, path) in zip(self.axes_, self.paths.items(), strict=True):
            axes.contourf(u, v, surface.reshape(len(v), len(u)), levels, cmap="Greys", alpha=0.55, extend="max")
            axes.contour(u, v, surface.reshape(len(v), len(u)), levels, colors=GREY, linewidths=0.4)
            # Far outside lines are no longer drawn where they should be.
            shown = path[: _left_for_good(path, self.view)]
            self.lines_ += axes.plot(*shown.T, "o-", color=ORANGE, markersize=3.4, linewidth=1.3, zorder=3)
            axes.plot(*path[0], "s", color=INK, markersize=6, zorder=4)
            axes.plot(*self.optimum, "*", color=INK, markersize=12, zorder=4)
            after = f"{len(path) - 1} steps: l − l* = {self.excess(title):.2g}"
            self.figure_ = dress(axes, xlabel=self.names[0])
            axes.set_title(f"{title}\n{after}", fontsize="medium")
            self.view.show(axes)
            axes.grid(visible=False)
        self.axes_[0].set_ylabel(self.names[1])
        return self


def _shown(rate: float | str) -> str:
    return "exact line search" if isinstance(rate, str) else f"ε = {rate:.3g}"


def _around(eigenvalues: Array) -> dict[str, float | str]:
    least, most = float(eigenvalues.min()), float(eigenvalues.max())
    return {"too small": 0.1 / most, "right": 2 / (least + most), "too large": 2.1 / most}


def _left_for_good(path: Array, view: View) -> int:
    """Up to which point a path is drawn: all, or a few after it went far out of the view."""
    size = max(view.right - view.left, view.top - view.bottom)
    middle = np.array([view.left + view.right, view.bottom + view.top]) / 2
    far = np.abs(path - middle).max(axis=1) > 50 * size
    return int(far.argmax()) + 1 if far.any() else len(path)


def _pair(value: Any, name: str) -> Array:
    found = np.asarray(value, float)
    if found.shape != (2,) or not np.isfinite(found).all():
        raise ValueError(f"{name} is a point of two finite numbers, got {value!r}")
    return found


def _one_feature(x: Any, y: Any) -> tuple[Array, Array]:
    values = np.asarray(x, float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"x is one feature of finite numbers, shape (n,) or (n, 1), got {np.shape(x)}")
    classes, codes = np.unique(checked_labels(y, len(values)), return_inverse=True)
    if len(classes) != 2:
        raise ValueError(f"y has {len(classes)} classes; expected two")
    low, high = values[codes == 0], values[codes == 1]
    if low.max() <= high.min() or high.max() <= low.min():
        raise ValueError("the classes do not overlap: the likelihood has no maximum, w grows for ever; use other data")
    return values, 2.0 * codes - 1


def _logistic_optimum(design: Array, signs: Array) -> tuple[Array, Array]:
    """Newton's method on a strictly convex loss, and the Hessian where it ends."""
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(point: Array) -> tuple[float, Array]:
        margins = signs * (design @ point)
        return float(np.logaddexp(0, -margins).mean()), -(signs * expit(-margins)) @ design / len(design)

    def hessian(point: Array) -> Array:
        p = expit(design @ point)
        return np.asarray((design * (p * (1 - p))[:, None]).T @ design / len(design))

    found = minimize(loss, np.zeros(2), jac=True, hess=hessian, method="trust-exact", options={"gtol": 1e-10})
    best = np.asarray(found.x)
    return best, hessian(best)
