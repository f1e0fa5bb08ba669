"""What columns are worth to a model, and what it makes of their values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLUE, COLOURS, DASHES, GREY, INK, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ImportanceDisplay", "PartialDependenceDisplay"]


@dataclass(eq=False)
class ImportanceDisplay:
    """The score lost where a column is shuffled: the mean over repeats, two deviations to either side.

    Parameters
    ----------
    importance : FeatureImportance
        What ``selection.feature_importance`` gives.

    Attributes
    ----------
    ax_, figure_
    """

    importance: Any
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_importance(cls, importance: Any, *, most: int = 15, ax: Axes | None = None) -> ImportanceDisplay:
        """Draw the most important columns, so many at most."""
        return cls(importance).plot(ax=ax, most=most)

    def plot(self, ax: Axes | None = None, *, most: int = 15) -> ImportanceDisplay:
        """Draw on the axes given, or on new ones."""
        found = self.importance
        shown = min(most, len(found.names))
        self.ax_ = ax = new_axes(ax, (6.4, 1.2 + 0.3 * shown))
        places = np.arange(shown)
        ax.errorbar(
            found.means[:shown], places, xerr=2 * found.deviations[:shown], fmt="o", color=BLUE, markersize=6,
            linewidth=1.6,
        )  # fmt: skip
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set_yticks(places, [plain(name) for name in found.names[:shown]])
        ax.set_ylim(shown - 0.5, -0.5)
        change = "lost" if found.metric.greater_is_better else "added"
        more = f" ({shown} of {len(found.names)} columns)" if shown < len(found.names) else ""
        self.figure_ = dress(ax, xlabel=f"{found.metric.title} {change} where the column is shuffled{more}")
        return self


@dataclass(eq=False)
class PartialDependenceDisplay:
    """Mean prediction against the value of one column, over those of single rows; ticks below are its deciles.

    Parameters
    ----------
    dependence : PartialDependence
        What ``selection.partial_dependence`` gives.

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of output's name to matplotlib.lines.Line2D
    """

    dependence: Any
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_dependence(cls, dependence: Any, *, ax: Axes | None = None) -> PartialDependenceDisplay:
        """Draw the dependence on one column."""
        return cls(dependence).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> PartialDependenceDisplay:
        """Draw on the axes given, or on new ones."""
        found = self.dependence
        self.ax_ = ax = new_axes(ax)
        values = np.arange(len(found.values)) if found.is_categorical else found.values
        for i, output in enumerate(found.outputs):
            colour = COLOURS[i % len(COLOURS)]
            if found.individual.shape[1]:
                ax.plot(values, found.individual[i].T, color=colour if i else GREY, alpha=0.25, linewidth=0.7)
            dash, marker = ("", "o") if found.is_categorical else (DASHES[i % len(DASHES)], "")
            [self.lines_[output]] = ax.plot(
                values, found.average[i], color=colour, linestyle=dash, marker=marker, linewidth=2.2,
                label=plain(output),
            )  # fmt: skip
        if found.is_categorical:
            ax.set_xticks(values, [plain(value) for value in found.values])
        else:
            deciles = np.nanquantile(found.present.astype(float), np.arange(1, 10) / 10)
            ax.plot(deciles, np.zeros(9), "|", color=INK, markersize=10, transform=ax.get_xaxis_transform())
        single = len(found.outputs) == 1
        self.figure_ = dress(
            ax, xlabel=plain(found.name), ylabel=f"mean {plain(found.outputs[0])}" if single else "mean probability"
        )
        if not single:
            legend_below(ax)
        return self
