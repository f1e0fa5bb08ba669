"""The one frame that the rest of the library sees: named columns of numbers or of strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diaphane.data.errors import DataError, MissingExtraError, closest, listed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "Table", "finite_numbers", "is_numeric"]

Column: TypeAlias = NDArray[Any]


def is_numeric(column: Column) -> bool:
    """Tell whether a column holds numbers (float64) and not strings (object).

    Examples
    --------
    >>> is_numeric(np.zeros(3))
    True
    """
    return bool(column.dtype == np.float64)


def finite_numbers(name: str, column: Column) -> Column:
    """Return a column of numbers, or say in which row it is infinite.

    Examples
    --------
    >>> finite_numbers("size", np.array([1.0, np.nan]))
    array([ 1., nan])
    """
    infinite = np.flatnonzero(np.isinf(column))
    if infinite.size:
        raise DataError(
            f"column {name!r} is infinite in row {int(infinite[0]) + 1}; expected finite numbers: "
            "correct the value or leave the cell empty"
        )
    return column


@dataclass(frozen=True)
class Table:
    """Named columns of equal length: float64 with NaN for missing, or ``str`` objects with None.

    Parameters
    ----------
    columns : mapping of str to array of shape (n_rows,)
        Numbers of any kind become float64; everything else is taken as strings.
    notes : tuple of str
        What the reader of the data noticed and a person may want to know.

    Examples
    --------
    >>> table = Table({"size": [1, 2, None], "colour": ["red", None, "blue"]})
    >>> table.names, table.n_rows
    (('size', 'colour'), 3)
    >>> table["size"]
    array([ 1.,  2., nan])
    >>> table.take([2]).columns["colour"].tolist()
    ['blue']
    """

    columns: Mapping[str, Column]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        columns = {str(name): _as_column(str(name), values) for name, values in self.columns.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"columns of one table must have equal lengths, got {lengths}")
        object.__setattr__(self, "columns", columns)

    @classmethod
    def from_matrix(cls, matrix: ArrayLike, names: Sequence[str]) -> Table:
        """Return the table whose columns are those of a matrix of shape (n_rows, n_columns).

        Examples
        --------
        >>> Table.from_matrix([[1, 2], [3, 4]], ["a", "b"])["b"]
        array([2., 4.])
        """
        values = np.asarray(matrix, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(names):
            raise DataError(f"{len(names)} names for a matrix of shape {values.shape}; expected one a column")
        return cls({name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(names)})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise DataError(
                f"there is no column {name!r}; the columns are {listed(self.names)}.{closest(name, self.names)}"
            )
        return self.columns[name]

    def select(self, names: Sequence[str]) -> Table:
        """Return these columns, in this order."""
        return self._with({name: self[name] for name in names})

    def drop(self, names: Sequence[str]) -> Table:
        """Return all columns but these; a name that is not there is no mistake."""
        return self._with({name: column for name, column in self.columns.items() if name not in set(names)})

    def with_column(self, name: str, values: ArrayLike) -> Table:
        """Return the table with one more column at the end, or with that column replaced."""
        return Table({**self.columns, name: np.asarray(values)}, self.notes)

    def take(self, rows: ArrayLike) -> Table:
        """Return these rows (indices or a mask), in this order."""
        chosen = np.asarray(rows)
        # An empty list has no dtype of its own: NumPy makes it float64, which cannot index.
        index = chosen if chosen.size else chosen.astype(np.int64)
        return self._with({name: column[index] for name, column in self.columns.items()})

    def _with(self, columns: Mapping[str, Column]) -> Table:
        """Return a table of columns that are in order already, without looking at every cell again."""
        table = object.__new__(Table)
        object.__setattr__(table, "columns", columns)
        object.__setattr__(table, "notes", self.notes)
        return table

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame, for whoever goes on with pandas."""
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("a pandas frame") from error
        return pd.DataFrame(dict(self.columns))


def _as_column(name: str, values: ArrayLike) -> Column:
    column: Column = np.asarray(values)
    if column.ndim != 1:
        raise DataError(f"column {name!r} has shape {column.shape}; expected one value a row")
    if column.dtype.kind == "f" or column.dtype.kind in "iu":
        return column.astype(np.float64, copy=False)
    cells = column.tolist()
    if all(cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in cells):
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    strings = np.empty(len(cells), dtype=object)
    strings[:] = [None if cell is None or cell != cell else str(cell) for cell in cells]
    return strings
