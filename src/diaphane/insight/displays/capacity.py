"""Too few units, enough, too many: errors against capacity, and what classifiers of the plane make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .boundary import DecisionBoundaryDisplay
from .plane import View, checked_labels, fitted, like, plane_points
from .style import BLUE, GREY, INK, MARKERS, ORANGE, dress, legend_below, new_axes, panels, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["CapacityDisplay", "HiddenUnitsDisplay"]

WIDE = 10.0
"""Values that are this many times apart are on a scale of powers."""


@dataclass(eq=False)
class CapacityDisplay:
    """Training and validation error against a parameter, in bands of their standard deviation over the fits.

    Parameters
    ----------
    name : str
        Of the parameter.
    values : tuple
    train, validation : arrays, shape (values, fits)
    error : str
        What is drawn.
    regimes : tuple of str
        A word on each value, ``"underfits"`` or ``"overfits"`` where it is so: those are shaded.
    floor : float, optional
        What no model is below, such as the Bayes error.

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of "training" and "validation" to matplotlib.lines.Line2D
    best_ : int
        The index of the value of the least validation error.

    Examples
    --------
    >>> display = CapacityDisplay.from_errors("hidden_units", [1, 4, 20], [0.3, 0.1, 0.0], [0.3, 0.15, 0.25])
    >>> display.best_, display.lines_["training"].get_ydata().tolist()
    (1, [0.3, 0.1, 0.0])
    """

    name: str
    values: tuple[Any, ...]
    train: Array
    validation: Array
    error: str = "error"
    regimes: tuple[str, ...] = ()
    floor: float | None = None
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)
    best_: int = field(init=False, repr=False, default=0)

    @classmethod
    def from_errors(
        cls,
        name: str,
        values: Sequence[Any],
        train: Any,
        validation: Any,
        *,
        error: str = "error",
        regimes: Sequence[str] = (),
        floor: float | None = None,
        ax: Axes | None = None,
    ) -> CapacityDisplay:
        """Draw errors, one a value or one a value and fit.

        Raises
        ------
        ValueError
            If there are more or fewer errors or words than values, or no error is finite.
        """
        shown = tuple(values)
        tables = [np.asarray(table, float) for table in (train, validation)]
        if not shown or any(table.ndim not in (1, 2) or len(table) != len(shown) for table in tables):
            shapes = " and ".join(str(table.shape) for table in tables)
            raise ValueError(f"errors have shapes {shapes} beside {len(shown)} values; expected one row a value")
        if regimes and len(regimes) != len(shown):
            raise ValueError(f"there are {len(regimes)} regimes beside {len(shown)} values; expected one a value")
        learnt, held = (table.reshape(len(shown), -1) for table in tables)
        if not np.isfinite(held.mean(axis=1)).any():
            raise ValueError("no validation error is finite: there is nothing to draw")
        return cls(name, shown, learnt, held, error, tuple(regimes), floor).plot(ax)

    def plot(self, ax: Axes | None = None) -> CapacityDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        places = self._scale(ax)
        self.lines_ = {}
        self._shade(ax, places)
        looks = {"training": (self.train, BLUE, "--"), "validation": (self.validation, ORANGE, "-")}
        for i, (label, (table, colour, dash)) in enumerate(looks.items()):
            mean = table.mean(axis=1)
            [self.lines_[label]] = ax.plot(
                places, mean, dash, color=colour, marker=MARKERS[i], markersize=5, linewidth=1.8, label=label
            )
            if table.shape[1] > 1:
                spread = table.std(axis=1, ddof=1)
                ax.fill_between(places, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
        held = self.validation.mean(axis=1)
        self.best_ = int(np.nanargmin(held))
        best = f"best: {plain(_written(self.values[self.best_]))}"
        ax.plot(
            places[self.best_], held[self.best_], "o", ms=12, mfc="none", mec=INK, mew=1.4, label=best, linestyle="none"
        )
        if self.floor is not None:
            ax.axhline(self.floor, color=INK, linewidth=1.2, linestyle=":", label=f"Bayes error {self.floor:.3g}")
        self.figure_ = dress(ax, xlabel=plain(self.name.replace("_", " ")), ylabel=plain(self.error))
        legend_below(ax, columns=4)
        return self

    def _scale(self, ax: Axes) -> Array:
        """Where the values lie along x: as they are, or side by side where they are no numbers."""
        numeric = all(isinstance(v, Real) and not isinstance(v, bool) and np.isfinite(float(v)) for v in self.values)
        if not numeric:
            places = np.arange(len(self.values), dtype=float)
            ax.set_xticks(places, [plain(_written(v)) for v in self.values])
            return places
        places = np.array([float(v) for v in self.values])
        if places.min() > 0 and places.max() >= WIDE * places.min():
            ax.set_xscale("log")
            if len(places) <= 12:
                ax.set_xticks(places, [_written(v) for v in self.values], minor=False)
                ax.set_xticks([], minor=True)
        elif len(places) <= 12:
            ax.set_xticks(places, [_written(v) for v in self.values])
        return places

    def _shade(self, ax: Axes, places: Array) -> None:
        order = np.argsort(places)
        ordered = places[order]
        log = ax.get_xscale() == "log"
        middles = np.sqrt(ordered[1:] * ordered[:-1]) if log else (ordered[1:] + ordered[:-1]) / 2
        edges = np.r_[ordered[0], middles, ordered[-1]]
        words = [self.regimes[i] for i in order] if self.regimes else []
        start = 0
        while start < len(words):
            stop = start
            while stop + 1 < len(words) and words[stop + 1] == words[start]:
                stop += 1
            if words[start] in ("underfits", "overfits"):
                left, right = edges[start], edges[stop + 1]
                ax.axvspan(left, right, color=GREY, alpha=0.13, linewidth=0)
                centre = np.sqrt(left * right) if log else (left + right) / 2
                ax.text(
                    centre, 0.985, words[start], transform=ax.get_xaxis_transform(), ha="center", va="top",
                    fontsize="small", color=INK,
                )  # fmt: skip
            start = stop + 1


@dataclass(eq=False)
class HiddenUnitsDisplay:
    """Classifiers of the plane with ever more hidden units, a panel each: the boundary, and the line of each unit.

    A unit φ(wᵀx + b) changes across its line wᵀx + b = 0; the boundary is what the output makes of these. One unit
    gives a line, two a band or a wedge, three and more a closed region; with many it bends around single examples.

    Parameters
    ----------
    estimators : tuple of fitted classifiers
    X : array or table, shape (n, 2)
    y : array, shape (n,)
    train_errors : array, shape (len(estimators),)
        Shares of mistakes on X.
    validation_errors : array, shape (len(estimators),), or None

    Attributes
    ----------
    axes_ : list of matplotlib.axes.Axes
    ax_ : the first of them
    figure_
    boundaries_ : list of DecisionBoundaryDisplay
    unit_lines_ : list of int
        How many units' lines cross each panel.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> model = MLPClassifier((4,), activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
    >>> HiddenUnitsDisplay.from_estimators([model], X, y).train_errors.tolist()
    [0.0]
    """

    estimators: tuple[Any, ...]
    X: Any
    y: Any
    train_errors: Array
    validation_errors: Array | None = None
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    boundaries_: list[DecisionBoundaryDisplay] = field(init=False, repr=False, default_factory=list)
    unit_lines_: list[int] = field(init=False, repr=False, default_factory=list)

    @classmethod
    def from_estimators(
        cls,
        estimators: Sequence[Any],
        X: Any,
        y: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        axes: Sequence[Axes] | None = None,
    ) -> HiddenUnitsDisplay:
        """Draw fitted classifiers of the same points.

        Parameters
        ----------
        estimators : sequence
            Fitted, of two features: an ``MLPClassifier``, diaphane's or scikit-learn's, or a pipeline that ends in one.
        X, y
            What they learnt from.
        validation : (X, y), optional
            What they did not.
        axes : sequence of Axes, optional
            One for each.

        Raises
        ------
        ValueError
            If there is no estimator, one has no layers, or X has not two features.
        """
        models = tuple(estimators)
        if not models:
            raise ValueError("estimators is empty; expected fitted classifiers, one a panel")
        labels = checked_labels(y, len(plane_points(X)))
        for model in models:
            if not hasattr(_network(fitted(model)), "coefs_"):
                raise ValueError(f"{type(_network(model)).__name__} has no layers (coefs_); expected an MLPClassifier")
        learnt = np.array([_mistakes(model, X, labels) for model in models])
        held = None
        if validation is not None:
            points, truth = validation
            held = np.array([_mistakes(model, points, checked_labels(truth, len(points))) for model in models])
        return cls(models, X, labels, learnt, held).plot(axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> HiddenUnitsDisplay:
        """Draw on the axes given, or on new ones."""
        count = len(self.estimators)
        self.axes_ = panels(axes, count, (3.6 * count, 4.3))
        self.ax_ = self.axes_[0]
        self.boundaries_, self.unit_lines_ = [], []
        for i, (ax, model) in enumerate(zip(self.axes_, self.estimators, strict=True)):
            shown = DecisionBoundaryDisplay.from_estimator(model, self.X, self.y, ax=ax)
            self.boundaries_.append(shown)
            self.unit_lines_.append(self._units(ax, model, shown.view))
            ax.set_title(self._title(i), fontsize="small")
            legend_below(ax, columns=2)
        self.figure_ = self.boundaries_[0].figure_
        return self

    def _title(self, i: int) -> str:
        sizes = [len(b) for b in _network(self.estimators[i]).intercepts_[:-1]]
        units = "no hidden unit" if not sizes else f"{' + '.join(map(str, sizes))} hidden unit{'s' * (sizes != [1])}"
        errors = f"errors: training {100 * self.train_errors[i]:.1f} %"
        if self.validation_errors is not None:
            errors += f", validation {100 * self.validation_errors[i]:.1f} %"
        return f"{units}\n{errors}"

    def _units(self, ax: Axes, model: Any, view: View) -> int:
        network = _network(model)
        if len(network.coefs_) < 2:
            return 0
        resolution = 120
        u, v, grid = view.grid(resolution)
        seen = like(self.X, grid)
        # A pipeline's units have their lines in what the steps before make of the plane.
        inputs = np.asarray(seen if network is model else model[:-1].transform(seen), float)
        sums = inputs @ network.coefs_[0] + network.intercepts_[0]
        crossing = 0
        for unit in sums.T:
            if unit.min() < 0 < unit.max():
                surface = unit.reshape(resolution, resolution)
                ax.contour(u, v, surface, [0.0], colors=GREY, linewidths=1.0, linestyles="--", zorder=1.5)
                crossing += 1
        if crossing:
            ax.plot([], [], "--", color=GREY, linewidth=1.0, label=f"units' lines: {crossing}")
        return crossing


def _network(model: Any) -> Any:
    return model[-1] if hasattr(model, "steps") and hasattr(model, "named_steps") else model


def _mistakes(model: Any, X: Any, labels: Array) -> float:
    return float(np.mean(np.asarray(model.predict(X)) != labels))


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, Real) and not isinstance(value, bool) else str(value)
