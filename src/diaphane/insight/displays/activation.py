"""Activations with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph import gradient, variable
from ...graph import sum as sum_of
from ...graph.node import Array
from ...nn.activations import ACTIVATIONS, Activating, ActivationLike, find_activation
from .style import BLUE, GRID, ORANGE, dress, need_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ActivationDisplay"]

FLAT = 0.05
"""A slope below which hardly anything of a gradient comes through."""

COLUMNS = 4


@dataclass(eq=False)
class ActivationDisplay:
    """φ and φ′ of each activation; grey where |φ′| < 0.05, so that a unit there hardly learns.

    φ′ is what backpropagation multiplies by at each layer: ¼ at most for the sigmoid, so that a gradient is at least
    4ᵏ times smaller k layers down, weights apart; 1 at most for tanh; 1 or 0 for ReLU. It comes from the graph's
    gradient, and not from a formula of its own.

    Parameters
    ----------
    inputs : array, shape (n,)
        a, the values that φ is computed of.
    values, slopes : dict of name to array, shape (n,)
        φ(a) and φ′(a).

    Attributes
    ----------
    axes_ : list of Axes
    figure_
    lines_ : dict of name to a pair of matplotlib.lines.Line2D

    Examples
    --------
    >>> display = ActivationDisplay.from_activations(["sigmoid", "relu"], inputs=[-1.0, 0.0, 2.0])
    >>> display.slopes["sigmoid"][1].item(), display.slopes["relu"].tolist()
    (0.25, [0.0, 0.0, 1.0])
    """

    inputs: Array
    values: dict[str, Array]
    slopes: dict[str, Array]
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, tuple[Line2D, Line2D]] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_activations(
        cls,
        activations: Sequence[ActivationLike] | None = None,
        *,
        inputs: Sequence[float] | Array | None = None,
        axes: Sequence[Axes] | None = None,
    ) -> ActivationDisplay:
        """Evaluate activations and their derivatives, and draw.

        Parameters
        ----------
        activations : sequence of str or callable, optional
            By default all of :data:`~diaphane.nn.ACTIVATIONS` that act on each element alone.
        inputs : array, shape (n,), optional
            By default from −4 to 4.
        axes : sequence of Axes, optional
            One for each.

        Raises
        ------
        ValueError
            If one is no activation, or mixes elements as softmax does, or inputs are not finite.
        """
        a = np.linspace(-4, 4, 401) if inputs is None else np.asarray(inputs, float)
        if a.ndim != 1 or not a.size or not np.isfinite(a).all():
            raise ValueError(f"inputs are finite numbers, shape (n,), got {inputs!r}")
        if isinstance(activations, str):
            raise ValueError(
                f"activations is a list of names or functions, got {activations!r}; write [{activations!r}]"
            )
        chosen = _elementwise_ones() if activations is None else {_name(given): given for given in activations}
        if not chosen:
            raise ValueError("activations is empty; expected one at least, such as 'relu'")
        values, slopes = {}, {}
        for name, given in chosen.items():
            phi = find_activation(given)
            if not _is_elementwise(phi):
                raise ValueError(f"{name} mixes elements, so that it has no φ′ of one number: draw another")
            values[name], slopes[name] = _evaluated(phi, a)
        return cls(a, values, slopes).plot(axes=axes)

    def plot(self, axes: Sequence[Axes] | None = None) -> ActivationDisplay:
        """Draw on the axes given, or on new ones."""
        self.axes_ = _grid(axes, len(self.values))
        self.lines_ = {}
        for ax, name in zip(self.axes_, self.values, strict=True):
            phi, slope = self.values[name], self.slopes[name]
            ax.fill_between(self.inputs, 0, 1, where=np.abs(slope) < FLAT, transform=ax.get_xaxis_transform(),
                            color=GRID, linewidth=0)  # fmt: skip
            [one] = ax.plot(self.inputs, phi, color=BLUE, linewidth=1.8, label="φ(a)")
            [other] = ax.plot(self.inputs, slope, color=ORANGE, linewidth=1.6, linestyle=(0, (6, 2)), label="φ′(a)")
            self.lines_[name] = one, other
            ax.set_ylim(-2.1, 4.1)
            self.figure_ = dress(ax, title=name)
        self.axes_[0].legend(frameon=False, fontsize="small", loc="upper left")
        return self


def _evaluated(phi: Activating, a: Array) -> tuple[Array, Array]:
    node = variable(a, "a")
    value = phi(node)
    [slope] = gradient(sum_of(value), [node])
    return np.asarray(value.value), np.broadcast_to(slope.value, a.shape)


def _is_elementwise(phi: Activating) -> bool:
    """Whether it gives each number the same beside others and alone."""
    a = np.array([-1.5, 0.25, 2.0])
    beside, alone = phi(variable(a, "a")), phi(variable(a[:, None], "a"))
    return beside.shape == a.shape and bool(np.array_equal(beside.value, alone.value[:, 0]))


def _elementwise_ones() -> dict[str, ActivationLike]:
    """All by name, one that has two names once."""
    found: dict[Any, str] = {}
    for name, phi in ACTIVATIONS.items():
        if _is_elementwise(phi):
            found.setdefault(phi, name)
    return {name: phi for phi, name in found.items()}


def _name(given: ActivationLike) -> str:
    return given if isinstance(given, str) else getattr(given, "__name__", str(given))


def _grid(axes: Sequence[Axes] | None, count: int) -> list[Axes]:
    if axes is not None:
        found = list(np.asarray(axes, dtype=object).flat)
        if len(found) != count:
            raise ValueError(f"this picture has {count} panels and got {len(found)} axes; give {count}, or none")
        return found
    need_matplotlib()
    import matplotlib.pyplot as plt

    columns = min(COLUMNS, count)
    rows = math.ceil(count / columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(2.5 * columns, 2.2 * rows), sharex=True, layout="constrained", squeeze=False
    )
    for unused in grid.flat[count:]:
        figure.delaxes(unused)
    return list(grid.flat[:count])
