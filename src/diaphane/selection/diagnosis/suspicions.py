"""What may be wrong with the rows: seen already, a column that tells the target, another law, wrong targets."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .baselines import baselines, scored_baselines
from .rows import Rows
from .scores import Scale

__all__ = [
    "Noise", "Shift", "Teller", "find_noise", "find_shift", "find_teller", "first_of_each", "is_continuous",
    "seen_before", "skill_without", "twins",
]  # fmt: skip

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS_TRIED = 40
"""Single columns that are tried, those of the greatest rank correlation with the target."""
FOLDS = 3


def seen_before(learnt: Rows, judged: Rows) -> Flags:
    """Which rows judged by are rows learnt from, to the last bit of every feature."""
    known = set(_keys(learnt.numbers))
    return np.array([key in known for key in _keys(judged.numbers)], dtype=bool)


def twins(rows: Rows) -> Flags:
    """Which rows are there more than once."""
    _, inverse, counts = np.unique(np.array(_keys(rows.numbers)), return_inverse=True, return_counts=True)
    found: Flags = counts[inverse] > 1
    return found


def first_of_each(rows: Rows) -> Flags:
    """The rows without those that repeat an earlier one."""
    _, places = np.unique(np.array(_keys(rows.numbers)), return_index=True)
    found = np.zeros(len(rows), dtype=bool)
    found[places] = True
    return found


def is_continuous(rows: Rows) -> bool:
    """Whether twins would be a wonder: some column has as many values as half of the rows."""
    return bool(max(len(np.unique(column)) for column in rows.numbers.T) > 0.5 * np.count_nonzero(first_of_each(rows)))


def _keys(numbers: Floats) -> list[str]:
    # −0 and 0 are one number.
    return [row.tobytes().hex() for row in np.ascontiguousarray(numbers + 0.0)]


@dataclass(frozen=True)
class Teller:
    """A column that tells the target alone, and what the best model finds without it."""

    column: int
    alone: float
    others: float


def find_teller(rows: Rows, classes: bool, seed: int) -> Teller | None:
    """The column by which alone a small tree foretells most, cross-validated; None for a single column."""
    columns = _most_correlated(rows)
    if rows.numbers.shape[1] < 2:
        return None
    leaf = max(3, len(rows) // 100)
    tree = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(min_samples_leaf=leaf, random_state=seed)
    skills = [_held_out_skill(tree, rows.numbers[:, [c]], rows.target, classes, seed) for c in columns]
    best = int(np.argmax(skills))
    column = int(columns[best])
    return Teller(column, skills[best], np.nan)


def skill_without(column: int, rows: Rows, judged: Rows, scale: Scale, seed: int) -> float:
    """What the best baseline makes of the other columns."""
    found = scored_baselines(scale, rows.without_column(column), judged.without_column(column), seed)
    return max(s.judged for s in found)


def _most_correlated(rows: Rows) -> NDArray[np.intp]:
    d = rows.numbers.shape[1]
    if d <= COLUMNS_TRIED:
        return np.arange(d)
    codes = np.unique(rows.target, return_inverse=True)[1].argsort().argsort()
    ranks = rows.numbers.argsort(axis=0).argsort(axis=0)
    centred, towards = ranks - ranks.mean(axis=0), codes - codes.mean()
    return np.argsort(-np.abs(towards @ centred))[:COLUMNS_TRIED]


def _folds(target: NDArray[Any], classes: bool, seed: int) -> Any:
    if classes and np.unique(target, return_counts=True)[1].min() >= FOLDS:
        return StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return KFold(FOLDS, shuffle=True, random_state=seed)


def _held_out(model: Any, x: Floats, y: NDArray[Any], classes: bool, seed: int, method: str = "predict") -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        return cross_val_predict(clone(model), x, y, cv=_folds(y, classes, seed), method=method)


def _held_out_skill(model: Any, x: Floats, y: NDArray[Any], classes: bool, seed: int) -> float:
    predicted = _held_out(model, x, y, classes, seed)
    if classes:
        return float(1 - np.mean(predicted != y) / (1 - np.unique(y, return_counts=True)[1].max() / len(y)))
    return float(1 - np.mean((predicted - y) ** 2) / y.var())


@dataclass(frozen=True)
class Shift:
    """How well a classifier tells rows judged by from rows learnt from, and the column that differs most."""

    auc: float
    error: float
    column: int
    distance: float
    target_distance: float
    target_error: float


def find_shift(learnt: Rows, judged: Rows, classes: bool, seed: int) -> Shift:
    """AUC cross-validated, with its standard error where both are of one law (Hanley & McNeil 1982)."""
    from scipy.stats import ks_2samp

    x = np.concatenate([learnt.numbers, judged.numbers])
    from_judged = np.arange(len(x)) >= len(learnt)
    model = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=8, min_samples_leaf=10, early_stopping=False, random_state=seed
    )
    told = _held_out(model, x, from_judged, True, seed, "predict_proba")[:, 1]
    m, n = len(learnt), len(judged)
    error = float(np.sqrt((m + n + 1) / (12 * m * n)))
    distances = [ks_2samp(a, b).statistic for a, b in zip(learnt.numbers.T, judged.numbers.T, strict=True)]
    worst = int(np.argmax(distances))
    if classes:
        names = np.unique(learnt.target)
        shares = [np.array([np.mean(r.target == name) for name in names]) for r in (learnt, judged)]
        apart = float(0.5 * np.abs(shares[0] - shares[1]).sum())
    else:
        apart = float(ks_2samp(learnt.target, judged.target).statistic)
    auc = float(roc_auc_score(from_judged, told))
    return Shift(auc, error, worst, float(distances[worst]), apart, float(np.sqrt((m + n) / (m * n))))


@dataclass(frozen=True)
class Noise:
    """Targets that models which never saw them contradict.

    Attributes
    ----------
    share : float
        Classes: wrong answers among the surer half. Numbers: targets that are out by more than five robust deviations.
    overall : float
        Classes: wrong answers among all rows. Numbers: as ``share``.
    skill : float
        Of all rows; of numbers without the targets that are out.
    count : int
        Rows looked at for ``share``.
    by : str
        The baseline that was asked.
    rows : int array
        The most suspect ones, worst first.
    """

    share: float
    overall: float
    skill: float
    count: int
    by: str
    rows: NDArray[np.intp]


def find_noise(rows: Rows, classes: bool, seed: int) -> Noise:
    """What the best of the baselines, all cross-validated, contradicts most surely."""
    asked = [(name, model) for name, model in baselines(classes, len(rows), seed).items() if name != "constant"]
    found = [_contradicted(rows, classes, name, model, seed) for name, model in asked]
    return max(found, key=lambda noise: noise.skill)


def _contradicted(rows: Rows, classes: bool, by: str, model: Any, seed: int) -> Noise:
    if not classes:
        residuals = rows.target - _held_out(model, rows.numbers, rows.target, classes, seed)
        return _of_residuals(residuals, rows.target, by)
    names = np.unique(rows.target)
    chances = _held_out(model, rows.numbers, rows.target, classes, seed, "predict_proba")
    wrong = names[chances.argmax(axis=1)] != rows.target
    sure = chances.max(axis=1)
    half = np.argsort(-sure, kind="stable")[: max(1, len(rows) // 2)]
    suspects = half[wrong[half]]
    constant = 1 - np.unique(rows.target, return_counts=True)[1].max() / len(rows)
    skill = float(1 - wrong.mean() / constant)
    return Noise(float(wrong[half].mean()), float(wrong.mean()), skill, len(half), by, suspects)


WIDE = 5.0
"""Robust standard deviations: of normal residuals one in two million is beyond."""
MAD = 1.4826
"""The standard deviation of a normal law by its median absolute deviation."""


def _of_residuals(residuals: Floats, target: Floats, by: str) -> Noise:
    centred = np.abs(residuals - np.median(residuals))
    spread = MAD * np.median(centred)
    out = centred > WIDE * spread
    rest = ~out
    skill = 1 - np.mean(residuals[rest] ** 2) / target[rest].var() if rest.sum() > 2 else 0.0
    suspects = np.flatnonzero(out)
    return Noise(
        float(out.mean()), float(out.mean()), float(skill), len(target), by, suspects[np.argsort(-centred[suspects])]
    )
