"""From a fitted estimator and its rows to a diagnosis."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from ...data.randomness import RandomState, as_random_state
from .evidence import Suspicions, gather
from .report import Diagnosis
from .rows import JUDGED_ROWS, LEARNT_ROWS, Rows, checked, encoded_classes, prepared
from .scores import Scale
from .suspicions import (
    Shift,
    Teller,
    find_noise,
    find_shift,
    find_teller,
    first_of_each,
    is_continuous,
    seen_before,
    skill_without,
    twins,
)  # fmt: skip
from .verdict import MORE_THAN_NATURAL, REPEATED, TELLS, find_shifted, judge

__all__ = ["diagnose"]

HELD_OUT = 0.25
MOST_LEARNT, MOST_JUDGED = 3000, 3000
"""Rows that a diagnosis is made of, at random: a model is fitted some ten times."""


def diagnose(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    validation_data: tuple[Any, Any] | None = None,
    random_state: RandomState = 0,
) -> Diagnosis:
    """Say what keeps a fitted estimator from doing better, by which evidence, and what to try next.

    Skill is 1 − error/error of a constant (wrong answers of classifiers, squares of regressors: R²). The estimator is
    fitted again, watched by :class:`~diaphane.insight.GradientHealth`, beside a linear model, nearest neighbours and
    boosting, and then with other learning rates, more and less room, and fewer rows: what is better by a tenth of the
    skill and three standard errors of the paired difference is a finding.

    Parameters
    ----------
    estimator : fitted classifier or regressor
        Of most is known of :class:`~diaphane.estimators.MLPClassifier`, ``MLPRegressor``, and pipelines that end in
        one; of any other of scikit-learn's what shows without curves and gradients. It is left as it is. One whose
        training diverged will do.
    X, y
        What it learnt from; of many rows 3000 at random are used.
    validation_data : (X, y), optional
        Rows to judge by; a quarter of X is held out where there are none. Only with these a shift can be seen.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    Diagnosis
        With ``findings`` (each with ``kind``, ``words``, ``evidence``, ``next_steps``), ``healthy``, ``table()`` and
        ``plot()``; ``print`` shows all.

    Raises
    ------
    TypeError
        If it is neither a classifier nor a regressor.
    ValueError
        If it is not fitted, or rows are too few, or have gaps, one class only, or several targets.

    Examples
    --------
    >>> import numpy as np
    >>> from diaphane.estimators import MLPRegressor
    >>> X = np.random.default_rng(0).uniform(-2, 2, (400, 2))
    >>> y = np.sin(2 * X[:, 0]) + X[:, 1] ** 2
    >>> model = MLPRegressor(hidden_layer_sizes=(1,), learning_rate_init=0.02, max_iter=300, random_state=0)
    >>> diagnosis = diagnose(model.fit(X, y), X, y)
    >>> diagnosis.verdict, diagnosis.healthy
    ('underfitting', False)
    """
    classes = _checked_kind(estimator)
    seed = int(as_random_state(random_state).randint(2**31 - 1))
    x, target = checked(estimator, X, y, "X")
    given = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
            raise ValueError(f"validation_data must be (X, y), got {str(validation_data)[:60]}")
        given = checked(estimator, *validation_data, "validation_data")
    _refuse_few(len(target), None if given is None else len(given[1]))
    if classes:
        encoded_classes(target, None if given is None else given[1])
    elif np.ptp(target) == 0:
        raise ValueError(f"y has one value only, {target[0]:g}: there is nothing to foretell")
    model, rows, apart = prepared(estimator, (x, target), given)
    rows, apart = _at_most(rows, MOST_LEARNT, classes, seed), apart and _at_most(apart, MOST_JUDGED, classes, seed)
    return _diagnosed(model, classes, rows, apart, seed)


def _diagnosed(model: Any, classes: bool, rows: Rows, apart: Rows | None, seed: int) -> Diagnosis:
    given = apart is not None
    repeated, natural, copied, rows, apart = _without_copies(rows, apart)
    shift = find_shift(rows, apart, classes, seed) if apart is not None else None
    shifted = find_shifted(_only_shift(shift, classes))
    # Rows of another law say nothing of how well this one was learnt.
    within = apart is None or bool(shifted)
    learnt, judged = _held_out(rows, classes, seed) if within or apart is None else (rows, apart)
    noise = find_noise(rows, classes, seed)
    teller = find_teller(rows, classes, seed)
    if teller is not None and teller.alone >= TELLS:
        others = skill_without(teller.column, learnt, judged, Scale.of(classes, learnt, judged), seed)
        teller = Teller(teller.column, teller.alone, others)
    suspicions = Suspicions(repeated, natural, copied, given, classes, teller, shift, noise)
    evidence = gather(model, classes, learnt, judged, suspicions, seed, within)
    return Diagnosis(tuple(judge(evidence)), evidence)


def _checked_kind(estimator: Any) -> bool:
    name = type(estimator).__name__
    if not (is_classifier(estimator) or is_regressor(estimator)):
        raise TypeError(f"{name} is neither a classifier nor a regressor; give one, or a pipeline that ends in one")
    try:
        check_is_fitted(estimator)
    except ValueError:
        raise ValueError(
            f"this {name} is not fitted: call fit(X, y) first, and diagnose with the same X and y"
        ) from None
    return bool(is_classifier(estimator))


def _refuse_few(learnt: int, judged: int | None) -> None:
    if judged is None:
        least = max(int(np.ceil(LEARNT_ROWS / (1 - HELD_OUT))), int(np.ceil(JUDGED_ROWS / HELD_OUT)))
        if learnt < least:
            raise ValueError(f"X has {learnt} rows; at least {least} are needed, a quarter of them to judge by")
        return
    for name, count, least in (("X", learnt, LEARNT_ROWS), ("validation_data", judged, JUDGED_ROWS)):
        if count < least:
            raise ValueError(f"{name} has {count} rows; at least {least} are needed")


def _at_most(rows: Rows, most: int, classes: bool, seed: int) -> Rows:
    if len(rows) <= most:
        return rows
    stratify = rows.target if classes else None
    kept, _ = train_test_split(np.arange(len(rows)), train_size=most, random_state=seed, stratify=stratify)
    return rows.take(np.sort(kept))


def _held_out(rows: Rows, classes: bool, seed: int) -> tuple[Rows, Rows]:
    stratify = rows.target if classes else None
    if stratify is not None and np.unique(stratify, return_counts=True)[1].min() < 2:
        stratify = None
    learnt, judged = train_test_split(np.arange(len(rows)), test_size=HELD_OUT, random_state=seed, stratify=stratify)
    return rows.take(learnt), rows.take(judged)


def _without_copies(rows: Rows, apart: Rows | None) -> tuple[float, float, bool, Rows, Rows | None]:
    """The share of copies and of twins, whether they are a wonder, and the rows without them where they are."""
    natural = float(twins(rows).mean())
    if apart is None:
        copied = natural >= REPEATED and is_continuous(rows)
        kept = rows.take(first_of_each(rows)) if copied else rows
        return natural, natural, copied, (kept if len(kept) * HELD_OUT >= JUDGED_ROWS else rows), None
    seen = seen_before(rows, apart)
    repeated = float(seen.mean())
    copied = repeated >= REPEATED and repeated >= MORE_THAN_NATURAL * natural
    enough = copied and (~seen).sum() >= JUDGED_ROWS
    return repeated, natural, copied, rows, (apart.take(~seen) if enough else apart)


def _only_shift(shift: Shift | None, classes: bool) -> Suspicions:
    return Suspicions(0.0, 0.0, False, True, classes, None, shift, None)
