"""What parameters are held to after each update."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph import Node, astype, clip_columns
from ..graph.record import Record
from ..graph.sizes import known_shape
from .checking import check_number, hyperparameter, is_number
from .flat import FlatParameters

__all__ = ["Constraint", "MaxNorm"]


@dataclass(frozen=True)
class Constraint(Record, abstract=True):
    """Frozen data with a formula from the parameters that an optimizer gives to those that are kept."""

    def __call__(self, flat: FlatParameters, moved: Node) -> Node:
        """The vector that is kept.

        Parameters
        ----------
        flat : FlatParameters
            Where each parameter lies.
        moved : node, shape (P,)
            The vector after the optimizer's update.
        """
        raise NotImplementedError(f"{type(self).__name__} says nothing of what is kept")


@dataclass(frozen=True)
class MaxNorm(Constraint):
    """w ← w · min(1, c/‖w‖) for each unit's incoming weights w (Srebro & Shraibman 2005; Srivastava et al. 2014, §5.1).

    A unit's incoming weights are a column of its kernel: all axes but the last. Biases and the scales of
    normalisation are left alone, and so is, to the bit, a unit whose weights are not longer than c.

    Parameters
    ----------
    limit : float
        c > 0, a hyperparameter of the program: ``"max_norm/limit"``.

    Examples
    --------
    >>> import diaphane as dia
    >>> kernel = dia.variable([[3.0, 0.3], [4.0, 0.4]], "kernel")
    >>> flat = dia.optim.flatten([kernel])
    >>> MaxNorm(1.0)(flat, flat.vector).value.reshape(2, 2)
    array([[0.6, 0.3],
           [0.8, 0.4]])
    """

    limit: float = 2.0

    def __post_init__(self) -> None:
        advice = "leave the constraint out (constraint=None) for weights of any length"
        check_number(self, "limit", is_number(self.limit) and self.limit > 0, "greater than 0", advice)

    def __call__(self, flat: FlatParameters, moved: Node) -> Node:
        matrices = []
        for parameter, (start, stop) in flat.places().items():
            shape = known_shape(parameter.shape, parameter.label())
            if len(shape) > 1 and stop > start:
                matrices.append((start, (stop - start) // shape[-1], shape[-1]))
        limit = astype(hyperparameter(self, "limit"), moved.dtype)
        return clip_columns(moved, limit, matrices) if matrices else moved
