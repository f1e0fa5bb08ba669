"""What the estimators share that learn from one example after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted, validate_data

from ...engines.online import OnlineRule, OnlineState, storable
from ...graph.node import Array
from ..inputs import rows_to_predict
from ..parameters import check_flag, check_integer, check_number
from .inputs import check_rows_and_labels, chosen, compute_dtype
from .passes import Passes, Problem, StoppedPass, Stopping, repeat_passes

__all__ = ["OnlineClassifier"]

MOST_SEED = np.iinfo(np.int32).max
PREDICTED_ROWS = 4096
"""Rows of whole numbers at a time: NumPy casts all that it multiplies."""


class OnlineClassifier(LinearClassifierMixin, SparseCoefMixin, BaseEstimator):
    """Rows, labels, one class against the rest, and what is kept of it; not for direct use."""

    def predict(self, X: Any) -> Array:
        """The class of each row: of two the second where the score is above 0, of more that of the greatest score."""
        return chosen(self.decision_function(X), self.classes_)

    def decision_function(self, X: Any) -> Array:
        """w·x + b of each row: (n,) for two classes, above 0 for the second; (n, n_classes) for more."""
        check_is_fitted(self)
        rows = rows_to_predict(self, X)
        return self._scores(rows)

    def _scores(self, rows: Any) -> Array:
        blocks = [rows]
        if rows.dtype.kind != "f":
            blocks = [rows[i : i + PREDICTED_ROWS] for i in range(0, rows.shape[0], PREDICTED_ROWS)]
        parts = [safe_sparse_dot(block, self.coef_.T, dense_output=True) for block in blocks]
        scores = np.asarray((parts[0] if len(parts) == 1 else np.concatenate(parts)) + self.intercept_)
        return scores.ravel() if scores.shape[1] == 1 else scores

    # What a subclass gives.

    def _rules(self) -> list[OnlineRule]:
        """A rule for each class that is told from the rest."""
        raise NotImplementedError

    def _check_online(self, incremental: bool) -> None:
        check_integer("max_iter", self.max_iter)
        if self.tol is not None:
            check_number("tol", self.tol, 0)
        for flag in ("fit_intercept", "shuffle", "early_stopping", "warm_start"):
            check_flag(flag, getattr(self, flag))
        check_number("alpha", self.alpha, 0)
        check_number("l1_ratio", 0.0 if self.l1_ratio is None else self.l1_ratio, 0, 1)
        check_number("eta0", self.eta0, 0, low_open=True)
        check_number("validation_fraction", self.validation_fraction, 0, 1, low_open=True, high_open=True)
        check_integer("n_iter_no_change", self.n_iter_no_change)
        if self.penalty not in ("l2", "l1", "elasticnet", None):
            raise ValueError(f"penalty must be l2, l1, elasticnet or None, got {self.penalty!r}")
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("penalty='elasticnet' needs l1_ratio, the L1 part of it: a number from 0 to 1, got None")
        if incremental and self.early_stopping:
            raise ValueError("early_stopping=True needs all the data: fit has them, partial_fit does not")
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all the labels and is not for partial_fit: give a dict, "
                "such as sklearn.utils.compute_class_weight makes of a sample of them"
            )

    @property
    def _penalties(self) -> tuple[float, float]:
        """The strengths of Σ|w| and ½·Σw²."""
        ratio = float({"l1": 1.0, "l2": 0.0, None: 0.0}.get(self.penalty, self.l1_ratio) or 0.0)
        alpha = 0.0 if self.penalty is None else float(self.alpha)
        return alpha * ratio, alpha * (1 - ratio)

    def _read(self, x: Any, y: Any) -> tuple[Any, Array]:
        """Rows and the index of each one's class, for a fit."""
        # A look for infinities adds up all numbers, and large ones are no infinities.
        with np.errstate(over="ignore", invalid="ignore"):
            x, self.classes_, target = check_rows_and_labels(self, x, y)
        return storable(x), target

    def _read_more(self, x: Any, y: Any, classes: Any) -> tuple[Any, Array]:
        """The same for a chunk of them."""
        first = not hasattr(self, "classes_")
        with np.errstate(over="ignore", invalid="ignore"):
            x, y = validate_data(self, x, y, accept_sparse="csr", dtype="numeric", reset=first)
        if x.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: {x.dtype}")
        check_classification_targets(y)
        if first and classes is not None and len(np.unique(classes)) < 2:
            raise ValueError(f"there must be at least 2 classes to tell apart, got classes={classes!r}")
        _check_partial_fit_first_call(self, classes)
        target = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        strange = self.classes_[target] != y
        if strange.any():
            raise ValueError(
                f"y has {np.unique(y[strange]).tolist()[:5]}, which are not among the classes {self.classes_.tolist()} "
                "of the first call to partial_fit: name all there will be in its classes="
            )
        return storable(x), target

    def _first_states(self, x: Any, coef: Any = None, intercept: Any = None) -> list[OnlineState]:
        """A state for each class that is told from the rest, at 0 or at given weights."""
        count = 1 if len(self.classes_) == 2 else len(self.classes_)
        shape, dtype = (count, x.shape[1]), compute_dtype(getattr(self, "dtype", None), x)
        coef = coef.toarray() if hasattr(coef, "toarray") else coef
        weights = np.zeros(shape, dtype) if coef is None else np.array(coef, dtype, ndmin=2)
        intercepts = np.zeros(count) if intercept is None else np.array(intercept, np.float64, ndmin=1)
        if weights.shape != shape or intercepts.shape != (count,):
            raise ValueError(
                f"first weights of shape {weights.shape} and intercepts of shape {intercepts.shape} were given, "
                f"{shape} and {(count,)} are needed for {len(self.classes_)} classes and {x.shape[1]} features"
            )
        return [OnlineState(w.copy(), float(b)) for w, b in zip(weights, intercepts, strict=True)]

    def _learn(
        self,
        x: Any,
        target: Array,
        weights: Array | None,
        states: Sequence[OnlineState],
        stopping: Stopping,
        record: bool = False,
    ) -> list[Passes]:
        """Tell each class from the rest, several at a time where ``n_jobs`` says so; scikit-learn's random numbers.

        Raises
        ------
        ValueError
            Where the weights overflow; those of the last whole pass are kept. Where there is NaN in the data.
        """
        from joblib import effective_n_jobs

        several = len(states) > 1
        classes = range(len(states)) if several else [1]
        held = self._held_out(x, target, weights) if self.early_stopping else None
        rng = check_random_state(self.random_state)
        sources = rng.randint(MOST_SEED, size=len(states)) if several else [rng]
        jobs = []
        for k, rule, state, source in zip(classes, self._rules(), states, sources, strict=True):
            positive = target == k
            seed = _seed(source) if self.shuffle else None
            score = None if held is None else _scorer(x, positive, weights, held)
            jobs.append((rule, state, Problem(x, positive, weights, seed, held, score)))

        def run(job: tuple[OnlineRule, OnlineState, Problem]) -> Passes | StoppedPass:
            try:
                return repeat_passes(*job, stopping, record=record, engine=self.engine, verbose=bool(self.verbose))
            except StoppedPass as stopped:
                return stopped

        workers = min(effective_n_jobs(self.n_jobs), len(jobs))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                found = list(pool.map(run, jobs))
        else:
            found = [run(job) for job in jobs]
        stopped = [f for f in found if isinstance(f, StoppedPass)]
        if stopped:
            # Data that no weights could have been learnt from leave no weights.
            self._refuse_rows(x, stopped[0])
            self._keep([f.passes if isinstance(f, StoppedPass) else f for f in found])
            self._refuse_overflow(x, stopped[0])
        return cast("list[Passes]", found)

    def _held_out(self, x: Any, target: Array, weights: Array | None) -> Array:
        """The rows that early stopping looks at: the same as scikit-learn's."""
        split = StratifiedShuffleSplit(test_size=self.validation_fraction, random_state=self.random_state)
        _, rows = next(split.split(np.zeros((len(target), 1)), target))
        if weights is not None and not weights[rows].any():
            raise ValueError(
                "the sample weights of all rows held out for early stopping are 0: take another random_state"
            )
        assert_all_finite(x[rows], input_name="X", estimator_name=type(self).__name__)
        held = np.zeros(len(target), np.bool_)
        held[rows] = True
        return held

    def _keep(self, found: Sequence[Passes]) -> None:
        """Make fitted attributes of what was found."""
        pairs = [p.state.averaged for p in found]
        self.coef_ = np.stack([w for w, _ in pairs])
        self.intercept_ = np.array([b for _, b in pairs], self.coef_.dtype)
        self.n_iter_ = max(max(len(p.losses) for p in found), 1)
        curves = [p.losses for p in found]
        self.loss_curve_ = curves[0] if len(found) == 1 else curves
        self.t_ = float(max(p.state.step for p in found))
        self._states = [p.state for p in found]

    def _refuse_rows(self, x: Any, stopped: StoppedPass) -> None:
        if stopped.reason == "zero row":
            raise ValueError(
                f"row {stopped.row} of X is all zeros: without an intercept it has no direction, and cannot be taken "
                "at length 1. Leave such rows out, or take fit_intercept=True or normalize=False"
            )
        values = x.data if hasattr(x, "tocsr") else x
        with np.errstate(over="ignore", invalid="ignore"):
            assert_all_finite(values, input_name="X", estimator_name=type(self).__name__)

    def _refuse_overflow(self, x: Any, stopped: StoppedPass) -> NoReturn:
        values = x.data if hasattr(x, "tocsr") else x
        largest = float(max(abs(float(values.max())), abs(float(values.min()))))
        where = "after the last row" if stopped.row < 0 else f"at row {stopped.row}"
        raise ValueError(
            f"the weights overflow {self.coef_.dtype} in epoch {stopped.epoch}, {where}; those of the last whole epoch "
            f"are kept. The features are as large as {largest:.3g}: scale them, for example with scikit-learn's "
            "StandardScaler, or take a smaller eta0"
        )

    def _states_to_go_on_from(self, x: Any) -> list[OnlineState]:
        """What the last call left: the weights as they are now, since they are the user's to change."""
        kept: list[OnlineState] = getattr(self, "_states", [])
        given = self._first_states(x, self.coef_, self.intercept_)
        if len(kept) != len(given):
            return given
        return [old.copy() if _agrees(old, new) else new for old, new in zip(kept, given, strict=True)]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _agrees(kept: OnlineState, shown: OnlineState) -> bool:
    """Whether fitted attributes are what was left, and nobody has set others."""
    weights, intercept = kept.averaged
    rounded = shown.weights.dtype.type(intercept)
    return (
        weights.dtype == shown.weights.dtype and np.array_equal(weights, shown.weights) and rounded == shown.intercept
    )


def _seed(source: Any) -> int:
    """The seed of the shuffling, as scikit-learn draws it: after one that it does not use."""
    rng = check_random_state(source)
    rng.randint(1, MOST_SEED)
    return int(rng.randint(MOST_SEED))


def _scorer(x: Any, positive: Array, weights: Array | None, held: Array) -> Callable[[Array, float], float]:
    """Accuracy on the rows held out."""
    rows, truth = x[held], positive[held]
    parts = None if weights is None else weights[held]

    def score(coef: Array, intercept: float) -> float:
        return float(np.average((rows @ coef + intercept > 0) == truth, weights=parts))

    return score
