"""One run of a table: its memory, which nobody else sees, and the threads that do its shares."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.backend import NumpyBackend
from ...graph.node import Array
from . import registers as r
from .memory import ARENA, Slot
from .refusal import refusal
from .run import compiled_run
from .sources import arrays_of
from .table import CONSTANTS, ORDER, REGISTERS, Table
from .threads import clock, cores, one_blas_thread, pool, yielding

if TYPE_CHECKING:
    from .engine import NativeExecutable

__all__ = ["Run"]

COME_BACK = 0.03
"""Seconds after which a long run looks whether it was interrupted."""


LOW = 0xFFFFFFFF
"""What a random counter takes of a seed and a step."""


class Run:
    """One run: its arena and bases.

    Attributes
    ----------
    variables : list of ndarray
        The state, after the steps that were done.
    outputs : list of ndarray
        For each output, one of each step.
    ticks : ndarray
        Nanoseconds in each instruction and of waiting after it, where they are asked for.
    """

    def __init__(
        self,
        executable: NativeExecutable,
        table: Table,
        bindings: Mapping[str, int],
        state: Sequence[Array],
        feeds: Sequence[Any],
        data: Mapping[int, Any],
        order: Array,
        steps: int,
        seed: int,
        first_step: int,
    ) -> None:
        self.executable, self.table, self.first_step = executable, table, first_step
        self.arena = arena = np.empty(table.arena + 64, np.uint8)
        self.variables = [np.array(v, copy=True, order="C") for v in state]
        definition = executable.definition
        self.outputs = [
            np.empty((steps, *s.shape), n.dtype) for s, n in zip(table.outputs, definition.outputs, strict=True)
        ]
        shares = table.shares
        self.registers = np.zeros((shares, r.COUNT), np.int64)
        self._sync = np.zeros((shares + 2) * r.SYNC_WORDS, np.int64)
        self.bases = np.zeros((shares, table.bases), np.int64)
        self.bases[:, ARENA] = -(-arena.ctypes.data // 64) * 64
        fixed = {CONSTANTS: table.constants, ORDER: order}
        for slot, array in zip(table.variables, self.variables, strict=True):
            fixed[slot.buffer.base] = array
        for k, slot in enumerate(table.placeholders):
            if k in table.data:
                fixed.update(zip(table.data[k], arrays_of(data[k]), strict=True))
            else:
                fixed[slot.buffer.base] = np.ascontiguousarray(feeds[k])
        for slot, array in zip(table.outputs, self.outputs, strict=True):
            fixed[slot.buffer.base] = array
        for base, array in fixed.items():
            self.bases[:, base] = array.ctypes.data
        self._keep_alive = (arena, fixed)
        self._flag_at = (shares + 1) * r.SYNC_WORDS
        self.registers[:, r.FLAG_AT] = self._sync[self._flag_at :].ctypes.data
        self.registers[:, [r.SEED, r.STEP]] = seed & LOW, first_step & LOW
        self.registers[:, [r.SHARES, r.STRIDE]] = shares, self.bases.strides[0]
        self.registers[:, r.SYNC] = self._sync.ctypes.data
        self.registers[:, r.YIELD] = yielding() if shares > 1 else 0
        for k in range(shares):
            self.bases[k, REGISTERS] = self.registers[k].ctypes.data
        self._bindings, self._seed = bindings, seed
        self._backend: NumpyBackend | None = None
        self._error: BaseException | None = None

    @property
    def flag(self) -> int:
        return int(self._sync[self._flag_at])

    @flag.setter
    def flag(self, value: int) -> None:
        self._sync[self._flag_at] = value

    def measure(self) -> Array:
        """Add up nanoseconds from now on: for each instruction in it, and of waiting after it."""
        self._ticks = np.zeros((len(self.table.code.listed), 2), np.int64)
        self._clock_words = np.zeros(2, np.int64)
        function, kind, self._clock = clock()
        self.registers[0, r.TICKS] = self._ticks.ctypes.data
        self.registers[0, [r.CLOCK, r.CLOCK_KIND]] = function, kind
        self.registers[0, r.CLOCK_WORDS] = self._clock_words.ctypes.data
        return self._ticks

    def go(self, steps: int, batch: int) -> int:
        """Run; how many steps were whole."""
        at = int(self.bases.ctypes.data)
        self.executable.running[at] = self
        done, chunk = 0, max(1, int(COME_BACK * 1e9 / max(self.table.work, 1.0)))
        try:
            with one_blas_thread(self.table.largest_product):
                while done < steps and not self.flag:
                    # Between two calls an interrupt is raised, and cores are shared out anew.
                    started, until = time.perf_counter(), min(done + chunk, steps)
                    count, done = until - done, self._some(done, until, batch)
                    seconds = max(time.perf_counter() - started, 1e-6)
                    chunk = max(1, int(count * min(2.0, COME_BACK / seconds)))
        finally:
            del self.executable.running[at]
        if self._error is not None:
            raise self._error
        if self.flag == r.FAILED:
            raise KeyboardInterrupt
        if self.flag == r.BAD_INDEX:
            raise refusal(self._sync[self._flag_at :])
        return done

    def _some(self, start: int, stop: int, batch: int) -> int:
        """Some steps: each thread does its shares of each; how many steps are whole."""
        run, code, shares = compiled_run(), self.table.code.address, self.table.shares
        with cores.taken(shares) as threads:
            firsts = [round(shares * k / threads) for k in range(threads + 1)]
            for first, last in pairwise(firsts):
                self.registers[first, [r.FIRST, r.LAST, r.EPOCH]] = first, last, 0
            self._sync[: self._flag_at] = 0
            addresses = [int(self.bases[first].ctypes.data) for first in firsts[:-1]]
            others: list[Future[int]] = []
            try:
                for address in addresses[1:]:
                    others.append(pool.submit(threads - 1, self._share, run, code, address, start, stop, batch))
                done = int(run(code, addresses[0], start, stop, batch))
            except BaseException:
                # An interrupt may come between any two lines: whoever has begun stops at its next meeting.
                self.flag = r.FAILED
                raise
            finally:
                wait(others)
            return max(done, *(o.result() for o in others)) if others else done

    def _share(self, run: Any, *arguments: int) -> int:
        """A thread's shares; a method, so that this run's memory stays as long as they are being done."""
        return int(run(*arguments))

    # What instructions that call Python ask for.

    def backend(self) -> NumpyBackend:
        if self._backend is None:
            self._backend = NumpyBackend(self._bindings, self._seed)
        self._backend.step = self.first_step + int(self.registers[0, r.ITERATION])
        self._backend.scan_index = int(self.registers[0, r.SCAN])
        return self._backend

    def array(self, slot: Slot) -> Array:
        """A view of a slot's bytes."""
        address = int(self.bases[0, slot.buffer.base]) + slot.buffer.offset + slot.offset
        interface = {
            "shape": slot.shape,
            "strides": slot.strides,
            "typestr": slot.dtype.str,
            "data": (address, False),
            "version": 3,
        }
        return np.asarray(type("View", (), {"__array_interface__": interface})())

    def succeed(self) -> None:
        """Take back the sign that Python was entered."""
        self.registers[0, r.ENTERED] = 0

    def fail(self, error: BaseException) -> None:
        """Remember what a Python instruction raised, and stop every thread."""
        self._error = error
        self.registers[0, r.ENTERED] = 0
        self.flag = r.FAILED
