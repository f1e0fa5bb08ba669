"""The losses of two classes as functions of the margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...graph import Node, constant
from ...graph.node import Array
from ...nn.losses import Loss, binary_cross_entropy, hinge, perceptron, squared_error, squared_hinge, zero_one
from .style import COLOURS, DASHES, INK, dress, legend_below, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["LossDisplay"]


def _logistic(scores: Node, target: Node) -> Node:
    return binary_cross_entropy(scores, (target + 1) / 2)


LOSSES: dict[str, tuple[Loss, str]] = {
    "zero_one": (zero_one, "zero-one: 1[m ≤ 0]"),
    "perceptron": (perceptron, "perceptron: max(0, −m)"),
    "hinge": (hinge, "hinge: max(0, 1 − m)"),
    "squared_hinge": (squared_hinge, "squared hinge: max(0, 1 − m)²"),
    "logistic": (_logistic, "logistic: log(1 + e⁻ᵐ)"),
    "squared_error": (squared_error, "squared error: (1 − m)²"),
}
BITS = "logistic, in bits: log₂(1 + e⁻ᵐ)"


@dataclass(eq=False)
class LossDisplay:
    """What an example costs by its margin m = y·f(x), y being −1 or +1: above 0 it is on the right side.

    All but the zero-one loss can be descended on. Those that lie above it bound the rate of mistakes; the logistic
    loss does so in bits, log₂(1 + e⁻ᵐ), which is 1 at m = 0, and not in nats, where it is log 2. Squared error grows
    again for m > 1: it punishes being right by far (Hastie, Tibshirani & Friedman 2009, §10.6).

    Parameters
    ----------
    margins : array, shape (n,)
    curves : dict of name to array, shape (n,)
    bits : bool
        Whether the logistic loss is in bits.

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of name to matplotlib.lines.Line2D

    Examples
    --------
    >>> display = LossDisplay.from_losses(["hinge", "logistic"], margins=[-1.0, 0.0, 2.0])
    >>> display.curves["hinge"].tolist(), display.curves["logistic"][1].item()
    ([2.0, 1.0, 0.0], 1.0)
    """

    margins: Array
    curves: dict[str, Array]
    bits: bool = True
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_losses(
        cls,
        losses: Sequence[str] = tuple(LOSSES),
        *,
        margins: Sequence[float] | Array | None = None,
        bits: bool = True,
        ax: Axes | None = None,
    ) -> LossDisplay:
        """Evaluate the losses of `diaphane.nn.losses` over margins, and draw.

        Parameters
        ----------
        losses : sequence of str
            Of zero_one, perceptron, hinge, squared_hinge, logistic, squared_error.
        margins : array, shape (n,), optional
            By default from −2.5 to 2.5.
        bits : bool
            The logistic loss in bits (base 2), or in nats.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If a loss has another name, or margins are not finite.
        """
        unknown = [name for name in losses if name not in LOSSES]
        if unknown or isinstance(losses, str) or not len(losses):
            raise ValueError(f"losses are names of {', '.join(LOSSES)}; got {unknown or losses!r}")
        m = np.linspace(-2.5, 2.5, 501) if margins is None else np.asarray(margins, float)
        if m.ndim != 1 or not m.size or not np.isfinite(m).all():
            raise ValueError(f"margins are finite numbers, shape (n,), got {margins!r}")
        scores, ones = constant(m), constant(np.ones_like(m))
        curves = {name: np.asarray(LOSSES[name][0](scores, ones).value, float) for name in losses}
        if bits and "logistic" in curves:
            curves["logistic"] = curves["logistic"] / np.log(2)
        return cls(m, curves, bits).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> LossDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        self.lines_ = {}
        names = list(LOSSES)
        for name, values in self.curves.items():
            i = names.index(name)
            label = BITS if name == "logistic" and self.bits else LOSSES[name][1]
            colour, width = (INK, 2.6) if name == "zero_one" else (COLOURS[(i - 1) % len(COLOURS)], 2.0)
            [self.lines_[name]] = ax.plot(
                self.margins, values, color=colour, linestyle=DASHES[i % len(DASHES)], linewidth=width, label=label
            )
        ax.axvline(0, color=INK, linewidth=0.8)
        ax.set_xlim(self.margins.min(), self.margins.max())
        ax.set_ylim(-0.45, 4.2)
        ax.text(-0.05, -0.33, "← on the wrong side", fontsize="small", color=INK, ha="right")
        ax.text(0.05, -0.33, "on the right side →", fontsize="small", color=INK)
        self.figure_ = dress(ax, xlabel="margin m = y·f(x)", ylabel="loss")
        legend_below(ax, columns=2)
        return self
