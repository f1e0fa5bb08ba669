"""A column of few different words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.lookup import positions
from diaphane.data.table import Column

__all__ = ["CategoryEncoder"]


@dataclass(frozen=True)
class CategoryEncoder:
    """One feature a category: 1 in the rows that have it, 0 elsewhere.

    A category that training never saw is 0 in all. Missing is a category of its own where training has it.

    Attributes
    ----------
    name : str
    categories : tuple of str
        In ascending order.
    marks_missing : bool

    Examples
    --------
    >>> encoder = CategoryEncoder.fit("colour", np.array(["red", "blue", None], dtype=object))
    >>> encoder.feature_names
    ('colour = blue', 'colour = red', 'colour is missing')
    >>> encoder.transform(np.array(["red", "green", None], dtype=object))
    array([[0., 1., 0.],
           [0., 0., 0.],
           [0., 0., 1.]])
    """

    name: str
    categories: tuple[str, ...]
    marks_missing: bool

    @classmethod
    def fit(cls, name: str, column: Column) -> CategoryEncoder:
        distinct = set(column.tolist())
        return cls(name, tuple(sorted(distinct - {None})), None in distinct)

    @property
    def feature_names(self) -> tuple[str, ...]:
        words = tuple(f"{self.name} = {category}" for category in self.categories)
        return words + (f"{self.name} is missing",) * self.marks_missing

    def transform(self, column: Column) -> NDArray[np.float64]:
        place = positions(column, self.categories)
        if self.marks_missing:
            place = np.where(place == -2, len(self.categories), place)
        features = np.zeros((len(column), len(self.feature_names)))
        rows = np.flatnonzero(place >= 0)
        features[rows, place[rows]] = 1.0
        return features

    def describe(self) -> str:
        missing = ", and missing" if self.marks_missing else ""
        return f"{self.name}: {len(self.categories)} categories{missing}"

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"categories": list(self.categories), "marks_missing": self.marks_missing}, {}

    @classmethod
    def from_state(cls, name: str, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> CategoryEncoder:
        return cls(name, tuple(str(category) for category in state["categories"]), bool(state["marks_missing"]))

    def accept(self, column: Column) -> Column:
        return column
