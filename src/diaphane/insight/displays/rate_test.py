"""The loss against a rising learning rate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...training.range_test import RateTest
from .style import BLUE, GREY, ORANGE, dress, legend_below, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["RateTestDisplay"]


@dataclass(eq=False)
class RateTestDisplay:
    """The losses of a range test, smoothed and as they were, with the rate that it suggests.

    Left of the fall nothing is learnt, right of the least loss the steps are too long; the suggestion is halfway
    between the steepest fall and the least loss.

    Parameters
    ----------
    found : RateTest

    Attributes
    ----------
    ax_, figure_
    line_ : matplotlib.lines.Line2D
        The smoothed loss.

    Examples
    --------
    >>> rates, losses = np.array([0.01, 0.1, 1.0]), np.array([1.0, 0.5, 3.0])
    >>> display = RateTestDisplay.from_rate_test(RateTest(rates, losses, losses, 0.1, 0.1, "the loss rose"))
    >>> display.line_.get_xdata()
    array([0.01, 0.1 , 1.  ])
    """

    found: RateTest
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    line_: Line2D = field(init=False, repr=False)

    @classmethod
    def from_rate_test(cls, found: RateTest, *, ax: Axes | None = None) -> RateTestDisplay:
        """Draw what :func:`~diaphane.training.rate_test` found."""
        return cls(found).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> RateTestDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        found = self.found
        ax.plot(found.rates, found.losses, color=GREY, linewidth=0.9, alpha=0.7, label="loss")
        [self.line_] = ax.plot(found.rates, found.smoothed, color=BLUE, linewidth=2.0, label="smoothed")
        for name, rate, marker in (("steepest fall", found.steepest, "v"), ("suggested", found.suggestion, "o")):
            if rate is not None:
                at = float(np.interp(np.log(rate), np.log(found.rates), found.smoothed))
                ax.plot([rate], [at], marker, color=ORANGE, markersize=7, label=f"{name}: ε = {rate:.2g}")
        if found.suggestion is not None:
            ax.axvline(found.suggestion, color=ORANGE, linewidth=1.0, linestyle="--")
        ax.set_xscale("log")
        low, high = _limits(found)
        ax.set_ylim(low, high)
        self.figure_ = dress(ax, xlabel="learning rate ε of the step", ylabel="loss after the step")
        legend_below(ax)
        return self


def _limits(found: RateTest) -> tuple[float, float]:
    """From the least loss to above the first one: what is lost at the end is not to press the rest flat."""
    low, first = float(np.min(found.losses)), float(found.losses[0])
    room = max(first - low, 1e-3 * max(abs(first), 1e-12))
    return low - 0.1 * room, first + 0.6 * room
