"""Rows a block at a time, the blocks shared among the cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from typing import Any, TypeVar

import numpy as np

from ...engines.native.threads import available_cores, cores, one_blas_thread, pool

__all__ = ["Blocks"]

BLOCK_ELEMENTS = 1 << 20
"""Numbers of a block: few enough that what one product has read is near for the next, enough to hide a call's cost."""

LEAST_ELEMENTS, LEAST_BLOCKS = 1 << 17, 8
"""Fewer rows are cut smaller, for every core to get some; a number of cores is not looked at, for the same bits."""

LEAST_ROWS, MOST_ROWS = 64, 1 << 16

T = TypeVar("T")


class Blocks:
    """Rows of a matrix in blocks, each in the dtype of the computation.

    Parameters
    ----------
    x : array, memory map or CSR matrix, shape (n, inputs)
    dtype : numpy dtype

    Examples
    --------
    >>> Blocks(np.arange(6).reshape(3, 2), np.dtype("float64")).each(lambda rows: rows)
    [slice(0, 3, None)]
    """

    def __init__(self, x: Any, dtype: np.dtype[Any]) -> None:
        self.x, self.dtype = x, dtype
        n, inputs = x.shape
        self._is_sparse = hasattr(x, "tocsr")
        self._compressed: dict[int, Any] = {}
        width = x.nnz / max(n, 1) if self._is_sparse else inputs
        elements = np.clip(n * width / LEAST_BLOCKS, min(LEAST_ELEMENTS, BLOCK_ELEMENTS), BLOCK_ELEMENTS)
        size = int(np.clip(elements / max(width, 1), LEAST_ROWS, MOST_ROWS))
        self.spans = [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def __getitem__(self, rows: slice) -> Any:
        """One of the spans' rows: a view where their dtype is the right one already."""
        if not self._is_sparse:
            return np.asarray(self.x[rows], self.dtype)
        if rows.start not in self._compressed:
            # Kept, for SciPy looks through all columns of a matrix that is made of given arrays.
            self._compressed[rows.start] = self._compressed_rows(rows)
        return self._compressed[rows.start]

    def _compressed_rows(self, rows: slice) -> Any:
        from scipy.sparse import csr_array

        first, last = self.x.indptr[rows.start], self.x.indptr[rows.stop]
        values, columns = self.x.data[first:last], self.x.indices[first:last]
        starts = self.x.indptr[rows.start : rows.stop + 1] - first
        shape = (rows.stop - rows.start, self.x.shape[1])
        return csr_array((values.astype(self.dtype, copy=False), columns, starts), shape)

    def each(self, look: Callable[[slice], T]) -> list[T]:
        """What is seen of each block, in the blocks' order.

        Whoever looks at one has one thread of BLAS, and is not warned of what overflows: it shows in what is seen.
        """
        look = np.errstate(over="ignore", invalid="ignore")(look)
        if len(self.spans) == 1:
            return [look(self.spans[0])]
        seen: dict[int, T] = {}
        with one_blas_thread(BLOCK_ELEMENTS), cores.taken(min(available_cores(), len(self.spans))) as threads:

            def some(first: int) -> None:
                for k in range(first, len(self.spans), threads):
                    seen[k] = look(self.spans[k])

            others = [pool.submit(threads - 1, some, k) for k in range(1, threads)]
            try:
                some(0)
            finally:
                wait(others)
        for other in others:
            other.result()
        return [seen[k] for k in range(len(self.spans))]
