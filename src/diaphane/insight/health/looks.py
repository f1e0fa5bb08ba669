"""What one look at a network in training finds, layer by layer, as plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["LayerHealth", "Look"]

LEARNT = 0.5
NONE = math.nan
"""Of what a layer does not have: a tanh has no dead share."""


@dataclass(frozen=True)
class LayerHealth:
    """One layer at one moment. Norms are Euclidean, over all its parameters.

    Attributes
    ----------
    name : str
    number : int
        Among the layers that transform their input; 0 for what stands beside them, such as a norm.
    gradient : float
        ‖∂l/∂θ‖ of the mean loss over the rows looked at.
    weights : float
        ‖θ‖.
    update : float
        ‖Δθ‖ of the step that the optimizer would do with these rows, with its own momentum, rate and so on; NaN
        where no optimizer is known.
    signal : float
        √Σₙ‖∂l/∂aₙ‖²: the gradient that arrives at the layer's preactivations a, before it meets the inputs.
    saturated : float
        Share of the values of its sigmoids and tanhs whose φ′ is below a hundredth of its greatest; NaN if it has none.
    dead : float
        Share of its rectifiers that are 0 for all rows; NaN if it has none.
    units : int
        How many rectifiers that is a share of.
    activation : str
        ``"sigmoid"``, ``"tanh"`` or ``"relu"`` where its units have one of these, several with a +.
    not_finite : float
        Share of NaN and infinity among its parameters, gradients and preactivations.
    """

    name: str
    number: int
    gradient: float
    weights: float
    update: float = NONE
    signal: float = NONE
    saturated: float = NONE
    dead: float = NONE
    units: int = 0
    activation: str = ""
    not_finite: float = 0.0

    @property
    def update_ratio(self) -> float:
        """‖Δθ‖/‖θ‖: which part of itself a layer changes in one step."""
        return self.update / self.weights if self.weights else math.inf if self.update > 0 else NONE

    @property
    def speed(self) -> float:
        """‖∂l/∂θ‖/‖θ‖: how fast the layer would move, for its size, under plain gradient descent."""
        return self.gradient / self.weights if self.weights else math.inf if self.gradient > 0 else NONE


@dataclass(frozen=True)
class Look:
    """A network at one moment.

    Attributes
    ----------
    epoch, steps : int
        Done before it.
    loss : float
        Mean over the rows looked at.
    constant_loss : float
        The same of the better of two outputs that do not depend on the input: 0, and the mean output.
    zero_loss : float
        The same of outputs of 0.
    layers : tuple of LayerHealth
    """

    epoch: int
    steps: int
    loss: float
    constant_loss: float
    zero_loss: float
    layers: tuple[LayerHealth, ...]

    @property
    def explained(self) -> float:
        """1 − loss/constant loss: 0 for a network that makes nothing of its input, 1 for a perfect one.

        NaN for losses that can be negative, of which no share can be said.
        """
        if not (self.constant_loss > 0 and self.loss >= 0 and math.isfinite(self.loss)):
            return NONE
        return 1 - self.loss / self.constant_loss

    @property
    def learnt(self) -> bool:
        """Whether more than half of what a constant output leaves to explain is explained."""
        return self.explained > LEARNT

    @property
    def numbered(self) -> list[LayerHealth]:
        """The layers that transform their input."""
        return [layer for layer in self.layers if layer.number]

    def rows(self) -> list[dict[str, Any]]:
        """One plain record a layer."""
        names = [f.name for f in fields(LayerHealth)]
        return [
            {"epoch": self.epoch, **{n: getattr(layer, n) for n in names}, "update_ratio": layer.update_ratio}
            for layer in self.layers
        ]
