"""The plane that two features span: its points, its view, a classifier's scores over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .style import COLOURS, INK, MARKERS, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "View",
    "checked_labels",
    "codes_of",
    "feature_names",
    "fitted",
    "like",
    "line_of",
    "mark_wrong",
    "plane_points",
    "ring",
    "scatter_classes",
    "scores_of",
]


@dataclass(frozen=True)
class View:
    """The rectangle that is looked at."""

    left: float
    right: float
    bottom: float
    top: float

    @classmethod
    def of(cls, points: Array, pad: float = 0.12) -> View:
        """Around points, with a rim of a part of their extent; a side of no extent gets one."""
        low, high = points.min(axis=0), points.max(axis=0)
        rim = pad * np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
        left, bottom = (low - rim).tolist()
        right, top = (high + rim).tolist()
        return cls(left, right, bottom, top)

    def grid(self, resolution: int) -> tuple[Array, Array, Array]:
        """The horizontal values, the vertical ones and their pairs, shape (resolution², 2)."""
        u, v = np.linspace(self.left, self.right, resolution), np.linspace(self.bottom, self.top, resolution)
        return u, v, np.column_stack([c.ravel() for c in np.meshgrid(u, v)])

    def segment(self, weights: Array, offset: float) -> Array:
        """The part of the line wᵀx + b = 0 in the view: its two ends, shape (2, 2), or (0, 2) outside of it."""
        w = np.asarray(weights, float)
        size = float(np.linalg.norm(w))
        if not size:
            return np.empty((0, 2))
        foot, along = -offset / size * (w / size), np.array([-w[1], w[0]]) / size
        low, high = np.array([self.left, self.bottom]), np.array([self.right, self.top])
        first, last = -np.inf, np.inf
        for i in range(2):
            if along[i] == 0:
                if not low[i] <= foot[i] <= high[i]:
                    return np.empty((0, 2))
                continue
            ends = sorted(((low[i] - foot[i]) / along[i], (high[i] - foot[i]) / along[i]))
            first, last = max(first, ends[0]), min(last, ends[1])
        return np.array([foot + first * along, foot + last * along]) if first < last else np.empty((0, 2))

    def show(self, ax: Axes) -> None:
        ax.set_xlim(self.left, self.right)
        ax.set_ylim(self.bottom, self.top)


def plane_points(X: Any) -> Array:
    """X as finite float64 of shape (n, 2), n at least 1.

    Raises
    ------
    ValueError
        If there are more or fewer features than two, no rows, or values that are no finite numbers.
    """
    points = np.asarray(X, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"a picture of the plane needs X of shape (n, 2), got {points.shape}; choose two columns, "
            "or project onto two (sklearn.decomposition.PCA(2)) and fit on these"
        )
    if not len(points):
        raise ValueError("X has no rows; a picture needs at least one point")
    if not np.isfinite(points).all():
        raise ValueError("X has NaN or infinite values, which have no place in a picture; leave these rows out")
    return points


def checked_labels(y: Any, rows: int) -> Array:
    """One label a row.

    Raises
    ------
    ValueError
        If there are more or fewer labels than rows, or one is missing.
    """
    labels = np.asarray(y)
    if labels.shape != (rows,):
        raise ValueError(f"y has shape {labels.shape} beside {rows} rows of X; expected one label a row, ({rows},)")
    missing = [i for i, label in enumerate(labels.tolist()) if label is None or label != label]
    if missing:
        raise ValueError(f"y has no label in row {missing[0]}, {labels.tolist()[missing[0]]!r}; leave such rows out")
    return labels


def feature_names(X: Any) -> tuple[str, str]:
    """The names of a table's two columns, or x₁ and x₂, as matplotlib is to be given them."""
    columns = getattr(X, "columns", None)
    return ("$x_1$", "$x_2$") if columns is None else (plain(columns[0]), plain(columns[1]))


def like(X: Any, points: Array) -> Any:
    """Points as the kind of table that X is, with its names: what was fitted on a table is asked with one."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return points
    named = {"polars": "schema"}.get(type(X).__module__.partition(".")[0], "columns")
    return type(X)(points, **{named: list(columns)})


def fitted(estimator: Any) -> Any:
    """The estimator, if it is fitted.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        A ValueError; if it is not.
    TypeError
        If it predicts nothing.
    """
    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        raise TypeError(f"expected a fitted classifier, with a method predict, got {estimator!r}")
    if hasattr(estimator, "fit"):
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(estimator)
    return estimator


def codes_of(labels: Array, classes: Array) -> tuple[Array, Array]:
    """The index of each label's class, and the classes, strange ones after those that are known.

    A label of another kind than the classes, a number beside words, is one of a class of its own too.
    """
    places = {label: k for k, label in enumerate(classes.tolist())}
    strange = [label for label in dict.fromkeys(labels.tolist()) if label not in places]
    for label in sorted(strange, key=lambda label: (str(type(label)), label)):
        places[label] = len(places)
    names = classes
    if strange:
        names = np.empty(len(places), dtype=object)
        names[:] = list(places)
    return np.array([places[label] for label in labels.tolist()], dtype=np.int64), names


def scores_of(estimator: Any, X: Any, classes: Array) -> Array:
    """What decides: signed scores (n,) of two classes, one column a class otherwise, and the indices of predictions
    where an estimator gives nothing else.
    """
    if hasattr(estimator, "decision_function"):
        return np.asarray(estimator.decision_function(X), float)
    if hasattr(estimator, "predict_proba"):
        chances = np.asarray(estimator.predict_proba(X), float)
        return chances[:, 1] - 0.5 if chances.shape[1] == 2 else chances
    codes = np.searchsorted(classes, np.asarray(estimator.predict(X)))
    if len(classes) == 1:
        return np.full(len(codes), -0.5)
    return codes - 0.5 if len(classes) == 2 else np.eye(len(classes))[codes]


def line_of(estimator: Any, X: Any, view: View) -> tuple[Array, float] | None:
    """w and b of a classifier of two classes whose score is wᵀx + b; None for any other."""
    w, b = getattr(estimator, "coef_", None), getattr(estimator, "intercept_", 0.0)
    if w is None or not hasattr(estimator, "decision_function"):
        return None
    w, b = np.asarray(w, float).ravel(), np.asarray(b, float).ravel()
    if w.shape != (2,) or b.shape != (1,):
        return None
    points = view.grid(3)[2]
    # A quadric has linear coefficients too, and unit-norm inputs bend the score.
    scores = np.asarray(estimator.decision_function(like(X, points)), float)
    expected = points @ w + b
    close = np.allclose(scores, expected, rtol=1e-3, atol=1e-3 * float(np.abs(expected).max()))
    return (w, float(b[0])) if close else None


def scatter_classes(ax: Axes, points: Array, codes: Array, classes: Array, *, size: float = 34) -> None:
    """The points, each class in its colour and shape."""
    for k, label in enumerate(classes):
        own = points[codes == k]
        ax.scatter(
            own[:, 0],
            own[:, 1],
            s=size,
            color=COLOURS[k % len(COLOURS)],
            marker=MARKERS[k % len(MARKERS)],
            edgecolors="white",
            linewidths=0.6,
            label=f"class {plain(label)}",
            zorder=3,
        )


def mark_wrong(ax: Axes, points: Array, wrong: Array) -> None:
    """A cross on each point that is misclassified, and how many there are."""
    if wrong.any():
        found = points[wrong]
        name = f"misclassified: {len(found)} of {len(points)}"
        ax.scatter(found[:, 0], found[:, 1], s=60, marker="x", linewidths=1.1, color="black", label=name, zorder=5)


def ring(ax: Axes, points: Array, name: str, *, size: float) -> None:
    """A ring around each point."""
    found = np.atleast_2d(points)
    looks: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": 1.2}
    ax.scatter(found[:, 0], found[:, 1], s=size, label=name, zorder=4, **looks)
