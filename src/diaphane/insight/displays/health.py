"""Gradient health as a picture: what reaches the layers, how far they move, and which units are idle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import GREY, INK, dress, panels, plain, whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from ..health import HealthReport, LayerHealth

__all__ = ["HealthDisplay"]

QUANTITIES: dict[str, Callable[[LayerHealth], float]] = {
    "gradient": lambda layer: layer.signal,
    "update": lambda layer: layer.update_ratio,
    "idle": lambda layer: float(np.nanmax([layer.saturated, layer.dead, -1])),
}
TITLES = {
    "gradient": "gradient at the units, ‖∂l/∂a‖",
    "update": "update to weights, ‖Δθ‖/‖θ‖",
    "idle": "units saturated or dead",
}
USUAL_UPDATES = (1e-4, 1e-2)


@dataclass(eq=False)
class HealthDisplay:
    """Three panels, a line a layer over the epochs (dark at the input, light at the output); bars for a single look.

    Lines of gradients that lie close together are healthy at any height; those that fan out by powers of ten, with the
    dark ones below, vanish. The band behind the updates is where trainings that go well mostly are.

    Parameters
    ----------
    report : HealthReport

    Attributes
    ----------
    axes_ : list of three matplotlib.axes.Axes
    ax_ : the first of them
    figure_
    lines_ : dict of (layer's name, "gradient", "update" or "idle") to matplotlib.lines.Line2D
        Empty for a single look.

    Examples
    --------
    >>> from diaphane.insight.health import HealthReport, LayerHealth, Look
    >>> looks = [
    ...     Look(epoch, epoch, 1.0, 1.0, 1.0, (LayerHealth("dense_1", 1, 1.0, 1.0, signal=1 / (1 + epoch)),))
    ...     for epoch in (0, 1)
    ... ]
    >>> HealthDisplay.from_report(HealthReport(tuple(looks))).lines_["dense_1", "gradient"].get_ydata()
    array([1. , 0.5])
    """

    report: HealthReport
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[tuple[str, str], Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_report(cls, report: HealthReport, *, axes: Sequence[Axes] | None = None) -> HealthDisplay:
        """Draw a report, on three axes given or on new ones.

        Raises
        ------
        ValueError
            If it has no look.
        """
        if not report.looks:
            raise ValueError("there is no look to draw: train with the callback first")
        return cls(report).plot(axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> HealthDisplay:
        """Draw on the three axes given, or on new ones."""
        self.axes_ = panels(axes, 3, (13, 4.2))
        self.ax_, self.lines_ = self.axes_[0], {}
        over_time = len(self.report.looks) > 1
        for ax, (name, of) in zip(self.axes_, QUANTITIES.items(), strict=True):
            drawn = self._lines(ax, name, of) if over_time else self._bars(ax, of)
            if name == "idle":
                ax.set_ylim(-0.03, 1.03)
            elif drawn:
                ax.set_yscale("log")
            if name == "update" and drawn:
                ax.axhspan(*USUAL_UPDATES, color=GREY, alpha=0.12, linewidth=0)
            if not drawn:
                ax.text(0.5, 0.5, "none here", ha="center", va="center", color=GREY, transform=ax.transAxes)
            whole_numbers(ax)
            self.figure_ = dress(ax, xlabel="epoch" if over_time else "layer", title=TITLES[name])
        if over_time:
            handles, names = self.ax_.get_legend_handles_labels()
            self.figure_.legend(handles, names, loc="outside lower center", ncols=6, frameon=False, fontsize="small")
        return self

    def _lines(self, ax: Axes, name: str, of: Callable[[LayerHealth], float]) -> bool:
        looks, found = self.report.looks, False
        colours = _shades(len(looks[0].numbered))
        for i, (layer, colour) in enumerate(zip(looks[0].numbered, colours, strict=True)):
            values = np.array([_drawable(of(look.numbered[i]), name) for look in looks])
            if name != "gradient" and np.isnan(values).all():
                continue
            found = found or bool(np.isfinite(values).any())
            label = f"{layer.number} {plain(layer.name)}"
            [line] = ax.plot(
                [look.epoch for look in looks], values, color=colour, linewidth=1.7, marker=".", label=label
            )
            self.lines_[layer.name, name] = line
        return found

    def _bars(self, ax: Axes, of: Callable[[LayerHealth], float]) -> bool:
        layers = self.report.looks[0].numbered
        values = np.array([of(layer) for layer in layers])
        seen = np.isfinite(values) & (values >= 0)
        numbers: Any = np.array([layer.number for layer in layers])
        ax.plot(numbers[seen], values[seen], color=INK, marker="o", linewidth=1.2)
        ax.set_xlim(0.5, len(layers) + 0.5)
        return bool(seen.any() and values[seen].max() > 0)


def _shades(count: int) -> list[Any]:
    import matplotlib as mpl

    return [mpl.colormaps["viridis"](i / max(count - 1, 1) * 0.85) for i in range(count)]


def _drawable(value: float, name: str) -> float:
    """What an axis has a place for: nothing below 0, and on a logarithmic one no 0."""
    if not math.isfinite(value) or value < 0 or (name != "idle" and value == 0):
        return math.nan
    return value
