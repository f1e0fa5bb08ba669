"""A column of numbers, as a network likes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.errors import DataError
from diaphane.data.table import Column, finite_numbers, is_numeric

__all__ = ["NumberEncoder"]

LIMIT = 3.0
FARTHEST = 1e30
"""So that float32 holds it."""


@dataclass(frozen=True)
class NumberEncoder:
    """Centre, scale, fill what is missing, and keep far values near.

    z = (x − mean)/(standard deviation), then z/√(1 + (z/3)²): almost z around 0 and never beyond ±3
    (Holzmüller, Grinsztajn & Steinwart 2024, §3). A missing value becomes the training median; where the
    training rows have missing ones a second feature is 1 there and 0 elsewhere. An infinite limit instead of 3
    leaves z as it is, for models that shall be linear in the column.

    Attributes
    ----------
    name : str
    fill, centre, scale : float
        Median, mean and standard deviation (over n) of the training values, the missing ones filled.
        A scale of 0 is a constant column, of which only the missing mark says anything.
    marks_missing : bool
    limit : float

    Examples
    --------
    >>> encoder = NumberEncoder.fit("size", np.array([1.0, 3.0, np.nan]))
    >>> encoder.feature_names
    ('size', 'size is missing')
    >>> encoder.transform(np.array([2.0, np.nan]))
    array([[0., 0.],
           [0., 1.]])
    """

    name: str
    fill: float
    centre: float
    scale: float
    marks_missing: bool
    limit: float = LIMIT

    @classmethod
    def fit(cls, name: str, column: Column) -> NumberEncoder:
        missing = np.isnan(column)
        known = finite_numbers(name, column)[~missing]
        fill = float(np.median(known))
        filled = np.where(missing, fill, column)
        # Scaling by the largest value first: squares of 1e200 overflow, and 0.1 repeated has a standard
        # deviation of 1e-17, not 0, which would blow rounding errors up to features.
        largest = float(np.abs(known).max()) or 1.0
        centre = float(np.mean(filled / largest)) * largest
        scale = float(np.std(filled / largest)) * largest
        if np.all(known == known[0]) or scale <= 1e-12 * largest:
            scale = 0.0
        return cls(name, fill, centre, scale, bool(missing.any()))

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name,) * (self.scale > 0) + (f"{self.name} is missing",) * self.marks_missing

    def transform(self, column: Column) -> NDArray[np.float64]:
        missing = np.isnan(column)
        features = []
        if self.scale > 0:
            finite_numbers(self.name, column)
            # A row that training never saw may be so far off that its z overflows, or else its square would.
            with np.errstate(over="ignore"):
                z = np.clip((np.where(missing, self.fill, column) - self.centre) / self.scale, -FARTHEST, FARTHEST)
            features.append(z / np.hypot(1.0, z / self.limit))
        if self.marks_missing:
            features.append(missing.astype(np.float64))
        return np.column_stack(features) if features else np.empty((len(column), 0))

    def describe(self) -> str:
        if not self.scale:
            return f"{self.name}: the same number in every row, but missing in some: only that is used"
        return f"{self.name}: a number" + (", and whether it is missing" if self.marks_missing else "")

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        # JSON has no infinity.
        limit = {} if self.limit == LIMIT else {"limit": self.limit if np.isfinite(self.limit) else None}
        return {
            "fill": self.fill,
            "centre": self.centre,
            "scale": self.scale,
            "marks_missing": self.marks_missing,
            **limit,
        }, {}

    @classmethod
    def from_state(cls, name: str, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> NumberEncoder:
        fill, centre, scale = (float(state[key]) for key in ("fill", "centre", "scale"))
        if not np.isfinite([fill, centre, scale]).all() or scale < 0:
            raise ValueError("numbers of a column are not finite")
        limit = state.get("limit", LIMIT)
        limit = np.inf if limit is None else float(limit)
        if not limit > 0:
            raise ValueError(f"the limit of a column's numbers is {limit}")
        return cls(name, fill, centre, scale, bool(state["marks_missing"]), limit)

    def accept(self, column: Column) -> Column:
        """Return the column if it is one of numbers, for a table that training never saw."""
        if is_numeric(column):
            return column
        for row, cell in enumerate(column.tolist()):
            if cell is None:
                continue
            try:
                float(cell)
            except ValueError:
                raise DataError(
                    f"column {self.name!r} holds {cell!r} in row {row + 1}; "
                    "the model was trained on numbers there: expected a number or an empty cell"
                ) from None
        return np.array([np.nan if cell is None else float(cell) for cell in column.tolist()], dtype=np.float64)
