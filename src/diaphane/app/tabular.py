"""``--model tabular``: the estimators of tables fitted, and kept as one network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data import ColumnEncoder, DataError, Target, TargetScaler
from ..engines import State
from ..graph.node import Array
from ..nn import Network, Sequential
from ..nn.embeddings import TangentDense
from ..training import History
from .averaged import AveragedMembers, averaged_network
from .errors import UserError
from .linear_models import NEVER
from .options import Options
from .parts import Part
from .weighting import class_weights

__all__ = ["TabularFit", "fit_tabular"]


@dataclass(frozen=True)
class TabularFit:
    """Fitted networks for a table.

    Attributes
    ----------
    estimator : TabularClassifier or TabularRegressor
        Of labels, or of numbers.
    encoder : ColumnEncoder
    scaler : TargetScaler or None
    network : Network
        The members averaged.
    state : State
    history : History
        A record for each look of each member.
    held_out : int array
        Places of the rows to learn from that some member did not learn from.
    held_outputs : array, shape (n, classes) or (n,)
        What is predicted for them, by members that did not.
    how : str
    """

    estimator: Any
    encoder: ColumnEncoder
    scaler: TargetScaler | None
    network: Network
    state: State
    history: History
    held_out: Array
    held_outputs: Array
    how: str


def fit_tabular(rows: Part, target: Target, options: Options, progress: bool) -> TabularFit:
    """Fit ``TabularClassifier`` or ``TabularRegressor`` with nothing tuned.

    Raises
    ------
    UserError, DataError
        For what the estimator refuses.
    KeyboardInterrupt
        If no member has had a look at the rows that it holds out.
    """
    from ..estimators import TabularClassifier, TabularRegressor
    from ..estimators.tabular import TableWarning

    settings: dict[str, Any] = {"random_state": options.seed, "progress": progress}
    if options.members is not None:
        settings["n_members"] = options.members
    by_class = class_weights(options.class_weight, target, rows.y)
    weights = None if by_class is None else by_class[rows.y]
    truth = labels_of(target, rows.y) if target.labels else rows.y
    estimator: Any = (TabularClassifier if target.labels else TabularRegressor)(**settings)
    with warnings.catch_warnings():
        # What is left out is told of every model in the same words.
        warnings.simplefilter("ignore", TableWarning)
        try:
            estimator.fit(rows.features, truth, sample_weight=weights)
        except DataError:
            raise
        except ValueError as error:
            raise UserError(f"--model tabular: {error}") from None
    return _kept(estimator, target)


def labels_of(target: Target, places: Array) -> Array:
    """The labels at places."""
    return np.asarray(np.array(target.labels)[places])


def _kept(estimator: Any, target: Target) -> TabularFit:
    features, members = estimator._features, estimator.members_
    layers, values = estimator._fitted_plan().network.architecture, [dict(member.values) for member in members]
    held_out, held_outputs = estimator.held_out_predictions()
    order = tuple(int(place) for place in features.order)
    scaler: TargetScaler | None = None
    if target.labels:
        learnt = np.searchsorted(np.array(target.labels), estimator.classes_)
        layers, values = _with_all_classes(layers, values, learnt, len(target.labels))
        held_outputs = _at(held_outputs, learnt, len(target.labels), 0.0)
        layer = AveragedMembers(layers, len(members), order)
    else:
        scaler = estimator._scaler
        assert scaler is not None
        low, high = (float(bound) for bound in scaler.transform(estimator._range))
        layer = AveragedMembers(layers, len(members), order, classify=False, low=low, high=high)
    network, state = averaged_network(layer, values)
    history, how = _told(members)
    if estimator.stopped_:
        history.stopped = estimator.stopped_
    return TabularFit(estimator, features.encoder, scaler, network, state, history, held_out, held_outputs, how)


def _with_all_classes(
    layers: Sequential, values: list[dict[str, Array]], learnt: Array, classes: int
) -> tuple[Sequential, list[dict[str, Array]]]:
    """Outputs for classes too of which no row was learnt from, with a probability of 0."""
    last = layers.layers[-1]
    if len(learnt) == classes:
        return layers, values
    assert isinstance(last, TangentDense)
    kernel, bias = list(values[0])[-2:]
    widened = [
        {**own, kernel: _at(own[kernel], learnt, classes, 0.0), bias: _at(own[bias], learnt, classes, NEVER)}
        for own in values
    ]
    return Sequential([*layers.layers[:-1], replace(last, units=classes)]), widened


def _at(columns: Array, places: Array, count: int, otherwise: float) -> Array:
    """So many columns along the last axis, those given at their places."""
    found = np.full((*columns.shape[:-1], count), otherwise, columns.dtype)
    found[..., places] = columns
    return found


def _told(members: Any) -> tuple[History, str]:
    history = History()
    for number, member in enumerate(members, start=1):
        for look in member.curve:
            record: Mapping[str, Any] = {"loss": look.loss, "validation_loss": look.validation}
            history.append({"member": number, "epoch": look.epoch, **record})
    best = [member.best_epoch for member in members]
    span = f"{min(best)}" if min(best) == max(best) else f"{min(best)}–{max(best)}"
    many = f"{len(members)} networks averaged" if len(members) > 1 else "1 network"
    return history, f"{many} (kept: epoch{'s' * (min(best) != max(best))} {span})"
