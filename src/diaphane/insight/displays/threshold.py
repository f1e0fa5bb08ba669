"""A score against the threshold from which a row is called positive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .style import BLUE, GREY, ORANGE, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ThresholdDisplay"]


@dataclass(eq=False)
class ThresholdDisplay:
    """The score or cost of every threshold on the validation rows, with the one that is chosen and the default.

    Parameters
    ----------
    thresholds, scores : arrays, shape (m,)
    threshold, default : float
    measure : str

    Attributes
    ----------
    ax_, figure_
    line_ : matplotlib.lines.Line2D

    Examples
    --------
    >>> display = ThresholdDisplay(np.array([0.0, 0.3, 1.0]), np.array([0.5, 0.9, 0.5]), 0.3, 0.5, "accuracy").plot()
    >>> display.line_.get_ydata()
    array([0.5, 0.9, 0.5])
    """

    thresholds: Array
    scores: Array
    threshold: float
    default: float
    measure: str
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    line_: Line2D = field(init=False, repr=False)

    @classmethod
    def from_choice(cls, choice: Any, *, ax: Axes | None = None) -> ThresholdDisplay:
        """Draw what ``selection.choose_threshold`` gives."""
        shown = cls(choice.thresholds, choice.scores, choice.threshold, choice.default_threshold, choice.measure)
        return shown.plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> ThresholdDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        [self.line_] = ax.plot(self.thresholds, self.scores, color=BLUE, linewidth=1.8)
        for place, colour, name in ((self.default, GREY, "default"), (self.threshold, ORANGE, "chosen")):
            at = int(np.argmin(np.abs(self.thresholds - place)))
            ax.axvline(place, color=colour, linewidth=1.2, linestyle="--")
            ax.plot(
                [place], [self.scores[at]], "o", color=colour, markersize=7,
                label=f"{name}: {self.scores[at]:.3g} at {place:.3g}",
            )  # fmt: skip
        self.figure_ = dress(ax, xlabel="threshold", ylabel=f"{plain(self.measure)} on the validation rows")
        legend_below(ax)
        return self
