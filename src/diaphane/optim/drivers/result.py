"""What every driver takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ...graph.node import Array

__all__ = ["LossAndGradient", "MinimizationResult"]

LossAndGradient: TypeAlias = Callable[[Array], tuple[float, Array]]
"""From a vector (P,) in float64 to the loss there and its gradient (P,)."""


@dataclass(frozen=True)
class MinimizationResult:
    """Where a driver ended.

    Attributes
    ----------
    parameters : ndarray, shape (P,)
    loss : float
    n_iterations, n_evaluations : int
    converged : bool
        Whether it ended by its own criterion, and not because it was at the end of its iterations.
    message : str
        Why it ended, in words.
    losses : list of float
        After each iteration.
    """

    parameters: Array
    loss: float
    n_iterations: int
    n_evaluations: int
    converged: bool
    message: str
    losses: list[float]
