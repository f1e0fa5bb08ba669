"""What is computed: nodes, operations on them, and backpropagation from graph to graph."""

from .node import Node, apply, ancestors, substitute  # isort: skip  the operators on nodes need this first
from . import operations
from .check import GradientReport, check_gradient
from .drawing import Drawing, draw
from .errors import DTypeError, FeedError, NotDifferentiableError, ShapeError
from .evaluation import Plan, evaluate
from .gradient import Backpropagation, backpropagate, gradient, jacobian
from .leaves import constant, placeholder, variable
from .operation import OPERATIONS, Elementwise, Operation
from .operations import *  # noqa: F403  the functions are named there
from .sizes import Dim, Size

__all__ = [
    "OPERATIONS",
    "Backpropagation",
    "DTypeError",
    "Dim",
    "Drawing",
    "Elementwise",
    "FeedError",
    "GradientReport",
    "Node",
    "NotDifferentiableError",
    "Operation",
    "Plan",
    "ShapeError",
    "Size",
    "ancestors",
    "apply",
    "backpropagate",
    "check_gradient",
    "constant",
    "draw",
    "evaluate",
    "gradient",
    "jacobian",
    "placeholder",
    "substitute",
    "variable",
    *operations.__all__,
]
