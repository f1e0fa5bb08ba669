"""What first weights do to activations and gradients, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import COLOURS, DASHES, GREY, MARKERS, dress, panels, plain, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from ..initial_variance import InitializationStudy

__all__ = ["InitializationDisplay"]


@dataclass(eq=False)
class InitializationDisplay:
    """Var(a) and E[(∂l/∂a)²] against the layer, a line a scheme, on a scale of powers of ten.

    A line that stays level keeps its signal at any depth; one that falls vanishes, one that rises explodes.

    Parameters
    ----------
    study : InitializationStudy
        What ``insight.initialization`` gives.

    Attributes
    ----------
    axes_ : list of two matplotlib.axes.Axes
    ax_ : the first of them
    figure_
    lines_ : dict of (scheme, "preactivation" or "signal") to matplotlib.lines.Line2D

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(8, "relu"), dia.nn.Dense(1)]), (4,))
    >>> study = dia.insight.initialization(network, np.ones((5, 4)), schemes=["he_normal"])
    >>> display = InitializationDisplay.from_study(study)
    >>> len(display.lines_["he_normal", "signal"].get_ydata())
    2
    """

    study: InitializationStudy
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[tuple[str, str], Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_study(cls, study: InitializationStudy, *, axes: Sequence[Axes] | None = None) -> InitializationDisplay:
        """Draw a study, on two axes given or on new ones."""
        return cls(study).plot(axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> InitializationDisplay:
        """Draw on the two axes given, or on new ones."""
        self.axes_ = panels(axes, 2, (10, 4.8))
        self.ax_, self.lines_ = self.axes_[0], {}
        titles = {"preactivation": "forward: Var(a)", "signal": "backward: E[(∂l/∂a)²]"}
        for ax, (name, title) in zip(self.axes_, titles.items(), strict=True):
            for i, scheme in enumerate(self.study.schemes):
                layers = self.study.of(scheme)
                # A logarithmic axis has no place for what is 0.
                values = np.array([getattr(v, name) or np.nan for v in layers])
                settings: dict[str, Any] = {"marker": MARKERS[i % len(MARKERS)], "markersize": 4, "linewidth": 1.6}
                [self.lines_[scheme, name]] = ax.plot(
                    [v.number for v in layers], values, label=plain(scheme), color=COLOURS[i % len(COLOURS)],
                    linestyle=DASHES[(i // len(COLOURS) + i) % len(DASHES)], **settings,
                )  # fmt: skip
            if name == "preactivation" and self.study.input_mean_square > 0:
                ax.axhline(self.study.input_mean_square, color=GREY, linewidth=1, linestyle=":", label="E[x²]")
            ax.set_yscale("log")
            whole_numbers(ax)
            self.figure_ = dress(ax, xlabel="layer", title=title)
        handles, names = self.ax_.get_legend_handles_labels()
        self.figure_.legend(handles, names, loc="outside lower center", ncols=4, frameon=False, fontsize="small")
        return self
