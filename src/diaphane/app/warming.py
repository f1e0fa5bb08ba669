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

    found: list[Callable[[], Any]] = [*_linear_models(), *_tables()]
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


def _tables() -> list[Callable[[], Any]]:
    """What ``diaphane train`` does of itself: numbers alone, words too, and words alone."""
    from ..data import Table
    from .fitting import fit_table
    from .options import Options

    numbers, words = np.arange(2.0 * ROWS) % 13, ["u", "v", "w", "v"] * (ROWS // 2)
    targets = {"two": ["p", "q"] * ROWS, "several": ["p", "q", "r", "q"] * (ROWS // 2), "number": np.sqrt(numbers)}
    columns = {"a": {"x": numbers}, "b": {"x": numbers, "w": words}, "c": {"w": words}}

    def train(features: Any, target: Any) -> Callable[[], None]:
        return lambda: _quietly(
            lambda: fit_table(Table({**features, "y": target}), Options(model="tabular"), progress=False)
        )

    return [train(features, target) for features in columns.values() for target in targets.values()]


def _quietly(run: Callable[[], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()


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
    return lambda: _quietly(lambda: model.set_params(max_iter=1, engine="native").fit(x, y).predict(x))
