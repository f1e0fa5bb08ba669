"""The rows of each fold: taken once for all candidates, and forgotten when others are at work."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

from ...graph.node import Array

__all__ = ["Data", "Fold", "Folds", "take_fold"]


class Data(NamedTuple):
    """All that is searched on: rows, targets, and what goes to ``fit`` and to scorers beside them."""

    X: Any
    y: Any
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]


class Fold(NamedTuple):
    """Rows to train on and rows to score."""

    X: Any
    y: Any
    fit_params: Mapping[str, Any]
    train_score_params: Mapping[str, Any]
    X_test: Any
    y_test: Any
    score_params: Mapping[str, Any]

    @property
    def test_rows(self) -> int:
        return int(_num_samples(self.X_test))


def take_fold(estimator: Any, data: Data, train: Array, test: Array) -> Fold:
    """The rows of a fold, as scikit-learn takes them for an estimator (of a kernel's matrix also the columns)."""
    X, y = _safe_split(estimator, data.X, data.y, train)
    X_test, y_test = _safe_split(estimator, data.X, data.y, test, train)
    return Fold(
        X,
        y,
        _check_method_params(data.X, data.fit_params, train),
        _check_method_params(data.X, data.score_params, train),
        X_test,
        y_test,
        _check_method_params(data.X, data.score_params, test),
    )


class Folds:
    """Folds of one data set for several threads.

    Parameters
    ----------
    estimator : estimator
    data : Data
    splits : sequence of (train, test)
        Row numbers of each.
    keep : int
        How many folds are in memory at once.
    """

    def __init__(self, estimator: Any, data: Data, splits: Sequence[tuple[Array, Array]], keep: int) -> None:
        self.estimator, self.data, self.splits, self.keep = estimator, data, splits, keep
        self._lock = threading.Lock()
        self._taken: OrderedDict[int, Fold] = OrderedDict()

    def __len__(self) -> int:
        return len(self.splits)

    def __getitem__(self, k: int) -> Fold:
        with self._lock:
            if k not in self._taken:
                self._taken[k] = take_fold(self.estimator, self.data, *self.splits[k])
                while len(self._taken) > self.keep:
                    self._taken.popitem(last=False)
            self._taken.move_to_end(k)
            return self._taken[k]
