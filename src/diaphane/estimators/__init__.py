"""The scikit-learn face: estimators with its parameters, attributes and contract, each loaded when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from .linear import LinearClassifier, LinearRegression, LogisticRegression, Perceptron, Ridge
    from .mlp import MLPClassifier, MLPRegressor
    from .neuron import FormalNetwork, FormalNeuron, TruthTable, find_neuron, xor_network
    from .rate import LearningRateTest, find_learning_rate
    from .representation import HiddenSpace, hidden_representation, hidden_space, learn_xor
    from .tabular import TabularClassifier, TabularRegressor
    from .transfer import from_sklearn, from_torch

HOMES = {
    "linear": ("LinearClassifier", "LinearRegression", "LogisticRegression", "Perceptron", "Ridge"),
    "mlp": ("MLPClassifier", "MLPRegressor"),
    "neuron": ("FormalNetwork", "FormalNeuron", "TruthTable", "find_neuron", "xor_network"),
    "rate": ("LearningRateTest", "find_learning_rate"),
    "representation": ("HiddenSpace", "hidden_representation", "hidden_space", "learn_xor"),
    "tabular": ("TabularClassifier", "TabularRegressor"),
    "transfer": ("from_sklearn", "from_torch"),
}
"""Which module has which names."""

__all__ = [
    "FormalNetwork",
    "FormalNeuron",
    "HiddenSpace",
    "LearningRateTest",
    "LinearClassifier",
    "LinearRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
    "Ridge",
    "TabularClassifier",
    "TabularRegressor",
    "TruthTable",
    "find_learning_rate",
    "find_neuron",
    "from_sklearn",
    "from_torch",
    "hidden_representation",
    "hidden_space",
    "learn_xor",
    "xor_network",
]

__getattr__, __dir__ = lazy_names(__name__, HOMES)
