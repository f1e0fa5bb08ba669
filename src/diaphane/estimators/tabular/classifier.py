"""Classes from a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from ...graph.node import Array
from .base import BaseTabular
from .targets import class_places, known_targets

__all__ = ["TabularClassifier"]


class TabularClassifier(ClassifierMixin, BaseTabular):
    """Classes from a data frame as it is: numbers, categories, dates, texts, gaps. Nothing is to be tuned.

    Several networks are trained, each with other rows held out to stop by, and their probabilities averaged. Numbers
    are scaled by their quartiles and become periodic embeddings, words become 0/1 marks or coordinates of a text;
    what else goes in, and what each of it is worth, is in :class:`~diaphane.estimators.tabular.Recipe`.

    Parameters
    ----------
    n_members : int, default 8
        How many networks. Fewer are faster.
    recipe : Recipe, optional
        How a network is made and trained, where that is to be another way.
    n_jobs : int, optional
        Threads that members are trained in; by default one for each core.
    engine : str or Engine, default "native"
    random_state : int, RandomState or None
        The same number gives the same bits, whatever ``n_jobs``.

    Attributes
    ----------
    classes_ : array
        In ascending order.
    members_ : list of Member
        Each with its ``values``, its ``curve`` and the rows it had ``held_out``.
    left_out_ : dict of str to str
        Columns that are not used, and why.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from diaphane.data import Table
    >>> rng = np.random.default_rng(0)
    >>> size, colour = rng.normal(size=200), rng.choice(["red", "blue"], 200)
    >>> wanted = np.where((size > 0) & (colour == "red"), "buy", "leave")
    >>> table = Table({"size": size, "colour": colour})
    >>> model = TabularClassifier(n_members=2, random_state=0).fit(table, wanted)
    >>> model.score(table, wanted) > 0.95
    True
    """

    _task = "classification"

    def fit(self, X: Any, y: Any) -> TabularClassifier:
        """Learn from rows and their classes.

        Parameters
        ----------
        X : frame of pandas or polars, Table, array or lists, shape (n, n_columns)
        y : array, shape (n,)
            Words, numbers or truth values. Rows whose target is missing are left out, with a
            :class:`~diaphane.estimators.tabular.TableWarning` that counts them.

        Raises
        ------
        ValueError
            For infinite numbers, columns that say nothing, one class only.
        """
        self._check_parameters()
        y, known = known_targets(X, y)
        self.classes_, places = class_places(y)
        self._fit_rows(self._table_with_targets(X, known), places, len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, n_classes), in the order of ``classes_``."""
        return np.asarray(np.mean([_softmax(raw) for raw in self._member_outputs(X)], axis=0))

    def predict_log_proba(self, X: Any) -> Array:
        """Their logarithms."""
        return np.asarray(np.log(self.predict_proba(X)))

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])


def _softmax(raw: Array) -> Array:
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
