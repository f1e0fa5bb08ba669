"""From a fitted estimator and its rows to a diagnosis."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils.validation import check_is_fitted

from ...data.randomness import RandomState, as_random_state
from .baselines import one_thread
from .evidence import Suspicions, gather, look
from .noise import find_noise
from .report import Diagnosis
from .row_verdict import MORE_THAN_NATURAL, REPEATED, TELLS, find_shifted
from .rows import (
    JUDGED_ROWS,
    LEARNT_ROWS,
    MOST_COLUMNS,
    MOST_ROWS,
    Rows,
    by_own_head,
    checked,
    checked_classes,
    prepared,
    some_of,
)
from .scores import Parts, Scale
from .suspicions import (
    Shift,
    Teller,
    find_shift,
    find_teller,
    first_of_each,
    is_continuous,
    most_correlated,
    seen_before,
    skill_without,
    twins,
)  # fmt: skip
from .verdict import judge

__all__ = ["diagnose"]

HELD_OUT = 0.25
FEWEST_ROWS = math.ceil(LEARNT_ROWS / (1 - HELD_OUT))
ENOUGH_JUDGED = 300
"""Fewer, and a difference of a tenth of the skill is within three standard errors: other quarters are held out too."""


def diagnose(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    validation_data: tuple[Any, Any] | None = None,
    refit: bool = True,
    random_state: RandomState = 0,
    row_numbers: Any = None,
) -> Diagnosis:
    """Say what keeps a fitted estimator from doing better, by which evidence, and what to try next.

    Skill is 1 − error/error of a constant (wrong answers of classifiers, squares of regressors: R²). The estimator is
    fitted again, watched by :class:`~diaphane.insight.GradientHealth`, beside a linear model, nearest neighbours and
    boosting, and then with other learning rates, more epochs, more and less room, and fewer rows: what is better by a
    tenth of the skill and three standard errors of the paired difference is a finding.

    Parameters
    ----------
    estimator : fitted classifier or regressor
        Of most is known of :class:`~diaphane.estimators.MLPClassifier`, ``MLPRegressor``, and pipelines that end in
        one; of any other of scikit-learn's what shows without curves and gradients. It is left as it is. One whose
        training diverged will do.
    X, y
        What it learnt from, as it takes it: an array, a frame or a :class:`~diaphane.data.Table`; of many rows 3000 at
        random are used.
    validation_data : (X, y), optional
        Rows to judge by; where there are none a quarter of X is held out, and of less than 1200 rows one quarter
        after another. Only with these a shift can be seen.
    refit : bool
        False judges the estimator as it is fitted, by ``validation_data``, in a second or two: leakage, shift, wrong
        targets, baselines, the curves it kept. Other rates, sizes and numbers of rows are then not tried.
    random_state : None, int, RandomState or Generator
    row_numbers : int array (n,), optional
        What the rows of X are called where single ones are named; their places in X by default.

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
        If it is not fitted, or rows are too few, or have gaps that it does not take, one class only, or several
        targets; or with ``refit=False`` and no ``validation_data``.

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
    >>> diagnose(model, X[:300], y[:300], validation_data=(X[300:], y[300:]), refit=False).verdict
    'underfitting'
    """
    classes = _checked_kind(estimator)
    seed = int(as_random_state(random_state).randint(2**31 - 1))
    x, target = checked(classes, X, y, "X")
    given = _checked_pair(classes, validation_data)
    if not refit and given is None:
        raise ValueError(
            "refit=False judges the estimator as it is fitted, by rows that it did not learn from: give "
            "validation_data=(X, y), or leave refit=True"
        )
    _refuse_few(len(target), None if given is None else len(given[1]))
    if classes:
        checked_classes(target, None if given is None else given[1])
    elif np.ptp(target) == 0:
        raise ValueError(f"y has one value only, {target[0]:g}: there is nothing to foretell")
    some = (x, target, some_of(target, MOST_ROWS, classes, seed))
    others = None if given is None else (*given, some_of(given[1], MOST_ROWS, classes, seed))
    numbers = None if row_numbers is None else np.asarray(row_numbers)
    if numbers is not None and numbers.shape != target.shape:
        raise ValueError(f"row_numbers has shape {numbers.shape}; expected one number a row of X: {target.shape}")
    model, head, rows, apart = prepared(estimator, some, others, refit)
    source = (head, x) if head is not None else None
    return _diagnosed(model, source, classes, rows, apart, seed, refit, len(target), numbers)


def _checked_pair(classes: bool, pair: Any) -> tuple[Any, Any] | None:
    if pair is None:
        return None
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"validation_data must be (X, y), got {str(pair)[:60]}")
    return checked(classes, pair[0], pair[1], "validation_data")


def _diagnosed(
    model: Any,
    source: tuple[Any, Any] | None,
    classes: bool,
    rows: Rows,
    apart: Rows | None,
    seed: int,
    refit: bool,
    n_given: int,
    row_numbers: NDArray[Any] | None,
) -> Diagnosis:
    repeated, natural, copied, rows, apart = _without_copies(rows, apart)
    with one_thread():
        shift = find_shift(*_narrowed(rows, apart), classes, seed) if apart is not None else None
    shifted = find_shifted(_only_shift(shift, classes))
    # Rows of another law say nothing of how well this one was learnt; a model as it is has seen all others.
    within = apart is None or (bool(shifted) and refit)
    cut: Parts = _held_out(rows, classes, seed) if within or apart is None else [(rows, apart)]
    # What chooses columns by targets, a step before the last or this, may see those learnt from alone.
    made = [by_own_head(*source, *part) for part in cut] if source is not None and (within or apart is None) else cut
    parts = [_narrowed(*part) for part in made]
    with one_thread():
        noise = find_noise(rows, classes, seed)
        teller = find_teller(rows, classes, seed)
        if teller is not None and teller.alone >= TELLS:
            others = skill_without(teller.column, [_narrowed(*part) for part in cut], Scale.of(classes, cut), seed)
            teller = Teller(teller.column, teller.name, teller.alone, others)
    if noise is not None and row_numbers is not None:
        noise = replace(noise, rows=row_numbers[noise.rows])
    suspicions = Suspicions(repeated, natural, copied, apart is not None, classes, teller, shift, noise)
    if refit:
        evidence = gather(model, classes, parts, suspicions, seed, within, n_given)
    else:
        evidence = look(model, classes, parts[0], suspicions, seed, n_given)
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
        if learnt < FEWEST_ROWS:
            raise ValueError(f"X has {learnt} rows; at least {FEWEST_ROWS} are needed, a quarter of them to judge by")
        return
    for name, count, least in (("X", learnt, LEARNT_ROWS), ("validation_data", judged, JUDGED_ROWS)):
        if count < least:
            raise ValueError(f"{name} has {count} rows; at least {least} are needed")


def _held_out(rows: Rows, classes: bool, seed: int) -> Parts:
    """One quarter held out, and others after it, until there are rows enough that are judged by."""
    quarters = round(1 / HELD_OUT)
    folds = min(quarters, math.ceil(ENOUGH_JUDGED / (HELD_OUT * len(rows))))
    counts = np.unique(rows.target, return_counts=True)[1] if classes else np.array([0])
    stratify = rows.target if counts.min() >= quarters else None
    every = np.arange(len(rows))
    if folds == 1:
        pairs = [train_test_split(every, test_size=HELD_OUT, random_state=seed, stratify=stratify)]
    else:
        splitter = (KFold if stratify is None else StratifiedKFold)(quarters, shuffle=True, random_state=seed)
        pairs = list(splitter.split(every, stratify))[:folds]
    return [(rows.take(learnt), rows.take(judged)) for learnt, judged in pairs]


def _narrowed(learnt: Rows, judged: Rows) -> tuple[Rows, Rows]:
    """Of very many columns those that are nearest to the target of the rows learnt from."""
    if learnt.numbers.shape[1] <= MOST_COLUMNS:
        return learnt, judged
    kept = most_correlated(learnt, MOST_COLUMNS)
    return learnt.with_columns(kept), judged.with_columns(kept)


def _without_copies(rows: Rows, apart: Rows | None) -> tuple[float, float, bool, Rows, Rows | None]:
    """The share of copies and of twins, whether they are a wonder, and the rows without them where they are."""
    natural = float(twins(rows).mean())
    if apart is None:
        copied = natural >= REPEATED and is_continuous(rows)
        kept = rows.take(first_of_each(rows)) if copied else rows
        return natural, natural, copied, (kept if len(kept) >= FEWEST_ROWS else rows), None
    seen = seen_before(rows, apart)
    repeated = float(seen.mean())
    copied = repeated >= REPEATED and repeated >= MORE_THAN_NATURAL * natural
    enough = copied and (~seen).sum() >= JUDGED_ROWS
    return repeated, natural, copied, rows, (apart.take(~seen) if enough else apart)


def _only_shift(shift: Shift | None, classes: bool) -> Suspicions:
    return Suspicions(0.0, 0.0, False, True, classes, None, shift, None)
