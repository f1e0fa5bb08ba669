"""What the hidden units make of the plane: where no line separates the inputs, one separates their images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph import constant
from ...graph.node import Array
from ...nn.activations import ActivationLike, find_activation
from .plane import View, checked_labels, feature_names, fitted, plane_points, scatter_classes
from .style import COLOURS, GREY, INK, dress, legend_below, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["HiddenSpaceDisplay"]

MOST_NAMED = 8
RESOLUTION = 250


@dataclass(eq=False)
class HiddenSpaceDisplay:
    """Input space with the lines of two hidden units, beside the space of h = φ(W₁ᵀx + b₁) with the output's line.

    Parameters
    ----------
    X : array, shape (n, 2)
    codes : array of int, shape (n,)
        The index of each point's class.
    classes : array, shape (2,)
    kernel, bias : arrays, shape (2, 2) and (2,)
        W₁ and b₁: a column a hidden unit.
    coef, intercept : array, shape (2,), and float
        Of the output, which is class 1 where coefᵀh + intercept > 0.
    hidden : callable
        From points, shape (n, 2), to h, shape (n, 2).
    names : tuple of str
        Of the two features.

    Attributes
    ----------
    axes_ : list of two matplotlib.axes.Axes
    ax_ : the first of them
    figure_
    separator_ : matplotlib.lines.Line2D or None
        In the hidden space, where it crosses the view.
    images : array, shape (n, 2)
        h of the points.

    Examples
    --------
    >>> kernel, bias = [[1.0, 1.0], [1.0, 1.0]], [-0.5, -1.5]
    >>> display = HiddenSpaceDisplay.from_weights(
    ...     [kernel, [[1.0], [-1.0]]], [bias, [-0.5]], [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], activation="step"
    ... )
    >>> display.images.tolist(), display.n_misclassified
    ([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]], 0)
    """

    X: Array
    codes: Array
    classes: Array
    kernel: Array
    bias: Array
    coef: Array
    intercept: float
    hidden: Callable[[Array], Array]
    names: tuple[str, str] = ("$x_1$", "$x_2$")
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    separator_: Line2D | None = field(init=False, repr=False, default=None)

    @classmethod
    def from_weights(
        cls,
        coefs: Sequence[Any],
        intercepts: Sequence[Any],
        X: Any,
        y: Any,
        *,
        activation: ActivationLike = "tanh",
        ax: Sequence[Axes] | None = None,
    ) -> HiddenSpaceDisplay:
        """Draw a 2-2-1 network of two classes.

        Parameters
        ----------
        coefs : two arrays, shape (2, 2) and (2, 1)
            Kernels, as ``coefs_`` of an MLP.
        intercepts : two arrays, shape (2,) and (1,)
        X, y : arrays, shape (n, 2) and (n,)
            Labels of two values, of which the greater is the output's class 1.
        activation : str or callable
            φ of the hidden units, by name; ``"step"`` fires at a ≥ 0, as the neuron of McCulloch & Pitts (1943).
        ax : two Axes, optional

        Raises
        ------
        ValueError
            If shapes are others, or y has not two values.
        """
        points = plane_points(X)
        shapes = [np.shape(a) for pair in zip(coefs, intercepts, strict=True) for a in pair]
        if shapes not in ([(2, 2), (2,), (2, 1), (1,)], [(2, 2), (2,), (2,), ()]):
            raise ValueError(f"expected a 2-2-1 network, kernels (2, 2), (2, 1) and biases (2,), (1,); got {shapes}")
        classes, codes = np.unique(checked_labels(y, len(points)), return_inverse=True)
        if len(classes) != 2:
            raise ValueError(f"y has {len(classes)} classes; expected two")
        kernel, bias = np.asarray(coefs[0], float), np.asarray(intercepts[0], float)
        phi = _function(activation)

        def hidden(inputs: Array) -> Array:
            return phi(inputs @ kernel + bias)

        coef, intercept = np.ravel(coefs[1]).astype(float), float(np.ravel(intercepts[1])[0])
        names = feature_names(X)
        return cls(points, codes, classes, kernel, bias, coef, intercept, hidden, names).plot(ax=ax)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Sequence[Axes] | None = None) -> HiddenSpaceDisplay:
        """Draw a fitted `MLPClassifier` with ``hidden_layer_sizes=(2,)``, diaphane's or scikit-learn's."""
        fitted(estimator)
        for name in ("coefs_", "intercepts_", "activation"):
            if not hasattr(estimator, name):
                raise ValueError(f"{type(estimator).__name__} has no {name}; expected an MLPClassifier")
        return cls.from_weights(estimator.coefs_, estimator.intercepts_, X, y, activation=estimator.activation, ax=ax)

    @classmethod
    def from_network(cls, network: Any, X: Any, y: Any, *, ax: Sequence[Axes] | None = None) -> HiddenSpaceDisplay:
        """Draw a `FormalNetwork` of two hidden neurons and one output neuron.

        A neuron fires where wᵀx ≥ θ. For these points any θ above the largest sum that stays silent, up to
        the least that fires, is the same: drawn is the line halfway, so that it passes through no point.

        Parameters
        ----------
        network : FormalNetwork
            Whose ``layers`` have neurons with ``weights`` and ``threshold``.
        X, y : arrays, shape (n, 2) and (n,)
        ax : two Axes, optional
        """
        if [len(layer) for layer in network.layers] != [2, 1]:
            raise ValueError(f"expected a 2-2-1 network, got layers of {[len(layer) for layer in network.layers]}")
        heard, coefs, intercepts = plane_points(X), [], []
        for layer in network.layers:
            kernel = np.array([neuron.weights for neuron in layer], float).T
            thresholds = np.array([neuron.threshold for neuron in layer], float)
            sums = heard @ kernel
            fires = sums >= thresholds
            silent = np.where(fires, -np.inf, sums).max(axis=0)
            least = np.where(fires, sums, np.inf).min(axis=0)
            between = np.isfinite(silent) & np.isfinite(least)
            coefs.append(kernel)
            intercepts.append(
                -np.where(between, (np.where(between, silent, 0) + np.where(between, least, 0)) / 2, thresholds)
            )
            heard = fires.astype(float)
        return cls.from_weights(coefs, intercepts, X, y, activation="step", ax=ax)

    @property
    def images(self) -> Array:
        """h of the points."""
        return self.hidden(self.X)

    @property
    def n_misclassified(self) -> int:
        """How many points the output has on the wrong side."""
        return int(((self._output(self.images) > 0) != (self.codes == 1)).sum())

    def plot(self, ax: Sequence[Axes] | None = None) -> HiddenSpaceDisplay:
        """Draw on the two axes given, or on new ones."""
        self.axes_ = panels(ax, 2, (8.4, 4.6))
        self.ax_ = self.axes_[0]
        self._input_space(self.axes_[0])
        self._hidden_space(self.axes_[1])
        return self

    def _output(self, hidden: Array) -> Array:
        return hidden @ self.coef + self.intercept

    def _input_space(self, ax: Axes) -> None:
        view = View.of(self.X, pad=0.25)
        u, v, grid = view.grid(RESOLUTION)
        _shade(ax, u, v, self._output(self.hidden(grid)))
        for k, dash in enumerate(("--", ":")):
            ends = view.segment(self.kernel[:, k], self.bias[k])
            if len(ends):
                ax.plot(*ends.T, dash, color=GREY, linewidth=1.8, label=f"unit $h_{k + 1}$: $w^T x + b = 0$", zorder=2)
        self._points(ax, self.X)
        view.show(ax)
        self.figure_ = dress(ax, title="input space", xlabel=self.names[0], ylabel=self.names[1])
        legend_below(ax, columns=2)

    def _hidden_space(self, ax: Axes) -> None:
        images = self.images
        view = View.of(images, pad=0.25)
        u, v, grid = view.grid(RESOLUTION)
        _shade(ax, u, v, self._output(grid))
        ends = view.segment(self.coef, self.intercept)
        if len(ends):
            [self.separator_] = ax.plot(*ends.T, color=INK, linewidth=2.0, label="the output's line", zorder=2)
        self._points(ax, images)
        view.show(ax)
        dress(ax, title="hidden space", xlabel="$h_1$", ylabel="$h_2$")
        legend_below(ax, columns=2)

    def _points(self, ax: Axes, places: Array) -> None:
        scatter_classes(ax, places, self.codes, self.classes, size=90)
        if len(self.X) > MOST_NAMED:
            return
        # Images may coincide, or nearly so: then their inputs share a place.
        near = 0.04 * float(np.ptp(places, axis=0).max())
        groups: list[tuple[Array, list[str]]] = []
        for place, x in zip(places, self.X, strict=True):
            name = f"({x[0]:g}, {x[1]:g})"
            known = [names for other, names in groups if np.abs(place - other).max() <= near]
            if known:
                known[0].append(name)
            else:
                groups.append((place, [name]))
        for place, names in groups:
            ax.annotate(
                "\n".join(names),
                place.tolist(),
                xytext=(0, 9),
                textcoords="offset points",
                fontsize="small",
                ha="center",
            )


def _shade(ax: Axes, u: Array, v: Array, scores: Array) -> None:
    surface = scores.reshape(len(v), len(u))
    for k, lead in enumerate((-surface, surface)):
        if lead.max() > 0:
            ax.contourf(u, v, lead, [0, lead.max()], colors=[COLOURS[k]], alpha=0.13)


def _function(activation: ActivationLike) -> Callable[[Array], Array]:
    if activation == "step":
        return lambda a: (a >= 0).astype(float)
    phi = find_activation(activation)
    return lambda a: np.asarray(phi(constant(a)).value, float)
