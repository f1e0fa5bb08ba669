"""Which columns a fitted model leans on, and what it makes of their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data.errors import closest, listed
from ..data.randomness import RandomState, as_random_state
from ..engines.program import check_whole
from .metrics import Metric, find_metric

if TYPE_CHECKING:
    from ..insight.displays import ImportanceDisplay, PartialDependenceDisplay

__all__ = ["FeatureImportance", "PartialDependence", "feature_importance", "partial_dependence"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureImportance:
    """By how much the score falls where a column is shuffled, the most important first.

    Attributes
    ----------
    names : tuple of str, length d
    means, deviations : float64 arrays, shape (d,)
        Over repeats.
    repeats : float64 array, shape (d, repeats)
    metric : Metric
        What fell (or rose, if it is a loss: an importance above 0 means that the column helps).
    score : float
        With all columns as they are.
    columns : tuple of int, length d
        The places in X of the columns named.
    """

    names: tuple[str, ...]
    means: Floats
    deviations: Floats
    repeats: Floats
    metric: Metric
    score: float
    columns: tuple[int, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """One plain record a column, as a data frame takes them."""
        pairs = zip(self.names, self.means, self.deviations, strict=True)
        return [{"column": name, "importance": float(mean), "deviation": float(spread)} for name, mean, spread in pairs]

    def plot(self, ax: Any = None, *, most: int = 15) -> ImportanceDisplay:
        """A point a column, the most important at the top."""
        from ..insight.displays import ImportanceDisplay

        return ImportanceDisplay.from_importance(self, ax=ax, most=most)

    def __str__(self) -> str:
        width = max(len(name) for name in self.names)
        lines = [
            f"{name:<{width}}  {mean:>8.4f} ± {spread:.4f}"
            for name, mean, spread in zip(self.names, self.means, self.deviations, strict=True)
        ]
        change = "lost" if self.metric.greater_is_better else "added"
        return "\n".join([f"{self.metric.title} {self.score:.4g}; {change} where a column is shuffled:", *lines])


def feature_importance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    metric: str | Metric | None = None,
    n_repeats: int = 10,
    n_jobs: int | None = None,
    random_state: RandomState = 0,
) -> FeatureImportance:
    """Permutation importance: what a column is worth to a fitted estimator, on rows that are new to it.

    iⱼ = s(X, y) − mean_r s(X with column j shuffled, y), s a score of which more is better (Breiman 2001, §10; Fisher,
    Rudin & Dominici 2019), by scikit-learn's ``permutation_importance``. It is of the model, not of the world: where
    two columns say the same, shuffling one costs little, and rows are made up that never were.

    Parameters
    ----------
    estimator : fitted classifier or regressor
    X : array or data frame, (n, d)
    y : array, shape (n,)
    metric : str or Metric, optional
        By default balanced accuracy, or R².
    n_repeats : int
    n_jobs : int, optional
        Processes, as scikit-learn has them.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    FeatureImportance

    Raises
    ------
    ValueError
        If the metric is not known or does not suit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> data = load_iris(as_frame=True)
    >>> model = LogisticRegression(max_iter=500).fit(data.data, data.target)
    >>> feature_importance(model, data.data, data.target).names[0]
    'petal length (cm)'
    """
    from sklearn.base import is_classifier
    from sklearn.inspection import permutation_importance

    chosen = find_metric(metric or ("balanced_accuracy" if is_classifier(estimator) else "r2"))
    if not chosen.suits(estimator, y):
        raise ValueError(f"{chosen.name} does not suit {type(estimator).__name__} on these rows; choose another metric")
    found = permutation_importance(
        estimator,
        X,
        y,
        scoring=chosen.scorer,
        n_repeats=check_whole("n_repeats", n_repeats),
        n_jobs=n_jobs,
        random_state=as_random_state(random_state),
    )
    names = _names(estimator, X)
    order = np.argsort(-found.importances_mean, kind="stable")
    return FeatureImportance(
        tuple(names[j] for j in order),
        found.importances_mean[order],
        found.importances_std[order],
        found.importances[order],
        chosen,
        chosen.score(estimator, X, y),
        tuple(order.tolist()),
    )


def _names(estimator: Any, X: Any) -> list[str]:
    columns = getattr(X, "columns", None)
    if columns is None:
        columns = getattr(estimator, "feature_names_in_", None)
    width = np.shape(X)[1]
    if columns is None or len(columns) != width:
        return [f"x{j}" for j in range(width)]
    return [str(name) for name in columns]


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """What an estimator says on average where one column is set to a value in every row.

    Attributes
    ----------
    name : str
        The column.
    values : array, shape (m,)
        What it was set to: numbers, or the categories.
    average : float64 array, shape (outputs, m)
        Mean over the rows: of the probability of each class in `outputs`, or of the number.
    individual : float64 array, shape (outputs, rows, m)
        For some of the rows, if asked for (Goldstein et al. 2015); else none.
    outputs : tuple of str
    present : array, shape (n,)
        The column as it is.
    """

    name: str
    values: NDArray[Any]
    average: Floats
    individual: Floats
    outputs: tuple[str, ...]
    present: NDArray[Any]

    @property
    def is_categorical(self) -> bool:
        """Whether the values have no order."""
        return self.values.dtype.kind not in "fiu"

    def plot(self, ax: Any = None) -> PartialDependenceDisplay:
        """The averages over the values, over single rows."""
        from ..insight.displays import PartialDependenceDisplay

        return PartialDependenceDisplay.from_dependence(self, ax=ax)


def partial_dependence(
    estimator: Any,
    X: Any,
    column: str | int,
    *,
    grid_resolution: int = 50,
    percentiles: Sequence[float] = (0.05, 0.95),
    n_individual: int = 0,
    random_state: RandomState = 0,
) -> PartialDependence:
    """What an estimator makes of one column: f̄(v) = meanᵢ f(xᵢ with column j set to v).

    By scikit-learn's ``partial_dependence`` (Friedman 2001, §8.2). The mean is over rows as they are, so that where the
    column goes along with others some of what is averaged never happens.

    Parameters
    ----------
    estimator : fitted classifier or regressor
    X : array or data frame, (n, d)
    column : str or int
        Its name or place.
    grid_resolution : int
        Values between the percentiles; all values where there are fewer.
    percentiles : two numbers
        Of the column.
    n_individual : int
        Curves of so many single rows, drawn at random, beside the mean.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    PartialDependence

    Raises
    ------
    ValueError
        If there is no such column, naming the nearest, or the estimator is not fitted.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> X = np.random.default_rng(0).standard_normal((50, 2))
    >>> model = LinearRegression().fit(X, 3 * X[:, 0] - X[:, 1])
    >>> found = partial_dependence(model, X, 0)
    >>> slope = np.diff(found.average[0]) / np.diff(found.values)
    >>> bool(np.allclose(slope, 3))
    True
    """
    from sklearn.base import is_classifier
    from sklearn.inspection import partial_dependence as sklearn_partial_dependence
    from sklearn.utils import _safe_indexing

    names = _names(estimator, X)
    place = _place(column, names)
    present = np.asarray(_safe_indexing(X, place, axis=1))
    numeric = present.dtype.kind in "fiu"
    rows = _with_floats(X, place) if numeric else X
    n_rows = check_whole("n_individual", n_individual) if n_individual != 0 else 0
    shown = as_random_state(random_state).permutation(len(present))[:n_rows]
    found = sklearn_partial_dependence(
        estimator,
        rows,
        features=[place],
        categorical_features=None if numeric else [place],
        grid_resolution=check_whole("grid_resolution", grid_resolution),
        percentiles=tuple(percentiles),
        kind="both" if n_rows else "average",
    )
    outputs: tuple[str, ...] = ("prediction",)
    if is_classifier(estimator):
        classes = [str(label) for label in np.asarray(estimator.classes_).tolist()]
        outputs = (f"P({classes[1]})",) if len(classes) == 2 else tuple(f"P({label})" for label in classes)
    average = np.asarray(found["average"], np.float64)
    individual = found["individual"][:, shown] if n_rows else np.empty((len(average), 0, average.shape[1]))
    return PartialDependence(names[place], np.asarray(found["grid_values"][0]), average, individual, outputs, present)


def _place(column: str | int, names: list[str]) -> int:
    if isinstance(column, str):
        if column not in names:
            raise ValueError(f"there is no column {column!r}; the columns are {listed(names)}.{closest(column, names)}")
        return names.index(column)
    if isinstance(column, bool) or not isinstance(column, int | np.integer) or not 0 <= column < len(names):
        raise ValueError(f"column is {column!r}; expected a name, or a place from 0 to {len(names) - 1}")
    return int(column)


def _with_floats(X: Any, place: int) -> Any:
    """X whose column takes fractions: a grid of values set in whole numbers would be rounded."""
    if hasattr(X, "columns"):
        name = X.columns[place]
        if hasattr(X, "with_columns"):
            import polars

            return X.with_columns(X[name].cast(polars.Float64))
        return X.astype({name: np.float64})
    if hasattr(X, "tocsr"):
        return X.toarray().astype(np.float64)
    values = np.asarray(X)
    return values.astype(np.float64) if values.dtype.kind in "iu" else values
