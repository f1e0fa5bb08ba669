"""Predictions made once: a dozen parts of a page ask for the same ones."""

from __future__ import annotations

from dataclasses import replace
from functools import partial, wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..selection import ThresholdChoice

__all__ = ["Remembering"]


class Remembering(BaseEstimator):  # type: ignore[misc]
    """A fitted estimator that keeps what it says of rows that it was asked about before.

    Rows are known by identity: the same object is the same rows. Where a threshold was chosen, ``predict`` goes by it.

    Parameters
    ----------
    estimator : fitted classifier or regressor
    threshold : ThresholdChoice, optional
    known : dict, optional
        Predictions of another one, to be shared.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.arange(6.0)[:, None]
    >>> model = Remembering(LogisticRegression().fit(X, [0, 0, 0, 1, 1, 1]))
    >>> model.predict(X).tolist(), model.predict(X) is model.predict(X)
    ([0, 0, 0, 1, 1, 1], True)
    """

    def __init__(self, estimator: Any, threshold: ThresholdChoice | None = None, known: Any = None) -> None:
        self.estimator = estimator
        self.threshold = threshold
        self.known = known
        self._known: dict[tuple[int, str], tuple[Any, NDArray[Any]]] = {} if known is None else known

    def tell(self, X: Any, method: str, outputs: NDArray[Any]) -> None:
        """Give the outputs for some rows, which the estimator is then not asked for."""
        # The rows are kept too: an identity is given to another object once they are gone.
        self._known[id(X), method] = X, outputs
        if method == "predict_proba":
            self._known[id(X), "predict"] = X, np.asarray(self.classes_[outputs.argmax(axis=1)])

    def predict(self, X: Any) -> NDArray[Any]:
        """Classes, by the chosen threshold where there is one; or numbers."""
        if self.threshold is None:
            return self._remembered("predict", X)
        if (id(X), "with threshold") not in self._known:
            labels = replace(self.threshold, estimator=self.without_threshold()).classifier.predict(X)
            self._known[id(X), "with threshold"] = X, np.asarray(labels)
        return self._known[id(X), "with threshold"][1]

    def without_threshold(self) -> Remembering:
        """The same, with the classes that are the most probable."""
        return Remembering(self.estimator, known=self._known)

    def _remembered(self, method: str, X: Any) -> NDArray[Any]:
        if (id(X), method) not in self._known:
            said = np.asarray(getattr(self.estimator, method)(X))
            # One column of numbers less a vector of them is a square.
            self._known[id(X), method] = X, said[:, 0] if method == "predict" and said.shape[1:] == (1,) else said
        return self._known[id(X), method][1]

    def __getattr__(self, name: str) -> Any:
        # A method that the estimator lacks is lacking here too: whether it is there says what can be asked.
        if name.startswith("_") or name in ("estimator", "threshold", "known"):
            raise AttributeError(name)
        found = getattr(self.estimator, name)
        if name in ("predict_proba", "decision_function"):
            # scikit-learn asks a method for its name.
            return wraps(found)(partial(self._remembered, name))
        return found

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags

        return get_tags(self.estimator)
