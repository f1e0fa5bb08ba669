"""Drivers: methods that choose where to evaluate a loss-and-gradient program next."""

from .descent import DescentResult, minimize_gradient_descent
from .lbfgs import LBFGSResult, minimize_lbfgs
from .newton import NewtonResult, minimize_newton
from .result import LossAndGradient, MinimizationResult

__all__ = [
    "DescentResult",
    "LBFGSResult",
    "LossAndGradient",
    "MinimizationResult",
    "NewtonResult",
    "minimize_gradient_descent",
    "minimize_lbfgs",
    "minimize_newton",
]
