"""How good predictions are: a metric of :mod:`diaphane.selection`, beside what it is without learning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..graph.node import Array
from ..selection.metrics import Metric, find_metric
from .errors import UserError

if TYPE_CHECKING:
    from ..data import Target

__all__ = ["Judge", "choose_metric", "metric_named", "places_of"]

DEFAULTS = {"classification": "accuracy", "regression": "r2"}
BASELINES = {"classification": "majority class", "regression": "mean"}


def metric_named(name: str) -> Metric:
    """The metric of a name; the nearest is said where there is none.

    Raises
    ------
    UserError
    """
    try:
        return find_metric(name)
    except ValueError as error:
        raise UserError(f"--metric: {error}") from None


def choose_metric(name: str | None, target: Target, threshold: str | float | None = None) -> Metric:
    """What is reported of a target: what was asked for, accuracy or R².

    Where a threshold is to be chosen and nothing was asked for, balanced accuracy: the one that is best for accuracy is
    ½ or near it.

    Raises
    ------
    UserError
        If the metric is for another task, or for two classes where there are more.
    """
    if name is None:
        return find_metric("balanced_accuracy" if threshold == "auto" else DEFAULTS[target.task])
    metric = metric_named(name)
    if metric.task != target.task:
        found = f"has {len(target.labels)} classes" if target.labels else "is a number"
        raise UserError(
            f"--metric {name} is for {metric.task}, and the target {target.name!r} {found}; take "
            f"{'accuracy, auc or f1' if target.labels else 'r2, mae or rmse'}, say, or another --task"
        )
    if metric.binary and len(target.labels) != 2:
        raise UserError(
            f"--metric {name} is for two classes, and the target {target.name!r} has {len(target.labels)}; take f1, say"
        )
    return metric


def places_of(outputs: Array, threshold: float | None = None) -> Array:
    """The place of each row's class: the most probable one, or of two the second from a threshold on."""
    if threshold is None:
        return np.asarray(outputs.argmax(axis=1))
    return np.asarray(outputs[:, 1] >= threshold, np.int64)


@dataclass(frozen=True)
class Judge:
    """A metric of outputs: probabilities (n, classes) beside places of classes, or numbers (n,) beside numbers.

    Attributes
    ----------
    metric : Metric
    n_classes : int
        0 for a number.
    threshold : float or None
        Of two classes.

    Examples
    --------
    >>> import numpy as np
    >>> judge = Judge(find_metric("balanced_accuracy"), 2)
    >>> truth, outputs = np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    >>> round(judge.score(truth, outputs), 3), judge.baseline(truth, learnt=truth)
    (0.833, 0.5)
    """

    metric: Metric
    n_classes: int
    threshold: float | None = None

    def score(self, truth: Array, outputs: Array) -> float:
        """As the field writes it: a loss is positive. NaN where it is not defined.

        Rows of a class that is none of the model's (−1) count as wrong where classes are said, and have no probability
        that could be judged.
        """
        if not self.n_classes:
            return _of_numbers(self.metric, truth, outputs)
        classes = np.arange(self.n_classes)
        if self.metric.needs == "labels":
            said = places_of(outputs, self.threshold)
            return self.metric.measure(truth, said, classes) if len(truth) else float("nan")
        known = truth >= 0
        truth, outputs = truth[known], outputs[known]
        if not len(truth) or (self.metric.needs == "scores" and len(np.unique(truth)) < 2):
            return float("nan")
        # In float32 they add up to 1 but for rounding.
        shares = outputs.astype(np.float64)
        return self.metric.measure(truth, shares / shares.sum(axis=1, keepdims=True), classes)

    def baseline(self, truth: Array, learnt: Array) -> float:
        """The score of saying to every row the most frequent class with the frequencies as probabilities, or the mean.

        ``learnt`` is the truth of the rows learnt from.
        """
        if not self.n_classes:
            return self.score(truth, np.full(len(truth), learnt.mean()))
        shares = np.bincount(learnt.astype(np.int64), minlength=self.n_classes) / len(learnt)
        return replace(self, threshold=None).score(truth, np.tile(shares, (len(truth), 1)))

    @property
    def baseline_name(self) -> str:
        """What the baseline says to every row."""
        return BASELINES[self.metric.task]


def _of_numbers(metric: Metric, truth: Array, numbers: Array) -> float:
    if not len(truth):
        return float("nan")
    if metric.name != "r2":
        return metric.measure(truth, numbers)
    centre = truth.mean()
    # In units of the largest deviation, which R² knows nothing of: squares of large numbers are infinite.
    unit = float(np.abs(truth - centre).max())
    return metric.measure((truth - centre) / unit, (numbers - centre) / unit) if unit else float("nan")
