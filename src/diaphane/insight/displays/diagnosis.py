"""What a diagnosis rests on: skill beside rivals and what-ifs, and the curves over epochs and over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLUE, GREY, INK, MARKERS, ORANGE, dress, legend_below, panels, plain, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DiagnosisDisplay"]

LOWEST = -0.25
"""Skills below it are drawn at it: a diverged training would hide all others."""


@dataclass(eq=False)
class DiagnosisDisplay:
    """Three panels: skill of the model, its rivals and what-ifs; loss by epoch; skill by rows learnt from.

    Parameters
    ----------
    title : str
        The verdict.
    skills : sequence of (what, kind, learnt, judged)
        From top to bottom.
    losses, validation : sequence of float
        By epoch; empty where there are none.
    rows : sequence of (rows, skill)

    Attributes
    ----------
    axes_, figure_

    Examples
    --------
    >>> skills = [("the model", "model", 0.2, 0.1), ("boosting", "baseline", 0.9, 0.8)]
    >>> display = DiagnosisDisplay("underfitting", skills, [1.0, 0.8], [1.0, 0.9], [(100, 0.05), (200, 0.1)]).plot()
    >>> [label.get_text() for label in display.axes_[0].get_yticklabels()]
    ['the model', 'boosting']
    """

    title: str
    skills: Sequence[tuple[str, str, float, float]]
    losses: Sequence[float] = ()
    validation: Sequence[float] = ()
    rows: Sequence[tuple[int, float]] = ()
    axes_: list[Axes] = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def plot(self, axes: Any = None) -> DiagnosisDisplay:
        """Draw on the three axes given, or on new ones."""
        self.axes_ = panels(axes, 3, (13.5, 4.6))
        self._draw_skills(self.axes_[0])
        self._draw_losses(self.axes_[1])
        self._draw_rows(self.axes_[2])
        figure: Any = self.axes_[0].figure
        self.figure_ = figure
        return self

    def _draw_skills(self, ax: Axes) -> None:
        places = np.arange(len(self.skills))[::-1]
        learnt, judged = (np.clip([float(row[i]) for row in self.skills], LOWEST, 1) for i in (2, 3))
        ax.hlines(places, judged, learnt, color=GREY, linewidth=1)
        ax.plot(learnt, places, MARKERS[1], color=BLUE, markersize=6, linestyle="none", label="rows learnt from")
        ax.plot(judged, places, MARKERS[0], color=ORANGE, markersize=7, linestyle="none", label="rows judged by")
        ax.axvline(judged[0], color=INK, linewidth=1, linestyle=":")
        ax.set_yticks(places, [plain(row[0]) for row in self.skills])
        dress(ax, xlabel="skill: 0 a constant, 1 no error", title=plain(self.title), xlim=(LOWEST - 0.05, 1.05))
        legend_below(ax, columns=2)

    def _draw_losses(self, ax: Axes) -> None:
        for values, label, colour, dash in (
            (self.losses, "training", BLUE, "--"), (self.validation, "validation", ORANGE, "-"),
        ):  # fmt: skip
            if len(values):
                ax.plot(np.arange(1, len(values) + 1), values, dash, color=colour, linewidth=1.8, label=label)
        if not len(self.losses):
            ax.text(0.5, 0.5, "no epochs", ha="center", va="center", color=GREY, transform=ax.transAxes)
        whole_numbers(ax)
        dress(ax, xlabel="epoch", ylabel="loss")
        legend_below(ax, columns=2)

    def _draw_rows(self, ax: Axes) -> None:
        counts, skills = [row[0] for row in self.rows], [max(float(row[1]), LOWEST) for row in self.rows]
        ax.plot(counts, skills, "o-", color=ORANGE, linewidth=1.8)
        whole_numbers(ax)
        dress(ax, xlabel="rows learnt from", ylabel="skill on rows judged by")
