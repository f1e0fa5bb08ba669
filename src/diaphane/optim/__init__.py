"""How parameters move: optimizers as graph formulas, and drivers that call a loss-and-gradient program."""

from .drivers import LBFGSResult, minimize_lbfgs
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
    "FlatParameters",
    "LBFGSResult",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "Updates",
    "find_optimizer",
    "flatten",
    "minimize_lbfgs",
]
