"""From which probability on a row is called positive: chosen on validation rows, by a metric or by costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data.errors import closest
from .metrics import Metric, find_metric

if TYPE_CHECKING:
    from ..insight.displays import ThresholdDisplay

__all__ = ["ThresholdChoice", "choose_threshold"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Confusions:
    """How many rows are of each kind, by threshold: true and false positives, false and true negatives, (m,)."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    def table(self, at: int) -> Floats:
        """(2, 2) at one of the thresholds: truth in rows, prediction in columns, the negative class first."""
        return np.array([[self.tn[at], self.fp[at]], [self.fn[at], self.tp[at]]])


def _accuracy(c: Confusions) -> Floats:
    return (c.tp + c.tn) / (c.tp + c.fp + c.fn + c.tn)


def _balanced_accuracy(c: Confusions) -> Floats:
    return (c.tp / (c.tp + c.fn) + c.tn / (c.tn + c.fp)) / 2


def _f1_positive(c: Confusions) -> Floats:
    return 2 * c.tp / (2 * c.tp + c.fp + c.fn)


def _f1(c: Confusions) -> Floats:
    return (_f1_positive(c) + 2 * c.tn / (2 * c.tn + c.fp + c.fn)) / 2


def _mcc(c: Confusions) -> Floats:
    product = np.sqrt(c.tp + c.fp) * np.sqrt(c.tp + c.fn) * np.sqrt(c.tn + c.fp) * np.sqrt(c.tn + c.fn)
    return np.divide(c.tp * c.tn - c.fp * c.fn, product, out=np.zeros_like(product), where=product > 0)


OF_CONFUSIONS: Mapping[str, Callable[[Confusions], Floats]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_positive": _f1_positive,
    "mcc": _mcc,
}
"""The metrics of labels, as functions of the four counts: so all thresholds are tried at once."""


@dataclass(frozen=True, eq=False)
class ThresholdChoice:
    """The threshold that is best on the validation rows, with the score at every other one.

    Attributes
    ----------
    threshold : float
        A row is positive from this probability (or score) on.
    score : float
        Of the validation rows there. It is the best of many, and therefore too good: ask the test rows.
    default_threshold, default_score : float
        ½ (0 of a ``decision_function``), and the score there.
    thresholds, scores : float64 arrays, shape (m,)
        One threshold between each two neighbouring probabilities, and one beyond either end.
    measure : str
        What the score is.
    greater_is_better : bool
    positive : label
        The class that is said from the threshold on.
    confusion : float64 array, shape (2, 2)
        Rows by truth (rows) and prediction (columns) at the threshold, the negative class first.
    estimator : classifier
    """

    threshold: float
    score: float
    default_threshold: float
    default_score: float
    thresholds: Floats
    scores: Floats
    measure: str
    greater_is_better: bool
    positive: Any
    confusion: Floats
    estimator: Any = field(repr=False)
    method: str = field(default="predict_proba", repr=False)

    @property
    def classifier(self) -> Any:
        """The estimator with this threshold: scikit-learn's ``FixedThresholdClassifier``, nothing learnt anew."""
        from sklearn.frozen import FrozenEstimator
        from sklearn.model_selection import FixedThresholdClassifier

        return FixedThresholdClassifier(
            FrozenEstimator(self.estimator),
            threshold=self.threshold,
            pos_label=self.positive,
            response_method=self.method,
        )

    def plot(self, ax: Any = None) -> ThresholdDisplay:
        """The score against the threshold."""
        from ..insight.displays import ThresholdDisplay

        return ThresholdDisplay.from_choice(self, ax=ax)

    def __str__(self) -> str:
        return (
            f"{self.positive!r} from {self.threshold:.4g} on: {self.measure} {self.score:.4g} on the validation rows, "
            f"{self.default_score:.4g} at {self.default_threshold:g}"
        )


def choose_threshold(
    estimator: Any,
    X_validation: Any,
    y_validation: Any,
    *,
    metric: str | Metric | None = None,
    costs: Any = None,
    positive: Any = None,
    sample_weight: Any = None,
) -> ThresholdChoice:
    """The threshold that is best on rows from which the estimator has not learnt.

    A row is positive where p(positive | x) ≥ t. The labels change only where t passes a row's probability, so that one
    threshold between each two neighbours is all there is to try: what is found is the optimum, and not that of a grid
    (scikit-learn's ``TunedThresholdClassifierCV``, which cross-validates a grid, is there for those who have no
    validation rows). Of equally good ones it is the nearest to ½.

    Where probabilities are right and mistakes cost c_ij (truth i, prediction j), the least cost is at

        t = (c₀₁ − c₀₀)/(c₀₁ − c₀₀ + c₁₀ − c₁₁)

    (Elkan 2001): what is chosen comes near it, the nearer the more validation rows there are.

    Parameters
    ----------
    estimator : fitted classifier of two classes
    X_validation : array or data frame, (n, …)
    y_validation : array, shape (n,)
    metric : str or Metric, optional
        accuracy, balanced_accuracy (the default), f1, f1_positive or mcc.
    costs : array of shape (2, 2), optional
        In its place: costs[i][j] of saying class j where i is true, in the order of ``classes_``; the mean is made
        least.
    positive : label, optional
        The class that has the threshold; by default the second of ``classes_``.
    sample_weight : array, shape (n,), optional

    Returns
    -------
    ThresholdChoice

    Raises
    ------
    ValueError
        If there are not two classes, the validation rows lack one, metric and costs are both given, or the metric is
        not one of labels.

    Examples
    --------
    >>> from diaphane.data import gaussians
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = gaussians(2000, random_state=0)
    >>> model = LogisticRegression().fit(X[:1000], y[:1000])
    >>> choice = choose_threshold(model, X[1000:], y[1000:], costs=[[0, 1], [9, 0]])
    >>> print(choice)
    1 from 0.06047 on: mean cost 0.322 on the validation rows, 0.921 at 0.5
    >>> float(np.mean(choice.classifier.predict(X[1000:]))) > 0.5
    True
    """
    if metric is not None and costs is not None:
        raise ValueError("metric and costs are both given; give one of them")
    classes = np.asarray(getattr(estimator, "classes_", ()))
    if classes.shape != (2,):
        raise ValueError(f"a threshold parts two classes, and {type(estimator).__name__} has {len(classes)}: {classes}")
    place = _place_of(positive, classes)
    y = np.asarray(y_validation)
    strange = np.setdiff1d(y, classes)
    if y.ndim != 1 or len(strange) or len(np.unique(y)) < 2:
        raise ValueError(
            f"the validation rows are of {np.unique(y).tolist()}; expected rows of both classes, {classes.tolist()}"
        )
    scores, method = _scores_of(estimator, X_validation, place)
    if len(scores) != len(y):
        raise ValueError(f"X_validation has {len(scores)} rows and y_validation {len(y)}; expected as many")
    thresholds, counted = _confusions(scores, y == classes[place], sample_weight, method)
    measure, greater, values = _values(counted, metric, costs, place)
    default = 0.5 if method == "predict_proba" else 0.0
    signed = values if greater else -values
    # Rounding may part what is equally good.
    best = np.flatnonzero(signed >= signed.max() - 1e-12 * max(1.0, abs(signed.max())))
    chosen = int(best[np.argmin(np.abs(thresholds[best] - default))])
    # The last threshold that is not above the default cuts as the default does, or the next one does.
    as_default = int(np.searchsorted(np.unique(scores), np.asarray(default, scores.dtype), side="left"))
    return ThresholdChoice(
        float(thresholds[chosen]),
        float(values[chosen]),
        default,
        float(values[as_default]),
        thresholds.astype(np.float64),
        values,
        measure,
        greater,
        classes[place].item() if hasattr(classes[place], "item") else classes[place],
        counted.table(chosen),
        estimator,
        method,
    )


def _place_of(positive: Any, classes: NDArray[Any]) -> int:
    if positive is None:
        return 1
    places = np.flatnonzero(classes == positive)
    if len(places) != 1:
        hint = closest(str(positive), map(str, classes.tolist()))
        raise ValueError(f"positive is {positive!r}; expected one of the classes {classes.tolist()}.{hint}")
    return int(places[0])


def _scores_of(estimator: Any, X: Any, place: int) -> tuple[NDArray[Any], str]:
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X))[:, place], "predict_proba"
    if hasattr(estimator, "decision_function"):
        scores = np.asarray(estimator.decision_function(X))
        return (scores if place == 1 else -scores), "decision_function"
    raise ValueError(
        f"{type(estimator).__name__} has neither predict_proba nor decision_function: no threshold to move"
    )


def _confusions(
    scores: NDArray[Any], is_positive: NDArray[np.bool_], sample_weight: Any, method: str
) -> tuple[NDArray[Any], Confusions]:
    """Thresholds in the type of the scores, in which they are compared later, ascending, and the counts at each."""
    if not np.isfinite(scores).all():
        raise ValueError("some probabilities are not finite numbers; a threshold cannot order them")
    weights = np.ones(len(scores)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    levels, of_level = np.unique(scores, return_inverse=True)
    between = (levels[:-1] + levels[1:]) / 2
    # Of neighbouring numbers the middle may be the lower one, which must stay below.
    between = np.where(between > levels[:-1], between, levels[1:])
    top = levels[-1]
    is_share = method == "predict_proba"
    lowest = np.minimum(levels[0], 0) if is_share else levels[0]
    highest = (top + 1) / 2 if is_share and (top + 1) / 2 > top else np.nextafter(top, np.asarray(np.inf, top.dtype))
    thresholds = np.concatenate([[lowest], between, [highest]]).astype(scores.dtype)
    positives = np.bincount(of_level, weights * is_positive, len(levels))
    negatives = np.bincount(of_level, weights * ~is_positive, len(levels))
    fn, tn = (np.concatenate([[0.0], np.cumsum(counts)]) for counts in (positives, negatives))
    return thresholds, Confusions(fn[-1] - fn, tn[-1] - tn, fn, tn)


def _values(c: Confusions, metric: Any, costs: Any, place: int) -> tuple[str, bool, Floats]:
    if costs is not None:
        table = np.asarray(costs, dtype=np.float64)
        if table.shape != (2, 2) or not np.isfinite(table).all():
            raise ValueError(f"costs are {costs!r}; expected numbers of shape (2, 2): costs[truth][prediction]")
        if place == 0:
            table = table[::-1, ::-1]
        total = c.tn * table[0, 0] + c.fp * table[0, 1] + c.fn * table[1, 0] + c.tp * table[1, 1]
        return "mean cost", False, total / (c.tn + c.fp + c.fn + c.tp)
    found = find_metric("balanced_accuracy" if metric is None else metric)
    if found.name not in OF_CONFUSIONS:
        raise ValueError(
            f"{found.name} is no metric of two classes' labels, and no threshold changes it; choose one of "
            f"{', '.join(OF_CONFUSIONS)}, or costs"
        )
    title = "F1 (positive class)" if found.name == "f1_positive" else found.title
    return title, True, OF_CONFUSIONS[found.name](c)
