"""Which columns of a table a network sees, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...data.categories import CategoryEncoder
from ...data.columns import MOST_CATEGORIES, ColumnEncoder, Encoder, choose_encoder
from ...data.dates import DateEncoder
from ...data.numbers import NumberEncoder
from ...data.table import Column, Table, is_numeric
from ...data.texts import TextEncoder
from ...graph.node import Array

__all__ = ["IDENTIFIER", "MANY_TEXTS", "TOO_WIDE", "Features", "is_identifier", "learn_features"]

FEWEST_NAMES = 20
"""Rows from which words that are all different are names of rows; fewer may be so by chance."""

MOST_TEXTS = 50
"""Columns of text: each takes as long as some hundred of numbers."""

MOST_FEATURES = 10_000
"""From which columns of words are left out; numbers alone may be more."""

IDENTIFIER = "an identifier: another value in every row"
MANY_TEXTS = f"there are {MOST_TEXTS} columns of text before it"
TOO_WIDE = f"the columns of words would make more than {MOST_FEATURES} features"

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
    """Choose what becomes of each column, as :class:`~diaphane.data.ColumnEncoder` does, but for three things.

    Numbers are centred at their median and scaled by the distance of their quartiles (Holzmüller, Grinsztajn &
    Steinwart 2024, §3), identifiers are left out, and so are columns of words where there are so many that neither
    time nor memory would be bounded.

    Raises
    ------
    DataError
        If a number is infinite or no column is of use.
    """
    chosen: dict[str, Encoder | str] = {}
    texts = 0
    for name in table.names:
        found = _choose(name, table[name], may_be_text=texts < MOST_TEXTS)
        chosen[name] = _robust(found, table[name]) if robust else found
        texts += isinstance(found, TextEncoder)
    encoder = ColumnEncoder.of(_within_width(chosen), dtype=np.float32, bounded=True)
    kinds = np.concatenate([_kinds(one) for one in encoder.encoders])
    order = np.argsort(~kinds, kind="stable")
    return Features(encoder, int(kinds.sum()), order)


def _choose(name: str, column: Column, *, may_be_text: bool) -> Encoder | str:
    if is_identifier(name, column):
        return IDENTIFIER
    if not may_be_text and not is_numeric(column) and len({*column.tolist()} - {None}) > MOST_CATEGORIES:
        return MANY_TEXTS
    return choose_encoder(name, column)


def _within_width(chosen: dict[str, Encoder | str]) -> dict[str, Encoder | str]:
    """The same without the columns of most words, as far as the features are too many; numbers are never."""
    width = {name: len(found.feature_names) for name, found in chosen.items() if not isinstance(found, str)}
    total, kept = sum(width.values()), dict(chosen)
    words = [name for name in width if isinstance(chosen[name], CategoryEncoder | TextEncoder)]
    # Of columns of as many words, the last ones go first.
    for name in sorted(words, key=lambda name: width[name])[::-1]:
        if total <= MOST_FEATURES:
            break
        kept[name], total = TOO_WIDE, total - width[name]
    return kept


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
