"""The sigmoid fitted on one feature, with what each example adds to its likelihood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .plane import checked_labels, fitted
from .style import BLUE, COLOURS, GREY, INK, MARKERS, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["SigmoidDisplay"]


@dataclass(eq=False)
class SigmoidDisplay:
    """p(y = 1 | x) = σ(w·x + b) over the data it was fitted on.

    The log-likelihood is Σ log p(yᵢ | xᵢ) = Σ yᵢ·log σ(aᵢ) + (1 − yᵢ)·log(1 − σ(aᵢ)), a = w·x + b; a bar from each
    example to the curve is |yᵢ − σ(aᵢ)|, which weighs its part of the gradient, (yᵢ − σ(aᵢ))·(xᵢ, 1). The curve
    crosses ½ at −b/w with slope w/4, the steepest it has: nearby inputs get nearby probabilities.

    Parameters
    ----------
    x : array, shape (n,)
    target : array, shape (n,)
        0 or 1.
    weight, bias : float
    labels : tuple
        What 0 and 1 are called.
    name : str
        Of the feature.

    Attributes
    ----------
    ax_, figure_
    curve_ : matplotlib.lines.Line2D

    Examples
    --------
    >>> import numpy as np
    >>> display = SigmoidDisplay(np.array([-1.0, 1.0]), np.array([0.0, 1.0]), 2.0, 0.0)
    >>> round(display.log_likelihood, 4)
    -0.2539
    >>> display.plot().curve_.get_ydata().max() < 1
    np.True_
    """

    x: Array
    target: Array
    weight: float
    bias: float
    labels: tuple[Any, Any] = (0, 1)
    name: str = "x"
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    curve_: Line2D = field(init=False, repr=False)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Axes | None = None) -> SigmoidDisplay:
        """Draw a fitted logistic regression of one feature and two classes.

        Parameters
        ----------
        estimator : classifier
            With ``coef_``, ``intercept_`` and ``classes_``.
        X : array or table, shape (n, 1)
        y : array, shape (n,)
        ax : Axes, optional

        Raises
        ------
        ValueError
            If there is another number of features or classes, or the estimator is not fitted.
        """
        fitted(estimator)
        columns = getattr(X, "columns", None)
        values = np.asarray(X, float)
        if values.ndim != 2 or values.shape[1] != 1:
            raise ValueError(f"a sigmoid is drawn over one feature, X of shape (n, 1); got {values.shape}")
        if not values.size or not np.isfinite(values).all():
            raise ValueError("X has no rows, or values that are no finite numbers")
        labels = checked_labels(y, len(values))
        for name in ("coef_", "intercept_", "classes_"):
            if not hasattr(estimator, name):
                raise ValueError(f"{type(estimator).__name__} has no {name}; expected a logistic regression")
        classes = np.asarray(estimator.classes_)
        if len(classes) != 2 or not np.isin(labels, classes).all():
            raise ValueError(f"a sigmoid is of two classes, those of the fit; got {listed_classes(classes, labels)}")
        [weight], [bias] = np.ravel(estimator.coef_), np.ravel(estimator.intercept_)
        target = (labels == classes[1]).astype(float)
        pair = (classes.tolist()[0], classes.tolist()[1])
        name = "x" if columns is None else str(columns[0])
        return cls(values[:, 0], target, float(weight), float(bias), pair, name).plot(ax=ax)

    def probability(self, x: Array) -> Array:
        """σ(w·x + b)."""
        from scipy.special import expit

        return np.asarray(expit(self.weight * x + self.bias))

    @property
    def log_likelihood(self) -> float:
        """Σ log p(yᵢ | xᵢ), finite however far an example is on the wrong side."""
        from scipy.special import log_expit

        signs = 2 * self.target - 1
        return float(log_expit(signs * (self.weight * self.x + self.bias)).sum())

    def plot(self, ax: Axes | None = None) -> SigmoidDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        extent = float(np.ptp(self.x)) or max(abs(float(self.x[0])), 1.0)
        line = np.linspace(self.x.min() - 0.1 * extent, self.x.max() + 0.1 * extent, 401)
        chances = self.probability(self.x)
        ax.vlines(
            self.x, self.target, chances, color=GREY, linewidth=0.8, alpha=0.6, label="|y − σ(w·x + b)|", zorder=1
        )
        [self.curve_] = ax.plot(line, self.probability(line), color=INK, linewidth=2.2, label="σ(w·x + b)", zorder=2)
        for k in (0, 1):
            own = self.target == k
            label = f"class {plain(self.labels[k])}"
            ax.scatter(self.x[own], self.target[own], s=30, color=COLOURS[k], marker=MARKERS[k], label=label, zorder=3)
        self._middle(ax, line, extent)
        mean = self.log_likelihood / len(self.x)
        numbers = f"{self.log_likelihood:.2f}, {mean:.3f} an example".replace("-", "−")
        self.figure_ = dress(
            ax, ylabel=f"p(y = {plain(self.labels[1])} | x)", title=f"log-likelihood {numbers}", ylim=(-0.08, 1.08)
        )
        ax.set_xlim(line[0], line[-1])
        ax.set_xlabel(self.name, parse_math=False)
        legend_below(ax)
        return self

    def _middle(self, ax: Axes, line: Array, extent: float) -> None:
        """The tangent at ½, where the curve is steepest."""
        if not self.weight or not line[0] < -self.bias / self.weight < line[-1]:
            return
        middle, half = -self.bias / self.weight, min(abs(1.6 / self.weight), 0.25 * extent)
        ends = np.array([middle - half, middle + half])
        values = 0.5 + self.weight / 4 * (ends - middle)
        ax.axvline(middle, color=INK, linewidth=0.8, linestyle=":")
        name = f"slope w/4 = {self.weight / 4:.3g} at {middle:.3g}"
        ax.plot(ends, values, "--", color=BLUE, linewidth=1.6, label=name, zorder=2)


def listed_classes(classes: Array, labels: Array) -> str:
    """What was found, shortly."""
    found = np.union1d(classes, labels).tolist()
    return f"{len(found)} classes, {', '.join(map(str, found[:5]))}{'' if len(found) <= 5 else ', …'}"
