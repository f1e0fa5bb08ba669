"""Some rows with their targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimators.tabular.frames import rows_of

__all__ = ["Absent", "Part"]


class Absent(Exception):
    """Why a section is not there, as a reader of the page is told."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows with their targets.

    Attributes
    ----------
    name : str
        ``"learnt from"``, ``"validation"``, ``"held out"`` or ``"test"``.
    X, y
    rows : int array
        Their places in what was given.
    notes : tuple of str
        Which rows of those given are not among them, and why.
    """

    name: str
    X: Any
    y: NDArray[Any]
    rows: NDArray[np.intp]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.y)

    def few(self, most: int, seed: int) -> Part:
        """So many of the rows at random, or all of them."""
        if len(self) <= most:
            return self
        return self.at(np.sort(np.random.default_rng(seed).permutation(len(self))[:most]))

    def at(self, places: NDArray[np.intp]) -> Part:
        """Those of the rows at such places of this part."""
        return Part(self.name, rows_of(self.X, places), self.y[places], self.rows[places], self.notes)
