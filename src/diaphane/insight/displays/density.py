"""Generative beside discriminative: what each class looks like, and where classifiers part them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .plane import View, checked_labels, fitted, line_of, plane_points, scatter_classes, scores_of
from .style import COLOURS, DASHES, INK, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["DensityDisplay"]

DEVIATIONS = (1.0, 2.0, 3.0)
BOUNDARY_COLOURS = (INK, *COLOURS[2:])


@dataclass(eq=False)
class DensityDisplay:
    """Gaussian densities of classes, p(x | y = k) = N(x; μₖ, Σₖ), and boundaries over them.

    Ellipses are {x : (x − μₖ)ᵀ Σₖ⁻¹ (x − μₖ) = r²} for r = 1, 2, 3, which hold 39, 86 and 99 % of a class in the plane.
    A generative classifier decides by log πₖ + log p(x | k); where two classes are level lies its boundary, a line for
    one Σ and a conic otherwise (Hastie, Tibshirani & Friedman 2009, §4.3).

    Parameters
    ----------
    means : array, shape (K, 2)
    covariances : array, shape (K, 2, 2)
    priors : array, shape (K,)
    X : array, shape (n, 2), optional
    codes : array, shape (n,), optional
        The index of each point's class.
    classes : array, shape (K,), optional
    boundaries : mapping of name to classifier, optional
        Fitted ones of two classes.
    name : str
        Of the boundary that the densities have themselves.

    Attributes
    ----------
    ax_, figure_
    ellipses_ : list of list of matplotlib.lines.Line2D
        For each class, one line a deviation.

    Examples
    --------
    >>> display = DensityDisplay.from_gaussians([[-1, 0], [1, 0]], [[1, 0], [0, 1]])
    >>> x, y = display.ellipses_[1][0].get_data()
    >>> bool(abs((x - 1) ** 2 + y**2 - 1).max() < 1e-12)
    True
    """

    means: Array
    covariances: Array
    priors: Array
    X: Array | None = None
    codes: Array | None = None
    classes: Array | None = None
    boundaries: Mapping[str, Any] = field(default_factory=dict)
    name: str = "Bayes classifier"
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    ellipses_: list[list[Line2D]] = field(init=False, repr=False, default_factory=list)

    @classmethod
    def from_gaussians(
        cls,
        means: Any,
        covariance: Any,
        priors: Any = None,
        *,
        X: Any = None,
        y: Any = None,
        boundaries: Mapping[str, Any] | None = None,
        name: str = "Bayes classifier",
        ax: Axes | None = None,
    ) -> DensityDisplay:
        """The densities of `diaphane.data.gaussians` and their Bayes classifier's boundary.

        Parameters
        ----------
        means : array, shape (K, 2)
        covariance : array, shape (2, 2) or (K, 2, 2)
        priors : array, shape (K,), optional
            Equal by default.
        X, y : arrays, shape (n, 2) and (n,), optional
            Points to draw over them.
        boundaries : mapping of name to fitted classifier, optional
        name : str
        ax : Axes, optional

        Raises
        ------
        ValueError
            If shapes disagree, or a covariance is not symmetric and positive definite.
        """
        centres = plane_points(means)
        count = len(centres)
        given = np.asarray(covariance, float)
        if given.shape not in ((2, 2), (count, 2, 2)):
            raise ValueError(f"covariance has shape {given.shape}; expected (2, 2) or ({count}, 2, 2)")
        matrices = np.broadcast_to(given, (count, 2, 2))
        if not np.allclose(matrices, np.swapaxes(matrices, 1, 2)) or np.linalg.eigvalsh(matrices).min() <= 0:
            raise ValueError("a covariance is symmetric with positive eigenvalues; this one is not")
        weights = np.full(count, 1 / count) if priors is None else np.asarray(priors, float)
        if weights.shape != (count,) or (weights <= 0).any():
            raise ValueError(f"priors are {count} positive numbers, got {priors!r}")
        codes = classes = points = None
        if X is not None:
            points = plane_points(X)
            if y is not None:
                classes, codes = np.unique(checked_labels(y, len(points)), return_inverse=True)
                if len(classes) > count:
                    raise ValueError(f"y has {len(classes)} classes beside {count} means; expected one mean a class")
        drawn = {label: fitted(classifier) for label, classifier in (boundaries or {}).items()}
        weights = weights / weights.sum()
        return cls(centres, matrices, weights, points, codes, classes, drawn, name).plot(ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        boundaries: Mapping[str, Any] | None = None,
        ax: Axes | None = None,
    ) -> DensityDisplay:
        """The densities that a generative classifier of scikit-learn's has fitted, and its boundary.

        Parameters
        ----------
        estimator : GaussianNB, LinearDiscriminantAnalysis or QuadraticDiscriminantAnalysis
            The latter two with ``store_covariance=True``.
        X, y : arrays, shape (n, 2) and (n,)
        boundaries : mapping of name to fitted classifier, optional
            Discriminative ones, to see beside it.
        ax : Axes, optional
        """
        fitted(estimator)
        if hasattr(estimator, "theta_"):
            means, covariance = estimator.theta_, np.array([np.diag(v) for v in estimator.var_])
        elif hasattr(estimator, "means_") and hasattr(estimator, "covariance_"):
            means, covariance = estimator.means_, np.asarray(estimator.covariance_)
        else:
            raise ValueError(
                f"{type(estimator).__name__} tells no densities; expected GaussianNB, or LDA or QDA "
                "with store_covariance=True"
            )
        priors = getattr(estimator, "class_prior_", getattr(estimator, "priors_", None))
        name = type(estimator).__name__
        return cls.from_gaussians(means, covariance, priors, X=X, y=y, boundaries=boundaries, name=name, ax=ax)

    def log_joint(self, points: Array) -> Array:
        """log πₖ + log N(x; μₖ, Σₖ), shape (n, K)."""
        columns = []
        for mean, covariance, prior in zip(self.means, self.covariances, self.priors, strict=True):
            white = np.linalg.solve(np.linalg.cholesky(covariance), (points - mean).T)
            half = 0.5 * np.linalg.slogdet(covariance)[1] + np.log(2 * np.pi)
            columns.append(np.log(prior) - half - 0.5 * np.square(white).sum(axis=0))
        return np.column_stack(columns)

    def plot(self, ax: Axes | None = None) -> DensityDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        outlines = [[self._ellipse(k, r) for r in DEVIATIONS] for k in range(len(self.means))]
        everything = np.vstack([*(line for lines in outlines for line in lines), *([] if self.X is None else [self.X])])
        view = View.of(everything, pad=0.02)
        self.ellipses_ = [self._density(ax, k, lines) for k, lines in enumerate(outlines)]
        if self.X is not None and self.codes is not None and self.classes is not None:
            scatter_classes(ax, self.X, self.codes, self.classes, size=20)
        elif self.X is not None:
            ax.scatter(self.X[:, 0], self.X[:, 1], s=16, color=INK, zorder=3)
        self._boundaries(ax, view)
        view.show(ax)
        self.figure_ = dress(ax, xlabel="$x_1$", ylabel="$x_2$")
        legend_below(ax)
        return self

    def _ellipse(self, k: int, deviations: float) -> Array:
        t = np.linspace(0, 2 * np.pi, 181)
        circle = deviations * np.column_stack([np.cos(t), np.sin(t)])
        return np.asarray(self.means[k] + circle @ np.linalg.cholesky(self.covariances[k]).T)

    def _density(self, ax: Axes, k: int, outlines: list[Array]) -> list[Line2D]:
        colour, lines = COLOURS[k % len(COLOURS)], []
        for outline in outlines:
            ax.fill(*outline.T, color=colour, alpha=0.09, linewidth=0, zorder=1)
            lines += ax.plot(*outline.T, color=colour, linewidth=0.9, alpha=0.7, zorder=1)
        ax.plot(*self.means[k], "+", color=colour, markersize=13, markeredgewidth=2.4, zorder=4)
        return lines

    def _boundaries(self, ax: Axes, view: View) -> None:
        u, v, grid = view.grid(250)
        joint = self.log_joint(grid)
        for k in range(len(self.means)) if len(self.means) > 2 else [1]:
            lead = joint[:, k] - np.delete(joint, k, axis=1).max(axis=1)
            ax.contour(u, v, lead.reshape(len(v), len(u)), [0.0], colors=INK, linewidths=2.0)
        ax.plot([], [], color=INK, linewidth=2.0, label=plain(self.name))
        for i, (name, classifier) in enumerate(self.boundaries.items(), start=1):
            colour, dash = BOUNDARY_COLOURS[i % len(BOUNDARY_COLOURS)], DASHES[i % len(DASHES)]
            line = line_of(classifier, None, view)
            if line is not None:
                ax.plot(
                    *view.segment(*line).T, color=colour, linewidth=1.8, linestyle=dash, label=plain(name), zorder=3
                )
                continue
            scores = scores_of(classifier, grid, np.asarray(getattr(classifier, "classes_", [0, 1])))
            if scores.ndim > 1:
                raise ValueError(f"{name} has {scores.shape[1]} classes; a boundary to compare is one of two")
            ax.contour(u, v, scores.reshape(len(v), len(u)), [0.0], colors=colour, linewidths=1.8, linestyles=[dash])
            ax.plot([], [], color=colour, linewidth=1.8, linestyle=dash, label=plain(name))
