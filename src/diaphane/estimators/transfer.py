"""Weights of networks that others trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from ..graph.node import Array
from ..nn import find_activation
from .mlp import MLPClassifier, MLPRegressor

__all__ = ["from_sklearn", "from_torch"]

FITTED = (
    "n_features_in_",
    "feature_names_in_",
    "classes_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
    "n_iter_",
    "t_",
    "loss_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
    "_label_binarizer",
)


def from_sklearn(fitted: Any) -> MLPClassifier | MLPRegressor:
    """A fitted scikit-learn ``MLPClassifier`` or ``MLPRegressor`` as ours, with a copy of its weights.

    Parameters
    ----------
    fitted : estimator

    Returns
    -------
    MLPClassifier or MLPRegressor
        With the same parameters and predictions.

    Examples
    --------
    >>> import warnings
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     theirs = MLPClassifier((8,), max_iter=20, random_state=0).fit(X, y)
    >>> ours = from_sklearn(theirs)
    >>> float(abs(ours.predict_proba(X) - theirs.predict_proba(X)).max()) < 1e-12
    True
    """
    kinds = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    kind = kinds.get(type(fitted).__name__)
    if kind is None or not hasattr(fitted, "coefs_"):
        raise TypeError(
            f"a fitted MLPClassifier or MLPRegressor of scikit-learn is wanted, got {type(fitted).__name__}"
            + ("" if hasattr(fitted, "coefs_") else " (not fitted)")
        )
    ours = kind(**fitted.get_params(deep=False))
    for name in FITTED:
        if hasattr(fitted, name):
            setattr(ours, name, copy(getattr(fitted, name)))
    _place(ours, fitted.coefs_, fitted.intercepts_)
    return ours


def from_torch(
    state_dict: Mapping[str, Any], *, activation: Any = "relu", classes: Sequence[Any] | None = None
) -> MLPClassifier | MLPRegressor:
    """The weights of a PyTorch ``Sequential`` of ``Linear`` layers with one activation between them.

    Parameters
    ----------
    state_dict : mapping of str to tensor or array
        ``model.state_dict()``: pairs ``<i>.weight`` (out, in) and ``<i>.bias`` in the layers' order.
    activation : str or callable
        Between the layers; a state dict does not say.
    classes : sequence, optional
        Makes a classifier whose outputs are logits: one column or two for two classes, one a class for more.
        By default a regressor.

    Examples
    --------
    >>> import numpy as np
    >>> model = from_torch({"0.weight": np.array([[1.0, -1.0]]), "0.bias": np.array([0.5])})
    >>> model.predict(np.array([[3.0, 1.0]]))
    array([2.5])
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"a state dict is wanted, got {type(state_dict).__name__}; pass model.state_dict()")
    find_activation(activation)
    arrays = {name: _numpy(tensor) for name, tensor in state_dict.items()}
    weights = [name for name in arrays if name.endswith("weight")]
    biases = {f"{n.removesuffix('weight')}bias" for n in weights}
    stray = [n for n in arrays if n not in biases and not n.endswith("weight")]
    stray += [n for n in weights if arrays[n].ndim != 2]
    if not weights or stray:
        raise ValueError(
            "the state dict of a Sequential of Linear layers is wanted, with '<i>.weight' (out, in) and "
            "'<i>.bias'; got " + ", ".join(f"{name} {arrays[name].shape}" for name in arrays)
        )
    coefs = [arrays[name].T for name in weights]
    zeros = [np.zeros(c.shape[1], c.dtype) for c in coefs]
    intercepts = [arrays.get(f"{n.removesuffix('weight')}bias", z) for n, z in zip(weights, zeros, strict=True)]
    for name, kernel, bias in zip(weights, coefs, intercepts, strict=True):
        if bias.shape != kernel.shape[1:]:
            raise ValueError(f"{name} is for {kernel.shape[1]} outputs, the bias beside it has shape {bias.shape}")
    for before, after in pairwise(coefs):
        if before.shape[1] != after.shape[0]:
            raise ValueError(f"a layer gives {before.shape[1]} outputs and the next takes {after.shape[0]} inputs")
    if classes is not None and len(classes) == 2 and coefs[-1].shape[1] == 2:
        # The softmax of two logits is the sigmoid of their difference.
        coefs[-1] = coefs[-1][:, 1:] - coefs[-1][:, :1]
        intercepts[-1] = intercepts[-1][1:] - intercepts[-1][:1]
    hidden, outputs = [c.shape[1] for c in coefs[:-1]], coefs[-1].shape[1]
    ours: MLPClassifier | MLPRegressor
    if classes is None:
        ours = MLPRegressor(hidden_layer_sizes=hidden, activation=activation)
        ours.out_activation_ = "identity"
    else:
        wanted = 1 if len(classes) == 2 else len(classes)
        if outputs != wanted:
            raise ValueError(f"{len(classes)} classes take {wanted} outputs, the last layer has {outputs}")
        ours = MLPClassifier(hidden, activation)
        ours._label_binarizer = LabelBinarizer().fit(np.asarray(classes))
        ours.classes_ = ours._label_binarizer.classes_
        if list(ours.classes_) != list(classes):
            raise ValueError(f"classes must be sorted, as scikit-learn keeps them: {list(ours.classes_)}")
        ours.out_activation_ = "logistic" if outputs == 1 else "softmax"
    ours.n_features_in_, ours.n_outputs_, ours.n_layers_ = coefs[0].shape[0], outputs, len(coefs) + 1
    ours.n_iter_ = ours.t_ = 0
    ours.loss_curve_, ours.best_loss_ = [], np.inf
    ours.validation_scores_ = ours.best_validation_score_ = None
    _place(ours, coefs, intercepts)
    return ours


def _place(ours: Any, coefs: Sequence[Array], intercepts: Sequence[Array]) -> None:
    ours.coefs_, ours.intercepts_ = [np.array(c) for c in coefs], [np.array(b) for b in intercepts]
    ours._dtype = ours.coefs_[0].dtype.name
    ours._note_parts()
    ours._no_improvement_count, ours._optimizer_values = 0, {}


def _numpy(tensor: Any) -> Array:
    array = tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
