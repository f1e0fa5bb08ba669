"""One run of a table: what it computes in, and the threads that do its shares."""

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
from .table import CONSTANTS, REGISTERS, Table
from .threads import SHARED_RUN, clock, cores, one_blas_thread, pool, yielding

if TYPE_CHECKING:
    from .engine import NativeExecutable

__all__ = ["Memory", "Run", "address_of"]

COME_BACK = 0.03
"""Seconds after which a long run looks whether it was interrupted."""

LOW = 0xFFFFFFFF
"""What a random counter takes of a seed and a step."""

MOST_IDLE, LARGEST_IDLE = 4, 1 << 24
"""How many memories of a table wait for its next run, and how large they are at most, in bytes."""


class Memory:
    """The arena, registers and bases of one run at a time.

    Attributes
    ----------
    at : int
        The address of the first share's bases.
    """

    def __init__(self, table: Table) -> None:
        shares = table.shares
        self.arena = np.empty(table.arena + 64, np.uint8)
        self.registers = np.zeros((shares, r.COUNT), np.int64)
        self.sync = np.zeros((shares + 2) * r.SYNC_WORDS, np.int64)
        self.flag = self.sync[(shares + 1) * r.SYNC_WORDS :]
        self.bases = np.zeros((shares, table.bases), np.int64)
        self.bases[:, ARENA] = -(-self.arena.ctypes.data // 64) * 64
        self.bases[:, CONSTANTS] = table.constants.ctypes.data
        self.registers[:, r.FLAG_AT] = self.flag.ctypes.data
        self.registers[:, r.SHARES] = shares
        self.registers[:, r.STRIDE] = self.bases.strides[0]
        self.registers[:, r.SYNC] = self.sync.ctypes.data
        self.registers[:, r.YIELD] = yielding() if shares > 1 else 0
        self.registers[0, r.LAST] = shares
        for k in range(shares):
            self.bases[k, REGISTERS] = self.registers[k].ctypes.data
        self.at = int(self.bases.ctypes.data)
        self.table = table

    @staticmethod
    def of(table: Table) -> Memory:
        """That of a run of the table that is over, where there is one."""
        try:
            found: Memory = table.idle.pop()
        except IndexError:
            return Memory(table)
        return found

    def begin(self, addresses: Sequence[int], seed: int = 0, first_step: int = 0) -> None:
        """Ready for a run over arrays that lie at these places: the order, variables, placeholders, outputs."""
        self.bases[:, self.table.given] = addresses
        self.flag[0] = 0
        self.registers[:, r.SEED] = seed & LOW
        self.registers[:, r.STEP] = first_step & LOW

    def share_out(self, first: int, last: int) -> None:
        """One thread does these shares, which it begins now."""
        self.registers[first, r.FIRST] = first
        self.registers[first, r.LAST] = last
        self.registers[first, r.EPOCH] = 0

    def rest(self) -> None:
        """Wait for the next run of the table."""
        idle = self.table.idle
        if len(idle) < MOST_IDLE and self.table.arena < LARGEST_IDLE:
            idle.append(self)


def address_of(array: Array) -> int:
    """Where an array's first element lies."""
    return int(array.__array_interface__["data"][0])


class Run:
    """One run of a table.

    Parameters
    ----------
    executable : NativeExecutable
    table : Table
    state, feeds, data, order, seed, first_step
        As for :meth:`NativeExecutable.run_batches`; the order is that of all epochs.
    steps : int
        How many there will be.
    takes_over : bool
        Whether the state is another run's, which it goes on with.

    Attributes
    ----------
    variables : list of ndarray
        The state, after the steps that were done.
    outputs : list of ndarray
        For each output, one of each step.
    done : int
        How many steps were whole.
    """

    def __init__(
        self,
        executable: NativeExecutable,
        table: Table,
        state: Sequence[Array],
        feeds: Sequence[Any],
        data: Mapping[int, Any],
        order: Array,
        steps: int,
        seed: int,
        first_step: int,
        takes_over: bool = False,
    ) -> None:
        self.executable, self.table, self.first_step, self.seed = executable, table, first_step, seed
        self.memory = memory = Memory.of(table)
        self.registers, self.bases, self.arena = memory.registers, memory.bases, memory.arena
        self.variables = [
            v
            if takes_over
            else np.array(v, copy=True, order="C")
            if k in executable.updated
            else np.asarray(v, order="C")
            for k, v in enumerate(state)
        ]
        self.outputs = [
            np.empty((steps, *s.shape), n.dtype)
            for s, n in zip(table.outputs, executable.definition.outputs, strict=True)
        ]
        given = [order, *self.variables]
        for k, feed in enumerate(feeds):
            given += arrays_of(data[k]) if k in data else [np.asarray(feed, order="C")]
        given += self.outputs
        self._given = given
        memory.begin([address_of(a) for a in given], seed, first_step)
        self.done, self._threads = 0, 1
        self._backend: NumpyBackend | None = None
        self._error: BaseException | None = None

    @property
    def flag(self) -> int:
        return int(self.memory.flag[0])

    @flag.setter
    def flag(self, value: int) -> None:
        self.memory.flag[0] = value

    def measure(self) -> Array:
        """Add up nanoseconds from now on: for each instruction in it, and of waiting after it."""
        # A memory of its own, which no other run gets: the clock stays in its registers.
        self._ticks = np.zeros((len(self.table.code.listed), 2), np.int64)
        self._clock_words = np.zeros(2, np.int64)
        function, kind, self._clock = clock()
        self.registers[0, r.TICKS] = self._ticks.ctypes.data
        self.registers[0, r.CLOCK] = function
        self.registers[0, r.CLOCK_KIND] = kind
        self.registers[0, r.CLOCK_WORDS] = self._clock_words.ctypes.data
        return self._ticks

    def go(self, steps: int, batch: int = 0, rows: int = 0, per_epoch: int = 1, other: Run | None = None) -> int:
        """Run so many steps; how many were whole.

        Parameters
        ----------
        steps : int
        batch, rows, per_epoch : int
            Rows of a step and of an epoch, steps of an epoch.
        other : Run, optional
            That of the last step of each epoch, where its batch is short.
        """
        runs = [self] if other is None else [self, other]
        work = max(sum(run.table.work for run in runs), 1.0)
        chunk = max(1, int(COME_BACK * 1e9 / work))
        for run in runs:
            self.executable.running[run.memory.at] = run
        try:
            with one_blas_thread(self.table.largest_product):
                while self.done < steps and not any(run.flag for run in runs):
                    # Between two calls an interrupt is raised, and cores are shared out anew.
                    started, until = time.perf_counter(), min(self.done + chunk, steps)
                    count, self.done = until - self.done, self._some(self.done, until, batch, rows, per_epoch, other)
                    seconds = max(time.perf_counter() - started, 1e-6)
                    self.table.pace.note(self._threads, seconds, count * work * 1e-9)
                    chunk = max(1, int(count * min(2.0, COME_BACK / seconds)))
        finally:
            for run in runs:
                del self.executable.running[run.memory.at]
        for run in runs:
            run.end()
        return self.done

    def end(self) -> None:
        """Raise what stopped it, or leave its memory to the next run."""
        if self._error is not None:
            raise self._error
        if self.flag == r.FAILED:
            raise KeyboardInterrupt
        if self.flag == r.BAD_INDEX:
            raise refusal(self.memory.flag)
        if not self.registers[0, r.TICKS]:
            self.memory.rest()

    def _some(self, start: int, stop: int, batch: int, rows: int, per_epoch: int, other: Run | None) -> int:
        """Some steps: each thread does its shares of each; how many steps are whole."""
        shares = self.table.shares
        codes = [self.table.code.address, 0 if other is None else other.table.code.address]
        runs = [self] if other is None else [self, other]
        span = (start, stop, per_epoch, rows, batch)
        short = (stop - start) * self.table.work < SHARED_RUN
        if short and shares == 1:
            return self._call(codes, [run.memory.at for run in runs], span)
        with cores.taken(1 if short or self.table.pace.is_alone else shares) as threads:
            self._threads = threads
            firsts = [round(shares * k / threads) for k in range(threads + 1)]
            for run in runs:
                for first, last in pairwise(firsts):
                    run.memory.share_out(first, last)
                run.memory.sync[: -2 * r.SYNC_WORDS] = 0
            bases = [[int(run.bases[first].ctypes.data) for run in runs] for first in firsts[:-1]]
            others: list[Future[int]] = []
            try:
                for at in bases[1:]:
                    others.append(pool.submit(threads - 1, self._call, codes, at, span))
                done = self._call(codes, bases[0], span)
            except BaseException:
                # An interrupt may come between any two lines: whoever has begun stops at its next meeting.
                for run in runs:
                    run.flag = r.FAILED
                raise
            finally:
                wait(others)
            return max(done, *(o.result() for o in others)) if others else done

    def _call(self, codes: Sequence[int], bases: Sequence[int], span: tuple[int, ...]) -> int:
        """A thread's shares; a method, so that this run's memory stays as long as they are being done."""
        return int(compiled_run()(codes[0], bases[0], codes[1], bases[-1], *span))

    # What instructions that call Python ask for.

    def backend(self) -> NumpyBackend:
        if self._backend is None:
            self._backend = NumpyBackend(self.table.bindings, self.seed)
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
