"""A table of mixed columns, turned into the matrix that a network takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from diaphane.data.categories import CategoryEncoder
from diaphane.data.dates import DateEncoder, looks_like_dates
from diaphane.data.errors import DataError, closest, listed
from diaphane.data.numbers import NumberEncoder
from diaphane.data.table import Column, Table, is_numeric
from diaphane.data.texts import TextEncoder

__all__ = ["MOST_CATEGORIES", "ColumnEncoder", "Encoder", "choose_encoder", "float_name", "no_column_of_use"]

MOST_CATEGORIES = 64


class Encoder(Protocol):
    """What becomes of one column; its kinds are in `_KINDS`."""

    @property
    def name(self) -> str: ...
    @property
    def feature_names(self) -> tuple[str, ...]: ...
    def accept(self, column: Column) -> Column: ...
    def transform(self, column: Column) -> NDArray[np.float64]: ...
    def describe(self) -> str: ...
    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]: ...


# What is learnt is stored as numbers and strings of our own, not as skrub's objects by way of skops:
# those need a list of trusted names that reaches into skrub's private modules
# (_table_vectorizer._created_by_predicate), change with its version, and took 54 MB for 5000 rows of a
# census table with one column of text. skrub is asked for what it knows best, how dates are written;
# predicting needs neither.
_KINDS: dict[str, Any] = {
    "number": NumberEncoder,
    "category": CategoryEncoder,
    "text": TextEncoder,
    "date": DateEncoder,
}


@dataclass(frozen=True)
class ColumnEncoder:
    """What was learnt from the columns of the training rows, to turn other tables into features.

    ========================  ====================================================================
    a column of               becomes
    ========================  ====================================================================
    numbers                   one feature, centred, scaled and held within ±3 (`NumberEncoder`)
    at most 64 words          one 0/1 feature a word (`CategoryEncoder`)
    dates                     up to six numbers (`DateEncoder`; finding their format needs skrub)
    more words, sentences     up to 30 numbers (`TextEncoder`)
    one value or none         nothing
    ========================  ====================================================================

    Missing values of numbers, dates and words get a feature of their own where the training rows have some.

    Attributes
    ----------
    encoders : tuple
        One for each column that is used.
    left_out : tuple of (str, str)
        The columns that are not, and why.
    dtype : str
        That of the matrix, "float32" or "float64".

    Examples
    --------
    >>> train = Table({"size": [1, 2, 3, None], "colour": ["red", "blue", "red", "red"], "unit": ["cm"] * 4})
    >>> encoder = ColumnEncoder.fit(train)
    >>> encoder.feature_names_out
    ('size', 'size is missing', 'colour = blue', 'colour = red')
    >>> encoder.transform(Table({"colour": ["green"], "size": [2], "price": [7]}))
    array([[0., 0., 0., 0.]], dtype=float32)
    >>> print(encoder.describe())
    size: a number, and whether it is missing
    colour: 2 categories
    unit: left out, 'cm' in every row
    """

    encoders: tuple[Encoder, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    dtype: str = "float32"

    @classmethod
    def fit(cls, table: Table, *, dtype: DTypeLike = np.float32, bounded: bool = True) -> ColumnEncoder:
        """Learn from training rows, without the target's column.

        Parameters
        ----------
        table : Table
        dtype : float32 or float64
        bounded : bool
            Whether far numbers are held within ±3; without, each feature is linear in its column.

        Raises
        ------
        DataError
            If a number is infinite, or no column differs from row to row.
        MissingExtraError
            If a column holds dates and skrub is not installed.
        """
        return cls.of({name: choose_encoder(name, table[name]) for name in table.names}, dtype=dtype, bounded=bounded)

    @classmethod
    def of(cls, chosen: Mapping[str, Encoder | str], *, dtype: DTypeLike, bounded: bool) -> ColumnEncoder:
        """What was chosen for each column, an encoder or the reason to leave it out, as one.

        Raises
        ------
        DataError
            If every column is left out.
        """
        left_out = [(name, found) for name, found in chosen.items() if isinstance(found, str)]
        encoders = [
            replace(found, limit=np.inf) if isinstance(found, NumberEncoder) and not bounded else found
            for found in chosen.values()
            if not isinstance(found, str)
        ]
        if not encoders:
            raise no_column_of_use(left_out)
        return cls(tuple(encoders), tuple(left_out), float_name(dtype))

    @property
    def names_in(self) -> tuple[str, ...]:
        """The columns that `transform` needs."""
        return tuple(encoder.name for encoder in self.encoders)

    @property
    def feature_names_out(self) -> tuple[str, ...]:
        """One name for each column of the matrix."""
        return tuple(feature for encoder in self.encoders for feature in encoder.feature_names)

    def transform(self, table: Table) -> NDArray[Any]:
        """Return the features, shape (n_rows, n_features), of any table that has the columns of training.

        Raises
        ------
        DataError
            If a column is not there, or holds text where training had numbers, or a number is infinite.
        """
        absent = [name for name in self.names_in if name not in table.columns]
        if absent:
            unused = [name for name in table.names if name not in self.names_in]
            raise DataError(
                f"the model was trained on columns that are not there: {listed(absent, 10)}; "
                f"there are {listed(table.names)}.{closest(absent[0], unused)}"
            )
        features = np.empty((table.n_rows, len(self.feature_names_out)), dtype=self.dtype)
        start = 0
        for encoder in self.encoders:
            block = encoder.transform(encoder.accept(table[encoder.name]))
            features[:, start : start + block.shape[1]] = block
            start += block.shape[1]
        return features

    def describe(self) -> str:
        """Return a line a column: what became of it."""
        used = [encoder.describe() for encoder in self.encoders]
        return "\n".join([*used, *(f"{name}: left out, {reason}" for name, reason in self.left_out)])

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that was learnt as JSON and arrays, for a file that runs no code when read.

        Examples
        --------
        >>> encoder = ColumnEncoder.fit(Table({"size": [1, 2, 3]}))
        >>> ColumnEncoder.from_state(*encoder.to_state()) == encoder
        True
        """
        columns = []
        arrays: dict[str, NDArray[Any]] = {}
        for i, encoder in enumerate(self.encoders):
            state, own_arrays = encoder.to_state()
            columns.append({"kind": _kind_of(encoder), "name": encoder.name, "learnt": state})
            arrays.update({f"column.{i}.{key}": array for key, array in own_arrays.items()})
        return {
            "dtype": self.dtype,
            "columns": columns,
            "left_out": [list(pair) for pair in self.left_out],
        }, arrays

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ColumnEncoder:
        """Return the encoder that `to_state` described.

        Raises
        ------
        DataError
            If the description is not one that `to_state` writes.
        """
        try:
            encoders = []
            for i, column in enumerate(state["columns"]):
                prefix = f"column.{i}."
                own = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
                encoders.append(_KINDS[column["kind"]].from_state(str(column["name"]), column["learnt"], own))
            left_out = tuple((str(name), str(reason)) for name, reason in state["left_out"])
            return cls(tuple(encoders), left_out, float_name(state["dtype"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"the stored description of the columns cannot be read ({type(error).__name__}: {error}); "
                "expected what this version of diaphane wrote: train and save again"
            ) from error


def choose_encoder(name: str, column: Column) -> Encoder | str:
    """Return the encoder that suits a column, or the reason to leave it out."""
    if is_numeric(column):
        if np.isnan(column).all():
            return "all its values are missing"
        number = NumberEncoder.fit(name, column)
        return number if number.feature_names else f"{number.fill:g} in every row"
    words = CategoryEncoder.fit(name, column)
    if not words.categories:
        return "all its values are missing"
    if len(words.feature_names) == 1:
        return f"{words.categories[0]!r} in every row"
    if looks_like_dates(column):
        date = DateEncoder.fit(name, column)
        if date is not None and date.feature_names:
            return date
    if len(words.categories) <= MOST_CATEGORIES:
        return words
    return TextEncoder.fit(name, column) or "nothing in its text tells rows apart"


def no_column_of_use(left_out: Sequence[tuple[str, str]]) -> DataError:
    """What to raise where every column was left out."""
    reasons = "; ".join(f"{name} {reason}" for name, reason in left_out[:5]) or "there is none"
    return DataError(f"no column is of use ({reasons}); expected at least one that differs from row to row")


def _kind_of(encoder: Encoder) -> str:
    return next(kind for kind, cls in _KINDS.items() if type(encoder) is cls)


def float_name(dtype: DTypeLike) -> str:
    """The name of float32 or float64; others are refused."""
    name = np.dtype(dtype).name
    if name not in ("float32", "float64"):
        raise DataError(f"dtype is {name}; expected float32 or float64")
    return name
