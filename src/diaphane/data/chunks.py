"""A source of rows in parts: what every kind of file and every function that makes rows is read as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diaphane.data.errors import DataError, closest, listed
from diaphane.data.table import Column, Table

__all__ = ["Columns", "Piece", "Source", "joined", "table_of"]

Columns: TypeAlias = dict[str, NDArray[Any]]
"""Rows of a source by column: numbers and booleans in their own type, NaN for missing; words as objects, or None."""


@dataclass(frozen=True)
class Piece:
    """A part of a source that can be read without the parts before it.

    Attributes
    ----------
    label : str
        What a person calls it, for errors.
    rows : int or None
        How many it has, where that is known.
    read : callable
        From the names of columns and a number of rows to an iterator of so many rows at a time, at most.
    """

    label: str
    rows: int | None
    read: Callable[[Sequence[str], int], Iterator[Columns]]


@dataclass(frozen=True)
class Source:
    """What can be read in pieces, again and again.

    Attributes
    ----------
    name : str
        What a person calls it, for errors.
    dtypes : mapping of str to dtype
        The columns in order, and what their values are; object for words.
    pieces : tuple of Piece
    first : Columns or None
        Its first rows, where they cannot be read for a look without being lost.
    """

    name: str
    dtypes: Mapping[str, np.dtype[Any]]
    pieces: tuple[Piece, ...]
    first: Columns | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.dtypes)

    @property
    def n_rows(self) -> int | None:
        """How many rows there are, None where that shows only in reading them."""
        counts = [piece.rows for piece in self.pieces]
        known = [rows for rows in counts if rows is not None]
        return sum(known) if len(known) == len(counts) else None

    def check(self, names: Sequence[str]) -> None:
        """See that these columns are there.

        Raises
        ------
        DataError
            If one is not; it names the nearest.
        """
        absent = [name for name in names if name not in self.dtypes]
        if absent:
            raise DataError(
                f"{self.name} has no column {absent[0]!r}; the columns are {listed(self.names)}."
                f"{closest(str(absent[0]), self.names)}"
            )


def joined(sources: Sequence[Source]) -> Source:
    """One source after another, as one.

    Raises
    ------
    DataError
        If their columns differ, by name, or as words and numbers.
    """
    first, *others = sources
    dtypes = dict(first.dtypes)
    for other in others:
        lacking = [name for name in dtypes if name not in other.dtypes]
        added = [name for name in other.names if name not in dtypes]
        if lacking or added:
            which = [f"lacks {listed(lacking, 5)}"] * bool(lacking) + [f"has {listed(added, 5)} besides"] * bool(added)
            raise DataError(
                f"{other.name} has other columns than {first.name}: it {' and '.join(which)}; "
                "expected the same columns in all files"
            )
        for name, dtype in dtypes.items():
            own = other.dtypes[name]
            if (own.kind == "O") != (dtype.kind == "O"):
                words, numbers = (other, first) if own.kind == "O" else (first, other)
                raise DataError(
                    f"column {name!r} holds words in {words.name} and numbers in {numbers.name}; expected one of them"
                )
            dtypes[name] = np.result_type(dtype, own)
    name = first.name if not others else f"{first.name} and {len(others)} more"
    return Source(name, dtypes, tuple(piece for source in sources for piece in source.pieces))


def table_of(columns: Mapping[str, NDArray[Any]]) -> Table:
    """The rows as a table, as :func:`read_table` would give them, without a look at each cell of numbers.

    Examples
    --------
    >>> table = table_of({"size": np.array([1, 2], np.int8), "sold": np.array([True, False])})
    >>> table["size"], table["sold"].tolist()
    (array([1., 2.]), ['True', 'False'])
    """
    table = Table({})
    object.__setattr__(table, "columns", {name: _plain(values) for name, values in columns.items()})
    return table


def _plain(values: NDArray[Any]) -> Column:
    if values.dtype == object:
        return values
    if values.dtype == bool:
        return np.array(["False", "True"], dtype=object)[values.astype(np.intp)]
    return values.astype(np.float64, copy=False)
