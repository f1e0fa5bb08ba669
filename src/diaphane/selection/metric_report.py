"""Every score of an estimator beside what needs no learning, and whether accuracy says anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .metrics import METRICS, Array, Metric, find_metric

if TYPE_CHECKING:
    from ..insight.displays import MetricsDisplay

__all__ = ["MetricRow", "MetricsReport", "accuracy_misleads", "report_metrics"]

ASKED_FOR = ("mse", "pinball", "mape")
"""Reported only when named: RMSE says the same as MSE, half the MAE is a pinball loss, and MAPE is for y far from 0."""


@dataclass(frozen=True)
class MetricRow:
    """A score beside the baseline's.

    Attributes
    ----------
    metric : Metric
    value, baseline : float
    """

    metric: Metric
    value: float
    baseline: float

    @property
    def beats_baseline(self) -> bool:
        """Whether the estimator is better than no learning."""
        return self.metric.better(self.value, self.baseline)


@dataclass(frozen=True, eq=False)
class MetricsReport:
    """The scores of one estimator on one set of rows.

    Attributes
    ----------
    scores : tuple of MetricRow
    n_rows : int
    baseline : str
        What the baseline says to every row.
    word : str or None
        Why accuracy misleads here, if it does.
    """

    scores: tuple[MetricRow, ...]
    n_rows: int
    baseline: str
    word: str | None = None

    def __getitem__(self, name: str) -> float:
        return self._row(name).value

    def baseline_of(self, name: str) -> float:
        """The baseline's score."""
        return self._row(name).baseline

    def _row(self, name: str) -> MetricRow:
        metric = find_metric(name)
        for row in self.scores:
            if row.metric.name == metric.name:
                return row
        raise KeyError(
            f"{metric.name} is not in the report; there are: {', '.join(r.metric.name for r in self.scores)}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """One plain record a metric, as a data frame takes them."""
        return [
            {
                "metric": row.metric.name,
                "value": row.value,
                "baseline": row.baseline,
                "greater_is_better": row.metric.greater_is_better,
                "beats_baseline": row.beats_baseline,
            }
            for row in self.scores
        ]

    def plot(self, ax: Any = None) -> MetricsDisplay:
        """Each score beside the baseline's."""
        from ..insight.displays import MetricsDisplay

        return MetricsDisplay.from_reports({"estimator": self}, ax=ax)

    def __str__(self) -> str:
        width = max(len(row.metric.title) for row in self.scores)
        lines = [f"{'':<{width}}     score  baseline   better is"]
        for row in self.scores:
            way = "more" if row.metric.greater_is_better else "less"
            mark = "" if row.beats_baseline else "   no better than the baseline"
            lines.append(f"{row.metric.title:<{width}}  {row.value:>8.4g}  {row.baseline:>8.4g}   {way}{mark}")
        lines.append(f"{self.n_rows} rows; the baseline {self.baseline}")
        return "\n".join(lines + ([self.word] if self.word else []))


def report_metrics(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    y_train: Any = None,
    metrics: Sequence[str | Metric] | None = None,
    sample_weight: Any = None,
) -> MetricsReport:
    """Every score that suits an estimator, beside what is reached without learning.

    The baseline predicts the most frequent class, with the frequencies as probabilities, or the mean.

    Parameters
    ----------
    estimator : fitted classifier or regressor
    X : array or data frame, (n, …)
    y : array, shape (n,)
    y_train : array, optional
        What the baseline's class, frequencies and mean are from; by default y itself, which favours the baseline.
    metrics : sequence of str or Metric, optional
        By default all that suit but MSE, MAPE and the pinball loss, which are to be asked for.
    sample_weight : array, shape (n,), optional

    Returns
    -------
    MetricsReport

    Raises
    ------
    ValueError
        If a metric is not known or does not suit.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X[:400], y[:400])
    >>> print(report_metrics(tree, X[400:], y[400:], metrics=["accuracy", "balanced_accuracy", "log_loss"]))
                          score  baseline   better is
    accuracy             0.8935    0.7692   more
    balanced accuracy    0.9218       0.5   more
    log-loss             0.3216    0.5402   less
    169 rows; the baseline always says 1
    """
    from sklearn.base import is_classifier

    truth = np.asarray(y)
    chosen = [find_metric(metric) for metric in metrics] if metrics is not None else list(METRICS.values())
    fitting = [m for m in chosen if m.suits(estimator, truth) and (metrics is not None or m.name not in ASKED_FOR)]
    if metrics is not None and len(fitting) < len(chosen):
        wrong = next(metric for metric in chosen if metric not in fitting)
        raise ValueError(
            f"{wrong.name} does not suit {type(estimator).__name__} on these rows: it is for {wrong.task}, and needs "
            f"{wrong.needs}{' of two classes' if wrong.binary else ''}, and every class in y where it compares classes"
        )
    if not fitting:
        raise ValueError(f"no metric suits {type(estimator).__name__} and a y of shape {truth.shape}; expected (n,)")
    learnt = truth if y_train is None else np.asarray(y_train)
    classes = getattr(estimator, "classes_", None)
    knowing_nothing = _without_learning(learnt, classes, len(truth), is_classifier(estimator))
    given: dict[str, Any] = {}
    rows = []
    for metric in fitting:
        if metric.needs not in given:
            given[metric.needs] = metric.predictions(estimator, X)
        value = metric.measure(truth, given[metric.needs], classes, sample_weight)
        baseline = metric.measure(truth, knowing_nothing[metric.needs], classes, sample_weight)
        rows.append(MetricRow(metric, value, baseline))
    if not is_classifier(estimator):
        return MetricsReport(tuple(rows), len(truth), "always says the mean")
    accuracy = next((row.value for row in rows if row.metric.name == "accuracy"), None)
    word = accuracy_misleads(truth, accuracy) if truth.ndim == 1 else None
    return MetricsReport(tuple(rows), len(truth), f"always says {knowing_nothing['labels'][0]!s}", word)


def _without_learning(learnt: Array, classes: Any, n: int, is_classifier: bool) -> dict[str, Array]:
    """What the baseline gives of all that a metric may need."""
    if not is_classifier:
        mean = np.mean(learnt, axis=0)
        return {"numbers": np.broadcast_to(mean, (n, *mean.shape))}
    known = np.asarray(classes)
    shares = np.array([np.mean(learnt == label) for label in known])
    probabilities = np.tile(shares, (n, 1))
    return {"labels": np.repeat(known[[shares.argmax()]], n), "probabilities": probabilities, "scores": probabilities}


def accuracy_misleads(y: Any, accuracy: float | None = None) -> str | None:
    """A sentence that says so where accuracy flatters, or None.

    Saying the most frequent class to every row is right in a share m of them. Accuracy misleads where it is no more
    than two standard errors √(m(1 − m)/n) above m; or where m ≥ 0.8 and fewer than half of the mistakes of that rule
    are avoided, (accuracy − m)/(1 − m) < ½. Without an accuracy: where m ≥ 0.8.

    Parameters
    ----------
    y : array, shape (n,)
    accuracy : float, optional
        Of a classifier on these rows.

    Returns
    -------
    str or None

    Raises
    ------
    ValueError
        If y is empty or no vector, or the accuracy is not within 0 and 1.

    Examples
    --------
    >>> y = np.repeat(["no", "yes"], [990, 10])
    >>> print(accuracy_misleads(y, 0.99))
    accuracy misleads: 0.99 is no better than always saying 'no', which is right in 99.0 % of the rows; look at balanced
    accuracy, AUC or average precision
    >>> accuracy_misleads(np.repeat([0, 1], [60, 40]), 0.9) is None
    True
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"y has shape {labels.shape}; expected the labels of one row or more, (n,)")
    if accuracy is not None and not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy is {accuracy!r}; expected a share of right answers within 0 and 1")
    classes, counts = np.unique(labels, return_counts=True)
    share = float(counts.max() / len(labels))
    if len(classes) < 2:
        return "accuracy misleads: these rows are all of one class, and tell nothing of the others"
    rule = f"always saying {classes.tolist()[counts.argmax()]!r}, which is right in {share:.1%} of the rows"
    rule = rule.replace("%", " %")
    advice = "look at balanced accuracy, AUC or average precision"
    if accuracy is None:
        return f"accuracy misleads: nothing is learnt by {rule}; {advice}" if share >= 0.8 else None
    if accuracy <= share + 2 * np.sqrt(share * (1 - share) / len(labels)):
        # Of few rows, one classifier in forty is so much above the rule by chance.
        words = "is no better than" if accuracy <= share else f"on {len(labels)} rows may be by chance alone above"
        return f"accuracy misleads: {accuracy:.4g} {words} {rule}; {advice}"
    avoided = (accuracy - share) / (1 - share)
    if share >= 0.8 and avoided < 0.5:
        return f"accuracy misleads: {accuracy:.4g} avoids {avoided:.0%} of the mistakes of {rule}; {advice}".replace(
            "% of the mistakes", " % of the mistakes"
        )
    return None
