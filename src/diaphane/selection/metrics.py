"""Scores by name: what may be chosen by, and what is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data.errors import closest, listed
from . import metric_formulas as formulas

__all__ = ["METRICS", "Metric", "Scorer", "find_metric"]

Array: TypeAlias = NDArray[Any]
Task: TypeAlias = Literal["classification", "regression"]
Needs: TypeAlias = Literal["labels", "scores", "probabilities", "numbers"]


@dataclass(frozen=True)
class Metric:
    """A score of predictions, with what it needs and which way is better.

    Attributes
    ----------
    name : str
    title : str
        As a table or an axis has it.
    formula : str
    task : "classification" or "regression"
    needs : "labels", "scores", "probabilities" or "numbers"
        ``predict``; a number that orders the rows, ``predict_proba`` or the ``decision_function`` of two classes;
        ``predict_proba``; the ``predict`` of a regressor.
    greater_is_better : bool
    function : callable
        (y, given, classes, weights) → float, in :mod:`~diaphane.selection.metric_formulas`.
    binary : bool
        Whether it is for two classes only.
    also : tuple of str
        Other names that it has, those of scikit-learn among them.
    """

    name: str
    title: str
    formula: str
    task: Task
    needs: Needs
    greater_is_better: bool
    function: Callable[[Any, Any, Any, Any], float] = field(repr=False)
    binary: bool = False
    also: tuple[str, ...] = ()

    @property
    def scorer(self) -> Scorer:
        """For ``scoring=`` anywhere in scikit-learn: greater is better, so that losses have a minus."""
        return Scorer(self)

    def measure(self, y: Any, given: Any, classes: Any = None, sample_weight: Any = None) -> float:
        """The score of predictions already made.

        Parameters
        ----------
        y : array, shape (n,)
        given : array
            Labels (n,), probabilities (n, K), scores (n,) or numbers (n,), by what it `needs`.
        classes : array, shape (K,), optional
            What the columns of probabilities are of; by default the labels in y, ascending.
        sample_weight : array, shape (n,), optional

        Returns
        -------
        float
            As the field writes it: a loss is positive.
        """
        y, given = np.asarray(y), np.asarray(given)
        if self.task == "classification" and y.ndim != 1:
            raise ValueError(f"{self.name}: y has shape {y.shape}; expected one label a row, (n,)")
        if len(y) != len(given) or not len(y):
            raise ValueError(
                f"{self.name}: y has {len(y)} rows and the predictions {len(given)}; expected as many, ≥ 1"
            )
        known = np.unique(y) if classes is None and self.task == "classification" else classes
        if self.binary and len(known) != 2:
            raise ValueError(f"{self.name} is for two classes, and there are {len(known)}; choose f1, say")
        if self.needs in ("scores", "probabilities"):
            _check_classes(self, y, given, known)
        return float(self.function(y, given, known, None if sample_weight is None else np.asarray(sample_weight)))

    def score(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The score of a fitted estimator's predictions, as the field writes it: a loss is positive.

        Raises
        ------
        ValueError
            If the estimator does not predict what is needed, or y has a class that it has not learnt.
        """
        return self.measure(y, self.predictions(estimator, X), getattr(estimator, "classes_", None), sample_weight)

    def predictions(self, estimator: Any, X: Any) -> Array:
        """What it needs of an estimator.

        Raises
        ------
        ValueError
            If the estimator has not that method.
        """
        if self.needs in ("labels", "numbers"):
            return np.asarray(estimator.predict(X))
        if hasattr(estimator, "predict_proba"):
            return np.asarray(estimator.predict_proba(X))
        if self.needs == "scores" and hasattr(estimator, "decision_function"):
            scores = np.asarray(estimator.decision_function(X))
            if scores.ndim == 1:
                return scores
        raise ValueError(
            f"{self.name} needs probabilities, and {type(estimator).__name__} has no predict_proba; choose a metric of "
            "labels such as balanced_accuracy, or wrap it in TemperatureScaled"
        )

    def suits(self, estimator: Any, y: Any) -> bool:
        """Whether it can be said of this fitted estimator's predictions of y."""
        from sklearn.base import is_classifier

        if (self.task == "classification") != is_classifier(estimator):
            return False
        y = np.asarray(y)
        if self.task == "regression":
            return self.name != "r2" or len(y) > 1
        classes = getattr(estimator, "classes_", ())
        if y.ndim != 1 or (self.binary and len(classes) != 2):
            return False
        if self.needs == "scores" and len(np.unique(y)) < 2:
            return False
        two = self.needs == "scores" and len(classes) == 2 and hasattr(estimator, "decision_function")
        return self.needs == "labels" or hasattr(estimator, "predict_proba") or two

    def better(self, one: float, other: float) -> bool:
        """Whether the first is the better score."""
        return one > other if self.greater_is_better else one < other


@dataclass(frozen=True)
class Scorer:
    """scikit-learn's scorer of a metric: scorer(estimator, X, y) → float, the greater the better."""

    metric: Metric

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The score, a loss with a minus."""
        value = self.metric.score(estimator, X, y, sample_weight)
        return value if self.metric.greater_is_better else -value

    def __repr__(self) -> str:
        return f"find_metric({self.metric.name!r}).scorer"


def _check_classes(metric: Metric, y: Array, given: Array, classes: Array) -> None:
    strange = [label for label in np.unique(y).tolist() if label not in set(np.asarray(classes).tolist())]
    if strange:
        raise ValueError(
            f"{metric.name}: y has {listed([repr(label) for label in strange], 5)}, for which there is no probability; "
            f"the classes are {listed([repr(label) for label in np.asarray(classes).tolist()], 10)}"
        )
    if given.ndim == 2 and given.shape[1] != len(classes):
        raise ValueError(
            f"{metric.name}: the probabilities have {given.shape[1]} columns for {len(classes)} classes; expected one "
            "a class: give classes= where y lacks some"
        )


def _classification(
    name: str, title: str, formula: str, needs: Needs, function: Any, greater: bool = True, **more: Any
) -> Metric:
    return Metric(name, title, formula, "classification", needs, greater, function, **more)


def _regression(name: str, title: str, formula: str, function: Any, greater: bool = False, **more: Any) -> Metric:
    return Metric(name, title, formula, "regression", "numbers", greater, function, **more)


# fmt: off
METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        _classification("accuracy", "accuracy", "mean of 1[ŷ = y]", "labels", formulas.accuracy),
        _classification(
            "balanced_accuracy", "balanced accuracy", "mean over classes k of P(ŷ = k | y = k)", "labels",
            formulas.balanced_accuracy,
        ),
        _classification(
            "auc", "AUC", "P(score of a positive > score of a negative), mean over one class against the rest",
            "scores", formulas.auc, also=("roc_auc", "roc_auc_ovr"),
        ),
        _classification(
            "average_precision", "average precision", "Σ_t (recall_t − recall_{t−1})·precision_t, mean over classes",
            "scores", formulas.average_precision, also=("ap", "pr_auc"),
        ),
        _classification(
            "log_loss", "log-loss", "−mean of log p(y)", "probabilities", formulas.log_loss, False,
            also=("neg_log_loss", "cross_entropy", "logloss"),
        ),
        _classification(
            "brier", "Brier score", "mean of Σ_k (p_k − 1[y = k])², halved for two classes", "probabilities",
            formulas.brier, False, also=("neg_brier_score",),
        ),
        _classification(
            "f1", "F1 (macro)", "mean over classes of 2·TP/(2·TP + FP + FN)", "labels", formulas.f1_macro,
            also=("f1_macro",),
        ),
        _classification(
            "f1_positive", "F1 (second class)", "2·TP/(2·TP + FP + FN) of the second class", "labels",
            formulas.f1_positive, binary=True, also=("f1_binary",),
        ),
        _classification(
            "mcc", "Matthews correlation", "correlation of y and ŷ as 0/1, R_K for K classes", "labels", formulas.mcc,
            also=("matthews_corrcoef", "matthews"),
        ),
        _regression("r2", "R²", "1 − Σ(y − ŷ)²/Σ(y − ȳ)²", formulas.r2, True, also=("r_squared",)),
        _regression("mae", "mean absolute error", "mean of |y − ŷ|", formulas.mae, also=("neg_mean_absolute_error",)),
        _regression(
            "rmse", "root mean squared error", "√mean of (y − ŷ)²", formulas.rmse,
            also=("neg_root_mean_squared_error",),
        ),
        _regression(
            "mse", "mean squared error", "mean of (y − ŷ)²", formulas.mse, also=("neg_mean_squared_error",)
        ),
        _regression(
            "median_absolute_error", "median absolute error", "median of |y − ŷ|", formulas.median_absolute_error,
            also=("neg_median_absolute_error",),
        ),
        _regression(
            "mape", "mean absolute percentage error", "mean of |y − ŷ|/|y|, 1 being 100 %", formulas.mape,
            also=("neg_mean_absolute_percentage_error",),
        ),
        _regression(
            "pinball", "pinball loss", "mean of max(τ·(y − ŷ), (τ − 1)·(y − ŷ)), τ = ½ unless given", formulas.pinball,
            also=("quantile_loss", "mean_pinball_loss"),
        ),
    )
}
# fmt: on
"""Every metric by name."""


def find_metric(name: str | Metric, *, quantile: float | None = None) -> Metric:
    """The metric of a name, of ours or of scikit-learn's.

    Parameters
    ----------
    name : str or Metric
        Of ``METRICS``, or another name of one: ``"roc_auc"`` is ``"auc"``, ``"neg_log_loss"`` is ``"log_loss"``.
    quantile : float, optional
        τ of ``"pinball"``, within 0 and 1: the loss that is least at the τ-quantile (Koenker & Bassett 1978).

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If there is none, naming the nearest.

    Examples
    --------
    >>> find_metric("auc").greater_is_better, find_metric("log-loss").formula
    (True, '−mean of log p(y)')
    >>> find_metric("acuracy")
    Traceback (most recent call last):
        ...
    ValueError: there is no metric 'acuracy'. Did you mean 'accuracy'? There are: accuracy, balanced_accuracy, auc, ...
    """
    if not isinstance(name, Metric):
        if not isinstance(name, str):
            raise TypeError(f"a metric is a name such as 'auc', or a Metric, got {type(name).__name__}")
        found = _by_any_name().get(_folded(name))
        if found is None:
            raise ValueError(
                f"there is no metric {name!r}.{closest(name, METRICS) or closest(name, _by_any_name())} There are: "
                f"{', '.join(METRICS)}"
            )
        name = found
    if quantile is None:
        return name
    if name.name != "pinball" or not 0 < quantile < 1:
        raise ValueError(f"quantile is {quantile!r} for {name.name!r}; it is a number within 0 and 1, for 'pinball'")
    return replace(
        name,
        title=f"pinball loss (τ = {quantile:g})",
        function=partial(formulas.pinball, quantile=float(quantile)),
    )


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_").replace("²", "2")


def _by_any_name() -> dict[str, Metric]:
    return {_folded(name): metric for metric in METRICS.values() for name in (metric.name, metric.title, *metric.also)}
