"""A column of dates."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.errors import DataError, MissingExtraError
from diaphane.data.numbers import NumberEncoder
from diaphane.data.table import Column, is_numeric

__all__ = ["DateEncoder", "looks_like_dates"]

_DATE = re.compile(
    r"""\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T\ ].*)?   # 2024-05-31 10:30
      | \d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T\ ].*)?    # 31/05/2024
      | .*\b(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t|tember)?
          |oct(ober)?|nov(ember)?|dec(ember)?)\b.*\d{4}.*   # 31 May 2024""",
    re.IGNORECASE | re.VERBOSE,
)

_PARTS = ("time", "year", "month", "day", "weekday", "hour")


@dataclass(frozen=True)
class DateEncoder:
    """Six numbers a date: seconds since 1970, year, month, day, weekday, hour, each by a `NumberEncoder`.

    How the dates are written, and whether the day or the month comes first, is found by skrub over the whole
    column; what is kept of it is the format, a plain string, so that predicting needs no extra.

    Attributes
    ----------
    name : str
    format : str
        As for `datetime.datetime.strptime`.
    parts : tuple of NumberEncoder
        Those of the six that differ from row to row.

    Examples
    --------
    >>> encoder = DateEncoder("when", "%d/%m/%Y", (NumberEncoder("when month", 6.0, 6.0, 2.0, False),))
    >>> encoder.transform(np.array(["01/08/2024"], dtype=object)).round(3)
    array([[0.949]])
    """

    name: str
    format: str
    parts: tuple[NumberEncoder, ...]

    @classmethod
    def fit(cls, name: str, column: Column) -> DateEncoder | None:
        """Return the encoder, or None where the cells turn out to be no dates of one format."""
        written = _find_format(name, column)
        if written is None:
            return None
        try:
            numbers = _parts(column, written, strict=True)
        except ValueError:
            return None
        encoders = (NumberEncoder.fit(f"{name} {part}", values) for part, values in numbers.items())
        varying = [encoder for encoder in encoders if encoder.scale > 0]
        # All six are missing together: one mark is enough.
        return cls(name, written, tuple(_marking(e, i == 0 and e.marks_missing) for i, e in enumerate(varying)))

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(feature for part in self.parts for feature in part.feature_names)

    def transform(self, column: Column) -> NDArray[np.float64]:
        numbers = _parts(column, self.format, strict=False)
        blocks = [part.transform(numbers[part.name.removeprefix(f"{self.name} ")]) for part in self.parts]
        return np.hstack(blocks) if blocks else np.empty((len(column), 0))

    def describe(self) -> str:
        return f"{self.name}: a date written as {self.format}"

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        parts = [{"name": part.name, **part.to_state()[0]} for part in self.parts]
        return {"format": self.format, "parts": parts}, {}

    @classmethod
    def from_state(cls, name: str, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> DateEncoder:
        parts = tuple(NumberEncoder.from_state(str(part["name"]), part, {}) for part in state["parts"])
        if any(part.name not in [f"{name} {known}" for known in _PARTS] for part in parts):
            raise ValueError("a date has a part that is not known")
        return cls(name, str(state["format"]), parts)

    def accept(self, column: Column) -> Column:
        if not is_numeric(column):
            return column
        known = column[~np.isnan(column)]
        if known.size and not _reads(f"{known[0]:.15g}", self.format):
            raise DataError(
                f"column {self.name!r} holds the number {known[0]:.15g}; "
                f"the model was trained on dates there, written as {self.format}: expected the same"
            )
        cells = np.empty(len(column), dtype=object)
        cells[:] = [None if cell != cell else f"{cell:.15g}" for cell in column.tolist()]
        return cells


def looks_like_dates(column: Column) -> bool:
    """Tell whether every known cell is written like a date.

    Examples
    --------
    >>> looks_like_dates(np.array(["2024-05-31", None], dtype=object))
    True
    >>> looks_like_dates(np.array(["2024-05-31", "soon"], dtype=object))
    False
    """
    cells = {cell for cell in column.tolist() if cell is not None}
    return bool(cells) and all(len(cell) < 60 and _DATE.fullmatch(cell) for cell in cells)


def _find_format(name: str, column: Column) -> str | None:
    try:
        import pandas as pd
        from skrub import ToDatetime
        from skrub.core import RejectColumn
    except ImportError as error:
        raise MissingExtraError(f"column {name!r} holds dates: reading them") from error
    known = [cell for cell in column.tolist() if cell is not None]
    reader = ToDatetime()
    try:
        reader.fit_transform(pd.Series(known, name=name, dtype="str"))
    except RejectColumn:
        return None
    return None if reader.format_ is None else str(reader.format_)


def _parts(column: Column, written: str, *, strict: bool) -> dict[str, NDArray[np.float64]]:
    """Return the six numbers of each cell, NaN where it is missing (or, unless strict, no such date)."""
    by_cell: dict[object, tuple[float, ...]] = {None: (np.nan,) * len(_PARTS)}
    for cell in set(column.tolist()) - {None}:
        try:
            by_cell[cell] = _six_numbers(datetime.datetime.strptime(cell, written))
        except ValueError:
            if strict:
                raise
            by_cell[cell] = by_cell[None]
    numbers = np.array([by_cell[cell] for cell in column.tolist()], dtype=np.float64).reshape(-1, len(_PARTS))
    return dict(zip(_PARTS, numbers.T, strict=True))


def _six_numbers(moment: datetime.datetime) -> tuple[float, ...]:
    utc = moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    seconds = (utc - datetime.datetime(1970, 1, 1)).total_seconds()
    return (seconds, utc.year, utc.month, utc.day, utc.weekday(), utc.hour + utc.minute / 60)


def _reads(cell: str, written: str) -> bool:
    try:
        datetime.datetime.strptime(cell, written)
    except ValueError:
        return False
    return True


def _marking(encoder: NumberEncoder, marks_missing: bool) -> NumberEncoder:
    return NumberEncoder(encoder.name, encoder.fill, encoder.centre, encoder.scale, marks_missing)
