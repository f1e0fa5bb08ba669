"""The same model again: watched, with other settings, or with fewer rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from ...estimators import MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor
from ...estimators.parameters import hidden_sizes
from ...insight.health import GradientHealth, HealthReport, gradient_health
from ...training import DivergenceError
from .curves import kept_curves, mean_curve
from .rows import Rows
from .scores import Parts

__all__ = [
    "Refit", "as_fitted", "averaged", "is_network", "is_slow", "last_step", "refit", "trains_by_epochs", "watched",
    "widened",
]  # fmt: skip

QUIET = {"verbose": False, "warm_start": False, "checkpoint": None, "progress": False}
"""A refit prints nothing, goes on from nothing, and leaves the user's own checkpoints alone."""


@dataclass(frozen=True, eq=False)
class Refit:
    """A model fitted again, or as it is.

    ``validation`` is the loss on the rows judged by, epoch by epoch, where it was watched, and ``to_the_end`` whether
    it went through all its epochs. ``keeps_best``: its parameters are those of its best epoch, not of its last.
    """

    model: Any
    diverged: bool
    health: HealthReport | None = None
    losses: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    to_the_end: bool = False
    keeps_best: bool = False


def last_step(model: Any) -> Any:
    """That of a pipeline; any other model itself."""
    return model[-1] if isinstance(model, Pipeline) else model


def is_network(model: Any) -> bool:
    """Whether it is one of this library's multi-layer perceptrons."""
    return isinstance(model, MLPClassifier | MLPRegressor)


def trains_by_epochs(model: Any) -> bool:
    """Whether it has a learning rate, epochs and a curve."""
    return is_network(model) and model.solver != "lbfgs"


def is_slow(model: Any) -> bool:
    """Whether a fit is several, and takes seconds."""
    return isinstance(model, TabularClassifier | TabularRegressor)


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


def as_fitted(model: Any) -> Refit:
    """It as it is, with the curves that it kept."""
    model = last_step(model)
    losses, validation = kept_curves(model)
    stops_itself = not trains_by_epochs(model) or bool(model.early_stopping)
    return Refit(model, False, None, losses, validation, _to_the_end(model), stops_itself)


def watched(model: Any, parts: Parts, seed: int) -> list[Refit]:
    """Fitted to each part, with its losses looked at, and in the first with its gradients too, where it has any."""
    return [_watched(model, *part, seed, number == 0) for number, part in enumerate(parts)]


def averaged(fits: list[Refit]) -> Refit:
    """Of several the first, with the mean of all curves."""
    curves = mean_curve([fit.losses for fit in fits]), mean_curve([fit.validation for fit in fits])
    return replace(
        fits[0], diverged=any(fit.diverged for fit in fits), losses=curves[0], validation=curves[1],
        to_the_end=all(fit.to_the_end for fit in fits),
    )  # fmt: skip


def _watched(model: Any, learnt: Rows, judged: Rows, seed: int, gradients: bool) -> Refit:
    if not is_network(model):
        return refit(model, learnt, seed)
    if not trains_by_epochs(model):
        found = refit(model, learnt, seed)
        health = gradient_health(found.model, learnt.given, learnt.target) if gradients else None
        return replace(found, health=health)
    health_of = GradientHealth(random_state=seed)
    # Rows that early stopping looks at are no longer unseen.
    curve = None if model.early_stopping else judged
    callbacks = [*(clone(model).callbacks or ()), *([health_of] if gradients else [])]
    found = refit(model, learnt, seed, curve, callbacks=callbacks)
    losses, validation = kept_curves(found.model)
    diverged = found.diverged or (gradients and health_of.report.diverged)
    report = health_of.report if gradients else None
    ended = _to_the_end(found.model)
    return Refit(found.model, diverged, report, losses, validation, ended, bool(model.early_stopping))


def _to_the_end(model: Any) -> bool:
    return trains_by_epochs(model) and getattr(model, "n_iter_", 0) >= model.max_iter


def widened(model: Any, factor: float) -> tuple[int, ...]:
    """Its hidden sizes times a factor, and at least 1."""
    return tuple(max(1, int(np.ceil(units * factor))) for units in hidden_sizes(model.hidden_layer_sizes))
