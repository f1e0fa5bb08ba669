"""Programs whose kernels most people will need: a model of each common kind, small, since kernels know no sizes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

__all__ = ["common_programs"]

ROWS = 32


def common_programs() -> list[Callable[[], Any]]:
    """Each trains and predicts for a moment, in float32 or float64."""
    from sklearn.datasets import make_classification, make_regression

    from ..estimators import MLPClassifier, MLPRegressor

    found: list[Callable[[], Any]] = _linear_models()
    activations = ("relu", "tanh", "logistic")
    for dtype, activation, layers in product((np.float32, np.float64), activations, ((8,), (8, 6), (8, 6, 4))):
        for kind in ("several", "two", "numbers"):
            if kind == "numbers":
                x, y = make_regression(ROWS + 1, 6, random_state=0)
                model: Any = MLPRegressor(hidden_layer_sizes=layers, activation=activation)
            else:
                classes = 3 if kind == "several" else 2
                x, y = make_classification(
                    ROWS + 1, 6, n_informative=5, n_redundant=0, n_classes=classes, random_state=0
                )
                model = MLPClassifier(layers, activation)
            found.append(_fit(model.set_params(batch_size=ROWS), x.astype(dtype), y))
        if len(layers) > 1:
            dropped = MLPClassifier(layers, activation, batch_size=ROWS, dropout=0.5)
            found.append(_fit(dropped, x.astype(dtype), y > 0))
    return found


def _linear_models() -> list[Callable[[], Any]]:
    from scipy.sparse import csr_array
    from sklearn.datasets import make_classification

    from ..estimators import LinearClassifier, LogisticRegression, Perceptron

    x, y = make_classification(ROWS + 1, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
    found: list[Callable[[], Any]] = []
    for dtype, store in product((np.float32, np.float64), (np.asarray, csr_array)):
        models = [Perceptron(), *(LinearClassifier(loss=loss) for loss in ("hinge", "logistic")), LogisticRegression()]
        found += [_fit(model, store(x.astype(dtype)), y > 0) for model in models]
        found.append(_fit(LogisticRegression(), store(x.astype(dtype)), y))
    return found


def _fit(model: Any, x: Any, y: Any) -> Callable[[], None]:
    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.set_params(max_iter=1, engine="native").fit(x, y).predict(x)

    return run
