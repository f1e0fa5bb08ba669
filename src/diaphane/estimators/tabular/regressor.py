from __future__ import annotations
from typing import Any
import numpy as np
from sklearn.base import RegressorMixin
from ...data.scaling import TargetScaler
from .base import BaseTabular
from .frames import table_of
class TabularRegressor(RegressorMixin, BaseTabular):
    _task = "regression"
    def fit(self, X: Any, y: Any) -> "TabularRegressor":
        table = table_of(self, X, reset=True)
        y = np.asarray(y, np.float64)
        self._scaler = TargetScaler.fit(y)
        self._range = y.min(), y.max()
        self._fit_rows(table, self._scaler.transform(y).astype(np.float32), 1)
        return self
    def predict(self, X):
        found = self._scaler.inverse(np.mean([o[:, 0] for o in self._member_outputs(X)], axis=0))
        return np.clip(found, *self._range)
