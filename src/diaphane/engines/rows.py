"""Programs that go row by row: any number of rows, without planning anew for each number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Node
from ..graph.node import Array
from .batches import filled, row_count
from .contract import Engine
from .program import Program
from .state import State

__all__ = ["RowProgram"]

AT_A_TIME = 4096
"""Rows of a step where the engine has no way of its own: enough to fill a product, little enough to stay in cache."""


class RowProgram:
    """An output each row of which is made of the same row of a placeholder, as a prediction is.

    The last step is filled up to one of a few sizes by taking the last row again, and what comes of that is left out.
    Values may be replaced or changed in place from one call to the next.

    Parameters
    ----------
    output : Node
        Its first axis is the named size of the rows.
    source : Node
        The placeholder.
    engine : str or Engine

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.placeholder((dia.Dim("N"), 2), "float64", "x")
    >>> squares = RowProgram(dia.sum(x * x, axis=1), x)
    >>> squares(dia.State({}), np.array([[3.0, 4.0], [1.0, 2.0], [0.0, 1.0]]))
    array([25.,  5.,  1.])
    """

    def __init__(self, output: Node, source: Node, *, engine: str | Engine = "native") -> None:
        self.program, self.source = Program(output, engine=engine), source
        own = getattr(self.program._executable, "by_rows", None)
        alone = self.program.placeholders == (source,) and all(isinstance(e, int) for e in source.shape[1:])
        self._own = own() if own is not None and alone else None

    def __call__(self, state: State, x: Any) -> Array:
        """The output for rows of data: an array, a memory map or a CSR matrix, in its own dtype.

        Raises
        ------
        ShapeError
            If its rows do not fit the placeholder.
        """
        n = row_count(x)
        if self._own is not None and n and x.shape[1:] == self.source.shape[1:] and x.dtype.kind == "f":
            found = self._own(state.values_of(self.program.variables), x)
            if found is not None:
                return np.asarray(found)
        whole, rest = divmod(n, AT_A_TIME)
        order = np.minimum(np.arange(whole * AT_A_TIME + filled(rest)), max(n - 1, 0))
        output, _ = self.program.run_batches(state, {self.source: x}, order, AT_A_TIME)
        return np.asarray(output)[:n]
