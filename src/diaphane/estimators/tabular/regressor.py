"""Numbers from a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from ...graph.node import Array
from .base import BaseTabular
from .targets import known_targets, numbers_of, robust_scaler

__all__ = ["TabularRegressor"]


class TabularRegressor(RegressorMixin, BaseTabular):
    """Numbers from a data frame as it is; as :class:`TabularClassifier`, with the mean of the members' predictions.

    Targets are learnt in units of their standard deviation, on which a few wild ones have little hold, by a loss
    that is linear far out (Huber 1964). A prediction is never beyond the targets of training.

    Parameters
    ----------
    n_members, recipe, n_jobs, engine, random_state, progress
        As for :class:`TabularClassifier`.

    Attributes
    ----------
    members_, n_parameters_, stopped_, left_out_, n_features_in_, feature_names_in_
        As for :class:`TabularClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from diaphane.data import Table
    >>> x = np.linspace(-3, 3, 200)
    >>> table = Table({"x": x, "side": np.where(x > 0, "right", "left")})
    >>> TabularRegressor(n_members=2, random_state=0).fit(table, 1000 * np.abs(x)).score(table, 1000 * np.abs(x)) > 0.95
    True
    """

    _task = "regression"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TabularRegressor:
        """Learn from rows and their numbers; Ctrl-C as for :meth:`TabularClassifier.fit`.

        Parameters
        ----------
        X : frame of pandas or polars, Table, array or lists, shape (n, n_columns)
        y : array, shape (n,)
            Rows whose target is missing are left out, with a :class:`~diaphane.estimators.tabular.TableWarning`.
        sample_weight : array, shape (n,), optional
            How much a row counts in the loss, and among the rows held out. Rows of weight 0 are left out.

        Raises
        ------
        ValueError
            For infinite numbers, words as targets, columns that say nothing, weights that are negative or all 0.
        KeyboardInterrupt
            If no member has had a look at its held-out rows when it comes.
        """
        self._check_parameters()
        y, known, weights = known_targets(X, y, sample_weight)
        numbers = numbers_of(y)
        self._scaler, self._range = robust_scaler(numbers), (float(numbers.min()), float(numbers.max()))
        target = self._scaler.transform(numbers).astype(np.float32)[:, None]
        self._fit_rows(X, known, target, weights, 1)
        return self

    def predict(self, X: Any) -> Array:
        """The number of each row, (n,)."""
        return self._averaged(X)

    def _answers(self, raw: Array) -> Array:
        return raw

    def _answer(self, mean: Array) -> Array:
        return np.clip(self._scaler.inverse(mean[:, 0]), *self._range)
