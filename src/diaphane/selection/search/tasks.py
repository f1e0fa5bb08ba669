"""One candidate on one fold: fitted, or gone on with, and scored."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection._validation import _score

from ...engines import NativeEngine
from ...training.bookmarks import Bookmark
from .folds import Data, Fold, take_fold
from .spaces import label

__all__ = ["Outcome", "Task", "evaluate", "evaluate_apart", "prepared", "seeded", "shape_of"]


@dataclass
class Task:
    """What one thread does in one go.

    Attributes
    ----------
    candidate, fold : int
        Their numbers.
    estimator : estimator
        To clone; or fitted already, to go on with.
    params : mapping or None
        The candidate's; None to go on.
    pause : (str, int) or None
        The parameter that takes a bookmark, and the epoch to pause after.
    seed : int or None
        For every ``random_state`` that is None in a candidate's own estimators.
    shape
        Equal for tasks that share what is planned by the first of them; None where all is.
    """

    candidate: int
    fold: int
    estimator: Any
    params: Mapping[str, Any] | None
    pause: tuple[str, int] | None = None
    seed: int | None = None
    shape: tuple[tuple[str, str], ...] | None = None


@dataclass
class Outcome:
    """What came of a task.

    Attributes
    ----------
    test_scores, train_scores : float or dict of float
    n_test_samples : int
    fit_time, score_time : float
        Seconds.
    error : Exception or None
        Why it failed.
    trace : str
        Where.
    estimator : estimator or None
        To go on with.
    """

    test_scores: Any
    train_scores: Any
    n_test_samples: int
    fit_time: float
    score_time: float
    error: Exception | None = None
    trace: str = ""
    estimator: Any = None

    def row(self, with_train: bool) -> dict[str, Any]:
        """As scikit-learn's ``_format_results`` takes it."""
        names = ("test_scores", "n_test_samples", "fit_time", "score_time", *(["train_scores"] if with_train else []))
        return {name: getattr(self, name) for name in names}


def shape_of(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What may make a candidate's plan another one: all but fractions, which are inputs of a step.

    Examples
    --------
    >>> shape_of({"alpha": 0.1, "hidden_layer_sizes": (8,)}) == shape_of({"alpha": 0.2, "hidden_layer_sizes": (8,)})
    True
    """
    fractions = (float, np.floating)
    return tuple(sorted((name, repr(value)) for name, value in params.items() if not isinstance(value, fractions)))


def prepared(estimator: Any, seed: int | None) -> Any:
    """An estimator as it trains among others: on one thread, without a folder of checkpoints, seeded where asked.

    The same object, changed.
    """
    known = estimator.get_params(deep=True)
    changes: dict[str, Any] = {}
    for name, value in known.items():
        if name.rpartition("__")[2] == "engine" and isinstance(value, str) and value == "native":
            # Several fits at once have a core each, and one thread's bits are the same on any machine.
            changes[name] = NativeEngine(n_threads=1)
            folder = name.removesuffix("engine") + "checkpoint"
            if known.get(folder) is not None:
                changes[folder] = None
    return seeded(estimator.set_params(**changes) if changes else estimator, seed)


def seeded(estimator: Any, seed: int | None) -> Any:
    """The same estimator, each of its ``random_state`` that was None set to a seed."""
    names = [] if seed is None else estimator.get_params(deep=True).items()
    changes = {name: seed for name, value in names if name.rpartition("__")[2] == "random_state" and value is None}
    return estimator.set_params(**changes) if changes else estimator


def _begun(task: Task) -> Any:
    """The task's estimator, ready to fit."""
    if task.params is None:
        estimator = task.estimator
        if task.pause is not None:
            estimator.get_params()[task.pause[0]].go_on(task.pause[1])
        return estimator
    own = clone(dict(task.params), safe=False)
    estimator = clone(task.estimator).set_params(**own)
    if any(hasattr(value, "get_params") and not isinstance(value, type) for value in own.values()):
        prepared(estimator, task.seed)
    if task.pause is not None:
        estimator.set_params(**{task.pause[0]: Bookmark(task.pause[1])})
    return estimator


def evaluate(task: Task, fold: Fold, scorer: Callable[..., Any], error_score: Any, with_train: bool) -> Outcome:
    """Fit and score.

    Raises
    ------
    Exception
        What the fit raised, where ``error_score`` is "raise"; its notes name the candidate and the fold.
    """
    started = time.perf_counter()
    try:
        estimator = _begun(task)
        if fold.y is None:
            estimator.fit(fold.X, **fold.fit_params)
        else:
            estimator.fit(fold.X, fold.y, **fold.fit_params)
    except Exception as error:
        _name_candidate(error, task)
        if error_score == "raise":
            raise
        seconds, trace = time.perf_counter() - started, traceback.format_exc()
        failed = _failing_scores(scorer, error_score)
        return Outcome(failed, failed, fold.test_rows, seconds, 0.0, error, trace)
    fitted = time.perf_counter()
    try:
        tested = _score(estimator, fold.X_test, fold.y_test, scorer, fold.score_params, error_score)
        trained = None
        scored = time.perf_counter()
        if with_train:
            trained = _score(estimator, fold.X, fold.y, scorer, fold.train_score_params, error_score)
    except Exception as error:
        _name_candidate(error, task)
        raise
    kept = None if task.pause is None else estimator
    return Outcome(tested, trained, fold.test_rows, fitted - started, scored - fitted, estimator=kept)


def evaluate_apart(
    task: Task,
    X: Any,
    y: Any,
    beside: tuple[Mapping[str, Any], Mapping[str, Any]],
    train: Any,
    test: Any,
    scorer: Callable[..., Any],
    error_score: Any,
    with_train: bool,
) -> Outcome:
    """The same in another process, which takes the fold's rows itself.

    Rows and targets come one by one, for a backend to send each to a worker once.
    """
    fold = take_fold(task.estimator, Data(X, y, *beside), train, test)
    return evaluate(task, fold, scorer, error_score, with_train)


def _name_candidate(error: Exception, task: Task) -> None:
    params = {} if task.params is None else task.params
    error.add_note(f"candidate {task.candidate} ({label(params)}), fold {task.fold}")


def _failing_scores(scorer: Any, error_score: Any) -> Any:
    names = getattr(scorer, "_scorers", None)
    return error_score if names is None else dict.fromkeys(names, error_score)
