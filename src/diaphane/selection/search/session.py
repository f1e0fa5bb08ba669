"""A search in progress: candidates evaluated on all folds, and what is known of them so far."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning

from ...data.errors import listed
from ...graph.node import Array
from .folds import Data, Folds
from .spaces import label
from .tasks import Outcome, Task, shape_of
from .workers import Workers

__all__ = ["Session"]

MOST_NAMED = 10
"""Failing candidates that a warning names."""


class Session:
    """What strategies work with.

    Parameters
    ----------
    base : estimator
        Of which candidates are made.
    data : Data
    splits : sequence of (train, test)
    workers : Workers
    metric : str or None
        What candidates are compared by while the search goes on; None for the only one.
    seed : int or None
        See :class:`~diaphane.selection.search.tasks.Task`.
    verbose : int

    Attributes
    ----------
    params : list of dict
        Of every row of the table.
    outcomes : list of list of (Outcome or None)
        Of each row, by fold.
    more : dict of str to list
        Further columns.
    """

    def __init__(
        self,
        base: Any,
        data: Data,
        splits: Sequence[tuple[Array, Array]],
        workers: Workers,
        metric: str | None,
        seed: int | None,
        verbose: int,
    ) -> None:
        self.base, self.data, self.splits, self.workers = base, data, splits, workers
        self.metric, self.seed, self.verbose = metric, seed, verbose
        self.params: list[dict[str, Any]] = []
        self.outcomes: list[list[Outcome | None]] = []
        self.more: dict[str, list[Any]] = {}

    def evaluate(
        self,
        candidates: Sequence[dict[str, Any]],
        *,
        splits: Sequence[tuple[Array, Array]] | None = None,
        more: Mapping[str, Any] | None = None,
        shown: Mapping[str, Any] | None = None,
        pause: tuple[str, int] | None = None,
        former: Sequence[int] | None = None,
    ) -> list[int]:
        """Train and score candidates on every fold; the numbers of their rows in the table.

        Parameters
        ----------
        candidates : sequence of dict
        splits : sequence of (train, test), optional
            In place of the session's own.
        more : mapping, optional
            A value for each further column.
        shown : mapping, optional
            Parameters that the table shows with the candidates' own.
        pause : (str, int), optional
            The parameter that takes a bookmark, and the epoch after which candidates pause.
        former : sequence of int, optional
            The rows in which the candidates were before; they go on from there.
        """
        splits = self.splits if splits is None else splits
        first = len(self.params)
        rows = list(range(first, first + len(candidates)))
        tasks = []
        for k, params in enumerate(candidates):
            self.params.append({**params, **(shown or {})})
            self.outcomes.append([None] * len(splits))
            before = [None] * len(splits) if former is None else self.outcomes[former[k]]
            tasks += [self._task(rows[k], i, params, pause, before[i]) for i in range(len(splits))]
        for name, value in (more or {}).items():
            self.more.setdefault(name, []).extend([value] * len(candidates))
        columns = "".join(f", {name} {value}" for name, value in (more or {}).items())
        self._say(f"{len(candidates)} candidates × {len(splits)} folds{columns}")
        folds = Folds(self.base, self.data, splits, self.workers.threads + 1)
        self.workers.run(tasks, folds, self._note)
        return rows

    def _task(
        self, row: int, fold: int, params: Mapping[str, Any], pause: tuple[str, int] | None, before: Outcome | None
    ) -> Task:
        if before is None or before.estimator is None:
            return Task(row, fold, self.base, params, pause, self.seed, shape_of(params))
        return Task(row, fold, before.estimator, None, pause)

    def _note(self, task: Task, outcome: Outcome) -> None:
        self.outcomes[task.candidate][task.fold] = outcome
        if self.verbose > 1:
            params = label(self.params[task.candidate])
            result = outcome.error or self._value(outcome.test_scores)
            self._say(f"[{task.candidate}, fold {task.fold}] {params}: {result} ({outcome.fit_time:.2f} s)")

    def forget(self, rows: Sequence[int]) -> None:
        """Let go of candidates that will not go on."""
        for row in rows:
            for outcome in self.outcomes[row]:
                if outcome is not None:
                    outcome.estimator = None

    def has_failed(self, row: int) -> bool:
        """Whether a fit of a candidate has."""
        return any(outcome.error is not None for outcome in self._whole(row))

    def scores(self, rows: Sequence[int]) -> Array:
        """The mean score of each over its folds, NaN where one failed."""
        return np.array([np.mean([self._value(o.test_scores) for o in self._whole(row)]) for row in rows])

    def _whole(self, row: int) -> list[Outcome]:
        return [outcome for outcome in self.outcomes[row] if outcome is not None]

    def _value(self, scores: Any) -> float:
        if not isinstance(scores, dict):
            return float(scores)
        return float(scores[self.metric]) if self.metric in scores else float("nan")

    def _say(self, text: str) -> None:
        if self.verbose:
            print(f"[search] {text}")  # noqa: T201

    def drop_unfinished(self) -> int:
        """Leave out what an interrupt has cut off: rows that lack a fold. How many are left."""
        whole = [k for k, outcomes in enumerate(self.outcomes) if None not in outcomes]
        self.params = [self.params[k] for k in whole]
        self.outcomes = [self.outcomes[k] for k in whole]
        self.more = {name: [values[k] for k in whole] for name, values in self.more.items()}
        return len(whole)

    def table(self, with_train: bool, error_score: Any) -> list[dict[str, Any]]:
        """All outcomes as scikit-learn's ``_format_results`` takes them, folds of a candidate after each other."""
        rows = [outcome.row(with_train) for k in range(len(self.outcomes)) for outcome in self._whole(k)]
        names = next((list(r["test_scores"]) for r in rows if isinstance(r["test_scores"], dict)), None)
        for row in rows if names is not None else []:
            # A failed fit does not know yet which scores a user's function gives.
            for kind in ("test_scores", "train_scores"):
                if kind in row and not isinstance(row[kind], dict):
                    row[kind] = dict.fromkeys(names, error_score)  # type: ignore[arg-type]
        return rows

    def report_failures(self, error_score: Any) -> None:
        """Warn of candidates that failed.

        Raises
        ------
        ValueError
            If all have.
        """
        failed = [(k, o) for k in range(len(self.outcomes)) for o in self._whole(k) if o.error is not None]
        if not failed:
            return
        total = sum(len(outcomes) for outcomes in self.outcomes)
        first: dict[int, Outcome] = {}
        for row, outcome in failed:
            first.setdefault(row, outcome)
        reasons = [
            f"candidate {row} ({label(self.params[row])}): {type(o.error).__name__}: {o.error}"
            for row, o in first.items()
        ]
        named = listed(reasons, MOST_NAMED).replace(", candidate ", "\n  candidate ")
        trace = failed[0][1].trace
        if len(failed) == total:
            raise ValueError(
                f"all {total} fits failed: nothing can be chosen. error_score='raise' stops at the first.\n  {named}\n"
                f"The first of them:\n{trace}"
            ) from failed[0][1].error
        warnings.warn(
            f"{len(failed)} of {total} fits failed, and their score is {error_score}:\n  {named}\n"
            f"The first of them:\n{trace}",
            FitFailedWarning,
            stacklevel=4,
        )
