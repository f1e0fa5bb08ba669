"""``--threshold``: from which probability on the second of two classes is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Target
from ..graph.node import Array
from ..selection.metrics import Metric
from .errors import UserError
from .scoring import Judge, places_of

if TYPE_CHECKING:
    from ..selection import ThresholdChoice

__all__ = ["check_threshold", "choose_threshold"]


def check_threshold(threshold: str | float | None, metric: Metric, target: Target) -> None:
    """Raise before the training for a threshold that could not be.

    Raises
    ------
    UserError
    """
    if threshold is None:
        return
    if len(target.labels) != 2:
        found = f"has {len(target.labels)} classes" if target.labels else "is a number"
        raise UserError(f"--threshold parts two classes, and the target {target.name!r} {found}; leave it out")
    if threshold == "auto":
        from ..selection.thresholds import OF_CONFUSIONS

        if metric.name not in OF_CONFUSIONS:
            raise UserError(
                f"--threshold auto: no threshold changes {metric.name}; give a number such as 0.3, or --metric "
                f"{', '.join(OF_CONFUSIONS)}"
            )


@dataclass(frozen=True, eq=False)
class _Given:
    """Probabilities that are known already, as a classifier of them."""

    classes_: Array

    def predict_proba(self, probabilities: Array) -> Array:
        """They themselves."""
        return probabilities


def choose_threshold(
    threshold: str | float, metric: Metric, labels: tuple[Any, Any], truth: Array, probabilities: Array
) -> ThresholdChoice:
    """The best threshold on validation rows for a metric, or the one that was given, with the scores at all others.

    Parameters
    ----------
    threshold : "auto" or float
    metric : Metric
        Where no threshold changes it, balanced accuracy is said of the threshold.
    labels : two labels
    truth : array, shape (n,)
        Places among them.
    probabilities : array, shape (n, 2)

    Raises
    ------
    ValueError
        If the rows lack a class.
    """
    from ..selection.thresholds import OF_CONFUSIONS
    from ..selection.thresholds import choose_threshold as best_threshold

    said = metric if metric.name in OF_CONFUSIONS else None
    known = np.array(labels)
    choice = best_threshold(_Given(known), probabilities, known[truth], metric=said)
    if threshold == "auto":
        return choice
    at = float(threshold)
    score = Judge(said or _balanced(), 2, at).score(truth, probabilities)
    confusion = np.zeros((2, 2))
    np.add.at(confusion, (truth, places_of(probabilities, at)), 1)
    return replace(choice, threshold=at, score=score, confusion=confusion)


def _balanced() -> Metric:
    from ..selection.metrics import find_metric

    return find_metric("balanced_accuracy")
