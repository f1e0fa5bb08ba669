"""What is given to a report, checked before anything is computed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from ..data.errors import listed
from ..estimators.tabular.frames import rows_of
from ..estimators.tabular.targets import known_targets
from ..selection import ThresholdChoice
from .numbers import plural
from .part import Part

__all__ = ["checked_kind", "checked_part", "checked_path", "checked_threshold"]


def checked_kind(estimator: Any) -> bool:
    """Whether it is a classifier.

    Raises
    ------
    TypeError
        If it is neither that nor a regressor.
    ValueError
        If it is not fitted.
    """
    name = type(estimator).__name__
    if not hasattr(estimator, "predict") or not (is_classifier(estimator) or is_regressor(estimator)):
        raise TypeError(f"{name} is neither a classifier nor a regressor; give one, or a pipeline that ends in one")
    try:
        check_is_fitted(estimator)
    except ValueError:
        raise ValueError(f"this {name} is not fitted: call fit(X, y) first, and report with the same X and y") from None
    return bool(is_classifier(estimator))


def checked_path(path: str | os.PathLike[str] | None) -> Path | None:
    """Where the page is to be written.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such folder, or it is one.
    """
    if path is None:
        return None
    found = Path(path)
    if found.is_dir():
        raise IsADirectoryError(f"{found} is a folder; give the path of a file, such as {found / 'report.html'}")
    if not found.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {found.parent} to write {found.name} in; make it first")
    return found


def checked_part(name: str, given: Any, argument: str, classes: Any = None) -> Part | None:
    """Rows whose target is known, and is one that the classifier learnt.

    Raises
    ------
    ValueError
        If X comes without y, or there is another number of targets than of rows, or none of use.
    """
    if given is None:
        return None
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ValueError(f"{argument} must be (X, y), got {type(given).__name__}")
    x, y = given
    if y is None:
        raise ValueError(f"{argument} has X without y; a report compares predictions with the truth: give both")
    x = np.asarray(x) if isinstance(x, list | tuple) else x
    notes: list[str] = []
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        raise ValueError(f"{argument} has targets of shape {np.shape(y)}; a report is of one column of targets, (n,)")
    with warnings.catch_warnings():
        # It is said on the page.
        warnings.simplefilter("ignore")
        try:
            target, rows = known_targets(x, y)[:2]
        except ValueError as error:
            raise ValueError(f"{argument}: {error}") from None
    if missing := len(y) - len(rows):
        notes.append(f"{plural(missing, 'row')} of the {name} rows without a target left out")
    if classes is not None:
        known = _among(target, classes)
        if not known.any():
            raise ValueError(f"{argument} has classes {listed(_labels(target), 5)}, of which nothing was learnt")
        if not known.all():
            foreign = listed([repr(label) for label in _labels(target[~known])], 5)
            notes.append(
                f"{plural(int((~known).sum()), 'row')} of the {name} rows left out, of classes that were not learnt: "
                f"{foreign}. The model is wrong on all of them"
            )
            rows, target = rows[known], target[known]
    return Part(name, rows_of(x, rows), _plain(target), rows, tuple(notes))


def _plain(target: Any) -> Any:
    """Labels of one kind that came as objects, as they do out of a frame, as an array of that kind."""
    alike = target.dtype == object and len({type(label) for label in target.tolist()}) == 1
    return np.array(target.tolist()) if alike else target


def _among(target: Any, classes: Any) -> Any:
    labels = set(np.asarray(classes).tolist())
    return np.array([label in labels for label in target.tolist()], bool)


def _labels(target: Any) -> list[str]:
    return sorted({str(label) for label in target.tolist()})


def checked_threshold(threshold: Any, classifier: bool) -> None:
    """Raise for what is no chosen threshold, or one for numbers.

    Raises
    ------
    TypeError
    """
    if threshold is None:
        return
    if not isinstance(threshold, ThresholdChoice):
        raise TypeError(
            f"threshold must be what selection.choose_threshold gives, or None; got {threshold!r}: for a number of "
            "your own wrap the estimator in sklearn.model_selection.FixedThresholdClassifier"
        )
    if not classifier:
        raise TypeError("threshold is for two classes, and the estimator predicts numbers; leave it out")
