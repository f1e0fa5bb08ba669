"""The native engine: tables of compiled instructions, kept for each binding of the sizes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...graph.backend import NumpyBackend
from ...graph.evaluation import bind_sizes
from ...graph.node import Array
from ..batches import gather
from ..contract import BatchesResult, Definition, StepResult
from .blas import threads_for
from .intrinsics import POINTERS
from .lowering import lower
from .memory import ARENA, Slot
from .run import compiled_loop
from .table import CONSTANTS, ORDER, REGISTERS, Rows, Table

__all__ = ["NativeEngine"]

OUT_OF_RANGE, FAILED = 2, 3
MOST_TABLES = 64
"""Bindings kept of one program: predictions come in any number of rows."""


class NativeEngine:
    """Compiled kernels in a table, run by a loop that does not touch Python."""

    name = "native"

    def prepare(self, definition: Definition) -> NativeExecutable:
        """Nothing is compiled before the sizes are known."""
        return NativeExecutable(definition)


class NativeExecutable:
    """A definition with a table for each binding of its sizes that has come up."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.leaves = (*definition.variables, *definition.placeholders)
        self._tables: dict[Any, Table] = {}
        self._lock = threading.Lock()
        self._running: dict[int, _Running] = {}

    def run(self, state: Sequence[Array], feeds: Sequence[Array], seed: int, step: int) -> StepResult:
        """One step."""
        bindings = bind_sizes(self.leaves, (*state, *feeds))
        running = _Running(
            self, self.table(bindings, {}), bindings, state, feeds, {}, np.zeros(0, np.int64), 1, seed, step
        )
        done = running.go(1, 0)
        outputs = running.outputs(1)
        if not done:
            return StepResult([o[0] for o in outputs], list(state), finite=False)
        return StepResult([o[0] for o in outputs], running.state())

    def run_batches(
        self,
        state: Sequence[Array],
        feeds: Sequence[Array | None],
        data: Mapping[int, Any],
        order: Array,
        batch_size: int,
        seed: int,
        first_step: int,
    ) -> BatchesResult:
        """One step for each batch of ``order``: whole batches in one loop, then the short last one."""
        order = np.ascontiguousarray(order, np.int64)
        rows = {k: source for k, source in data.items() if _is_readable(source)}
        if len(rows) < len(data):
            return self._batch_by_batch(state, feeds, data, order, batch_size, seed, first_step)
        result = BatchesResult([], list(state), None)
        whole, rest = divmod(len(order), batch_size)
        for steps, size, start in ((whole, batch_size, 0), (min(rest, 1), rest, whole * batch_size)):
            if not steps:
                continue
            shapes = {k: _Shape((size, *source.shape[1:])) for k, source in rows.items()}
            given = [shapes.get(k, feed) for k, feed in enumerate(feeds)]
            bindings = bind_sizes(self.leaves, (*result.state, *given))
            table = self.table(bindings, {k: _layout(source) for k, source in rows.items()})
            at = first_step + len(result.outputs)
            running = _Running(self, table, bindings, result.state, feeds, rows, order[start:], steps, seed, at)
            done = running.go(steps, size)
            result.outputs += [[o[i] for o in running.outputs(steps)] for i in range(done)]
            result.state = running.state()
            if done < steps:
                result.failed_at = len(result.outputs)
                break
        return result

    def _batch_by_batch(
        self, state: Any, feeds: Any, data: Any, order: Array, batch_size: int, seed: int, first_step: int
    ) -> BatchesResult:
        result = BatchesResult([], list(state), None)
        fed = list(feeds)
        for i, start in enumerate(range(0, len(order), batch_size)):
            for k, source in data.items():
                fed[k] = gather(source, order[start : start + batch_size], self.definition.placeholders[k].dtype)
            done = self.run(result.state, fed, seed, first_step + i)
            if not done.finite:
                result.failed_at = i
                break
            result.outputs.append(done.outputs)
            result.state = done.state
        return result

    def table(self, bindings: Mapping[str, int], sources: Mapping[int, Any]) -> Table:
        """The table for these sizes and data types, made when it first comes up."""
        key = tuple(sorted(bindings.items())), tuple(sorted(sources.items(), key=lambda s: s[0]))
        with self._lock:
            found = self._tables.get(key)
            if found is None:
                if len(self._tables) >= MOST_TABLES:
                    self._tables.pop(next(iter(self._tables)))
                found = self._tables[key] = lower(self.definition, bindings, sources, self._running.__getitem__)
            return found


class _Shape:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape


class _Running:
    """One run: its arena and bases, which nobody else sees."""

    def __init__(
        self,
        executable: NativeExecutable,
        table: Table,
        bindings: Mapping[str, int],
        state: Sequence[Array],
        feeds: Sequence[Any],
        data: Mapping[int, Array],
        order: Array,
        steps: int,
        seed: int,
        first_step: int,
    ) -> None:
        self.executable, self.table, self.first_step = executable, table, first_step
        self.registers = np.array([0, 0, 0, 0, seed, first_step], np.int64)
        arena = np.empty(table.arena + 64, np.uint8)
        self._variables = [np.array(v, copy=True, order="C") for v in state]
        definition = executable.definition
        self._outputs = [
            np.empty((steps, *s.shape), n.dtype) for s, n in zip(table.outputs, definition.outputs, strict=True)
        ]
        self.bases = np.zeros(table.bases, np.int64)
        self.bases[ARENA] = -(-arena.ctypes.data // 64) * 64
        fixed = {REGISTERS: self.registers, CONSTANTS: table.constants, ORDER: order}
        for slot, array in zip(table.variables, self._variables, strict=True):
            fixed[slot.buffer.base] = array
        for k, slot in enumerate(table.placeholders):
            if k in table.data:
                fixed[table.data[k]] = data[k]
            else:
                fixed[slot.buffer.base] = np.ascontiguousarray(feeds[k])
        for slot, array in zip(table.outputs, self._outputs, strict=True):
            fixed[slot.buffer.base] = array
        for base, array in fixed.items():
            self.bases[base] = array.ctypes.data
        self._keep_alive = (arena, fixed)
        self._backend = NumpyBackend(bindings, seed)
        self._error: BaseException | None = None

    def go(self, steps: int, batch: int) -> int:
        """Run; how many steps were whole."""
        at = self.bases.ctypes.data
        self.executable._running[at] = self
        try:
            with threads_for(self.table.largest_product):
                table = self.table
                run = compiled_loop()
                done = int(run(table.addresses, table.blocks, table.calls_python, self.bases, at, steps, batch))
        finally:
            del self.executable._running[at]
        if self._error is not None:
            raise self._error
        if self.registers[3] == FAILED:
            # An interrupt came while Python was entered, before anything could be caught.
            raise KeyboardInterrupt
        if self.registers[3] == OUT_OF_RANGE:
            raise IndexError("one_hot: an index lies outside of the classes")
        return done

    def state(self) -> list[Array]:
        return self._variables

    def outputs(self, steps: int) -> list[Array]:
        return [o[:steps] for o in self._outputs]

    def backend(self) -> NumpyBackend:
        self._backend.step = self.first_step + int(self.registers[0])
        return self._backend

    def array(self, slot: Slot) -> Array:
        """A view of a slot's bytes."""
        address = int(self.bases[slot.buffer.base]) + slot.buffer.offset + slot.offset
        interface = {
            "shape": slot.shape,
            "strides": slot.strides,
            "typestr": slot.dtype.str,
            "data": (address, False),
            "version": 3,
        }
        return np.asarray(type("View", (), {"__array_interface__": interface})())

    def succeed(self) -> None:
        """Take back the flag that the loop raises before it calls Python."""
        self.registers[3] = 0

    def fail(self, error: BaseException) -> None:
        """Remember what a Python instruction raised, and stop the loop."""
        self._error = error
        self.registers[3] = FAILED


def _is_readable(source: Any) -> bool:
    """Whether a kernel can read the rows where they lie."""
    if not isinstance(source, np.ndarray) or source.dtype.name not in POINTERS or not source.dtype.isnative:
        return False
    even = source.ndim <= 2 or (source.size > 0 and source[0].flags.c_contiguous)
    return even and all(s > 0 and s % source.dtype.itemsize == 0 for s in source.strides)


def _layout(source: Array) -> Rows:
    size = source.dtype.itemsize
    return Rows(source.dtype, source.strides[0], source.strides[1] // size if source.ndim == 2 else 1)
