"""Linear models: one score a row, or one for each class."""

from .classifier import LinearClassifier
from .logistic import LogisticRegression, SeparationWarning
from .perceptron import Mistake, NotSeparatedWarning, Perceptron, VotersWarning
from .regression import LinearRegression, Ridge
from .solving import DescentWarning

__all__ = [
    "DescentWarning",
    "LinearClassifier",
    "LinearRegression",
    "LogisticRegression",
    "Mistake",
    "NotSeparatedWarning",
    "Perceptron",
    "Ridge",
    "SeparationWarning",
    "VotersWarning",
]
