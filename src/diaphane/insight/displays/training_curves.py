"""A quantity by epoch, of one network or of several members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .style import BLUE, ORANGE, dress, legend_below, new_axes, plain, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["TrainingCurvesDisplay"]

Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(eq=False)
class TrainingCurvesDisplay:
    """Lines over the epochs, a point where the values that are kept were reached.

    Parameters
    ----------
    training, validation : dict of name to (epochs, values)
        A line for each network; of several the lines are thin.
    kept : dict of name to int
        The epoch whose values a network has.
    what : str
        The quantity.

    Attributes
    ----------
    ax_, figure_

    Examples
    --------
    >>> display = TrainingCurvesDisplay({"a": ([1, 2], [1.0, 0.5])}, {"a": ([1, 2], [1.0, 0.8])}, {"a": 2}).plot()
    >>> [line.get_label() for line in display.ax_.lines]
    ['training', 'validation', 'kept']
    """

    training: Lines = field(default_factory=dict)
    validation: Lines = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    what: str = "loss"
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    def plot(self, ax: Axes | None = None) -> TrainingCurvesDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        lowest, highest = np.inf, -np.inf
        for lines, colour, dash, name in (
            (self.training, BLUE, "--", "training"),
            (self.validation, ORANGE, "-", "validation"),
        ):
            width = 1.8 if len(lines) == 1 else 1.1
            for i, (epochs, values) in enumerate(lines.values()):
                # One epoch alone is a point, which a line does not show.
                marker = "." if len(epochs) == 1 else None
                ax.plot(epochs, values, dash, color=colour, linewidth=width, marker=marker, label="" if i else name)
                known = np.asarray(values, np.float64)
                known = known[np.isfinite(known)]
                if len(known):
                    lowest, highest = min(lowest, float(known.min())), max(highest, float(known.max()))
        self._mark_kept(ax)
        if 20 * lowest < highest and lowest > 0:
            ax.set_yscale("log")
        whole_numbers(ax)
        self.figure_ = dress(ax, xlabel="epoch", ylabel=plain(self.what))
        legend_below(ax)
        return self

    def _mark_kept(self, ax: Axes) -> None:
        shown = self.validation or self.training
        first = True
        for name, epoch in self.kept.items():
            epochs, values = shown.get(name, ((), ()))
            places = [i for i, e in enumerate(epochs) if e == epoch]
            if places:
                colour = ORANGE if self.validation else BLUE
                ax.plot([epoch], [values[places[0]]], "o", color=colour, markersize=5, label="kept" if first else "")
                first = False
