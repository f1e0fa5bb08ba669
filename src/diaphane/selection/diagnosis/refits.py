"""The same model again: watched, with other settings, or with fewer rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ...estimators import MLPClassifier, MLPRegressor
from ...estimators.parameters import hidden_sizes
from ...insight.health import GradientHealth, HealthReport, gradient_health
from ...training import DivergenceError
from .rows import Rows

__all__ = ["Refit", "is_network", "refit", "trains_by_epochs", "watched", "widened"]

QUIET = {"verbose": False, "warm_start": False, "checkpoint": None}
"""A refit prints nothing, goes on from nothing, and leaves the user's own checkpoints alone."""


@dataclass(frozen=True, eq=False)
class Refit:
    """A model fitted again. ``validation`` is the loss on the rows judged by, epoch by epoch, where it was watched."""

    model: Any
    diverged: bool
    health: HealthReport | None = None
    losses: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()


def is_network(model: Any) -> bool:
    """Whether it is one of this library's multi-layer perceptrons."""
    return isinstance(model, MLPClassifier | MLPRegressor)


def trains_by_epochs(model: Any) -> bool:
    """Whether it has a learning rate, epochs and a curve."""
    return is_network(model) and model.solver != "lbfgs"


def refit(model: Any, rows: Rows, seed: int, validation: Rows | None = None, **settings: Any) -> Refit:
    """A clone with other settings, fitted to the rows."""
    fresh = clone(model)
    known = fresh.get_params(deep=False)
    if "random_state" in known and known["random_state"] is None:
        settings = {"random_state": seed, **settings}
    settings = {**{name: v for name, v in QUIET.items() if name in known}, **settings}
    fresh.set_params(**settings)
    given = {} if validation is None else {"validation_data": (validation.given, validation.target)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        # Of a half of the rows a batch may be all there are.
        warnings.filterwarnings("ignore", "Got `batch_size`", UserWarning)
        try:
            fresh.fit(rows.given, rows.target, **given)
        except DivergenceError:
            return Refit(fresh, diverged=True)
    return Refit(fresh, diverged=False)


def watched(model: Any, learnt: Rows, judged: Rows, seed: int) -> Refit:
    """Fitted with its gradients and losses looked at, where it has any."""
    if not is_network(model):
        return refit(model, learnt, seed)
    if not trains_by_epochs(model):
        found = refit(model, learnt, seed)
        return Refit(found.model, found.diverged, gradient_health(found.model, learnt.given, learnt.target))
    health = GradientHealth(random_state=seed)
    # Rows that early stopping looks at are no longer unseen.
    curve = None if model.early_stopping else judged
    found = refit(model, learnt, seed, curve, callbacks=[*(clone(model).callbacks or ()), health])
    history = getattr(found.model, "history_", None)
    names = ("loss", "validation_loss")
    curves = [tuple(map(float, history[n])) if history is not None and n in history else () for n in names]
    return Refit(found.model, found.diverged or health.report.diverged, health.report, curves[0], curves[1])


def widened(model: Any, factor: float) -> tuple[int, ...]:
    """Its hidden sizes times a factor, and at least 1."""
    return tuple(max(1, int(np.ceil(units * factor))) for units in hidden_sizes(model.hidden_layer_sizes))
