"""Gradients held to a size before the optimizer sees them."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph import Node, astype, clip, minimum, sqrt, square
from ..graph import sum as sum_of
from ..graph.record import Record
from .checking import check_number, hyperparameter, is_number

__all__ = ["ClipNorm", "ClipValue", "Clipping"]


@dataclass(frozen=True)
class Clipping(Record, abstract=True):
    """Frozen data with a formula from the gradient of all parameters to the one that the optimizer gets.

    Parameters
    ----------
    limit : float
        Greater than 0, a hyperparameter of the program: ``"clip_norm/limit"``, ``"clip_value/limit"``.
    """

    limit: float = 1.0

    def __post_init__(self) -> None:
        advice = "leave clipping out (clipping=None) for gradients of any size"
        check_number(self, "limit", is_number(self.limit) and self.limit > 0, "greater than 0", advice)

    def __call__(self, gradient: Node) -> tuple[Node, Node]:
        """The clipped gradient, and a number that is finite only if clipping hides nothing.

        Parameters
        ----------
        gradient : node, shape (P,)
        """
        raise NotImplementedError(f"{type(self).__name__} says nothing of how it clips")


@dataclass(frozen=True)
class ClipNorm(Clipping):
    """g ← g · min(1, c/(‖g‖ + 10⁻⁶)), ‖g‖ being that of all parameters' gradients together (Pascanu et al. 2013).

    PyTorch's ``clip_grad_norm_``, its 10⁻⁶ included. Where ‖g‖ is NaN or infinite, training ends as diverged.

    Examples
    --------
    >>> import diaphane as dia
    >>> gradient, norm = ClipNorm(1.0)(dia.constant([3.0, 4.0]))
    >>> gradient.value.round(6), float(norm.value)
    (array([0.6, 0.8]), 5.0)
    """

    def __call__(self, gradient: Node) -> tuple[Node, Node]:
        norm = sqrt(sum_of(square(gradient)))
        limit = astype(hyperparameter(self, "limit"), gradient.dtype)
        return gradient * minimum(limit / (norm + 1e-6), 1.0), norm


@dataclass(frozen=True)
class ClipValue(Clipping):
    """gᵢ ← max(−c, min(c, gᵢ)): PyTorch's ``clip_grad_value_``. An infinite gᵢ ends training as diverged.

    Examples
    --------
    >>> import diaphane as dia
    >>> ClipValue(1.0)(dia.constant([3.0, -0.5]))[0].value
    array([ 1. , -0.5])
    """

    def __call__(self, gradient: Node) -> tuple[Node, Node]:
        limit = astype(hyperparameter(self, "limit"), gradient.dtype)
        # 0·∞ is NaN, and no sum of zeros overflows.
        return clip(gradient, -limit, limit), sum_of(0.0 * gradient)
