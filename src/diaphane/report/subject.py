"""What a report is about: a fitted estimator, its rows, and all that several sections need, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from numpy.typing import NDArray
from sklearn.base import is_classifier

from ..data import MissingExtraError, Table
from ..selection import (
    METRICS,
    Diagnosis,
    Metric,
    MetricsReport,
    ThresholdChoice,
    diagnose,
    find_metric,
    report_metrics,
)
from .examined import Examined, examined_of
from .facts import RunFacts
from .part import Absent, Part
from .remembering import Remembering

__all__ = ["NAMELESS", "Subject", "main_metric"]


NAMELESS = "the target"
"""What a target without a name is called."""


@dataclass(eq=False)
class Subject:
    """All that sections are made of.

    Attributes
    ----------
    estimator
        As it was given.
    model : Remembering
        The same, asked once only.
    learnt : Part
    validation, test : Part or None
    classes : array or None
        Of a classifier.
    name, target : str
    metric : Metric
        The score of the first screen.
    threshold : ThresholdChoice or None
    search
    run : RunFacts
    seed : int
    """

    estimator: Any
    model: Remembering
    learnt: Part
    validation: Part | None
    test: Part | None
    classes: NDArray[Any] | None
    name: str
    target: str
    metric: Metric
    threshold: ThresholdChoice | None
    search: Any
    run: RunFacts
    seed: int

    @property
    def judged(self) -> Part:
        """The rows that scores are of: test rows, else those held out, else those learnt from."""
        return self.test or self.validation or self.learnt

    @cached_property
    def scores(self) -> dict[str, MetricsReport]:
        """Every metric on the rows judged by and the others, those judged by first."""
        parts = [self.judged, *(p for p in (self.validation, self.learnt) if p is not None and p is not self.judged)]
        # Of rows held out the members' own predictions are there; of some of them the whole ensemble would be asked.
        whole = (self.judged.name, "held out")
        shown = [p if p.name in whole else p.few(MOST_SCORED, self.seed) for p in parts]
        return {p.name: report_metrics(self.model, p.X, p.y, y_train=self.learnt.y) for p in shown}

    @property
    def main_scores(self) -> MetricsReport:
        """Those on the rows judged by."""
        return self.scores[self.judged.name]

    @cached_property
    def examined(self) -> Examined:
        """What the diagnosis looks at.

        Raises
        ------
        Absent
            If there are no rows that were not learnt from.
        """
        return examined_of(self.estimator, self.learnt, self.validation, self.test)

    @property
    def diagnosis(self) -> Diagnosis:
        """What is wrong, if anything.

        Raises
        ------
        Absent
            If it cannot be said of these rows.
        """
        found = self._diagnosis
        if isinstance(found, Absent):
            raise found
        return found

    @cached_property
    def _diagnosis(self) -> Diagnosis | Absent:
        """What was found, or why nothing is: both take long, and are asked for by several sections."""
        if self.classes is not None and len(self.classes) > MOST_CLASSES:
            return Absent(
                f"there are {len(self.classes)} classes, and a diagnosis with rivals takes long for more than "
                f"{MOST_CLASSES}: call selection.diagnose by itself"
            )
        try:
            seen = self.examined
        except Absent as why:
            return why
        given = (seen.apart.X, seen.apart.y)
        try:
            return diagnose(
                seen.estimator, seen.learnt.X, seen.learnt.y, validation_data=given, refit=False,
                row_numbers=seen.learnt.rows, random_state=self.seed,
            )  # fmt: skip
        except Exception as error:
            return Absent(f"no diagnosis: {error}")

    def frame(self, part: Part) -> Part:
        """The part with rows that scikit-learn's inspection takes: one of pandas for a table or a frame of polars.

        Raises
        ------
        Absent
            If pandas is needed and not there.
        """
        if isinstance(part.X, Table) or hasattr(part.X, "get_columns"):
            try:
                return replace(part, X=part.X.to_frame() if isinstance(part.X, Table) else part.X.to_pandas())
            except (MissingExtraError, ModuleNotFoundError) as error:
                raise Absent(f'shuffling columns needs pandas: pip install "diaphane[table]" ({error})') from error
        return part


MOST_CLASSES = 30
MOST_SCORED = 10_000
"""Rows of a part that is only compared with: a score of so many is known to half a percent."""


def main_metric(
    estimator: Any, truth: NDArray[Any], asked: str | Metric | None, threshold: ThresholdChoice | None
) -> Metric:
    """The metric asked for, checked; else what a threshold was chosen by, accuracy or R².

    Raises
    ------
    ValueError
        If it is not known, naming the nearest, or does not suit.
    """
    if asked is None:
        return (
            _chosen_by(threshold)
            if threshold is not None
            else find_metric("accuracy" if is_classifier(estimator) else "r2")
        )
    metric = find_metric(asked)
    if not metric.suits(estimator, truth):
        raise ValueError(
            f"metric={metric.name!r} does not suit {type(estimator).__name__} on these rows: it is for {metric.task} "
            f"and needs {metric.needs}{' of two classes' if metric.binary else ''}; choose another, or none"
        )
    return metric


def _chosen_by(threshold: ThresholdChoice) -> Metric:
    """Accuracy says little of a threshold that was moved for another score."""
    known = {metric.title: metric for metric in METRICS.values()} | {"F1 (positive class)": find_metric("f1_positive")}
    return known.get(threshold.measure, find_metric("balanced_accuracy"))
