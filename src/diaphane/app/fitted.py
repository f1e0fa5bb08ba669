"""A trained model of the command as a pipeline of scikit-learn's, for what judges estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if

from ..estimators.tabular.frames import table_of
from ..graph import Node, astype
from ..graph.node import Array
from ..nn.losses import find_loss
from .model import Model

__all__ = ["fitted_of"]

NAMES = {
    "mlp": "a multi-layer perceptron",
    "perceptron": "a perceptron",
    "logistic": "logistic regression",
    "linear": "linear regression",
}


class _Fitted(BaseEstimator):  # type: ignore[misc]
    """What all share: there is nothing to learn.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def fit(self, X: Any, y: Any = None) -> Any:
        """Nothing, as of ``sklearn.frozen.FrozenEstimator``: it is fitted."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model.facts.get('model')} of {self.model.target!r})"

    def __sklearn_is_fitted__(self) -> bool:
        return True


class EncodedColumns(TransformerMixin, _Fitted):  # type: ignore[misc]
    """The columns of a table as a model's features.

    Parameters
    ----------
    model : Model
    names : sequence of str
        Of the columns of its rows, those that it leaves out too.
    """

    def __init__(self, model: Model, names: Sequence[str]) -> None:
        super().__init__(model)
        self.names = names
        self.feature_names_in_, self.n_features_in_ = np.array(names, object), len(names)
        self._column_names = tuple(names)

    def transform(self, X: Any) -> Array:
        """The features of a table or a frame, (n, n_features)."""
        return self.model.encoder.transform(table_of(self, X, reset=False))


class _FittedNetwork(_Fitted):
    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.network_, self.state_ = model.network, model.state

    @property
    def called(self) -> str:
        """What it is, for people."""
        return NAMES.get(str(self.model.facts.get("model")), "a network")


def _has_probabilities(estimator: Any) -> bool:
    return bool(estimator.model.has_probabilities)


class FittedClassifier(ClassifierMixin, _FittedNetwork):  # type: ignore[misc]
    """Of features; the more probable class is said, whatever the model's threshold.

    Attributes
    ----------
    classes_ : array
    network_ : Network
        With one output for each class, of two too.
    state_ : State
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.classes_ = np.array(model.labels)

    @property
    def loss(self) -> Any:
        """Cross-entropy, of two classes too; their targets come as a column of 0 and 1."""
        cross_entropy = find_loss("categorical_cross_entropy")

        def of_two(outputs: Node, targets: Node) -> Node:
            return cross_entropy(outputs, astype(targets[:, 0], "int64"))

        return of_two if len(self.classes_) == 2 else cross_entropy

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes)."""
        outputs = self.model.outputs_of(X).astype(np.float64)
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> Array:
        """The label of each row."""
        return np.asarray(self.classes_[self.model.outputs_of(X).argmax(axis=1)])


class FittedRegressor(RegressorMixin, _FittedNetwork):  # type: ignore[misc]
    """Of features; what its network learnt is the number scaled."""

    @property
    def loss(self) -> Any:
        """½(ŷ − y)² of the number as the network has it."""
        scaler, squares = self.model.scaler, find_loss("half_squared_error")
        assert scaler is not None
        mean, scale = scaler.mean, scaler.scale

        def of_scaled(outputs: Node, targets: Node) -> Node:
            return squares(outputs, (targets - mean) / scale)

        return of_scaled

    def predict(self, X: Any) -> Array:
        """The number of each row."""
        return np.asarray(self.model.outputs_of(X), np.float64)


def fitted_of(model: Model, names: Sequence[str]) -> Pipeline:
    """The columns encoded, and what predicts from that."""
    last = (FittedRegressor if model.scaler is not None else FittedClassifier)(model)
    return Pipeline([("columns", EncodedColumns(model, names)), ("model", last)])
