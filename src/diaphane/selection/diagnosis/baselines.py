"""What simple models make of the same rows: a constant, a linear one, nearest neighbours, boosting."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from .rows import Rows
from .scores import Parts, Scale, Scored

__all__ = ["baselines", "one_thread", "robust_baselines", "scored_baselines", "seen_by"]

CONSTANT, LINEAR = "constant", "linear"
BOOSTING, ROBUST = "boosting", "boosting by absolute errors"
NEIGHBOURS, STEPS = 10, 60


def baselines(learnt: Rows, classes: bool, seed: int) -> dict[str, Any]:
    """Unfitted ones that suit so many rows and classes, by name."""
    near = max(1, min(NEIGHBOURS, len(learnt) // 10))
    # A step of boosting is a tree for each class, and fewer steps go further each.
    n_classes = len(np.unique(learnt.target)) if classes else 2
    steps = min(STEPS, max(STEPS // 3, 4 * STEPS // n_classes))
    small = {
        "max_iter": steps,
        "learning_rate": 0.1 * STEPS / steps,
        "max_leaf_nodes": 15,
        "min_samples_leaf": max(3, min(20, len(learnt) // 20)),
        "random_state": seed,
    }
    if classes:
        return {
            CONSTANT: DummyClassifier(strategy="most_frequent"),
            LINEAR: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
            "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(near)),
            BOOSTING: HistGradientBoostingClassifier(**small, early_stopping=False),
        }
    return {
        CONSTANT: DummyRegressor(),
        LINEAR: make_pipeline(StandardScaler(), Ridge(1.0)),
        "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsRegressor(near)),
        BOOSTING: HistGradientBoostingRegressor(**small, early_stopping=False),
    }


def robust_baselines(learnt: Rows, classes: bool, seed: int) -> dict[str, Any]:
    """Those that learn from targets some of which may be wrong: for numbers there is one that minds no outlier."""
    found = {name: model for name, model in baselines(learnt, classes, seed).items() if name != CONSTANT}
    if not classes:
        # Its gradients are signs only: it takes more steps, and small leaves.
        robust = {
            "loss": "absolute_error",
            "max_iter": 2 * STEPS,
            "min_samples_leaf": max(3, min(8, len(learnt) // 20)),
        }
        found[ROBUST] = clone(found[BOOSTING]).set_params(**robust)
    return found


def one_thread() -> Any:
    """A context in which libraries share no work among threads.

    Of so little there is none to share, and threads that wait for each other where cores are busy take a hundred times
    as long.
    """
    return threadpool_limits(1)


def seen_by(name: str, rows: Rows) -> NDArray[np.float64]:
    """The numbers that a baseline takes."""
    return rows.codes if name in (BOOSTING, ROBUST) else rows.numbers


def scored_baselines(scale: Scale, parts: Parts, seed: int) -> list[Scored]:
    """Each, fitted to the rows learnt from, and scored over all parts."""
    with one_thread():
        folds = [_scored(scale, part, seed) for part in parts]
    return [Scored.pooled(same) for same in zip(*folds, strict=True)]


def _scored(scale: Scale, part: tuple[Rows, Rows], seed: int) -> list[Scored]:
    return [_scored_one(name, model, scale, part) for name, model in baselines(part[0], scale.classes, seed).items()]


def _scored_one(name: str, model: Any, scale: Scale, part: tuple[Rows, Rows]) -> Scored:
    learnt, judged = part
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = model.fit(seen_by(name, learnt), learnt.target)
    return Scored.of(name, scale, fitted, learnt, judged, seen=(seen_by(name, learnt), seen_by(name, judged)))
