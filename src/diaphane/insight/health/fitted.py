"""A fitted estimator as a network with a loss and targets, by the attributes that every such estimator has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engines import State
from ...graph.node import Array
from ...nn import Network, find_loss
from ...nn.losses import LOSSES, LossLike, of_signs

__all__ = ["Subject", "subject_of"]


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes
    ----------
    network : Network
    state : State
    loss : str or callable
    target : array
    trained : bool
        Whether its values were learnt.
    """

    network: Network
    state: State
    loss: LossLike
    target: Array
    trained: bool


def subject_of(model: Any, y: Any, state: State | None, loss: LossLike | None, rng: Any) -> Subject:
    """A network with its values, or the network of a fitted estimator with the targets that it learns.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If the loss is not given and cannot be known.
    """
    if isinstance(model, Network):
        if loss is None:
            raise ValueError(f"a network does not know its loss; give loss=, one of {', '.join(LOSSES)}, or a function")
        target = np.zeros(0) if y is None else np.asarray(y)
        first = model.initial_state(rng) if state is None else state
        return Subject(model, first, find_loss(loss), target, state is not None)
    network = getattr(model, "network_", None)
    if not isinstance(network, Network):
        raise TypeError(
            f"{type(model).__name__} is no network and has no network_: give a diaphane.nn.Network, or a fitted "
            "MLPClassifier or MLPRegressor"
        )
    if y is None:
        raise ValueError("y is needed: gradients are those of the loss on X and y")
    target = _target(model, np.asarray(y), network)
    known = _loss(model, target) if loss is None else find_loss(loss)
    return Subject(network, model.state_ if state is None else state, known, target, True)


def _target(model: Any, y: Array, network: Network) -> Array:
    """Class numbers for several classes, columns of 0 and 1 or of numbers otherwise."""
    classes = getattr(model, "classes_", None)
    if classes is None or y.ndim == 2:
        return np.asarray(y, network.dtype).reshape(len(y), -1)
    found = np.searchsorted(classes, y)
    foreign = [value for value in np.unique(y) if value not in classes]
    if foreign:
        raise ValueError(f"y has {foreign[0]!r}, which is none of the classes that were learnt: {list(classes)}")
    return found.astype(np.int64) if len(classes) > 2 else found[:, None].astype(network.dtype)


def _loss(model: Any, target: Array) -> LossLike:
    """The estimator's own, by its name for it."""
    name = getattr(model, "loss", None)
    several = target.ndim == 1
    if callable(name):
        own: LossLike = name
        return own
    if name == "log_loss":
        return "categorical_cross_entropy" if several else "binary_cross_entropy"
    if name == "hinge" and several:
        return "multiclass_hinge"
    if name in ("hinge", "squared_hinge"):
        return of_signs(find_loss(str(name)))
    names = {"squared_error": "half_squared_error", "poisson": "half_poisson_deviance"}
    found = names.get(str(name), name)
    if found not in LOSSES:
        raise ValueError(f"the loss of {type(model).__name__} is not known ({name!r}); give loss=")
    return str(found)
