"""The scikit-learn face: estimators with its parameters, attributes and contract."""

from .mlp import MLPClassifier, MLPRegressor
from .transfer import from_sklearn, from_torch

__all__ = ["MLPClassifier", "MLPRegressor", "from_sklearn", "from_torch"]
