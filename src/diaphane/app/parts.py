"""The rows to learn from, to stop by and to test on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..data import ColumnEncoder, DataError, Table, Target, encode_labels, split_rows
from ..data.errors import closest, listed
from ..data.table import is_numeric
from ..graph.node import Array
from .errors import UserError

__all__ = ["FRACTIONS", "WITHOUT_TEST", "Part", "Parts", "TestFile", "divide", "named_in", "to_test_on"]

FRACTIONS = (0.7, 0.15, 0.15)
WITHOUT_TEST = (0.85, 0.15, 0.0)


@dataclass(frozen=True)
class Part:
    """Some rows.

    Attributes
    ----------
    features : Table
        Every column but the target's.
    y : array, shape (n,)
        Places among the target's labels, −1 for a class that is none of them; or numbers.
    """

    features: Table
    y: Array

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Parts:
    """The rows of a training.

    Attributes
    ----------
    target : Target
    of : mapping of str to Part
        ``"train"``, ``"validation"`` and ``"test"``.
    notes : tuple of str
        What a person may want to know of the division.
    counts : mapping of str to int, optional
        How many rows each has, where memory holds but some of them.
    """

    target: Target
    of: Mapping[str, Part]
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None

    @property
    def train(self) -> Part:
        """The rows to learn from."""
        return self.of["train"]

    def with_held_out(self, rows: Array) -> Parts:
        """With some of the rows learnt from as those of validation too, where parts of a model held them out."""
        held = Part(self.train.features.take(rows), self.train.y[rows])
        return replace(self, of={"train": self.train, "validation": held, "test": self.of["test"]})

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each has."""
        return {name: len(part) for name, part in self.of.items()} if self.counts is None else dict(self.counts)


@dataclass(frozen=True)
class TestFile:
    """A table of rows to test on, and the path that errors name."""

    __test__ = False

    path: Path
    table: Table


def divide(
    table: Table, target: Target, seed: int, test: TestFile | None = None, *, learn_from_both: bool = False
) -> Parts:
    """Divide the rows whose target is known into 70 % to learn from, 15 % to stop by and 15 % to test on.

    With a file to test on, the table's rows are for the first two alone, 85 % and 15 %. Where the target is a class,
    each part has its share of each. ``learn_from_both`` leaves the rows of the first two together, for a model that
    holds out rows by itself; the rows to test on are the same.
    """
    stratify = target.task == "classification"
    fractions = FRACTIONS if test is None else WITHOUT_TEST
    split = split_rows(target.y, fractions, stratify=stratify, random_state=seed)
    features = table.drop([target.name]).take(target.rows)
    rows = {"train": split.train, "validation": split.validation, "test": split.test}
    if learn_from_both:
        rows = {"train": np.union1d(split.train, split.validation), "test": split.test}
    of = {name: Part(features.take(chosen), target.y[chosen]) for name, chosen in rows.items()}
    notes = [*split.notes]
    if test is not None:
        of["test"], more = to_test_on(test, target, table.names)
        notes += more
    return Parts(target, of, tuple(notes))


def to_test_on(test: TestFile, target: Target, names: Sequence[str]) -> tuple[Part, list[str]]:
    """The rows of a file whose target is known, and what there is to say of the others."""
    _refuse_other_columns(test, names)
    column = test.table[target.name]
    if target.labels:
        y = encode_labels(column, target.labels)
        known = y > -2
    elif is_numeric(column):
        y, known = column, ~np.isnan(column)
    else:
        raise UserError(
            f"--test: the target {target.name!r} is a number in the source and holds text in {test.path}; correct it"
        )
    rows = np.flatnonzero(known)
    if not len(rows):
        raise UserError(f"--test: no row of {test.path} has a value in the target {target.name!r}")
    notes = []
    if missing := len(known) - len(rows):
        notes.append(f"{missing} row{'s' * (missing != 1)} of {test.path} without {target.name!r} left out")
    if strange := int(np.sum(y == -1)) if target.labels else 0:
        known_labels = listed([str(label) for label in target.labels], 10)
        notes.append(
            f"{strange} row{'s' * (strange != 1)} of {test.path} of a class that is not in the source (it has "
            f"{known_labels}): counted as wrong"
        )
    return Part(test.table.drop([target.name]).take(rows), y[rows]), notes


def _refuse_other_columns(test: TestFile, names: Sequence[str]) -> None:
    there = test.table.names
    absent, more = [n for n in names if n not in there], [n for n in there if n not in names]
    if absent:
        raise UserError(
            f"--test: {test.path} lacks columns of the source: {listed(absent, 10)}; it has {listed(there)}."
            f"{closest(absent[0], more)}"
        )
    if more:
        raise UserError(f"--test: {test.path} has columns that the source lacks: {listed(more, 10)}; leave them out")


def named_in(error: DataError, test: TestFile, encoder: ColumnEncoder) -> DataError:
    """An error of the file to test on, which says so, and counts the rows that have no target too."""
    try:
        encoder.transform(test.table)
    except DataError as counted:
        error = counted
    return DataError(f"--test: {test.path}: {error}")
