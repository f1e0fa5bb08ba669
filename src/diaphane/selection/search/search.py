"""The search itself, in scikit-learn's contract."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _MultimetricScorer
from sklearn.utils import check_random_state, indexable
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_method_params

from ...estimators.parameters import check_choice
from ...graph.node import Array
from .folds import Data
from .session import Session
from .spaces import check_space
from .strategies import RUN
from .tasks import prepared, seeded
from .workers import Workers

__all__ = ["STRATEGIES", "Search"]

STRATEGIES = tuple(RUN)
"""``grid``, ``random``, ``halving``, ``bayes``."""


class Search(BaseSearchCV):
    """The best of many candidates by cross-validation, in scikit-learn's contract, at native speed.

    Candidates train side by side in threads of one process, on one copy of each fold's rows; what is planned for one is
    there for all of the same shape. Within the search a step of a network takes one thread, as of
    ``NativeEngine(n_threads=1)``, so that a result does not depend on how many candidates train at once; the refit has
    all cores.

    Parameters
    ----------
    estimator : estimator
        Any of scikit-learn's contract, alone or in a pipeline.
    space : mapping, or list of mappings
        From a parameter's name to its values: a list, a range, or a distribution such as
        ``scipy.stats.loguniform(1e-5, 1)``.
    strategy : {"grid", "random", "halving", "bayes"}
        ``grid``: every combination. ``random``: ``n_iter`` draws, those of ``RandomizedSearchCV``. ``halving``: the
        whole grid or ``n_iter`` draws, a little of each; the better ones of a rung go on. ``bayes``: a tree-structured
        Parzen estimator proposes ``n_iter`` candidates, four at a time (needs ``diaphane[search]``).
    n_iter : int, optional
        Candidates; by default the whole grid, 10 draws, or for halving 27 draws where there is no grid.
    cv : int, splitter, or iterable of (train, test), optional
        5 folds by default, stratified for classes.
    scoring : str, callable, list or dict, optional
        As for scikit-learn's searches.
    refit : bool, str or callable
        Whether the best is fitted on all rows; of several scores, by which it is chosen.
    factor : float
        Of halving: one in so many goes on to the next rung, with so many times the resource.
    resource : {"epochs", "n_samples"}
        Of halving. ``epochs``: a candidate goes on from where it is, with the optimizer's state, so that no epoch is
        computed twice; at the last rung it has ``max_iter``. ``n_samples``: afresh on more rows.
    min_resource : int, optional
        Of halving: at least so much in the first rung; 1 epoch, or two rows for each class and fold.
    random_state : int, RandomState or None
        For candidates, folds and fits: goes to every ``random_state`` of the estimator that is None. The same one
        gives the same bits, on any number of threads.
    n_jobs : int, optional
        Threads: all cores by default. Inside ``joblib.parallel_config(backend=...)`` of processes or a cluster,
        workers of that.
    error_score : "raise" or float
        The score of candidates that fail; a warning names them.
    return_train_score : bool
    verbose : int
        1 tells of each rung, 2 of each fit.

    Attributes
    ----------
    cv_results_, best_estimator_, best_params_, best_score_, best_index_, scorer_, n_splits_, refit_time_, \
multimetric_, classes_, n_features_in_, feature_names_in_
        As in scikit-learn. A halving's table has a row for each candidate of each rung, with the columns ``iter`` and
        ``n_resources``; the best one is of the last rung.

    Notes
    -----
    At an interrupt (Ctrl-C) running fits are dropped, ``KeyboardInterrupt`` is raised, and what is known is kept:
    ``cv_results_`` of all candidates that have all folds, ``best_params_``, ``best_score_``, ``best_index_``. There is
    no ``best_estimator_`` then.

    Until its rung is over, a candidate that halving by epochs has trained stays in memory with its optimizer's state:
    about four times its weights for each fold.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from diaphane.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), max_iter=27, tol=0)
    >>> space = {"learning_rate_init": [1e-4, 1e-3, 1e-2], "alpha": [1e-4, 1e-2, 1.0]}
    >>> search = Search(model, space, strategy="halving", cv=3, refit=False, random_state=0)
    >>> search.fit(X, y).best_params_["learning_rate_init"]
    0.01
    >>> search.cv_results_["n_resources"].tolist()
    [3, 3, 3, 3, 3, 3, 3, 3, 3, 9, 9, 9, 27]
    """

    def __init__(
        self,
        estimator: Any,
        space: Any,
        *,
        strategy: str = "grid",
        n_iter: int | None = None,
        cv: Any = None,
        scoring: Any = None,
        refit: Any = True,
        factor: float = 3,
        resource: str = "epochs",
        min_resource: int | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.strategy = strategy
        self.n_iter = n_iter
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.factor = factor
        self.resource = resource
        self.min_resource = min_resource
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, **params: Any) -> Search:
        """Search, and fit the best on all rows.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features)
        y : array, shape (n,) or (n, n_outputs), optional
        **params
            For ``fit`` of the estimator, for the splitter (``groups``) and scorers; those with a value for each row,
            such as ``sample_weight``, are split with the rows.

        Raises
        ------
        TypeError, ValueError
            For a space that is empty or has a name that the estimator lacks; a class with fewer rows than there are
            folds; halving with fewer rows than the first rung; or where all candidates fail.
        KeyboardInterrupt
            When interrupted; what is known is kept, see the notes.
        """
        check_choice("strategy", self.strategy, STRATEGIES)
        self._check_error_score()
        space = check_space(self.space, self.estimator)
        scorers, metric = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        data = Data(X, y, routed.estimator.fit, routed.scorer.score)
        seed = self._seed()
        splits = self._splits(data, routed.splitter.split, seed)
        workers = Workers(self.n_jobs, (scorers, self.error_score, self.return_train_score))
        base = prepared(clone(self.estimator), seed)
        compared = self.refit if isinstance(self.refit, str) else None
        session = Session(base, data, splits, workers, compared, seed, self.verbose)
        self._forget()
        try:
            RUN[self.strategy](self, session, space)
        except KeyboardInterrupt as interrupt:
            self._keep_known(session, metric, interrupt)
            raise
        session.report_failures(self.error_score)
        self._note_results(session, metric)
        self.scorer_ = scorers._scorers if isinstance(scorers, _MultimetricScorer) else scorers
        if self.refit:
            self._refit(data, seed)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "best_estimator_") or (not self.refit and hasattr(self, "cv_results_"))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags

    def _check_error_score(self) -> None:
        known = isinstance(self.error_score, int | float | np.number) and not isinstance(self.error_score, bool)
        if not known and self.error_score != "raise":
            raise ValueError(f'error_score must be "raise" or a number, got {self.error_score!r}')

    def _seed(self) -> int | None:
        """For whatever has none; halving by epochs needs one, to go on as it began."""
        if self.random_state is None and self.strategy != "halving":
            return None
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _splits(self, data: Data, beside: Mapping[str, Any], seed: int | None) -> list[tuple[Array, Array]]:
        """The row numbers of each fold, settled once for all candidates."""
        with np.errstate(invalid="ignore"):
            # Targets of NaN or infinity are refused in a moment, with words.
            cv = check_cv(self.cv, data.y, classifier=is_classifier(self.estimator))
        if seed is not None and getattr(cv, "random_state", seed) is None:
            cv = copy.copy(cv)
            cv.random_state = seed
        stratified = is_classifier(self.estimator) and not hasattr(self.cv, "split") and not np.iterable(self.cv)
        if stratified and data.y is not None:
            _refuse_small_classes(data.y, int(cv.get_n_splits(data.X, data.y, **beside)))
        splits = list(cv.split(data.X, data.y, **beside))
        if not splits:
            raise ValueError(f"cv={self.cv!r} gives no folds")
        self.n_splits_ = len(splits)
        return splits

    def _forget(self) -> None:
        """What a former search has left."""
        names = ("best_estimator_", "best_params_", "best_score_", "best_index_", "cv_results_", "refit_time_")
        for name in names:
            if hasattr(self, name):
                delattr(self, name)

    def _note_results(self, session: Session, metric: Any) -> None:
        rows = session.table(self.return_train_score, self.error_score)
        self.multimetric_ = isinstance(rows[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(rows[0]["test_scores"])
            metric = self.refit
        self.cv_results_ = self._format_results(session.params, self.n_splits_, rows, session.more)
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._best_index(metric)
        if not callable(self.refit):
            self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _best_index(self, metric: Any) -> int:
        if callable(self.refit) or "iter" not in self.cv_results_:
            return int(self._select_best_index(self.refit, metric, self.cv_results_))
        last = np.flatnonzero(self.cv_results_["iter"] == self.cv_results_["iter"].max())
        scores = self.cv_results_[f"mean_test_{metric}"][last]
        return int(last[np.argmax(np.nan_to_num(scores, nan=-np.inf))])

    def _keep_known(self, session: Session, metric: Any, interrupt: KeyboardInterrupt) -> None:
        begun = len(session.params)
        if not session.drop_unfinished():
            return
        self._note_results(session, metric)
        known = len(session.params)
        interrupt.add_note(f"{known} of {begun} candidates are known: see cv_results_, best_params_ and best_score_")

    def _refit(self, data: Data, seed: int | None) -> None:
        chosen = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        self.best_estimator_ = seeded(chosen, seed)
        started = time.perf_counter()
        if data.y is None:
            self.best_estimator_.fit(data.X, **data.fit_params)
        else:
            self.best_estimator_.fit(data.X, data.y, **data.fit_params)
        self.refit_time_ = time.perf_counter() - started
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _refuse_small_classes(y: Any, folds: int) -> None:
    """Refuse stratified folds of which some would lack a class."""
    if type_of_target(y) not in ("binary", "multiclass") or len(y) < folds:
        return
    classes, counts = np.unique(np.asarray(y).ravel(), return_counts=True)
    least = int(counts.argmin())
    if counts[least] < folds:
        fewer = f"take cv={counts[least]} at most, " if counts[least] > 1 else ""
        raise ValueError(
            f"class {classes[least].item()!r} has {counts[least]} rows, fewer than the {folds} folds, so that some "
            f"would lack it: {fewer}give the class more rows, or leave it out"
        )
