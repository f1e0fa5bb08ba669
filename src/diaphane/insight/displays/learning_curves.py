"""The error of several classifiers against the number of examples they learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..theory.comparison import Comparison
from .style import COLOURS, DASHES, INK, MARKERS, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["LearningCurvesDisplay"]


@dataclass(eq=False)
class LearningCurvesDisplay:
    """Mean error over repeats against n, in a band of its standard error, above the Bayes error.

    A generative classifier may reach its (higher) limit with fewer examples than a discriminative one, so that their
    curves cross (Ng & Jordan 2002).

    Parameters
    ----------
    comparison : Comparison
        What ``insight.theory.compare_classifiers`` gives.
    bayes_error : float, optional
        What no classifier is below, but by chance.

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of name to matplotlib.lines.Line2D

    Examples
    --------
    >>> curves = {"naive Bayes": [0.2, 0.18, 0.18], "logistic regression": [0.3, 0.2, 0.1]}
    >>> display = LearningCurvesDisplay.from_errors([10, 100, 1000], curves, bayes_error=0.08)
    >>> display.lines_["naive Bayes"].get_ydata()
    array([0.2 , 0.18, 0.18])
    """

    comparison: Comparison
    bayes_error: float | None = None
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_comparison(
        cls,
        comparison: Comparison,
        *,
        bayes_error: float | None = None,
        mark: tuple[str, str] | None = None,
        ax: Axes | None = None,
    ) -> LearningCurvesDisplay:
        """Draw what ``compare_classifiers`` found.

        Parameters
        ----------
        comparison : Comparison
        bayes_error : float, optional
        mark : tuple of two names, optional
            Mark the size from which on the second is no worse than the first, where the first was better before.
        ax : Axes, optional
        """
        return cls(comparison, bayes_error).plot(ax=ax, mark=mark)

    @classmethod
    def from_errors(
        cls,
        sizes: Any,
        errors: Mapping[str, Any],
        *,
        bayes_error: float | None = None,
        mark: tuple[str, str] | None = None,
        ax: Axes | None = None,
    ) -> LearningCurvesDisplay:
        """Draw errors that were measured.

        Parameters
        ----------
        sizes : array of int, shape (m,)
        errors : mapping of name to array, shape (m,) or (m, repeats)
        bayes_error, mark, ax
            As for :meth:`from_comparison`.

        Raises
        ------
        ValueError
            If sizes do not rise from above 0, or errors are not of the same shape for all.
        """
        n = np.asarray(sizes)
        if n.ndim != 1 or not n.size or n.dtype.kind not in "iu" or n[0] <= 0 or (np.diff(n) <= 0).any():
            raise ValueError(f"sizes are whole numbers of examples, each greater than the one before, got {sizes!r}")
        if not errors:
            raise ValueError("errors is empty; expected a mapping of a classifier's name to its errors")
        tables = [np.asarray(values, float) for values in errors.values()]
        shapes = {table.shape for table in tables}
        if len(shapes) > 1 or tables[0].ndim not in (1, 2) or len(tables[0]) != len(n) or not tables[0].size:
            raise ValueError(f"errors have shapes {shapes} beside {len(n)} sizes; expected ({len(n)}, repeats) for all")
        stacked = np.stack(tables).reshape(len(tables), len(n), -1)
        found = Comparison(tuple(errors), n.astype(np.int64), stacked)
        return cls.from_comparison(found, bayes_error=bayes_error, mark=mark, ax=ax)

    def plot(self, ax: Axes | None = None, *, mark: tuple[str, str] | None = None) -> LearningCurvesDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        self.lines_ = {}
        found = self.comparison
        for i, (name, mean, spread) in enumerate(zip(found.names, found.means, found.standard_errors, strict=True)):
            colour = COLOURS[i % len(COLOURS)]
            [self.lines_[name]] = ax.plot(
                found.sizes, mean, color=colour, linestyle=DASHES[i % len(DASHES)],
                marker=MARKERS[i % len(MARKERS)], markersize=4.5, linewidth=1.8, label=plain(name),
            )  # fmt: skip
            if np.isfinite(spread).all():
                ax.fill_between(found.sizes, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
        if self.bayes_error is not None:
            ax.axhline(self.bayes_error, color=INK, linewidth=1.4, label=f"Bayes error {self.bayes_error:.3g}")
        if mark is not None and (where := found.crossing(*mark)) is not None:
            ax.axvline(
                where, color=INK, linewidth=1.0, linestyle=":", label=f"{plain(mark[1])} no worse from n = {where} on"
            )
        ax.set_xscale("log")
        self.figure_ = dress(ax, xlabel="examples to learn from, n", ylabel="error")
        legend_below(ax)
        return self
