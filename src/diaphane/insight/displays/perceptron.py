"""The perceptron's boundary after each of its updates: all in one picture, or one after another in a moving one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .plane import View, checked_labels, feature_names, fitted, mark_wrong, plane_points, ring, scatter_classes
from .style import GREY, INK, dress, legend_below, need_matplotlib, new_axes, plain, written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PerceptronDisplay"]

MOST_LINES = 25
"""In one picture; more are thinned evenly, the last one is always there."""
MOST_FRAMES = 400


@dataclass(eq=False)
class PerceptronDisplay:
    """Rosenblatt's rule at work: where y·w̃ᵀx̃ ≤ 0, w̃ ← w̃ + η·y·x̃ with x̃ = (x, 1), w̃ = (w, b), y being −1 or +1.

    Parameters
    ----------
    X : array, shape (n, 2)
    codes : array, shape (n,)
        0 for y = −1, 1 for y = +1.
    weights : array, shape (updates + 1, 3)
        w̃ before the first update and after each.
    examples : array of int, shape (updates,)
        Which example each update was made for.
    classes : tuple
        What −1 and +1 are called.
    names : tuple of str
        Of the two features.

    Attributes
    ----------
    ax_, figure_
    lines_ : array, shape (lines, 2, 2)
        The ends of each boundary drawn, from first to last.

    Examples
    --------
    >>> display = PerceptronDisplay.from_data([[0.0, 0.0], [1.0, 1.0]], [-1, 1])
    >>> display.weights.tolist()[:3], display.n_mistakes
    ([[0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [1.0, 1.0, 0.0]], 3)
    """

    X: Array
    codes: Array
    weights: Array
    examples: Array
    classes: tuple[Any, Any] = (-1, 1)
    names: tuple[str, str] = ("$x_1$", "$x_2$")
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: Array = field(init=False, repr=False)

    @classmethod
    def from_updates(
        cls, updates: Iterable[tuple[int, Any, Any]], X: Any, y: Any, *, ax: Axes | None = None
    ) -> PerceptronDisplay:
        """Draw updates that were recorded.

        Parameters
        ----------
        updates : iterable of (example, w̃ before, w̃ after)
            In the order in which they were made; each w̃ is (w₁, w₂, b).
        X, y : arrays, shape (n, 2) and (n,)
        ax : Axes, optional

        Raises
        ------
        ValueError
            If an update names no row of X, or its weights are not three.
        """
        points = plane_points(X)
        codes, classes = _two_classes(y, len(points))
        examples: list[int] = []
        weights: list[Array] = []
        for example, before, after in updates:
            pair = np.asarray(before, float).ravel(), np.asarray(after, float).ravel()
            if any(w.shape != (3,) for w in pair):
                raise ValueError(f"an update's weights are (w₁, w₂, b), got {before!r} and {after!r}")
            if not 0 <= example < len(points):
                raise ValueError(f"an update was made for example {example}, but X has {len(points)} rows")
            weights += pair if not weights else pair[1:]
            examples.append(int(example))
        found = np.array(weights) if weights else np.zeros((1, 3))
        return cls(points, codes, found, np.array(examples, int), classes, feature_names(X)).plot(ax=ax)

    @classmethod
    def from_data(
        cls,
        X: Any,
        y: Any,
        *,
        max_iter: int = 100,
        learning_rate: float = 1.0,
        order: Any = None,
        ax: Axes | None = None,
    ) -> PerceptronDisplay:
        """Run the rule on points from w̃ = 0, and draw.

        Parameters
        ----------
        X, y : arrays, shape (n, 2) and (n,)
            Labels of two values; the greater one is +1.
        max_iter : int
            Epochs at most; it ends before, after one without a mistake.
        learning_rate : float
            η; of w̃ from 0 it changes the length only, no decision.
        order : sequence of int, optional
            In which order the examples come in every epoch; as they are by default.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If X has not two features, y not two values, or max_iter or the learning rate is not above 0.
        """
        points = plane_points(X)
        codes, _ = _two_classes(y, len(points))
        if max_iter < 1 or not 0 < learning_rate < np.inf:
            raise ValueError(f"expected max_iter ≥ 1 and learning_rate > 0, got {max_iter} and {learning_rate}")
        sequence = range(len(points)) if order is None else [int(i) for i in order]
        signed = np.where(codes == 1, 1.0, -1.0)[:, None] * np.column_stack([points, np.ones(len(points))])
        w, updates = np.zeros(3), []
        for _ in range(max_iter):
            mistakes = 0
            for i in sequence:
                if signed[i] @ w <= 0:
                    before, w = w, w + learning_rate * signed[i]
                    updates.append((i, before, w))
                    mistakes += 1
            if not mistakes:
                break
        return cls.from_updates(updates, X, y, ax=ax)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Axes | None = None) -> PerceptronDisplay:
        """Draw what a `Perceptron` did that was fitted with ``record=True``.

        Parameters
        ----------
        estimator : Perceptron
            With ``history_``, whose records have ``example``, ``before`` and ``after``.
        X, y : arrays, shape (n, 2) and (n,)
            What it was fitted on.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If it is not fitted, or kept no history.
        """
        fitted(estimator)
        history = getattr(estimator, "history_", None)
        if history is None:
            raise ValueError(f"{type(estimator).__name__} kept no history; fit it with record=True")
        return cls.from_updates([(h.example, h.before, h.after) for h in history], X, y, ax=ax)

    @property
    def n_mistakes(self) -> int:
        """How many updates were made."""
        return len(self.examples)

    @property
    def view(self) -> View:
        """What of the plane is shown."""
        return View.of(self.X)

    def wrong(self, update: int = -1) -> Array:
        """Which examples are mistakes after an update, those with y·w̃ᵀx̃ ≤ 0."""
        scores = self.X @ self.weights[update, :2] + self.weights[update, 2]
        return np.asarray(np.where(self.codes == 1, scores, -scores) <= 0)

    def plot(self, ax: Axes | None = None, *, update: int | None = None) -> PerceptronDisplay:
        """Draw all boundaries, the later the darker; or that of one update with the example that it was made for.

        Parameters
        ----------
        ax : Axes, optional
        update : int, optional
            0 is before the first one.

        Raises
        ------
        ValueError
            If there is no such update.
        """
        if update is not None and not 0 <= update <= self.n_mistakes:
            raise ValueError(f"there is no update {update}; there are 0, before the first one, to {self.n_mistakes}")
        self.ax_ = ax = new_axes(ax)
        scatter_classes(ax, self.X, self.codes, np.asarray(self.classes, dtype=object))
        title = self._every_line(ax) if update is None else self._one_line(ax, update)
        mark_wrong(ax, self.X, self.wrong(-1 if update is None else update))
        self.view.show(ax)
        self.figure_ = dress(ax, xlabel=self.names[0], ylabel=self.names[1])
        ax.set_title(plain(title), fontsize="medium")
        legend_below(ax)
        return self

    def animate(self, path: str | Path, *, seconds: float | None = None) -> Path:
        """Write the boundary after each update as a page (.html) or a GIF.

        The page holds all it needs, asks nothing of the net, and can be stepped through by hand.

        Parameters
        ----------
        path : str or Path
            Ending in .html or .gif.
        seconds : float, optional
            Between two updates; by default such that all take about ten, at most one each.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            For any other ending.
        """
        from .animation import perceptron_page, write_gif

        path = Path(path)
        kind = path.suffix.lower()
        if kind not in (".html", ".gif"):
            raise ValueError(f"an animation is an .html page or a .gif, got {path.name!r}; try {path.stem}.html")
        frames = _thinned(self.n_mistakes + 1, MOST_FRAMES)
        pause = min(1.0, max(10 / len(frames), 0.05)) if seconds is None else seconds
        if not 0 < pause < np.inf:
            raise ValueError(f"seconds is {seconds!r}; expected a number above 0")
        if kind == ".html":
            return written_whole(path, perceptron_page(self, frames, pause))
        need_matplotlib()
        return write_gif(path, lambda ax, frame: self.plot(ax, update=frame), frames, pause)

    def caption(self, update: int) -> str:
        """What an update did, in a line."""
        if not update:
            return f"before the first of {self.n_mistakes} updates: w = 0, no boundary"
        i = self.examples[update - 1]
        sign, side = ("+", self.classes[1]) if self.codes[i] else ("−", self.classes[0])
        return (
            f"update {update} of {self.n_mistakes}: example {i}, of class {side}, was on the wrong side: w̃ ← w̃ {sign} x̃"
        )

    def _every_line(self, ax: Axes) -> str:
        from matplotlib.collections import LineCollection

        view = self.view
        chosen = self.weights[_thinned(len(self.weights), MOST_LINES)]
        ends = [view.segment(w[:2], w[2]) for w in chosen]
        lines = [line for line in ends if len(line)]
        self.lines_ = np.array(lines).reshape(-1, 2, 2)
        if len(lines):
            shades = 1 - 0.75 * np.linspace(0.15, 0.75, len(lines))
            colours = [(s, s, s) for s in shades]
            ax.add_collection(LineCollection(lines[:-1], colors=colours, linewidths=1.0, zorder=1))
            ax.plot([], [], color=GREY, linewidth=1.0, label="after earlier updates")
            last = view.segment(self.weights[-1, :2], self.weights[-1, 2])
            if len(last):
                ax.plot(*last.T, color=INK, linewidth=2.2, label="after the last update", zorder=2)
        return f"{self.n_mistakes} mistake{'s' * (self.n_mistakes != 1)}, each an update"

    def _one_line(self, ax: Axes, update: int) -> str:
        view, lines = self.view, list[Array]()
        for k, colour, dash, name in ((update - 1, GREY, "--", "before"), (update, INK, "-", "after")):
            ends = view.segment(self.weights[k, :2], self.weights[k, 2]) if k >= 0 else np.empty((0, 2))
            if len(ends):
                ax.plot(*ends.T, dash, color=colour, linewidth=2.0, label=f"boundary {name}", zorder=2)
                lines.append(ends)
        self.lines_ = np.array(lines).reshape(-1, 2, 2)
        if update:
            ring(ax, self.X[self.examples[update - 1]], "the example", size=170)
        return self.caption(update)


def _two_classes(y: Any, rows: int) -> tuple[Array, tuple[Any, Any]]:
    classes, codes = np.unique(checked_labels(y, rows), return_inverse=True)
    if len(classes) != 2:
        raise ValueError(f"the perceptron parts two classes, y has {len(classes)}; choose two, or one against the rest")
    low, high = classes.tolist()
    return codes, (low, high)


def _thinned(count: int, most: int) -> list[int]:
    """Indices of 0 … count − 1, evenly thinned to ``most``, with first and last."""
    found: list[int] = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    return found
