"""What simple models make of the same rows: a constant, a linear one, nearest neighbours, boosting."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .rows import Rows
from .scores import Scale, Scored

__all__ = ["LINEAR", "baselines", "scored_baselines"]

LINEAR = "linear"
NEIGHBOURS = 10


def baselines(classes: bool, rows: int, seed: int) -> dict[str, Any]:
    """Unfitted ones, by name."""
    near = max(1, min(NEIGHBOURS, rows // 10))
    small = {
        "max_iter": 60,
        "max_leaf_nodes": 15,
        "min_samples_leaf": max(3, min(20, rows // 20)),
        "random_state": seed,
    }
    if classes:
        return {
            "constant": DummyClassifier(strategy="most_frequent"),
            LINEAR: make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
            "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(near)),
            "boosting": HistGradientBoostingClassifier(**small, early_stopping=False),
        }
    return {
        "constant": DummyRegressor(),
        LINEAR: make_pipeline(StandardScaler(), Ridge(1.0)),
        "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsRegressor(near)),
        "boosting": HistGradientBoostingRegressor(**small, early_stopping=False),
    }


def scored_baselines(scale: Scale, learnt: Rows, judged: Rows, seed: int) -> list[Scored]:
    """Each, fitted to the rows learnt from."""
    found = []
    for name, model in baselines(scale.classes, len(learnt), seed).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = clone(model).fit(learnt.numbers, learnt.target)
        found.append(Scored.of(name, scale, fitted, learnt, judged, numbers=True))
    return found
