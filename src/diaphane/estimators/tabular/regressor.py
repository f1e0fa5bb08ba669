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
    n_members, recipe, n_jobs, engine, random_state
        As for :class:`TabularClassifier`.

    Attributes
    ----------
    members_, left_out_, n_features_in_, feature_names_in_
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

    def fit(self, X: Any, y: Any) -> TabularRegressor:
        """Learn from rows and their numbers.

        Parameters
        ----------
        X : frame of pandas or polars, Table, array or lists, shape (n, n_columns)
        y : array, shape (n,)
            Rows whose target is missing are left out, with a :class:`~diaphane.estimators.tabular.TableWarning`.

        Raises
        ------
        ValueError
            For infinite numbers, words as targets, columns that say nothing.
        """
        self._check_parameters()
        y, known = known_targets(X, y)
        numbers = numbers_of(y)
        self._scaler, self._range = robust_scaler(numbers), (float(numbers.min()), float(numbers.max()))
        target = self._scaler.transform(numbers).astype(np.float32)[:, None]
        self._fit_rows(self._table_with_targets(X, known), target, 1)
        return self

    def predict(self, X: Any) -> Array:
        """The number of each row, (n,)."""
        scaled = np.mean([raw[:, 0] for raw in self._member_outputs(X)], axis=0)
        return np.clip(self._scaler.inverse(scaled), *self._range)
