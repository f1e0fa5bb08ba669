"""What TabularClassifier and TabularRegressor share: a frame in, members fitted, their outputs to be averaged."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...data.errors import listed
from ...engines import Engine
from ...engines.native import NativeEngine
from ...graph.node import Array
from ...training import InterruptedWarning
from ..parameters import check_flag, check_integer
from .columns import IDENTIFIER, MANY_TEXTS, TOO_WIDE, Features, learn_features
from .frames import rows_of, table_of
from .members import Member, Rows, fit_members, folds_of
from .network import TabularPlan, plan_of
from .recipe import Recipe
from .targets import TableWarning, network_weights

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
        progress: bool = False,
    ) -> None:
        self.n_members = n_members
        self.recipe = recipe
        self.n_jobs = n_jobs
        self.engine = engine
        self.random_state = random_state
        self.progress = progress

    # What a subclass gives.

    def _answers(self, raw: Array) -> Array:
        """What a member answers by its raw outputs, to be averaged over members."""
        raise NotImplementedError

    def _answer(self, mean: Array) -> Array:
        """What is answered by the mean of the members' answers."""
        raise NotImplementedError

    def _check_parameters(self) -> None:
        check_integer("n_members", self.n_members)
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe or None, got {self.recipe!r}")
        if self.n_jobs is not None and self.n_jobs != -1:
            check_integer("n_jobs", self.n_jobs)
        check_flag("progress", self.progress)

    def _fit_rows(self, X: Any, known: Array, target: Array, weights: Array | None, outputs: int) -> None:
        """Fit the members on targets as a network learns them, (n,) class places or (n, 1) numbers, of known rows."""
        # What a former fit has learnt is of other columns and classes, should this one not come to its end.
        self.__dict__.pop("members_", None)
        recipe = Recipe() if self.recipe is None else self.recipe
        table = table_of(self, rows_of(X, known), reset=True)
        if len(target) < 2:
            raise ValueError(
                f"there is n_samples = 1 with a target; expected at least 2 rows, {FEWEST_FOLDS} to be of use"
            )
        rng = check_random_state(self.random_state)
        self._features: Features = learn_features(table, robust=recipe.robust)
        self._say_what_is_left_out()
        rows = Rows(self._features.transform(table), target, network_weights(weights))
        weighted = rows.weights is not None
        self._made_for = rows.x.shape[1], self._features.numbers, outputs, self._task, recipe, weighted
        self._plan, self._known = None, known
        fold = folds_of(target.reshape(len(target)), min(max(FEWEST_FOLDS, self.n_members), len(target)), rng)
        held_out = [np.flatnonzero(fold == k % (fold.max() + 1)) for k in range(self.n_members)]
        seeds = [int(seed) for seed in rng.randint(2**31 - 1, size=self.n_members)]
        members, interrupted = fit_members(
            self._fitted_plan(), rows, held_out, seeds, self._threads(), progress=self.progress
        )
        self.members_: list[Member] = members
        self.n_parameters_ = len(members) * self._fitted_plan().network.n_parameters
        self.stopped_ = "interrupted" if interrupted else ""
        if interrupted:
            warnings.warn(
                f"Training interrupted by user: {len(members)} of {self.n_members} members are kept, each at its best.",
                InterruptedWarning,
                stacklevel=3,
            )

    @property
    def known_rows_(self) -> Array:
        """The places in the ``X`` of ``fit`` of the rows with a target and a weight; a member's are places in these."""
        check_is_fitted(self)
        return self._known

    def held_out_predictions(self) -> tuple[Array, Array]:
        """What is predicted for the rows of training, each by members that did not learn from it.

        So they are validation data, for a threshold, a calibration or a score, without a row being lost to training.
        Two things make them differ from predictions of new rows: they are of one member where those are the mean of
        all, which is better, and the member was stopped by these very rows, which flatters them a little.

        Returns
        -------
        rows : int array, shape (n,)
            The places in ``X`` of the rows that some member held out, ascending; all rows with a target and a weight,
            if there are five members or more.
        predictions : array, shape (n, n_classes) or (n,)
            Probabilities, or numbers: the mean over the members that held the row out.
        """
        check_is_fitted(self)
        total, count = np.zeros((len(self._known), self._made_for[2])), np.zeros(len(self._known), np.int64)
        for member in self.members_:
            total[member.held_out] += self._answers(member.held_outputs.astype(np.float64))
            count[member.held_out] += 1
        rows = np.flatnonzero(count)
        return self._known[rows], self._answer(total[rows] / count[rows, None])

    def _say_what_is_left_out(self) -> None:
        self.left_out_: dict[str, str] = dict(self._features.encoder.left_out)
        for reason, verb, why in (
            (IDENTIFIER, "name", "rows (another value in every one): left out"),
            (MANY_TEXTS, "are", f"left out: {MANY_TEXTS}"),
            (TOO_WIDE, "are", f"left out: {TOO_WIDE}"),
        ):
            names = [repr(name) for name, said in self.left_out_.items() if said == reason]
            if names:
                of_one = {"name": "names", "are": "is"}[verb]
                words = f"{listed(names, 5)} {of_one if len(names) == 1 else verb} {why}"
                warnings.warn(words, TableWarning, stacklevel=4)

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

    def _averaged(self, X: Any) -> Array:
        """The mean of the members' answers, in float64."""
        check_is_fitted(self)
        x = self._features.transform(table_of(self, X, reset=False))
        plan = self._fitted_plan()
        return self._answer(np.mean([self._answers(plan.predict(m.values, x)) for m in self.members_], axis=0))

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
