"""How a target of numbers is spread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLUE, INK, dress, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["TargetDisplay"]

MOST_BINS = 40


@dataclass(eq=False)
class TargetDisplay:
    """A histogram of the target with its mean; numbers of few values have a bar for each.

    Parameters
    ----------
    y : array, shape (n,)
    name : str

    Attributes
    ----------
    ax_, figure_

    Examples
    --------
    >>> display = TargetDisplay(np.array([1.0, 1.0, 2.0]), "grade").plot()
    >>> [float(bar.get_height()) for bar in display.ax_.patches]
    [2.0, 1.0]
    """

    y: Any
    name: str = "target"
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def plot(self, ax: Axes | None = None) -> TargetDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        y = np.asarray(self.y, np.float64)
        values, counts = np.unique(y, return_counts=True)
        if len(values) <= MOST_BINS // 2:
            width = 0.8 * float(np.diff(values).min()) if len(values) > 1 else 0.8
            ax.bar(values, counts.astype(float), width, color=BLUE)
        else:
            ax.hist(y, min(MOST_BINS, max(10, int(np.sqrt(len(y))))), color=BLUE)
        ax.axvline(float(y.mean()), color=INK, linewidth=1.2, linestyle="--", label=f"mean {y.mean():.4g}")
        self.figure_ = dress(ax, xlabel=plain(self.name), ylabel="rows")
        ax.legend(frameon=False)
        return self
