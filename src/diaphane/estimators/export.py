"""Fitted estimators and trained models of tables as ONNX models."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import graph
from ..data import ColumnEncoder, TargetScaler
from ..data.numbers import FARTHEST, NumberEncoder
from ..engines import State
from ..files.onnx import ExportedGraph, write_model
from ..files.onnx.model import OPSET, exported_network
from ..graph import Dim, Node
from ..graph.node import Array
from ..nn import Dense, Network, find_activation

__all__ = ["ExportedModel", "export_model", "export_onnx"]


def export_onnx(path: str | os.PathLike[str], model: Any, state: State | None = None, *, opset: int = OPSET) -> Path:
    """Write a network or a fitted estimator as an ONNX model, for runtimes that know nothing of diaphane.

    Parameters
    ----------
    path : path-like
        By custom ending in ``.onnx``.
    model : Network or estimator
        A network goes with its ``state``, and gives ``output``. A classifier gives ``probabilities``, or ``scores``
        where it has none, and ``label``; a regressor ``output``. The input is called ``x``; the number of rows and
        other named sizes stay free, parameters are initializers under their paths.
    state : State, optional
        The network's values, such as ``result.state``.
    opset : int
        Which set of ONNX's operations to use, at least 18.

    Raises
    ------
    ImportError
        Without the package onnx: ``pip install "diaphane[onnx]"``.
    ExportError
        If an operation cannot be said in ONNX; it is named.
    FileError
        If the file cannot be written; what was there is untouched.

    Notes
    -----
    An ONNX runtime counts a negative index from the end where :func:`~diaphane.take` refuses it, and gives a row of
    zeros for an index outside where :func:`~diaphane.one_hot` refuses it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import onnxruntime
    >>> import diaphane as dia
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = dia.estimators.MLPClassifier((8,), solver="lbfgs", max_iter=500, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = dia.export_onnx(pathlib.Path(folder) / "iris.onnx", model)
    ...     session = onnxruntime.InferenceSession(path.read_bytes())
    >>> label, probabilities = session.run(["label", "probabilities"], {"x": X})
    >>> bool((label == model.predict(X)).all()), bool(abs(probabilities - model.predict_proba(X)).max() < 1e-5)
    (True, True)
    """
    if isinstance(model, Network):
        if state is None:
            raise TypeError("a network is exported with its values: export_onnx(path, network, state)")
        return write_model(path, exported_network(model, state), opset=opset)
    if state is not None:
        raise TypeError(f"{type(model).__name__} has its values with it: export_onnx(path, estimator)")
    return write_model(path, _exported_estimator(model), opset=opset)


@dataclass(frozen=True)
class ExportedModel:
    """What a model of a table's columns takes and gives in ONNX.

    Attributes
    ----------
    path : Path
    inputs : tuple of str
        What the columns of the input ``x`` are, in their order.
    raw : bool
        Whether these are the table's own columns, all of them numbers, NaN where one is missing, with the scaling
        inside the model. Otherwise they are features, as :class:`~diaphane.data.ColumnEncoder` makes them.
    outputs : tuple of str
    """

    path: Path
    inputs: tuple[str, ...]
    raw: bool
    outputs: tuple[str, ...]


def export_model(
    path: str | os.PathLike[str],
    *,
    network: Network,
    state: State,
    task: str,
    labels: Sequence[Any] = (),
    encoder: ColumnEncoder | None = None,
    scaler: TargetScaler | None = None,
    has_probabilities: bool = True,
    opset: int = OPSET,
) -> ExportedModel:
    """Write a model of a table's columns: ``probabilities`` and ``label``, or ``output`` in the target's unit.

    Parameters
    ----------
    path : path-like
    network : Network
        From features to logits, or to one scaled number.
    state : State
    task : {"classification", "regression"}
    labels : sequence
        The classes in the outputs' order.
    encoder : ColumnEncoder, optional
        What makes features of the columns. Where all of these are numbers it goes into the model.
    scaler : TargetScaler, optional
        What scaled the target.
    has_probabilities : bool
        Whether the softmax of the logits are probabilities; where they are not, ``scores`` takes their place.
    opset : int
    """
    if task not in ("classification", "regression"):
        raise ValueError(f"task is {task!r}; expected 'classification' or 'regression'")
    values = exported_network(network, state).values
    raw = encoder is not None and all(isinstance(e, NumberEncoder) for e in encoder.encoders)
    x, features = network.input, network.input
    if raw:
        assert encoder is not None
        x = graph.placeholder((Dim("N"), len(encoder.encoders)), "float64", "x")
        features = graph.astype(graph.astype(_features(x, encoder), encoder.dtype), network.dtype)
    names: tuple[str, ...] = ()
    if encoder is not None:
        names = encoder.names_in if raw else encoder.feature_names_out
    output = network.forward(features).output
    facts = {"task": task, "inputs": json.dumps(names, ensure_ascii=False), "raw": json.dumps(raw)}
    if task == "classification":
        outputs = {"probabilities": graph.softmax(output)} if has_probabilities else {"scores": output}
        chosen = {"label": (graph.argmax(output, 1), labels)}
        found = ExportedGraph({"x": x}, outputs, values, chosen, facts)
    else:
        number = graph.astype(output[:, 0], "float64")
        if scaler is not None:
            number = number * scaler.scale + scaler.mean
        found = ExportedGraph({"x": x}, {"output": number}, values, {}, facts)
    written = write_model(path, found, opset=opset)
    return ExportedModel(written, names, raw, (*found.outputs, *found.labels))


def _features(x: Node, encoder: ColumnEncoder) -> Node:
    """Columns of numbers as :class:`~diaphane.data.numbers.NumberEncoder` scales them, all at once."""
    columns = [e for e in encoder.encoders if isinstance(e, NumberEncoder)]
    fill, centre, scale, limit = (
        np.array([getattr(e, k) for e in columns]) for k in ("fill", "centre", "scale", "limit")
    )
    missing = graph.not_equal(x, x)
    filled = graph.where(missing, fill, x)
    z = graph.clip((filled - centre) / np.where(scale > 0, scale, 1.0), -FARTHEST, FARTHEST)
    numbers = z / graph.sqrt(1.0 + graph.square(z / limit))
    both = graph.concat([numbers, graph.astype(missing, "float64")], 1)
    wanted = [
        place for i, e in enumerate(columns) for place in [i] * (e.scale > 0) + [len(columns) + i] * e.marks_missing
    ]
    return graph.take(both, wanted, 1)


def _exported_estimator(model: Any) -> ExportedGraph:
    """The graph of a fitted estimator of this package."""
    from sklearn.utils.validation import check_is_fitted

    from .linear import LinearClassifier, LinearRegression, LogisticRegression, Perceptron, Ridge
    from .mlp import MLPClassifier, MLPRegressor

    kinds = (MLPClassifier, MLPRegressor, LinearClassifier, LinearRegression, LogisticRegression, Perceptron, Ridge)
    if not isinstance(model, kinds):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"a Network and its state are exported, or a fitted {names}; got {type(model).__name__}")
    check_is_fitted(model)
    if isinstance(model, MLPClassifier | MLPRegressor):
        network, state = model.network_, model.state_
        squash = model.out_activation_
    else:
        if getattr(model, "voters_", None) and getattr(model, "average", None) == "voted":
            raise TypeError("a perceptron of voters is no one network; fit it with average=True or without average")
        network, state = _one_layer(model.coef_, model.intercept_)
        squash = _squash_of(model, network)
    raw, parts = network.output, exported_network(network, state)
    if not hasattr(model, "classes_"):
        output = find_activation(squash)(raw)
        several = np.ndim(getattr(model, "coef_", 0.0)) == 2 or model.__dict__.get("n_outputs_", 1) > 1
        found: Mapping[str, Node] = {"output": output if several else output[:, 0]}
        return ExportedGraph(parts.inputs, found, parts.values, {}, {"task": "regression"})
    return _classifier(model, raw, squash, parts)


def _classifier(model: Any, raw: Node, squash: str, parts: ExportedGraph) -> ExportedGraph:
    outputs = {"scores": raw if raw.shape[1] != 1 else raw[:, 0]}
    labels: dict[str, tuple[Node, Sequence[Any]]] = {}
    if squash != "identity":
        shares = _shares(raw) if squash == "shares" else find_activation(squash)(raw)
        outputs = {"probabilities": graph.concat([1 - shares, shares], 1) if raw.shape[1] == 1 else shares}
    if raw.shape[1] == 1:
        labels = {"label": (graph.astype(raw[:, 0] > 0, "int64"), model.classes_)}
    elif getattr(getattr(model, "_label_binarizer", None), "y_type_", "multiclass") == "multiclass":
        labels = {"label": (graph.argmax(raw, 1), model.classes_)}
    else:
        outputs["label"] = graph.astype(raw > 0, "int64")
    return ExportedGraph(parts.inputs, outputs, parts.values, labels, {"task": "classification"})


def _squash_of(model: Any, network: Network) -> str:
    """What makes probabilities of a linear classifier's scores."""
    from .linear import LogisticRegression

    if isinstance(model, LogisticRegression):
        return "softmax" if network.output.shape[1] != 1 else "sigmoid"
    if getattr(model, "loss", None) == "logistic":
        return "shares" if network.output.shape[1] != 1 else "sigmoid"
    return "identity"


def _shares(raw: Node) -> Node:
    """Of classes that are each told from the rest: σ(aₖ)/Σⱼ σ(aⱼ)."""
    each = graph.sigmoid(raw)
    return each / graph.sum(each, 1, keepdims=True)


def _one_layer(coef: Any, intercept: Any) -> tuple[Network, State]:
    """A linear model as a network."""
    kernel: Array = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else coef).T
    network = Network(Dense(kernel.shape[1]), (kernel.shape[0],), dtype=kernel.dtype)
    bias = np.broadcast_to(np.asarray(intercept, kernel.dtype), (kernel.shape[1],))
    return network, State(dict(zip(network.variables, (np.ascontiguousarray(kernel), np.array(bias)), strict=True)))
