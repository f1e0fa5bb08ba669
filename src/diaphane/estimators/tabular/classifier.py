from __future__ import annotations
from typing import Any
import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from .base import BaseTabular
from .frames import table_of
class TabularClassifier(ClassifierMixin, BaseTabular):
    _task = "classification"
    def fit(self, X: Any, y: Any) -> "TabularClassifier":
        table = table_of(self, X, reset=True)
        self.classes_, target = np.unique(np.asarray(y), return_inverse=True)
        self._fit_rows(table, target.astype(np.int64), len(self.classes_))
        return self
    def predict_proba(self, X):
        return np.mean([softmax(o.astype(np.float64), axis=1) for o in self._member_outputs(X)], axis=0)
    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
