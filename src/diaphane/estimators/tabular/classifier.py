"""Classes from a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from ...graph.node import Array
from .base import BaseTabular
from .recipe import Recipe
from .targets import class_places, known_targets, weights_with_classes

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
    class_weight : dict, "balanced" or None
        Weights of classes, above 0, multiplied with ``sample_weight``; "balanced" weighs each class as much as another.
    n_jobs : int, optional
        Threads that members are trained in; by default one for each core.
    engine : str or Engine, default "native"
    random_state : int, RandomState or None
        The same number gives the same bits, whatever ``n_jobs``.
    progress : bool, default False
        Whether to show a bar, on the epochs of all members together (on a terminal only).

    Attributes
    ----------
    classes_ : array
        In ascending order.
    members_ : list of Member
        Each with its ``values``, its ``curve``, the rows it had ``held_out`` and its ``held_outputs`` for them.
    n_parameters_ : int
        Numbers learnt, of all members.
    stopped_ : str
        ``"interrupted"`` where Ctrl-C ended training, "" otherwise.
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

    def __init__(
        self,
        n_members: int = 8,
        *,
        recipe: Recipe | None = None,
        class_weight: Any = None,
        n_jobs: int | None = None,
        engine: Any = "native",
        random_state: Any = None,
        progress: bool = False,
    ) -> None:
        super().__init__(
            n_members, recipe=recipe, n_jobs=n_jobs, engine=engine, random_state=random_state, progress=progress
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TabularClassifier:
        """Learn from rows and their classes.

        At Ctrl-C members end with their next look, and those that have had one are kept, at their best, with an
        :class:`~diaphane.training.InterruptedWarning`.

        Parameters
        ----------
        X : frame of pandas or polars, Table, array or lists, shape (n, n_columns)
        y : array, shape (n,)
            Words, numbers or truth values. Rows whose target is missing are left out, with a
            :class:`~diaphane.estimators.tabular.TableWarning` that counts them.
        sample_weight : array, shape (n,), optional
            How much a row counts in the loss, and among the rows held out. Rows of weight 0 are left out.

        Raises
        ------
        ValueError
            For infinite numbers, columns that say nothing, one class only, weights that are negative or all 0.
        KeyboardInterrupt
            If no member has had a look at its held-out rows when it comes.
        """
        self._check_parameters()
        y, known, weights = known_targets(X, y, sample_weight)
        self.classes_, places = class_places(y)
        weights = weights_with_classes(weights, self.class_weight, y)
        self._fit_rows(X, known, places, weights, len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, n_classes), in the order of ``classes_``."""
        return self._averaged(X)

    def predict_log_proba(self, X: Any) -> Array:
        """Their logarithms."""
        return np.asarray(np.log(self.predict_proba(X)))

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def _answers(self, raw: Array) -> Array:
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def _answer(self, mean: Array) -> Array:
        return mean
