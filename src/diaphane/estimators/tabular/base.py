"""What TabularClassifier and TabularRegressor share: a frame in, members fitted, their outputs to be averaged."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...data.table import Table
from ...engines import Engine
from ...engines.native import NativeEngine
from ...graph.node import Array
from ..parameters import check_integer
from .columns import Features, learn_features
from .frames import rows_of, table_of
from .members import Member, fit_members, folds_of
from .network import TabularPlan, plan_of
from .recipe import Recipe
from .targets import TableWarning

__all__ = ["BaseTabular"]

FEWEST_FOLDS = 5
"""A member holds out at most a fifth of the rows."""


class BaseTabular(BaseEstimator):
    """The fitting that both estimators share; not for direct use."""

    _task: str
    _plan: TabularPlan | None

    def __init__(
        self,
        n_members: int = 8,
        *,
        recipe: Recipe | None = None,
        n_jobs: int | None = None,
        engine: Any = "native",
        random_state: Any = None,
    ) -> None:
        self.n_members = n_members
        self.recipe = recipe
        self.n_jobs = n_jobs
        self.engine = engine
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_integer("n_members", self.n_members)
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe or None, got {self.recipe!r}")
        if self.n_jobs is not None and self.n_jobs != -1:
            check_integer("n_jobs", self.n_jobs)

    def _fit_rows(self, table: Table, target: Array, outputs: int) -> None:
        """Fit the members on targets as a network learns them, (n,) class places or (n, 1) numbers."""
        recipe = Recipe() if self.recipe is None else self.recipe
        if len(target) < 2:
            raise ValueError(
                f"there is n_samples = 1 with a target; expected at least 2 rows, {FEWEST_FOLDS} to be of use"
            )
        rng = check_random_state(self.random_state)
        self._features: Features = learn_features(table, robust=recipe.robust)
        self._say_what_is_left_out()
        x = self._features.transform(table)
        self._made_for = x.shape[1], self._features.numbers, outputs, self._task, recipe
        self._plan = None
        fold = folds_of(target.reshape(len(target)), min(max(FEWEST_FOLDS, self.n_members), len(target)), rng)
        held_out = [np.flatnonzero(fold == k % (fold.max() + 1)) for k in range(self.n_members)]
        seeds = [int(seed) for seed in rng.randint(2**31 - 1, size=self.n_members)]
        self.members_: list[Member] = fit_members(self._fitted_plan(), x, target, held_out, seeds, self._threads())

    def _say_what_is_left_out(self) -> None:
        self.left_out_: dict[str, str] = dict(self._features.encoder.left_out)
        named = [name for name, reason in self.left_out_.items() if reason.startswith("an identifier")]
        if named:
            words = ", ".join(map(repr, named[:5])) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
            warnings.warn(
                f"{words} {'names' if len(named) == 1 else 'name'} rows (another value in every one): left out",
                TableWarning,
                stacklevel=4,
            )

    def describe_columns(self) -> str:
        """A line a column: what became of it.

        Examples
        --------
        >>> import numpy as np
        >>> from diaphane.data import Table
        >>> from diaphane.estimators import TabularRegressor
        >>> table = Table({"size": np.arange(20.0), "colour": ["red", "blue"] * 10, "unit": ["cm"] * 20})
        >>> print(TabularRegressor(1, random_state=0).fit(table, np.arange(20)).describe_columns())
        size: a number
        colour: 2 categories
        unit: left out, 'cm' in every row
        """
        check_is_fitted(self)
        return self._features.encoder.describe()

    def _threads(self) -> int:
        return os.cpu_count() or 1 if self.n_jobs in (None, -1) else int(self.n_jobs or 1)

    def _fitted_plan(self) -> TabularPlan:
        if self._plan is None:
            # Members share the cores among them, and not the work of one.
            engine: str | Engine = NativeEngine(n_threads=1) if self.engine == "native" else self.engine
            self._plan = plan_of(*self._made_for, engine)  # type: ignore[arg-type]
        return self._plan

    def _member_outputs(self, X: Any) -> list[Array]:
        """The raw outputs of each member, in float64."""
        check_is_fitted(self)
        x = self._features.transform(table_of(self, X, reset=False))
        plan = self._fitted_plan()
        return [plan.predict(member.values, x) for member in self.members_]

    def _table_with_targets(self, X: Any, known: Array) -> Table:
        return table_of(self, rows_of(X, known), reset=True)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "members_")

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        if "_plan" in state:
            state["_plan"] = None
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags
