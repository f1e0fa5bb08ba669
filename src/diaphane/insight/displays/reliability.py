"""How often what is said with a confidence comes true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import COLOURS, DASHES, GREY, INK, MARKERS, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ReliabilityDisplay"]


@dataclass(eq=False)
class ReliabilityDisplay:
    """Accuracy against confidence, bin by bin; the greater a point, the more rows it has.

    On the diagonal what is said is true. Below it the classifier is too sure, above it not sure enough (DeGroot &
    Fienberg 1983; Guo et al. 2017, figure 1).

    Parameters
    ----------
    curves : dict of name to Reliability
        What ``selection.reliability`` gives.

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of name to matplotlib.lines.Line2D
    """

    curves: Mapping[str, Any]
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_curves(cls, curves: Mapping[str, Any], *, ax: Axes | None = None) -> ReliabilityDisplay:
        """Draw several curves on one picture, such as before and after temperature scaling."""
        return cls(curves).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> ReliabilityDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax, (5.4, 5.4))
        ax.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":", label="what is said is true")
        for i, (name, curve) in enumerate(self.curves.items()):
            colour = COLOURS[i % len(COLOURS)]
            [self.lines_[name]] = ax.plot(
                curve.confidence, curve.accuracy, color=colour, linestyle=DASHES[i % len(DASHES)], linewidth=1.6,
                label=f"{plain(name)}: ECE {curve.ece:.3f}",
            )  # fmt: skip
            area = 12 + 160 * curve.counts / np.max(curve.counts)
            ax.scatter(
                curve.confidence, curve.accuracy, area, color=colour, alpha=0.75, edgecolor="white",
                marker=MARKERS[i % len(MARKERS)], zorder=3,
            )  # fmt: skip
        of = {curve.of for curve in self.curves.values()}
        one_class = len(of) == 1 and "the predicted class" not in of
        ax.set_aspect("equal")
        ax.set_xlim(-0.02, 1.02)
        ax.set_ylim(-0.02, 1.02)
        ax.axhline(0, color=GREY, linewidth=0.5)
        self.figure_ = dress(
            ax,
            xlabel=f"probability of {plain(*of)}" if one_class else "confidence in the predicted class",
            ylabel="share of the rows that are of it" if one_class else "share of the rows that are right",
        )
        legend_below(ax, columns=1)
        return self
