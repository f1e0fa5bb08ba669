"""Generative against discriminative: several classifiers learn from more and more of the same data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...data.randomness import RandomState, as_random_state
from .examples import as_rows

__all__ = ["Comparison", "compare_classifiers", "usual_classifiers"]

Floats = NDArray[np.float64]

LEAST_OF_A_CLASS = 2


@dataclass(frozen=True, eq=False)
class Comparison:
    """Errors of several classifiers against the number of examples they learnt from.

    Attributes
    ----------
    names : tuple of str
    sizes : int64 array of shape (s,)
    errors : float64 array of shape (len(names), s, repeats)
        Shares of mistakes on the examples held out.
    """

    names: tuple[str, ...]
    sizes: NDArray[np.int64]
    errors: Floats

    @property
    def means(self) -> Floats:
        """Mean errors over the repeats, (len(names), s)."""
        found: Floats = self.errors.mean(axis=2)
        return found

    @property
    def standard_errors(self) -> Floats:
        """Of the means, (len(names), s); NaN for one repeat."""
        repeats = self.errors.shape[2]
        if repeats == 1:
            return np.full(self.errors.shape[:2], np.nan)
        found: Floats = self.errors.std(axis=2, ddof=1) / np.sqrt(repeats)
        return found

    def curve(self, name: str) -> Floats:
        """The mean errors of one classifier, (s,)."""
        found: Floats = self.means[self._place(name)]
        return found

    def difference(self, first: str, second: str) -> tuple[Floats, Floats]:
        """Error of the first minus error of the second: mean and standard error, (s,) each.

        Both learnt from the same examples, so the difference is paired and its error smaller than those of the two.
        """
        paired = self.errors[self._place(first)] - self.errors[self._place(second)]
        repeats = paired.shape[1]
        spread = paired.std(axis=1, ddof=1) / np.sqrt(repeats) if repeats > 1 else np.full(len(paired), np.nan)
        return paired.mean(axis=1), spread

    def crossing(self, first: str, second: str) -> int | None:
        """The least size from which on the second is no worse, where the first is better before; else None.

        Between naive Bayes and logistic regression it is the crossing of Ng & Jordan (2002).
        """
        ahead = self.difference(first, second)[0] < 0
        if not ahead.any() or ahead[-1]:
            return None
        return int(self.sizes[np.flatnonzero(ahead)[-1] + 1])

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ValueError(f"there is no classifier {name!r} in the comparison; there are {', '.join(self.names)}")
        return self.names.index(name)

    def __str__(self) -> str:
        width = max(map(len, self.names))
        lines = [f"{'examples':<{width}}  " + "".join(f"{size:>8}" for size in self.sizes)]
        for name, errors in zip(self.names, self.means, strict=True):
            lines.append(f"{name:<{width}}  " + "".join(f"{error:>8.3f}" for error in errors))
        return "\n".join(lines)


def usual_classifiers() -> dict[str, Any]:
    """Generative and discriminative classifiers as scikit-learn has them, by name.

    Naive Bayes and the linear discriminant model p(x|y)·p(y); the decision tree, the support vector machine and
    logistic regression model p(y|x) or the boundary alone.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    return {
        "naive Bayes": GaussianNB(),
        "linear discriminant": LinearDiscriminantAnalysis(),
        "decision tree": DecisionTreeClassifier(),
        "support vector machine": SVC(),
        "logistic regression": LogisticRegression(max_iter=1000),
    }


def compare_classifiers(
    X: ArrayLike,
    y: ArrayLike,
    classifiers: Mapping[str, Any] | None = None,
    *,
    sizes: Sequence[int] | None = None,
    n_repeats: int = 10,
    test_size: float = 0.5,
    random_state: RandomState = 0,
) -> Comparison:
    """Learning curves of several classifiers on the same examples.

    Ng & Jordan (2002) compare a pair of models of one form: naive Bayes approaches its error with a number of
    examples of the order log d, logistic regression with the order d, but to one that is not higher. So the
    generative model may lead where examples are few, and the discriminative one where they are many.

    In each repeat the examples are shuffled and split, classes in proportion; a size's examples are the first ones,
    so that each size holds the smaller one, and all classifiers learn from the same.

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n,)
    classifiers : mapping of name to estimator, optional
        They are cloned; those of `usual_classifiers` by default.
    sizes : sequence of int, optional
        Numbers of examples to learn from; by default eight, equally far apart in their logarithms.
    n_repeats : int
    test_size : float
        The share held out.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If y has one class, sizes are out of range, or there are too few of a class for the smallest size.
    TypeError
        If the classifiers have no names.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from diaphane.data import gaussians
    >>> X, y = gaussians(400, random_state=0)
    >>> both = {"naive Bayes": GaussianNB(), "logistic regression": LogisticRegression()}
    >>> found = compare_classifiers(X, y, both, sizes=[20, 100], n_repeats=2)
    >>> found.errors.shape, bool(found.curve("naive Bayes")[-1] < 0.3)
    ((2, 2, 2), True)
    """
    from sklearn.base import clone
    from sklearn.model_selection import train_test_split

    rows, labels = as_rows(X), np.asarray(y)
    classes = _checked_labels(labels, len(rows))
    if isinstance(n_repeats, bool) or not isinstance(n_repeats, int | np.integer) or n_repeats < 1:
        raise ValueError(f"n_repeats is {n_repeats!r}; expected a whole number of at least 1")
    if not 0 < test_size < 1:
        raise ValueError(f"test_size is {test_size!r}; expected a share between 0 and 1")
    if classifiers is not None and not isinstance(classifiers, Mapping):
        raise TypeError(f"classifiers are {classifiers!r}; expected a mapping, such as {{'a name': GaussianNB()}}")
    models = dict(usual_classifiers() if classifiers is None else classifiers)
    if not models:
        raise ValueError("there is no classifier to compare")
    random = as_random_state(random_state)
    n_learnt = len(rows) - int(np.ceil(test_size * len(rows)))
    counts = _checked_sizes(sizes, n_learnt, len(classes))
    errors = np.empty((len(models), len(counts), n_repeats))
    for repeat in range(n_repeats):
        learn, test = train_test_split(np.arange(len(rows)), test_size=test_size, stratify=labels, random_state=random)
        learn = _each_class_early(learn, labels[learn], classes)
        seed = int(random.randint(2**31))
        for s, count in enumerate(counts):
            for m, model in enumerate(models.values()):
                fitted = _seeded(clone(model), seed).fit(rows[learn[:count]], labels[learn[:count]])
                errors[m, s, repeat] = np.mean(np.asarray(fitted.predict(rows[test])) != labels[test])
    return Comparison(tuple(models), counts, errors)


def _checked_labels(labels: NDArray[Any], n_rows: int) -> NDArray[Any]:
    if labels.shape != (n_rows,):
        raise ValueError(f"y has shape {labels.shape}; expected ({n_rows},), one label a row of X")
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"y has one class, {classes.tolist()[0]!r}; expected two or more")
    if counts.min() < 2 * LEAST_OF_A_CLASS:
        rare = classes.tolist()[counts.argmin()]
        needed = 2 * LEAST_OF_A_CLASS
        raise ValueError(
            f"y has {counts.min()} of class {rare!r}; expected {needed} or more, to learn from and to test"
        )
    return classes


def _checked_sizes(sizes: Sequence[int] | None, n_learnt: int, n_classes: int) -> NDArray[np.int64]:
    least = LEAST_OF_A_CLASS * n_classes
    if sizes is None:
        return np.unique(np.geomspace(min(max(10, least), n_learnt), n_learnt, 8).round().astype(np.int64))
    counts = np.asarray(sizes)
    if counts.ndim != 1 or not counts.size or counts.dtype.kind not in "iu" or (np.diff(counts) <= 0).any():
        raise ValueError(f"sizes are {sizes!r}; expected ascending whole numbers")
    if counts[0] < least or counts[-1] > n_learnt:
        raise ValueError(
            f"sizes go from {counts[0]} to {counts[-1]}; expected from {least}, {LEAST_OF_A_CLASS} of each class, "
            f"to {n_learnt}, all that are not held out"
        )
    return counts.astype(np.int64)


def _each_class_early(learn: NDArray[np.int64], labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """The same examples, the first few of each class moved to the front: no size is without a class."""
    early = np.sort(np.concatenate([np.flatnonzero(labels == value)[:LEAST_OF_A_CLASS] for value in classes]))
    return np.concatenate([learn[early], np.delete(learn, early)])


def _seeded(model: Any, seed: int) -> Any:
    return model.set_params(random_state=seed) if "random_state" in model.get_params(deep=False) else model
