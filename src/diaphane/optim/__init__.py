"""How parameters move: optimizers as graph formulas, and drivers that call a loss-and-gradient program."""

from .drivers import (
    DescentResult,
    LBFGSResult,
    MinimizationResult,
    NewtonResult,
    minimize_gradient_descent,
    minimize_lbfgs,
    minimize_newton,
)
from .flat import FlatParameters, flatten
from .optimizers import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    Updates,
    find_optimizer,
)

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "DescentResult",
    "FlatParameters",
    "LBFGSResult",
    "MinimizationResult",
    "Momentum",
    "Nesterov",
    "NewtonResult",
    "Optimizer",
    "RMSProp",
    "Updates",
    "find_optimizer",
    "flatten",
    "minimize_gradient_descent",
    "minimize_lbfgs",
    "minimize_newton",
]
