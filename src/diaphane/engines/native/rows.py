"""The shortest way from rows to a program's output, for programs that go row by row: blocks of rows, no meetings."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.evaluation import bind_sizes
from ...graph.node import Array
from ..batches import filled
from .run import compiled_run
from .running import COME_BACK, Memory, address_of
from .sources import arrays_of, layout, readable
from .table import Table
from .threads import SHARED_RUN, available_cores, cores, one_blas_thread, pool

if TYPE_CHECKING:
    from .engine import NativeExecutable

__all__ = ["BLOCK", "NativeRows"]

BLOCK = 128
"""Rows of a step: what lies between a layer and the next stays in a core's own cache.

On two cores 1797 rows of a 64-100-10 net in float64 take 380 µs in blocks of 128 on one thread, 505 in one of all.
"""

MOST_LAYOUTS = 256
"""Numbers of rows, types and strides of arrays for which it is remembered what to run."""


class NativeRows:
    """Runs a program of one output over the rows of its one placeholder.

    Threads take stretches of the rows, each with an arena of its own, and never wait for each other. What it is given
    was checked before: values that fit their variables, rows that fit the placeholder.

    Parameters
    ----------
    executable : NativeExecutable
    """

    def __init__(self, executable: NativeExecutable) -> None:
        self.executable = executable
        [self._source], [self._output] = executable.definition.placeholders, executable.definition.outputs
        self._tables: dict[Any, Table | None] = {}
        self._places = np.arange(BLOCK)
        # Values, and where they lie: looked up anew only where an array is another one.
        self._bound: tuple[Sequence[Array], list[int]] = ((), [])

    def __call__(self, values: Sequence[Array], x: Any) -> Array | None:
        """The output; None where this way cannot be taken."""
        n = x.shape[0]
        size = filled(n) if n < BLOCK else BLOCK
        table = self._table(values, x, size)
        if table is None:
            return None
        known, places = self._bound
        if len(known) != len(values) or any(a is not b for a, b in zip(known, values, strict=True)):
            if not all(v.flags.c_contiguous for v in values):
                return None
            places = [address_of(v) for v in values]
            self._bound = values, places
        steps = -(-n // size)
        order = self._places if n <= BLOCK else np.arange(steps * size)
        if steps * size != n:
            order = np.minimum(order[: steps * size], n - 1)
        output = np.empty((steps * size, *table.outputs[0].shape[1:]), self._output.dtype)
        data = [x] if type(x) is np.ndarray else arrays_of(x)
        addresses = [address_of(order), *places, *map(address_of, data), address_of(output)]
        with one_blas_thread(table.largest_product):
            if not self._run(table, addresses, steps, size):
                return None
        return output if steps * size == n else output[:n]

    def _table(self, values: Sequence[Array], x: Any, size: int) -> Table | None:
        """What to run; None where Python would have to be called."""
        key = (size, x.strides, x.dtype) if type(x) is np.ndarray else None
        if key is not None and key in self._tables:
            return self._tables[key]
        rows = readable(x, self._source.dtype)
        if rows is None:
            return None
        executable = self.executable
        given = np.broadcast_to(np.zeros((), x.dtype), (size, *x.shape[1:]))
        table = executable.table(bind_sizes(executable.leaves, (*values, given)), {0: layout(rows)}, 1)
        found = None if any(i.calls_python for i in table.flat()) else table
        if key is not None:
            if len(self._tables) >= MOST_LAYOUTS:
                self._tables.clear()
            self._tables[key] = found
        return found

    def _run(self, table: Table, addresses: list[int], steps: int, size: int) -> bool:
        """All steps, in stretches between which an interrupt is raised; False where a flag was."""
        work = max(table.work, 1.0)
        if steps * work < SHARED_RUN:
            return self._some(table, addresses, 0, steps, size)
        wanted = self.executable.n_threads or available_cores()
        stretch = max(1, int(COME_BACK * 1e9 / work)) * wanted
        for start in range(0, steps, stretch):
            stop = min(start + stretch, steps)
            with cores.taken(min(wanted, stop - start)) as threads:
                if not self._shared(table, addresses, start, stop, size, threads):
                    return False
        return True

    def _shared(self, table: Table, addresses: list[int], start: int, stop: int, size: int, threads: int) -> bool:
        (first, last), *others = pairwise(start + (stop - start) * k // threads for k in range(threads + 1))
        futures: list[Future[bool]] = []
        try:
            for a, b in others:
                futures.append(pool.submit(threads - 1, self._some, table, addresses, a, b, size))
            done = self._some(table, addresses, first, last, size)
        finally:
            wait(futures)
        return done and all(future.result() for future in futures)

    def _some(self, table: Table, addresses: list[int], start: int, stop: int, size: int) -> bool:
        memory = Memory.of(table)
        memory.begin(addresses)
        memory.share_out(0, 1)
        if compiled_run()(table.code.address, memory.at, 0, memory.at, start, stop, stop, 0, size) < stop:
            return False
        memory.rest()
        return True
