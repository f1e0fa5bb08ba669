"""The boundary of a classifier of the plane, its margin, its support vectors and its mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .plane import (
    View,
    checked_labels,
    codes_of,
    feature_names,
    fitted,
    like,
    line_of,
    mark_wrong,
    plane_points,
    ring,
    scatter_classes,
    scores_of,
)
from .style import COLOURS, INK, dress, legend_below, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["DecisionBoundaryDisplay"]

ON_THE_MARGIN = 1e-2
"""Solvers stop near the optimum: a point whose y·f is 1.003 lies on the margin."""


@dataclass(eq=False)
class DecisionBoundaryDisplay:
    """Where a classifier of two features decides, {x : f(x) = 0}, and a large-margin one's margin, {x : f(x) = ±1}.

    Support vectors are the points with y·f(x) ≤ 1, y being −1 or +1: those that a hinge loss pulls at (Cortes & Vapnik
    1995). The margin's lines are 2/‖w‖ apart. Use :meth:`from_estimator`.

    Parameters
    ----------
    view : View
    scores : array, shape (resolution, resolution) or (resolution, resolution, K)
        f over the view, row by row from the bottom; one column a class for more than two.
    classes : array, shape (K,)
    line : tuple of w, shape (2,), and b, or None
        Where f(x) = wᵀx + b.
    margin : bool
        Whether f = ±1 is drawn.
    X : array, shape (n, 2)
    codes : array, shape (n,), optional
        The index of each point's class.
    misclassified, support : arrays of bool, shape (n,), optional
    names : tuple of str
        Of the two features.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
    boundary_ : matplotlib.lines.Line2D or None
        Of a linear classifier whose boundary crosses the view.
    margin_lines_ : list of matplotlib.lines.Line2D

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> X, y = np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0], [2.0, 1.0]]), [-1, -1, 1, 1]
    >>> display = DecisionBoundaryDisplay.from_estimator(SVC(kernel="linear", C=1e6).fit(X, y), X, y)
    >>> display.boundary_.get_xdata().round(6).tolist(), int(display.support.sum())
    ([1.0, 1.0], 4)
    """

    view: View
    scores: Array
    classes: Array
    line: tuple[Array, float] | None
    margin: bool
    X: Array
    codes: Array | None = None
    misclassified: Array | None = None
    support: Array | None = None
    names: tuple[str, str] = ("$x_1$", "$x_2$")
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    boundary_: Line2D | None = field(init=False, repr=False, default=None)
    margin_lines_: list[Line2D] = field(init=False, repr=False, default_factory=list)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        margin: bool | None = None,
        resolution: int = 250,
        ax: Axes | None = None,
    ) -> DecisionBoundaryDisplay:
        """Ask a fitted classifier over the view of X, and draw.

        Parameters
        ----------
        estimator : classifier
            Anything fitted that has ``predict``; with ``decision_function`` its boundary is a smooth line.
        X : array or table, shape (n, 2)
        y : array, shape (n,), optional
            Any labels; without them no mistake is known.
        margin : bool, optional
            By default for large-margin classifiers: those with ``support_``.
        resolution : int
            Points a side that a classifier which is not linear is asked at.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If X has not two features, y another length, or the estimator is not fitted; if a margin is asked for
            of a classifier of more than two classes or without scores.
        """
        points = plane_points(X)
        fitted(estimator)
        if resolution < 2:
            raise ValueError(f"resolution is {resolution!r}; expected at least 2 points a side")
        view = View.of(points)
        predicted = np.asarray(estimator.predict(X))
        truth = None if y is None else checked_labels(y, len(points))
        seen = predicted if truth is None else np.concatenate([predicted, truth])
        classes = np.asarray(getattr(estimator, "classes_", np.unique(seen)))
        shown = scores_of(estimator, like(X, view.grid(resolution)[2]), classes)
        if margin is None:
            margin = hasattr(estimator, "support_") and shown.ndim == 1
        elif margin and (shown.ndim != 1 or not hasattr(estimator, "decision_function")):
            raise ValueError("a margin is where decision_function is ±1, of two classes; pass margin=False")
        support = codes = None
        if truth is not None:
            # A label that the classifier never saw is a mistake of a class of its own.
            codes, names = codes_of(truth, classes)
            if margin:
                f = scores_of(estimator, X, classes)
                support = np.where(codes == 1, f, -f) <= 1 + ON_THE_MARGIN
        else:
            names = classes
        return cls(
            view,
            shown.reshape(resolution, resolution, *shown.shape[1:]),
            names,
            line_of(estimator, X, view),
            bool(margin),
            points,
            codes,
            None if codes is None else codes_of(predicted, classes)[0] != codes,
            support,
            feature_names(X),
        ).plot(ax=ax)

    @property
    def n_misclassified(self) -> int:
        """How many points are on the wrong side."""
        return 0 if self.misclassified is None else int(self.misclassified.sum())

    def plot(self, ax: Axes | None = None) -> DecisionBoundaryDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        self._regions(ax)
        self._lines(ax)
        self._points(ax)
        self.view.show(ax)
        self.figure_ = dress(ax, xlabel=self.names[0], ylabel=self.names[1])
        legend_below(ax)
        return self

    def _regions(self, ax: Axes) -> None:
        u, v, _ = self.view.grid(len(self.scores))
        for k, lead in enumerate(self._leads()):
            if lead.max() > 0:
                colour = COLOURS[k % len(COLOURS)]
                ax.contourf(u, v, lead, [0, max(lead.max(), 1e-300)], colors=[colour], alpha=0.13)

    def _leads(self) -> list[Array]:
        """fₖ − max over the others: above 0 where class k is chosen, and as smooth as f."""
        if self.scores.ndim == 2:
            return [-self.scores, self.scores]
        others = [np.delete(self.scores, k, axis=2).max(axis=2) for k in range(self.scores.shape[2])]
        return [self.scores[..., k] - other for k, other in enumerate(others)]

    def _lines(self, ax: Axes) -> None:
        self.boundary_, self.margin_lines_ = None, []
        levels = (0.0, *((-1.0, 1.0) if self.margin else ()))
        if self.line is not None:
            w, b = self.line
            for level in levels:
                self._straight(ax, self.view.segment(w, b - level), level, w)
            return
        u, v, _ = self.view.grid(len(self.scores))
        leads = self._leads()
        for lead in leads if len(leads) > 2 else leads[1:]:
            inside = [level for level in levels if lead.min() < level < lead.max()]
            for level in inside:
                width, dash = (1.8, "-") if level == 0 else (1.1, "--")
                ax.contour(u, v, lead, [level], colors=INK, linewidths=width, linestyles=dash)
        ax.plot([], [], color=INK, linewidth=1.8, label="boundary")
        if self.margin:
            ax.plot([], [], "--", color=INK, linewidth=1.1, label="margin, f(x) = ±1")

    def _straight(self, ax: Axes, ends: Array, level: float, w: Array) -> None:
        if not len(ends):
            return
        style, name = ("-", "boundary") if level == 0 else ("--", None)
        if level == 1:
            name = f"margin ±1, {2 / np.linalg.norm(w):.3g} wide"
        [line] = ax.plot(*ends.T, style, color=INK, linewidth=1.8 if level == 0 else 1.1, label=name, zorder=2)
        if level == 0:
            self.boundary_ = line
        else:
            self.margin_lines_.append(line)

    def _points(self, ax: Axes) -> None:
        if self.codes is None:
            ax.scatter(self.X[:, 0], self.X[:, 1], s=24, color=INK, zorder=3)
            return
        scatter_classes(ax, self.X, self.codes, self.classes)
        if self.support is not None and self.support.any():
            own = self.X[self.support]
            ring(ax, own, f"y·f(x) ≤ 1: {len(own)} support vectors", size=110)
        if self.misclassified is not None:
            mark_wrong(ax, self.X, self.misclassified)
