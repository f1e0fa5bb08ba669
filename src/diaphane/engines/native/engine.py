"""The native engine: tables of compiled instructions, kept for each binding of the sizes."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.evaluation import bind_sizes
from ...graph.node import Array
from ..batches import gather
from ..contract import BatchesResult, Definition, StepResult
from .debug import ZONE, WatchedRun
from .lowering import lower
from .profile import Profile, profile_of
from .registers import ITERATION
from .running import Run
from .sources import layout, readable
from .table import Rows, Table
from .threads import shares_for

__all__ = ["NativeEngine", "NativeExecutable"]

MOST_TABLES = 64
"""Bindings kept of one program: predictions come in any number of rows."""


@dataclass(frozen=True)
class NativeEngine:
    """Compiled kernels in a table, run by a loop that does not touch Python.

    Parameters
    ----------
    n_threads : int, optional
        Into how many shares a step is cut; by default as many as there are cores left, where it is worth it. The
        same number gives the same bits.
    debug : bool
        Run one instruction after another, each watched: see :mod:`~diaphane.engines.native.debug`. Slow.

    Examples
    --------
    >>> import diaphane as dia
    >>> from diaphane.engines import NativeEngine
    >>> x = dia.variable([1.0, 2.0], "x")
    >>> float(dia.Program(dia.sum(x * x), engine=NativeEngine(n_threads=1)).run()[0])
    5.0
    """

    n_threads: int | None = None
    debug: bool = False

    def __post_init__(self) -> None:
        if self.n_threads is not None and (not isinstance(self.n_threads, int) or self.n_threads < 1):
            raise ValueError(f"n_threads must be a whole number of at least 1, or None, got {self.n_threads!r}")

    @property
    def name(self) -> str:
        return "native"

    def prepare(self, definition: Definition) -> NativeExecutable:
        """Nothing is compiled before the sizes are known."""
        return NativeExecutable(definition, self.n_threads, self.debug)


class NativeExecutable:
    """A definition with a table for each binding of its sizes that has come up."""

    def __init__(self, definition: Definition, n_threads: int | None = None, debug: bool = False) -> None:
        self.definition, self.n_threads, self.debug = definition, n_threads, debug
        self._run: type[Run] = WatchedRun if debug else Run
        self.leaves = (*definition.variables, *definition.placeholders)
        self.running: dict[int, Run] = {}
        self._tables: dict[Any, Table] = {}
        self._lock = threading.Lock()

    def run(self, state: Sequence[Array], feeds: Sequence[Array], seed: int, step: int) -> StepResult:
        """One step."""
        bindings = bind_sizes(self.leaves, (*state, *feeds))
        order = np.zeros(0, np.int64)
        run = self._run(self, self.table(bindings, {}), bindings, state, feeds, {}, order, 1, seed, step)
        done = run.go(1, 0)
        if not done:
            return StepResult([o[0] for o in run.outputs], list(state), finite=False)
        return StepResult([o[0] for o in run.outputs], run.variables)

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
        rows = {k: readable(source) for k, source in data.items()}
        if any(source is None for source in rows.values()):
            return self._batch_by_batch(state, feeds, data, order, batch_size, seed, first_step)
        result = BatchesResult([], list(state), None)
        whole, rest = divmod(len(order), batch_size)
        for steps, size, start in ((whole, batch_size, 0), (min(rest, 1), rest, whole * batch_size)):
            if not steps:
                continue
            given = [_Shape((size, *rows[k].shape[1:])) if k in rows else feed for k, feed in enumerate(feeds)]
            bindings = bind_sizes(self.leaves, (*result.state, *given))
            table = self.table(bindings, {k: layout(source) for k, source in rows.items()})
            at = first_step + len(result.outputs)
            run = self._run(self, table, bindings, result.state, feeds, rows, order[start:], steps, seed, at)
            done = run.go(steps, size)
            result.outputs += [[o[i] for o in run.outputs] for i in range(done)]
            result.state = run.variables
            if done < steps:
                result.failed_at = len(result.outputs)
                break
        return result

    def profile(
        self,
        state: Sequence[Array],
        feeds: Sequence[Array | None],
        data: Mapping[int, Any],
        batch_size: int,
        steps: int,
        seed: int,
    ) -> Profile:
        """Time each instruction of a step over the first rows of some data, or over what is fed."""
        rows = {k: readable(source) for k, source in data.items()}
        if any(source is None for source in rows.values()):
            raise ValueError("profile takes data that kernels can read: arrays of numbers, memory maps or CSR matrices")
        given = [_Shape((batch_size, *rows[k].shape[1:])) if k in rows else feed for k, feed in enumerate(feeds)]
        bindings = bind_sizes(self.leaves, (*state, *given))
        table = self.table(bindings, {k: layout(source) for k, source in rows.items()})
        order = np.tile(np.arange(batch_size), steps)

        def run() -> Run:
            return Run(self, table, bindings, state, feeds, rows, order, steps, seed, 0)

        def go(prepared: Run) -> float:
            started = time.perf_counter()
            prepared.go(steps, batch_size)
            return time.perf_counter() - started

        seconds = statistics.median(go(run()) for _ in range(5)) / steps
        measured = run()
        ticks = measured.measure()
        done = go(measured) and max(int(measured.registers[0, ITERATION]) + 1, 1)
        return profile_of(table, ticks, int(done), seconds)

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

    def table(self, bindings: Mapping[str, int], sources: Mapping[int, Rows]) -> Table:
        """The table for these sizes and data types, made when it first comes up."""
        key = tuple(sorted(bindings.items())), tuple(sorted(sources.items(), key=lambda s: s[0]))
        with self._lock:
            found = self._tables.get(key)
            if found is None:
                if len(self._tables) >= MOST_TABLES:
                    self._tables.pop(next(iter(self._tables)))
                found = lower(
                    self.definition,
                    bindings,
                    sources,
                    self.running.__getitem__,
                    lambda work: shares_for(work, self.n_threads),
                    ZONE if self.debug else 0,
                )
                self._tables[key] = found
            return found


class _Shape:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
