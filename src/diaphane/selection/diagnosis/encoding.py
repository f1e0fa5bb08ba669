"""Rows as numbers that any baseline takes, and which numbers are of which column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ...data.categories import CategoryEncoder
from ...data.numbers import NumberEncoder
from ...data.table import Table
from ...estimators.tabular.columns import learn_features
from ...estimators.tabular.frames import is_frame, table_of

__all__ = ["Columns", "as_numbers"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Columns:
    """What columns are called, and of which of them each number and each code is."""

    names: tuple[str, ...]
    owner: NDArray[np.intp]
    code_owner: NDArray[np.intp]

    @classmethod
    def plain(cls, count: int) -> Columns:
        """Columns that are a number each and have a place, but no name."""
        return cls(tuple(f"column {i}" for i in range(count)), np.arange(count), np.arange(count))


def as_numbers(sets: list[Any], gaps: bool) -> tuple[list[Floats], list[Floats], Columns]:
    """Arrays of numbers as they are; words, dates and gaps as :class:`~diaphane.data.ColumnEncoder` has them.

    A column of words is a mark a word, and as a code the place of its mark. All is learnt from the first set. Without
    ``gaps`` an array is to be of finite numbers.

    Returns
    -------
    numbers, codes : list of array, one a set
    columns : Columns

    Raises
    ------
    ValueError
        If a number is missing or infinite where none may be, or no column says anything.
    """
    named = isinstance(sets[0], Table) or is_frame(sets[0])
    if not named and (not gaps or _finite_numbers(sets)):
        found = [_finite(x, name) for x, name in zip(sets, ("X", "validation_data"), strict=False)]
        return found, found, Columns.plain(found[0].shape[1])
    tables = [x if isinstance(x, Table) else table_of(BaseEstimator(), x, reset=True) for x in sets]
    encoder = learn_features(tables[0], robust=False).encoder
    # A linear baseline is to be linear in a number.
    unbounded = [replace(one, limit=np.inf) if isinstance(one, NumberEncoder) else one for one in encoder.encoders]
    encoder = replace(encoder, encoders=tuple(unbounded), dtype="float64")
    places = {name: i for i, name in enumerate(tables[0].names)}
    owner = np.concatenate([np.full(len(one.feature_names), places[one.name]) for one in encoder.encoders])
    words = [places[one.name] for one in encoder.encoders if isinstance(one, CategoryEncoder)]
    code_owner = np.concatenate([owner[~np.isin(owner, words)], words]).astype(np.intp)
    numbers = [encoder.transform(table) for table in tables]
    codes = [_codes(x, owner, words) for x in numbers]
    names = tuple(f"column {name!r}" if named else f"column {i}" for i, name in enumerate(tables[0].names))
    return numbers, codes, Columns(names, owner, code_owner)


def _codes(numbers: Floats, owner: NDArray[np.intp], words: list[int]) -> Floats:
    """What is no mark as it is, and of marks the place of that which is set: −1 of none."""
    found = [numbers[:, ~np.isin(owner, words)]]
    for column in words:
        marks = numbers[:, owner == column]
        found.append(np.where(marks.any(axis=1), marks.argmax(axis=1), -1.0)[:, None])
    return np.hstack(found)


def _finite_numbers(sets: list[Any]) -> bool:
    return all(x.ndim == 2 and x.dtype.kind in "biuf" and bool(np.isfinite(x).all()) for x in sets)


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
