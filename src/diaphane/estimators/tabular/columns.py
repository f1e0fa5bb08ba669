"""Which columns of a table a network sees, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...data.columns import ColumnEncoder, choose_encoder, no_column_of_use
from ...data.dates import DateEncoder
from ...data.numbers import NumberEncoder
from ...data.table import Column, Table, is_numeric
from ...graph.node import Array

__all__ = ["Features", "is_identifier", "learn_features"]

FEWEST_NAMES = 20
"""Rows from which words that are all different are names of rows; fewer may be so by chance."""

NAMED_AS_IDENTIFIER = re.compile(r"(?i)(.*[_\s.-])?(id|uuid|guid|index|row_?(nr|number|id)|unnamed: \d+)|.*[a-z]I[Dd]")


@dataclass(frozen=True)
class Features:
    """What was learnt from the columns: their encoder, and the order that numbers come first in.

    Attributes
    ----------
    encoder : ColumnEncoder
    numbers : int
        How many of the features are numbers; the others are marks, 0 or 1, and coordinates of texts.
    order : int array
    """

    encoder: ColumnEncoder
    numbers: int
    order: Array

    @property
    def names(self) -> list[str]:
        """One for each feature."""
        names = self.encoder.feature_names_out
        return [names[i] for i in self.order]

    def transform(self, table: Table) -> Array:
        """The features of any table that has the columns, (n, n_features)."""
        return np.ascontiguousarray(self.encoder.transform(table)[:, self.order])


def learn_features(table: Table, *, robust: bool = True) -> Features:
    """Choose what becomes of each column, as :class:`~diaphane.data.ColumnEncoder` does, but for two things.

    Numbers are centred at their median and scaled by the distance of their quartiles (Holzmüller, Grinsztajn &
    Steinwart 2024, §3), and identifiers are left out.

    Raises
    ------
    DataError
        If a number is infinite or no column is of use.
    """
    encoders, left_out = [], []
    for name in table.names:
        found = "an identifier: another value in every row" if is_identifier(name, table[name]) else None
        chosen = found or choose_encoder(name, table[name])
        if isinstance(chosen, str):
            left_out.append((name, chosen))
        else:
            encoders.append(_robust(chosen, table[name]) if robust else chosen)
    if not encoders:
        raise no_column_of_use(left_out)
    encoder = ColumnEncoder(tuple(encoders), tuple(left_out))
    kinds = np.concatenate([_kinds(one) for one in encoders])
    order = np.argsort(~kinds, kind="stable")
    return Features(encoder, int(kinds.sum()), order)


def is_identifier(name: str, column: Column) -> bool:
    """Whether a column names rows rather than says something of them.

    Words are taken for names where each is another one and none is a sentence; whole numbers that are all different
    only where the column is called one, such as ``customer_id``: a price may be different everywhere too.

    Examples
    --------
    >>> tickets = np.array([f"T-{i}" for i in range(30)], dtype=object)
    >>> is_identifier("ticket", tickets)
    True
    >>> is_identifier("customer_id", np.arange(30.0)), is_identifier("price", np.arange(30.0))
    (True, False)
    """
    if is_numeric(column):
        known = column[~np.isnan(column)]
        if len(known) < FEWEST_NAMES or not NAMED_AS_IDENTIFIER.fullmatch(name) or np.isinf(known).any():
            return False
        return bool(np.all(known == np.floor(known))) and len(np.unique(known)) == len(known)
    words = [cell for cell in column.tolist() if cell is not None]
    if len(words) < FEWEST_NAMES or len(set(words)) < len(words):
        return False
    return not any(" " in word or _DATE.match(word) for word in words)


_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def _robust(encoder: Any, column: Column) -> Any:
    if not isinstance(encoder, NumberEncoder) or not encoder.scale:
        return encoder
    filled = np.where(np.isnan(column), encoder.fill, column)
    low, centre, high = np.quantile(filled, [0.25, 0.5, 0.75])
    # Where half of the values are one number: the whole range as twice the unit (ibid.).
    scale = high - low if high - low > 1e-12 * max(abs(low), abs(high)) else np.ptp(filled) / 2
    return replace(encoder, centre=float(centre), scale=float(scale))


def _kinds(encoder: Any) -> Array:
    """For each feature of an encoder whether it is a number."""
    count = len(encoder.feature_names)
    if isinstance(encoder, NumberEncoder):
        return np.array([True] * (encoder.scale > 0) + [False] * encoder.marks_missing)
    if isinstance(encoder, DateEncoder):
        return np.concatenate([_kinds(part) for part in encoder.parts])
    return np.zeros(count, bool)
