"""The target of a stream: what one pass over it tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.chunks import table_of
from diaphane.data.columns import ColumnEncoder
from diaphane.data.errors import DataError, listed
from diaphane.data.scaling import TargetScaler
from diaphane.data.statistics import BLOCK, ColumnStatistics, Moments
from diaphane.data.target import MOST_CLASSES_OF_NUMBERS, Label, Task, encode_labels

__all__ = ["StreamStatistics", "TargetStatistics", "is_missing_target"]

MOST_LABELS = 10_000


@dataclass(frozen=True, eq=False)
class StreamStatistics:
    """What one pass over a stream tells.

    Attributes
    ----------
    encoder : ColumnEncoder
        As it would have been learnt from all rows in memory; see :class:`ColumnStatistics` for what a sample stands in.
    columns : ColumnStatistics
        What it was made of.
    task : "classification" or "regression"
    labels : tuple
        The classes in ascending order; empty for regression.
    scaler : TargetScaler or None
        For regression on one column.
    n_rows, n_missing : int
        Rows with a target, and without.
    """

    encoder: ColumnEncoder
    columns: ColumnStatistics
    task: Task
    labels: tuple[Label, ...]
    scaler: TargetScaler | None
    n_rows: int
    n_missing: int

    def encode_target(self, y: NDArray[Any]) -> NDArray[Any]:
        """Places of classes among the labels, or scaled numbers of shape (n, 1): for :meth:`Stream.with_target`.

        Raises
        ------
        DataError
            If one is none of the labels.
        """
        if self.task == "regression":
            numbers = y if self.scaler is None else self.scaler.transform(y)
            return numbers.astype(self.encoder.dtype).reshape(len(numbers), -1)
        places = encode_labels(table_of({"y": y})["y"], self.labels)
        if (places < 0).any():
            strange = y[np.flatnonzero(places < 0)[0]]
            raise DataError(
                f"the target has {strange!r}, which is none of the labels {listed([*map(str, self.labels)])}"
            )
        return places


class TargetStatistics:
    """Gathered from the targets of chunks, whose missing ones were left out."""

    def __init__(self, name: str) -> None:
        self.name, self.n_rows, self.n_missing = name, 0, 0
        self.several = False
        self.labels: set[Any] | None = set()
        self.whole, self.words, self.moments = True, False, Moments()
        self._waiting = np.zeros(0)

    def add(self, y: NDArray[Any], missing: int) -> None:
        self.n_rows, self.n_missing = self.n_rows + len(y), self.n_missing + missing
        if y.ndim > 1:
            self.several = True
            return
        y = table_of({"y": y})["y"]
        if y.dtype == object:
            self.words = True
            distinct = set(y.tolist())
        else:
            self._add_numbers(y)
            if self.labels is None:
                return
            distinct = set(np.unique(y).tolist())
            self.whole = self.whole and all(float(value).is_integer() for value in distinct)
        if self.labels is not None:
            self.labels |= distinct
            if len(self.labels) > MOST_LABELS:
                self.labels = None

    def found(self, task: str, columns: ColumnStatistics, encoder: ColumnEncoder) -> StreamStatistics:
        """What the task is, and its labels or scale.

        Raises
        ------
        DataError
            If the task does not fit the values, or fewer than two rows or one class are there.
        """
        if task not in ("auto", "classification", "regression"):
            raise DataError(f"task is {task!r}; expected 'auto', 'classification' or 'regression'")
        if self.n_rows < 2:
            raise DataError(f"{self.n_rows} rows have a value in the target {self.name!r}; expected at least 2")
        kind: Task = self._inferred() if task == "auto" else "regression" if task == "regression" else "classification"
        labels = self._labels() if kind == "classification" else ()
        scaler = self._scaler() if kind == "regression" and not self.several else None
        return StreamStatistics(encoder, columns, kind, labels, scaler, self.n_rows, self.n_missing)

    def _add_numbers(self, y: NDArray[np.float64]) -> None:
        if not np.isfinite(y).all():
            raise DataError(f"the target {self.name!r} is infinite in some row; expected finite numbers")
        # In blocks that do not depend on how the rows were cut.
        waiting = np.concatenate([self._waiting, y])
        whole = len(waiting) // BLOCK * BLOCK
        for start in range(0, whole, BLOCK):
            self.moments.add(waiting[start : start + BLOCK])
        self._waiting = waiting[whole:].copy()

    def _inferred(self) -> Task:
        """As :func:`infer_task` has it."""
        if self.several:
            return "regression"
        if self.words:
            return "classification"
        few = self.labels is not None and len(self.labels) <= min(
            MOST_CLASSES_OF_NUMBERS, max(2.0, math.sqrt(self.n_rows))
        )
        return "classification" if self.whole and few else "regression"

    def _labels(self) -> tuple[Label, ...]:
        if self.several or self.labels is None or len(self.labels) > self.n_rows / 2:
            found = "several columns" if self.several else f"more than {MOST_LABELS} different values"
            found = found if self.several or self.labels is None else f"{len(self.labels)} classes"
            raise DataError(
                f"the target {self.name!r} has {found} in {self.n_rows} rows; "
                "expected at least two rows a class on average: predict it as a number (task regression)"
            )
        if self.words and any(not isinstance(label, str) for label in self.labels):
            self.labels = {label if isinstance(label, str) else f"{label:g}" for label in self.labels}
        if len(self.labels) < 2:
            raise DataError(
                f"the target {self.name!r} has one class only, {next(iter(self.labels))!r}; "
                "expected at least two: choose another column"
            )
        ordered = sorted(self.labels)
        return tuple(int(label) for label in ordered) if self.whole and not self.words else tuple(ordered)

    def _scaler(self) -> TargetScaler:
        if self.words:
            raise DataError(f"the target {self.name!r} holds words; regression expects numbers only")
        if len(self._waiting):
            self.moments.add(self._waiting)
            self._waiting = np.zeros(0)
        if self.moments.low == self.moments.high:
            raise DataError(
                f"the target {self.name!r} is {self.moments.low:g} in every row; expected different values: "
                "choose another column"
            )
        return TargetScaler(self.moments.mean, self.moments.deviation)


def is_missing_target(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows have a target that is NaN or None."""
    if y.dtype.kind == "f":
        missing = np.isnan(y)
        return missing if missing.ndim == 1 else np.asarray(missing.any(axis=tuple(range(1, y.ndim))))
    if y.dtype != object:
        return np.zeros(len(y), dtype=bool)
    rows = y.reshape(len(y), -1).tolist()
    return np.array([any(cell is None or cell != cell for cell in row) for row in rows], dtype=bool)
