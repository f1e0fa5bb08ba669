"""What is to be predicted: which column, what kind of task, and which rows know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from diaphane.data.cells import is_number
from diaphane.data.errors import DataError, closest, listed
from diaphane.data.lookup import positions
from diaphane.data.table import Column, Table, is_numeric

__all__ = ["Target", "Task", "choose_target", "encode_labels", "infer_task", "target_name"]

Task: TypeAlias = Literal["classification", "regression"]
Label: TypeAlias = str | int | float

MOST_CLASSES_OF_NUMBERS = 20


@dataclass(frozen=True)
class Target:
    """The target of a table.

    Attributes
    ----------
    name : str
        Its column.
    task : "classification" or "regression"
    y : array of shape (n,)
        int64 places in `labels`, or float64 values.
    labels : tuple
        The classes in ascending order: strings, or integers where they are whole numbers; empty for
        regression.
    rows : int64 array of shape (n,)
        The rows of the table whose target is known; `y` is theirs.
    n_missing : int
        How many rows were left out because theirs is not.

    Examples
    --------
    >>> table = Table({"x": [1, 2, 3, 4, 5], "kind": ["b", "a", None, "a", "b"]})
    >>> target = choose_target(table)
    >>> target.labels, target.y, target.rows, target.n_missing
    (('a', 'b'), array([1, 0, 0, 1]), array([0, 1, 3, 4]), 1)
    >>> features = table.drop([target.name]).take(target.rows)
    """

    name: str
    task: Task
    y: NDArray[Any]
    labels: tuple[Label, ...]
    rows: NDArray[np.int64]
    n_missing: int

    def describe(self) -> str:
        """Return one line for a person."""
        what = f"{len(self.labels)} classes" if self.labels else "a number"
        rows = "row" if self.n_missing == 1 else "rows"
        missing = f"; {self.n_missing} {rows} without it left out" if self.n_missing else ""
        return f"target {self.name!r}: {self.task}, {what}{missing}"


def choose_target(table: Table, target: str | int | None = None, task: str = "auto") -> Target:
    """Return the target of a table, checked.

    Parameters
    ----------
    table : Table
    target : str, int or None
        A column's name, or its index (negative counts from the end), also as a string of digits; None is the
        last column.
    task : "auto", "classification" or "regression"
        "auto" follows `infer_task`.

    Returns
    -------
    Target

    Raises
    ------
    DataError
        If the column or the task does not exist, its values do not fit the task, or fewer than two rows, one
        class, or more classes than half the rows are there.

    Examples
    --------
    >>> choose_target(Table({"size": [1.5, 2.5, 3.5], "price": [3.1, 5.2, 7.4]})).task
    'regression'
    """
    if task not in ("auto", "classification", "regression"):
        raise DataError(f"task is {task!r}; expected 'auto', 'classification' or 'regression'")
    name = target_name(table, target)
    if len(table.names) < 2:
        raise DataError(f"the table has one column, {name!r}; expected at least one more to predict it from")
    column = table[name]
    known = ~np.isnan(column) if is_numeric(column) else np.array([cell is not None for cell in column], dtype=bool)
    rows = np.flatnonzero(known).astype(np.int64)
    if len(rows) < 2:
        raise DataError(
            f"{len(rows)} of {table.n_rows} rows {'has' if len(rows) == 1 else 'have'} a value in the target "
            f"{name!r}; expected at least 2"
        )
    values = column[rows]
    if is_numeric(values) and np.isinf(values).any():
        row = int(rows[np.flatnonzero(np.isinf(values))[0]])
        raise DataError(f"the target {name!r} is infinite in row {row + 1}; expected finite numbers")
    kind = infer_task(values) if task == "auto" else cast(Task, task)
    y, labels = _classes(name, values) if kind == "classification" else (_numbers(name, values), ())
    return Target(name, kind, y, labels, rows, table.n_rows - len(rows))


def target_name(table: Table, target: str | int | None = None) -> str:
    """Return the name of the target's column; see `choose_target`.

    Examples
    --------
    >>> table = Table({"age": [1], "income": [2]})
    >>> target_name(table), target_name(table, 0), target_name(table, "-2")
    ('income', 'age', 'age')
    >>> target_name(table, "incom")
    Traceback (most recent call last):
        ...
    diaphane.data.errors.DataError: there is no target column 'incom'; the columns are age, income. \
Did you mean 'income'?
    """
    names = table.names
    if target is None:
        return names[-1]
    if isinstance(target, str) and target in names:
        return target
    try:
        index = int(target)
    except ValueError:
        raise DataError(
            f"there is no target column {target!r}; the columns are {listed(names)}.{closest(str(target), names)}"
        ) from None
    if not -len(names) <= index < len(names):
        raise DataError(
            f"there is no target column {index}; the indices of {len(names)} columns go from "
            f"{-len(names)} to {len(names) - 1}"
        )
    return names[index]


def infer_task(values: Column) -> Task:
    """Return the task that the known values of a target speak for.

    Strings are classes. Numbers are classes when all are whole and there are few different ones: at most
    20, and at most √n of n rows (but two are always few).

    Examples
    --------
    >>> infer_task(np.array([3.0, 4.0, 5.0] * 30)), infer_task(np.array([0.1, 0.2] * 30))
    ('classification', 'regression')
    >>> infer_task(np.arange(100.0))
    'regression'
    """
    if not is_numeric(values):
        return "classification"
    distinct = np.unique(values)
    whole = bool(np.all(distinct == np.floor(distinct)))
    few = len(distinct) <= min(MOST_CLASSES_OF_NUMBERS, max(2.0, np.sqrt(len(values))))
    return "classification" if whole and few else "regression"


def encode_labels(values: Column, labels: Sequence[Label]) -> NDArray[np.int64]:
    """Return the place of each value in `labels`, negative for a missing value or one that is no label.

    Examples
    --------
    >>> encode_labels(np.array(["b", "a", "z"], dtype=object), ("a", "b"))
    array([ 1,  0, -1])
    """
    return positions(values, labels)


def _classes(name: str, values: Column) -> tuple[NDArray[np.int64], tuple[Label, ...]]:
    labels: tuple[Label, ...]
    if is_numeric(values):
        distinct = np.unique(values).tolist()
        whole = all(float(value).is_integer() for value in distinct)
        labels = tuple(int(value) for value in distinct) if whole else tuple(distinct)
    else:
        labels = tuple(sorted(set(values.tolist())))
    if len(labels) == 1:
        raise DataError(
            f"the target {name!r} has one class only, {labels[0]!r}; expected at least two: choose another column"
        )
    if len(labels) > len(values) / 2:
        advice = "predict it as a number (task regression)" if is_numeric(values) else "choose another column"
        raise DataError(
            f"the target {name!r} has {len(labels)} classes in {len(values)} rows; "
            f"expected at least two rows a class on average: {advice}"
        )
    return encode_labels(values, labels), labels


def _numbers(name: str, values: Column) -> NDArray[np.float64]:
    if not is_numeric(values):
        word = next(cell for cell in values.tolist() if not is_number(cell))
        raise DataError(f"the target {name!r} holds text such as {word!r}; regression expects numbers only")
    if np.all(values == values[0]):
        raise DataError(
            f"the target {name!r} is {values[0]:g} in every row; expected different values: choose another column"
        )
    return values.astype(np.float64)
