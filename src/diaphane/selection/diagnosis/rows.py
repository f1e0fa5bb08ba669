"""Rows to learn from and rows to judge by, checked, cut to a number that is looked at, and as numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import _num_samples

from ...data.table import Table
from ...estimators.tabular.frames import is_frame, rows_of
from .encoding import Columns, as_numbers

__all__ = [
    "JUDGED_ROWS", "LEARNT_ROWS", "MOST_COLUMNS", "MOST_ROWS", "Rows", "by_own_head", "checked", "checked_classes",
    "prepared", "some_of",
]  # fmt: skip

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

LEARNT_ROWS = 30
"""Fewer, and a half of them, which the learning curve needs, is a matter of chance."""
MOST_ROWS = 3000
"""Rows of each set that a diagnosis is made of, at random: a model is fitted some ten times."""
MOST_COLUMNS = 200
"""Columns that the rows are judged by, and that baselines see; a model that is judged sees all."""
FEWEST_OF_CLASS = 4
"""Rows of a class that sampling leaves, where there are as many: a quarter and a third can be held out."""
JUDGED_ROWS = 20
"""Fewer, and one row is 5 % of all answers."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as the model takes them, as numbers, their targets, and their places in what was given.

    ``numbers`` has a mark for each word, for what adds up; ``codes`` has one number a column of words, for trees.
    """

    given: Any
    numbers: Floats
    codes: Floats
    target: NDArray[Any]
    places: Whole
    columns: Columns

    @classmethod
    def of_numbers(cls, x: Floats, y: NDArray[Any]) -> Rows:
        """Those that are numbers as they are."""
        return cls(x, x, x, y, np.arange(len(y)), Columns.plain(x.shape[1]))

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: Any) -> Rows:
        """Some of the rows."""
        index = np.flatnonzero(index) if np.asarray(index).dtype == bool else np.asarray(index)
        return replace(
            self,
            given=rows_of(self.given, index), numbers=self.numbers[index], codes=self.codes[index],
            target=self.target[index], places=self.places[index],
        )  # fmt: skip

    def of_column(self, column: int) -> Floats:
        """What a column became, for a tree."""
        return self.codes[:, self.columns.code_owner == column]

    def with_columns(self, kept: Any) -> Rows:
        """The numbers of some columns alone; the model still takes all."""
        marks, codes = (np.isin(owner, kept) for owner in (self.columns.owner, self.columns.code_owner))
        columns = replace(self.columns, owner=self.columns.owner[marks], code_owner=self.columns.code_owner[codes])
        return replace(self, numbers=self.numbers[:, marks], codes=self.codes[:, codes], columns=columns)

    def without_column(self, column: int) -> Rows:
        """The numbers without those of one column."""
        return self.with_columns(np.setdiff1d(self.columns.code_owner, [column]))


def checked(classes: bool, x: Any, y: Any, name: str) -> tuple[Any, NDArray[Any]]:
    """X with a known number of rows, and a target of one column without gaps.

    Raises
    ------
    ValueError
        If lengths differ, a target is missing, or there are several columns of targets.
    """
    target = np.asarray(y)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1:
        raise ValueError(f"{name} has targets of shape {target.shape}; a diagnosis is of one column of targets: (n,)")
    rows = _num_samples(x)
    if rows != len(target):
        raise ValueError(f"{name} has {rows} rows and {len(target)} targets; expected one target a row")
    # What differs from itself is no number; pandas.NA says what it is by its type only.
    missing = [v is None or type(v).__name__ == "NAType" or bool(v != v) for v in target.tolist()]
    if any(missing):
        raise ValueError(f"{name} has {sum(missing)} missing targets (NaN); leave those rows out")
    if not classes:
        target = target.astype(np.float64)
        if not np.isfinite(target).all():
            raise ValueError(f"{name} has infinite targets; leave those rows out")
    return x, target


def checked_classes(learnt: NDArray[Any], judged: NDArray[Any] | None) -> None:
    """Refuse one class, a class with one row, and classes of which nothing was learnt."""
    classes, counts = np.unique(learnt, return_counts=True)
    if len(classes) < 2:
        raise ValueError(
            f"y has one class only, {classes.tolist()[0]!r}: there is nothing to tell apart; give two or more"
        )
    if judged is None:
        if counts.min() < 4:
            rare = classes.tolist()[int(counts.argmin())]
            raise ValueError(f"class {rare!r} has {counts.min()} rows; at least 4 are needed to hold one out")
        return
    foreign = [value for value in np.unique(judged).tolist() if value not in set(classes.tolist())]
    if foreign:
        raise ValueError(f"validation_data has class {foreign[0]!r}, which y has not; known are {classes.tolist()}")


def some_of(target: NDArray[Any], most: int, classes: bool, seed: int) -> Whole:
    """Places of about so many rows, drawn at random, of each class its share and at least four."""
    every = np.arange(len(target))
    if len(target) <= most:
        return every
    counts = np.unique(target, return_counts=True)[1] if classes else np.array([0])
    stratify = target if counts.min() > 1 and len(counts) <= min(most, len(target) - most) else None
    kept, _ = train_test_split(every, train_size=most, random_state=seed, stratify=stratify)
    if classes:
        rare = [np.flatnonzero(target == name) for name in np.unique(target)]
        some = [np.random.default_rng(seed).permutation(places)[:FEWEST_OF_CLASS] for places in rare
                if np.isin(places, kept).sum() < FEWEST_OF_CLASS]  # fmt: skip
        kept = np.concatenate([kept, *some])
    return np.unique(kept)


def prepared(
    model: Any,
    learnt: tuple[Any, NDArray[Any], Whole],
    judged: tuple[Any, NDArray[Any], Whole] | None,
    refit: bool,
) -> tuple[Any, Any, Rows, Rows | None]:
    """A model, the steps before it or None, and the rows at the places given, as it takes them and as numbers.

    A pipeline that is to be fitted again becomes its last step, and rows what the steps before it make of them; those
    learn from ``learnt`` alone.

    Raises
    ------
    ValueError
        If a number is missing or infinite where the model takes none.
    """
    parts = [learnt] if judged is None else [learnt, judged]
    head = None
    sets = [_as_rows(rows_of(_indexable(x), places)) for x, _, places in parts]
    targets = [y[places] for _, y, places in parts]
    if refit and isinstance(model, Pipeline) and len(model) > 1:
        head, model = clone(model[:-1]), model[-1]
        sets = [_as_rows(x) for x in (head.fit_transform(sets[0], targets[0]), *map(head.transform, sets[1:]))]
    gaps = not refit or bool(get_tags(model).input_tags.allow_nan)
    numbers, codes, columns = as_numbers(sets, gaps)
    found = [
        Rows(x, z, c, y, places, columns)
        for x, z, c, y, (_, _, places) in zip(sets, numbers, codes, targets, parts, strict=True)
    ]  # fmt: skip
    return model, head, found[0], None if judged is None else found[1]


def by_own_head(head: Any, x: Any, learnt: Rows, judged: Rows) -> tuple[Rows, Rows]:
    """Both as the steps before the last make them that learn from ``learnt`` alone.

    Steps that need no target and refuse what they did not learn, a new word say, are left as all rows made them.
    """
    own = clone(head)
    raw = [_as_rows(rows_of(_indexable(x), rows.places)) for rows in (learnt, judged)]
    try:
        made = [_as_rows(own.fit_transform(raw[0], learnt.target)), _as_rows(own.transform(raw[1]))]
    except ValueError:
        if any(get_tags(step).target_tags.required for _, step in head.steps if hasattr(step, "fit")):
            raise
        return learnt, judged
    numbers, codes, columns = as_numbers(made, True)
    first, second = (
        replace(rows, given=given, numbers=z, codes=c, columns=columns)
        for rows, given, z, c in zip((learnt, judged), made, numbers, codes, strict=True)
    )
    return first, second


def _indexable(x: Any) -> Any:
    if hasattr(x, "tocsr"):
        return x.tocsr()
    return x if is_frame(x) or isinstance(x, Table) else np.asarray(x)


def _as_rows(x: Any) -> Any:
    if hasattr(x, "toarray"):
        return x.toarray()
    return x if is_frame(x) or isinstance(x, Table) else np.asarray(x)
