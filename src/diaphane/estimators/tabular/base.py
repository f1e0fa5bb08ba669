"""What TabularClassifier and TabularRegressor share: a frame in, members fitted, their outputs averaged."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...engines.native import NativeEngine
from ...graph.node import Array
from .columns import Features, learn_features
from .frames import table_of
from .members import fit_members, folds_of
from .network import TabularPlan, plan_of
from .recipe import Recipe

__all__ = ["BaseTabular"]


class BaseTabular(BaseEstimator):
    """The fitting that both estimators share; not for direct use."""

    _task: str

    def __init__(self, n_members: int = 8, *, recipe: Any = None, n_jobs: Any = None, random_state: Any = None) -> None:
        self.n_members = n_members
        self.recipe = recipe
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit_rows(self, table: Any, target: Array, outputs: int) -> None:
        recipe = self.recipe or Recipe()
        rng = check_random_state(self.random_state)
        self._features: Features = learn_features(table, robust=recipe.robust)
        x = self._features.transform(table)
        self._made_for = x.shape[1], self._features.numbers, outputs, self._task, recipe
        self._plan = plan_of(*self._made_for, NativeEngine(n_threads=1))
        folds = max(5, self.n_members)
        fold = folds_of(target, folds, rng)
        held = [np.flatnonzero(fold == k) for k in range(self.n_members)]
        seeds = [int(s) for s in rng.randint(2**31 - 1, size=self.n_members)]
        if self._task == "regression":
            target = target[:, None]
        self.members_ = fit_members(self._plan, x, target, held, seeds, self.n_jobs or os.cpu_count() or 1)

    def _member_outputs(self, X: Any) -> list[Array]:
        check_is_fitted(self)
        x = self._features.transform(table_of(self, X, reset=False))
        plan = self._plan
        return [plan.outputs(plan.state(m.values), x) for m in self.members_]
