"""Rows to learn from and rows to judge by, checked, and as numbers that any baseline takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils import _safe_indexing

__all__ = ["LEARNT_ROWS", "JUDGED_ROWS", "Rows", "checked", "encoded_classes", "prepared"]

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

LEARNT_ROWS = 30
"""Fewer, and a half of them, which the learning curve needs, is a matter of chance."""
JUDGED_ROWS = 20
"""Fewer, and one row is 5 % of all answers."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as the model takes them, as numbers, and their targets."""

    given: Any
    numbers: Floats
    target: NDArray[Any]

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: Any) -> Rows:
        """Some of the rows."""
        index = np.flatnonzero(index) if np.asarray(index).dtype == bool else np.asarray(index)
        return Rows(_safe_indexing(self.given, index), self.numbers[index], self.target[index])

    def without_column(self, column: int) -> Rows:
        """The numbers without one column."""
        return replace(self, numbers=np.delete(self.numbers, column, axis=1))


def checked(estimator: Any, x: Any, y: Any, name: str) -> tuple[Any, NDArray[Any]]:
    """X with a known number of rows, and a target of one column without gaps.

    Raises
    ------
    ValueError
        If lengths differ, a target is missing, there are several columns of targets, or only one class or value.
    """
    target = np.asarray(y)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1:
        raise ValueError(f"{name} has targets of shape {target.shape}; a diagnosis is of one column of targets: (n,)")
    rows = x.shape[0] if hasattr(x, "shape") else len(x)
    if rows != len(target):
        raise ValueError(f"{name} has {rows} rows and {len(target)} targets; expected one target a row")
    missing = np.array([value is None or value != value for value in target.tolist()], dtype=bool)
    if missing.any():
        raise ValueError(f"{name} has {missing.sum()} missing targets (NaN); leave those rows out")
    if not is_classifier(estimator):
        target = target.astype(np.float64)
        if not np.isfinite(target).all():
            raise ValueError(f"{name} has infinite targets; leave those rows out")
    return (x.toarray() if hasattr(x, "toarray") else x), target


def encoded_classes(learnt: NDArray[Any], judged: NDArray[Any] | None) -> None:
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


def prepared(model: Any, learnt: tuple[Any, Any], judged: tuple[Any, Any] | None) -> tuple[Any, Rows, Rows | None]:
    """The last step of a pipeline, and rows as the steps before it hand them on; those learn from ``learnt`` alone.

    Raises
    ------
    ValueError
        If a number is missing or infinite where the model takes it.
    """
    tail = model
    sets = [learnt[0]] + ([] if judged is None else [judged[0]])
    if isinstance(model, Pipeline) and len(model) > 1:
        head, tail = clone(model[:-1]), model[-1]
        sets = [head.fit_transform(learnt[0], learnt[1]), *map(head.transform, sets[1:])]
        sets = [x.toarray() if hasattr(x, "toarray") else x for x in sets]
    numbers = _numbers(sets)
    found = Rows(_as_rows(sets[0]), numbers[0], learnt[1])
    return tail, found, None if judged is None else Rows(_as_rows(sets[1]), numbers[1], judged[1])


def _as_rows(x: Any) -> Any:
    return x if hasattr(x, "columns") else np.asarray(x)


def _numbers(sets: list[Any]) -> list[Floats]:
    """Arrays as they are; of frames, words become codes and gaps the median."""
    if not hasattr(sets[0], "columns"):
        return [_finite(np.asarray(x), name) for x, name in zip(sets, ("X", "validation_data"), strict=False)]
    columns: list[list[Floats]] = [[] for _ in sets]
    for column in sets[0].columns:
        cells = [np.asarray(x[column]) for x in sets]
        if cells[0].dtype.kind in "biuf":
            middle = float(np.nanmedian(np.asarray(cells[0], float))) if len(cells[0]) else 0.0
            new = [np.nan_to_num(np.asarray(c, float), nan=middle, posinf=middle, neginf=middle) for c in cells]
        else:
            words = [np.array([str(v) for v in c.tolist()], dtype=object)[:, None] for c in cells]
            coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(words[0])
            new = [np.asarray(coder.transform(w), float)[:, 0] for w in words]
        for kept, values in zip(columns, new, strict=True):
            kept.append(values)
    return [np.column_stack(kept) for kept in columns]


def _finite(x: NDArray[Any], name: str) -> Floats:
    if x.ndim != 2:
        raise ValueError(f"{name} has shape {x.shape}; expected rows and columns: (n, features)")
    try:
        found = x.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is not of numbers ({error}); encode words in a Pipeline, or give a data frame"
        ) from None
    bad = ~np.isfinite(found)
    if bad.any():
        column = int(bad.any(axis=0).argmax())
        raise ValueError(
            f"{name} has {bad.sum()} cells of NaN or infinity, the first in column {column}; fill them with a "
            "SimpleImputer in the Pipeline, or leave those rows out"
        )
    return found
