"""What the columns hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing

from ...data import Table
from ...data.dates import looks_like_dates
from ...data.table import Column, is_numeric
from ...estimators.tabular.frames import table_of
from ..markup import LONGEST, clean
from ..numbers import number, percent, plural

__all__ = ["MOST_COLUMNS", "ColumnFacts", "column_names", "facts_of_columns", "first_columns"]

MOST_COLUMNS = 24


@dataclass(frozen=True)
class ColumnFacts:
    """One column at a glance.

    Attributes
    ----------
    name, kind : str
    missing : float
        A share.
    holds : str
        The middle and the ends of numbers, the most frequent words.
    """

    name: str
    kind: str
    missing: float
    holds: str


def column_names(estimator: Any, X: Any) -> list[str]:
    """Their names, or x0, x1, …"""
    if isinstance(X, Table):
        return list(X.names)
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    known = getattr(estimator, "feature_names_in_", None)
    width = np.shape(X)[1] if np.ndim(X) == 2 or hasattr(X, "tocsr") else 1
    return [f"x{i}" for i in range(width)] if known is None or len(known) != width else [str(name) for name in known]


def first_columns(X: Any, names: list[str]) -> Table:
    """The first columns as a table, whatever they come in."""
    count = min(len(names), MOST_COLUMNS)
    if isinstance(X, Table):
        return X.select(names[:count])
    some = _safe_indexing(X, list(range(count)), axis=1) if count < len(names) else X
    some = some.toarray() if hasattr(some, "tocsr") else some
    found = table_of(BaseEstimator(), some, reset=True)
    return Table(dict(zip(names[:count], found.columns.values(), strict=True)))


def facts_of_columns(table: Table) -> list[ColumnFacts]:
    """A line for each column."""
    return [_facts(name, table[name]) for name in table.names]


def _facts(name: str, column: Column) -> ColumnFacts:
    if is_numeric(column):
        return _of_numbers(name, column)
    cells = column.tolist()
    known = [cell for cell in cells if cell is not None]
    missing = 1 - len(known) / max(len(cells), 1)
    counts = Counter(known).most_common()
    if not known:
        return ColumnFacts(name, "empty", missing, "–")
    often = ", ".join(f"{clean(word, 24)} {percent(n / len(known))}" for word, n in counts[:3])
    more = f" and {len(counts) - 3} more" if len(counts) > 3 else ""
    if len(counts) == len(known) and len(known) > 3:
        often, more = f"{clean(known[0], 24)}, …", ""
    kind = "date" if looks_like_dates(column) else plural(len(counts), "word")
    return ColumnFacts(name, kind, missing, f"{often}{more}")


def _of_numbers(name: str, column: Column) -> ColumnFacts:
    known = column[~np.isnan(column)]
    missing = 1 - len(known) / max(len(column), 1)
    if not len(known):
        return ColumnFacts(name, "empty", missing, "–")
    low, middle, high = np.quantile(known, [0, 0.5, 1])
    if low == high:
        return ColumnFacts(name, "number", missing, f"{number(low)} in every row")
    return ColumnFacts(name, "number", missing, f"{number(low)} to {number(high)}, middle {number(middle)}")


def what_became(estimator: Any, names: list[str]) -> dict[str, str]:
    """What an estimator for tables made of each column, by its own words."""
    if not hasattr(estimator, "describe_columns"):
        return {}
    lines = estimator.describe_columns().splitlines()
    found: dict[str, str] = {}
    for name in names:
        line = next((line for line in lines if line.startswith(f"{name}: ")), None)
        if line is not None:
            found[name] = clean(line.removeprefix(f"{name}: "), LONGEST)
    return found
