"""From a fitted estimator and its rows to a page."""

from __future__ import annotations

import copy
import os
import time
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from ..data.randomness import RandomState, as_random_state
from ..selection import Metric, ThresholdChoice
from .checking import checked_kind, checked_part, checked_path, checked_threshold
from .examined import is_of_fit
from .facts import RunFacts
from .inside import network_step
from .markup import Markup, joined
from .numbers import seconds
from .page import Report, whole_page
from .part import Absent, Part
from .remembering import Remembering
from .section import Kind
from .sections import KINDS
from .subject import NAMELESS, Subject, main_metric
from .summary import summary

__all__ = ["report"]


def report(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    test: tuple[Any, Any] | None = None,
    path: str | os.PathLike[str] | None = None,
    name: str | None = None,
    target: str | None = None,
    metric: str | Metric | None = None,
    threshold: ThresholdChoice | None = None,
    search: Any = None,
    run: RunFacts | None = None,
    random_state: RandomState = 0,
) -> Report:
    """One page on a fitted model, to hand over: scores beside baselines, a diagnosis, pictures, and how to repeat it.

    The page is one file of HTML that needs nothing else, light or dark, on a phone or on paper. Scores are of the test
    rows; without these of the validation rows, of rows that members of the estimator held out, or, with a warning, of
    the rows learnt from. What cannot be made is named on the page with its reason.

    Parameters
    ----------
    estimator : fitted classifier or regressor
        In scikit-learn's contract: of this library, of scikit-learn, a pipeline.
    X, y
        The rows that it learnt from: a data frame, a :class:`~diaphane.data.Table` or an array, and targets (n,). Rows
        without a target are left out, and counted on the page.
    validation, test : (X, y), optional
        Rows that something was chosen by, and rows that were kept back.
    path : path-like, optional
        Where to write it at once.
    name, target : str, optional
        What the page and the target are called; by default the estimator's class, and the name of y.
    metric : str or Metric, optional
        The score of the first screen, of ``selection.METRICS``: by default accuracy or R².
    threshold : ThresholdChoice, optional
        Of two classes, chosen on validation rows: the scores are those with it.
    search : fitted Search, optional
        Or anything with ``cv_results_``.
    run : RunFacts, optional
        What only the caller knows.
    random_state : None, int, RandomState or Generator
        For the rows of importance, diagnosis and pictures: the same gives the same page, but for date and seconds.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If the estimator is neither a classifier nor a regressor.
    ValueError
        If it is not fitted, X comes without y, or the metric is not known (the nearest is named) or does not suit.
    FileNotFoundError, IsADirectoryError
        If there is no folder for ``path``, or it is one.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=500).fit(X[::2], y[::2])
    >>> page = report(model, X[::2], y[::2], test=(X[1::2], y[1::2]), name="Iris")
    >>> page.html.startswith("<!DOCTYPE html>"), "learns by epochs" in page.left_out["How it learnt"]
    (True, False)
    """
    classifier, place = checked_kind(estimator), checked_path(path)
    checked_threshold(threshold, classifier)
    seed = random_state if isinstance(random_state, int) else int(as_random_state(random_state).randint(2**31 - 1))
    facts = RunFacts() if run is None else run
    classes = np.asarray(estimator.classes_) if classifier else None
    learnt = checked_part("learnt from", (X, y), "(X, y)", classes)
    assert learnt is not None
    parts = {n: checked_part(n, given, n, classes) for n, given in (("validation", validation), ("test", test))}
    model = Remembering(estimator, threshold)
    held = parts["validation"] or _held_out(model, learnt)
    if held is None and hasattr(estimator, "held_out_predictions"):
        learnt = replace(learnt, notes=(*learnt.notes, OTHER_ROWS))
    judged = parts["test"] or held or learnt
    subject = Subject(
        estimator, model, learnt, held, parts["test"], classes,
        name=name or type(network_step(estimator)).__name__, target=target or str(getattr(y, "name", None) or NAMELESS),
        metric=main_metric(estimator, judged.y, metric, threshold), threshold=threshold, search=search, run=facts,
        seed=seed,
    )  # fmt: skip
    # Rows that do not suit the model are the caller's mistake, and no matter of a section.
    model.predict(subject.judged.X)
    page = _page(subject)
    if place is not None:
        page.save(place)
    return page


OTHER_ROWS = (
    "These are not the rows that fit had, and the members' predictions for rows that they held out are not used: give "
    "the X and y of fit"
)


def _held_out(model: Remembering, learnt: Part) -> Part | None:
    """Rows learnt from, each judged by those members of an ensemble that did not learn from it."""
    if not hasattr(model.estimator, "held_out_predictions"):
        return None
    if not is_of_fit(model.estimator, learnt):
        # Other rows than those of fit: nothing is known of them.
        return None
    rows, outputs = model.estimator.held_out_predictions()
    some = learnt.at(np.searchsorted(learnt.rows, rows))
    # Rows are known by identity, and these are not to be taken for those learnt from.
    part = replace(some, name="held out", X=copy.copy(some.X), notes=())
    model.tell(part.X, "predict_proba" if hasattr(model, "classes_") else "predict", outputs)
    return part


def _page(subject: Subject) -> Report:
    took: dict[str, float] = {}
    made: list[tuple[Kind, Markup]] = []
    missing: dict[str, str] = {}
    with warnings.catch_warnings():
        # Warnings of fits that were not asked for by the reader of the page.
        warnings.simplefilter("ignore")
        for kind in KINDS:
            started = time.perf_counter()
            try:
                section = kind.make(subject)
            except Absent as error:
                missing[kind.title] = str(error)
            except Exception as error:
                missing[kind.title] = f"{type(error).__name__}: {error}"
            else:
                if section is not None:
                    made.append((kind, kind.written(section)))
            took[kind.key] = time.perf_counter() - started
        started = time.perf_counter()
        head = summary(subject)
        took["summary"] = time.perf_counter() - started
    end = joined(f"The page took {seconds(sum(took.values()))} beyond the training.")
    return Report(whole_page(subject.name, head, made, missing, end), took, missing)
