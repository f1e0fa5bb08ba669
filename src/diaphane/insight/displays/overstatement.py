"""What the score of the best of many says, and what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLUE, COLOURS, DASHES, GREEN, INK, MARKERS, ORANGE, dress, legend_below, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["OverstatementDisplay"]


@dataclass(eq=False)
class OverstatementDisplay:
    """Left, on the fewest rows: the score by which a candidate was chosen, its truth, and its score on a third set.

    Right: the score less the truth against the number of candidates, a line for each number of rows; points are means
    over repeats with two standard errors, lines the closed form.

    Parameters
    ----------
    study : OverstatementStudy
        What ``selection.study_overstatement`` gives.

    Attributes
    ----------
    axes_ : list of two matplotlib.axes.Axes
    ax_ : the first of them
    figure_
    lines_ : dict of str to matplotlib.lines.Line2D
        ``"chosen"``, ``"third"`` and ``"true"`` of the left.
    """

    study: Any
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_study(cls, study: Any, *, axes: Sequence[Axes] | None = None) -> OverstatementDisplay:
        """Draw a study, on two axes given or on new ones."""
        return cls(study).plot(axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> OverstatementDisplay:
        """Draw on the two axes given, or on new ones."""
        self.axes_ = panels(axes, 2, (10.5, 4.8))
        self.ax_, right = self.axes_
        self._draw_scores(self.ax_)
        self._draw_differences(right)
        return self

    def _draw_scores(self, ax: Axes) -> None:
        fewest = min(self.study.sizes)
        rows = self.study.of(fewest)
        k = [row.n_candidates for row in rows]
        kinds = (
            ("chosen", "on the rows that chose it", ORANGE, "o", "-", "chosen_score", "standard_error"),
            ("third", "on a third set", BLUE, "s", "-", "third_score", "third_standard_error"),
            ("true", "what is true", INK, "", (0, (6, 2)), "true_accuracy", None),
        )
        for key, label, colour, marker, dash, name, spread in kinds:
            values = np.array([getattr(row, name) for row in rows])
            settings: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": dash, "linewidth": 1.8}
            [self.lines_[key]] = ax.plot(k, values, label=label, markersize=5, **settings)
            if spread is not None:
                error = 2 * np.array([getattr(row, spread) for row in rows])
                ax.fill_between(k, values - error, values + error, color=colour, alpha=0.15, linewidth=0)
        if self.study.bayes_accuracy < max(row.chosen_score for row in rows) + 0.02:
            ax.axhline(self.study.bayes_accuracy, color=GREEN, linewidth=1.2, linestyle=":", label="best possible")
        ax.set_xscale("log")
        self.figure_ = dress(
            ax, xlabel="candidates tried", ylabel="accuracy of the one chosen", title=f"chosen on {fewest} rows"
        )
        legend_below(ax, columns=2)

    def _draw_differences(self, ax: Axes) -> None:
        for i, size in enumerate(self.study.sizes):
            rows = self.study.of(size)
            k = [row.n_candidates for row in rows]
            colour = COLOURS[i % len(COLOURS)]
            ax.errorbar(
                k, [row.overstated for row in rows], yerr=[2 * row.standard_error for row in rows],
                fmt=MARKERS[i % len(MARKERS)], color=colour, markersize=5, linewidth=1.2, label=f"{size} rows",
            )  # fmt: skip
            expected = np.array([row.expected for row in rows])
            if np.isfinite(expected).all():
                ax.plot(k, expected, color=colour, linewidth=1.5, linestyle=DASHES[i % len(DASHES)])
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_xscale("log")
        dress(ax, xlabel="candidates tried", ylabel="score − truth", title="how far the score is above the truth")
        legend_below(ax)
