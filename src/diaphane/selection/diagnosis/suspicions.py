"""What may be wrong with the rows: seen already, a column that tells the target, another law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from .baselines import scored_baselines
from .folds import held_out, held_out_skill, of_frequent_classes
from .rows import Rows
from .scores import Parts, Scale

__all__ = [
    "Shift", "Teller", "find_shift", "find_teller", "first_of_each", "is_continuous",
    "most_correlated", "seen_before", "skill_without", "twins",
]  # fmt: skip

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS_TRIED = 40
"""Single columns that are tried."""
CONTINUOUS = 0.5
"""Values a row: with as many as this, two of a kind are a wonder."""


def seen_before(learnt: Rows, judged: Rows) -> Flags:
    """Which rows judged by are rows learnt from, to the last bit of every number and of the target."""
    known = set(_keys(learnt))
    return np.array([key in known for key in _keys(judged)], dtype=bool)


def twins(rows: Rows) -> Flags:
    """Which rows are there more than once.

    Rows alike but for their targets are none: two measurements, say, or two sales, of one thing.
    """
    _, inverse, counts = np.unique(_keys(rows), return_inverse=True, return_counts=True)
    found: Flags = counts[inverse] > 1
    return found


def first_of_each(rows: Rows) -> Flags:
    """The rows without those that repeat an earlier one."""
    _, places = np.unique(_keys(rows), return_index=True)
    found = np.zeros(len(rows), dtype=bool)
    found[places] = True
    return found


def is_continuous(rows: Rows) -> bool:
    """Whether twins would be a wonder: some column has as many values as half of the rows."""
    return bool(
        max(len(np.unique(column)) for column in rows.codes.T) > CONTINUOUS * np.count_nonzero(first_of_each(rows))
    )


def _keys(rows: Rows) -> list[str]:
    # −0 and 0 are one number.
    numbers = np.ascontiguousarray(rows.codes + 0.0)
    return [f"{row.tobytes().hex()} {value!r}" for row, value in zip(numbers, rows.target.tolist(), strict=True)]


@dataclass(frozen=True)
class Teller:
    """A column that tells the target alone, what it is called, and what the best model finds without it."""

    column: int
    name: str
    alone: float
    others: float


def find_teller(rows: Rows, classes: bool, seed: int) -> Teller | None:
    """The column by which alone a small tree foretells most, cross-validated.

    None for one or two columns: of two, one may well say nearly all.
    """
    columns = most_correlated(rows, COLUMNS_TRIED)
    if len(columns) < 3:
        return None
    if classes:
        rows = rows.take(of_frequent_classes(rows.target))
        if len(np.unique(rows.target)) < 2:
            return None
    leaf = max(3, len(rows) // 100)
    tree = (DecisionTreeClassifier if classes else DecisionTreeRegressor)(min_samples_leaf=leaf, random_state=seed)
    skills = [held_out_skill(tree, rows.of_column(c), rows.target, classes, seed) for c in columns]
    best = int(np.argmax(skills))
    column = int(columns[best])
    return Teller(column, rows.columns.names[column], skills[best], np.nan)


def skill_without(column: int, parts: Parts, scale: Scale, seed: int) -> float:
    """What the best baseline makes of the other columns."""
    fewer = [(learnt.without_column(column), judged.without_column(column)) for learnt, judged in parts]
    found = scored_baselines(scale, fewer, seed)
    return max(s.judged for s in found)


def most_correlated(rows: Rows, most: int) -> NDArray[np.intp]:
    """At most so many columns, in their order: those one of whose numbers has the greatest rank correlation."""
    from scipy.stats import rankdata

    owner = rows.columns.code_owner
    found = np.unique(owner)
    if len(found) <= most:
        return found
    codes = rankdata(np.unique(rows.target, return_inverse=True)[1])
    ranks = rankdata(rows.codes, axis=0)
    ranks -= ranks.mean(axis=0)
    # Of few values the ranks vary less: a correlation is of the spread that there is.
    spread = np.sqrt((ranks**2).sum(axis=0))
    towards = np.abs((codes - codes.mean()) @ ranks) / np.where(spread > 0, spread, 1.0)
    strongest = np.array([towards[owner == column].max() for column in found])
    return np.sort(found[np.argsort(-strongest, kind="stable")[:most]])


@dataclass(frozen=True)
class Shift:
    """How well a classifier tells rows judged by from rows learnt from, and the column that differs most."""

    auc: float
    error: float
    column: int
    name: str
    distance: float
    target_distance: float
    target_chance: float


def find_shift(learnt: Rows, judged: Rows, classes: bool, seed: int) -> Shift:
    """AUC cross-validated, with its standard error where both are of one law (Hanley & McNeil 1982).

    ``target_chance`` is how often targets of one law are as far apart: χ² of classes, Kolmogorov–Smirnov of numbers.
    """
    from scipy.stats import chi2_contingency, ks_2samp

    x = np.concatenate([learnt.codes, judged.codes])
    from_judged = np.arange(len(x)) >= len(learnt)
    model = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=8, min_samples_leaf=10, early_stopping=False, random_state=seed
    )
    told = held_out(model, x, from_judged, True, seed, "predict_proba")[:, 1]
    m, n = len(learnt), len(judged)
    error = float(np.sqrt((m + n + 1) / (12 * m * n)))
    distances = [ks_2samp(a, b).statistic for a, b in zip(learnt.codes.T, judged.codes.T, strict=True)]
    worst = int(np.argmax(distances))
    column = int(learnt.columns.code_owner[worst])
    if classes:
        names = np.unique(learnt.target)
        counts = np.array([[np.count_nonzero(r.target == name) for name in names] for r in (learnt, judged)])
        apart = float(0.5 * np.abs(counts[0] / m - counts[1] / n).sum())
        chance = float(chi2_contingency(counts, correction=False).pvalue)
    else:
        test = ks_2samp(learnt.target, judged.target)
        apart, chance = float(test.statistic), float(test.pvalue)
    auc = float(roc_auc_score(from_judged, told))
    named = learnt.columns.names[column]
    return Shift(auc, error, column, named, float(distances[worst]), apart, chance)
