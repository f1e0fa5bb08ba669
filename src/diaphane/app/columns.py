"""The parts of a table as what a network learns from: features and targets, scaled by what the first part shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import ColumnEncoder, DataError, Stream, Table, TargetScaler
from ..data.cells import is_number
from ..data.table import is_numeric
from ..graph.node import Array
from .errors import UserError
from .options import Options
from .parts import Parts, TestFile, named_in
from .weighting import class_weights

__all__ = ["Columns", "encode", "features", "targets", "words_among_numbers"]

MOST_READ = 20_000
FEW_WORDS = 0.1
"""Share of the cells that are no numbers, up to which a person will have meant numbers."""


@dataclass(frozen=True)
class Columns:
    """The parts as arrays.

    Attributes
    ----------
    encoder : ColumnEncoder
    scaler : TargetScaler or None
        Of a number to predict.
    x : dict of str to array, shape (n, features)
        By the parts' names.
    y : dict of str to array, shape (n,) of classes or (n, 1) of numbers
    weights : dict of str to array, shape (n,), or None
        How much each row counts, where not all count alike.
    stream : Stream or None
        The rows to learn from, where memory does not hold them; those in ``x`` are then some of them.
    n_learnt : int
        How many rows are learnt from.
    """

    encoder: ColumnEncoder
    scaler: TargetScaler | None
    x: dict[str, Array]
    y: dict[str, Array]
    n_learnt: int
    weights: dict[str, Array] | None = None
    stream: Stream | None = None

    def to_learn_from(self) -> dict[str, Any]:
        """What a trainer's ``fit`` takes."""
        if self.stream is not None:
            return {"x": self.stream}
        return {"x": self.x["train"], "y": self.y["train"], "sample_weight": self.weights_of("train")}

    def to_stop_by(self) -> tuple[Array, ...]:
        """What it takes as validation data."""
        weights = self.weights_of("validation")
        return (self.x["validation"], self.y["validation"], *(() if weights is None else (weights,)))

    def weights_of(self, part: str) -> Array | None:
        """How much each row of a part counts."""
        return None if self.weights is None else self.weights[part]


def encode(parts: Parts, options: Options, test: TestFile | None) -> Columns:
    """The parts of a table in memory as arrays.

    Raises
    ------
    UserError, DataError
        If no column is of use, a file to test on has other values, or class weights make no sense.
    """
    target, train = parts.target, parts.train
    encoder = ColumnEncoder.fit(train.features, bounded=options.model == "mlp")
    if not encoder.feature_names_out:
        raise UserError(f"no column is left to learn from: {'; '.join(encoder.describe().splitlines())}")
    scaler = None if target.labels else TargetScaler.fit(train.y)
    x = features(parts, encoder, test)
    y = {name: targets(part.y, scaler) for name, part in parts.of.items()}
    by_class = class_weights(options.class_weight, target, train.y)
    weights = (
        None if by_class is None else {name: _of_rows(by_class, y[name], name) for name in ("train", "validation")}
    )
    return Columns(encoder, scaler, x, y, len(train), weights)


def features(parts: Parts, encoder: ColumnEncoder, test: TestFile | None) -> dict[str, Array]:
    """What a network sees of each part; an error of the file to test on says that it is its."""
    x = {}
    for name, part in parts.of.items():
        try:
            x[name] = encoder.transform(part.features)
        except DataError as error:
            raise (named_in(error, test, encoder) if test is not None and name == "test" else error) from None
    return x


def words_among_numbers(table: Table) -> list[str]:
    """A sentence for each column that a few cells make one of words, where nearly all are numbers."""
    found = []
    for name in table.names:
        column = table[name]
        if is_numeric(column):
            continue
        cells = [(row, cell) for row, cell in enumerate(column[:MOST_READ].tolist(), 1) if cell is not None]
        odd = [(row, cell) for row, cell in cells if not is_number(str(cell))]
        if odd and len(odd) <= FEW_WORDS * len(cells):
            row, cell = odd[0]
            found.append(
                f"column {name!r} is taken as words: {len(cells) - len(odd)} of {len(cells)} cells are numbers, and "
                f"row {row} holds {cell!r}; empty such cells to have numbers"
            )
    return found


def targets(y: Array, scaler: TargetScaler | None) -> Array:
    """Places of classes, or scaled numbers of shape (n, 1)."""
    if scaler is None:
        return np.asarray(y, np.int64)
    return np.asarray(scaler.transform(y), np.float32)[:, None]


def _of_rows(by_class: Array, classes: Array, part: str) -> Array:
    weights: Array = by_class[classes]
    if not weights.any():
        raise UserError(f"--class-weight: all {part} rows have weight 0; give one of their classes a greater one")
    return weights
