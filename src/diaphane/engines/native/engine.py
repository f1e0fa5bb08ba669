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
from ..batches import batches_of, gather
from ..contract import BatchesResult, Definition, StepResult
from .debug import ZONE, WatchedRun
from .lowering import lower
from .profile import Profile, profile_of
from .rows import NativeRows
from .running import Run
from .sources import layout, readable
from .table import Rows, Table
from .threads import shares_for

__all__ = ["NativeEngine", "NativeExecutable"]

NOTHING = np.zeros(0, np.int64)
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
        position = {node: i for i, node in enumerate(definition.variables)}
        self.updated = frozenset(position[variable] for variable, _ in definition.updates)
        self.running: dict[int, Run] = {}
        self._tables: dict[Any, Table] = {}
        self._lock = threading.Lock()

    def run(self, state: Sequence[Array], feeds: Sequence[Array], seed: int, step: int) -> StepResult:
        """One step."""
        table = self.table(bind_sizes(self.leaves, (*state, *feeds)), {})
        run = self._run(self, table, state, feeds, {}, NOTHING, 1, seed, step)
        done = run.go(1)
        if not done:
            return StepResult([o[0] for o in run.outputs], list(state), finite=False)
        return StepResult([o[0] for o in run.outputs], run.variables)

    def run_batches(
        self,
        state: Sequence[Array],
        feeds: Sequence[Array | None],
        data: Mapping[int, Any],
        orders: Array,
        batch_size: int,
        seed: int,
        first_step: int,
    ) -> BatchesResult:
        """One step for each batch of each epoch's order, those of whole and those of short batches in one loop."""
        rows = {k: readable(source, self.definition.placeholders[k].dtype) for k, source in data.items()}
        if any(source is None for source in rows.values()):
            return self._batch_by_batch(state, feeds, data, orders, batch_size, seed, first_step)
        epochs, n = orders.shape
        whole, rest = divmod(n, batch_size)
        steps = epochs * (whole + (rest > 0))
        if not steps:
            return BatchesResult([], list(state), None)
        order = np.ascontiguousarray(orders, np.int64).reshape(-1)
        layouts = {k: layout(source) for k, source in rows.items()}
        runs: list[Run] = []
        for size in [*[batch_size] * (whole > 0), *[rest] * (rest > 0)]:
            given = [_Shape((size, *rows[k].shape[1:])) if k in rows else feed for k, feed in enumerate(feeds)]
            # The second goes on with the first one's values, on as many threads.
            shares = runs[0].table.shares if runs else None
            table = self.table(bind_sizes(self.leaves, (*state, *given)), layouts, shares)
            before = runs[0].variables if runs else state
            runs.append(self._run(self, table, before, feeds, rows, order, steps, seed, first_step, bool(runs)))
        if len(runs) == 2:
            done = runs[0].go(steps, batch_size, n, whole + 1, runs[1])
            each = [runs[k % (whole + 1) == whole].outputs for k in range(done)]
        else:
            done = runs[0].go(steps, batch_size, n, whole + (rest > 0))
            each = [runs[0].outputs] * done
        outputs = [[o[k] for o in made] for k, made in enumerate(each)]
        return BatchesResult(outputs, runs[0].variables, None, done if done < steps else None)

    def by_rows(self) -> NativeRows | None:
        """A shorter way for a program that goes row by row; None where runs are watched."""
        return None if self.debug else NativeRows(self)

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
        rows = {k: readable(source, self.definition.placeholders[k].dtype) for k, source in data.items()}
        if any(source is None for source in rows.values()):
            raise ValueError("profile takes data that kernels can read: arrays of numbers, memory maps or CSR matrices")
        given = [_Shape((batch_size, *rows[k].shape[1:])) if k in rows else feed for k, feed in enumerate(feeds)]
        bindings = bind_sizes(self.leaves, (*state, *given))
        table = self.table(bindings, {k: layout(source) for k, source in rows.items()})
        order = np.arange(batch_size)

        def run() -> Run:
            return Run(self, table, state, feeds, rows, order, steps, seed, 0)

        def go(prepared: Run) -> float:
            started = time.perf_counter()
            prepared.go(steps)
            return time.perf_counter() - started

        seconds = statistics.median(go(run()) for _ in range(5)) / steps
        measured = run()
        ticks = measured.measure()
        go(measured)
        return profile_of(table, ticks, max(measured.done, 1), seconds)

    def _batch_by_batch(
        self, state: Any, feeds: Any, data: Any, orders: Array, batch_size: int, seed: int, first_step: int
    ) -> BatchesResult:
        result = BatchesResult([], list(state), None)
        fed = list(feeds)
        for i, picked in enumerate(batches_of(orders, batch_size)):
            with np.errstate(all="ignore"):
                for k, source in data.items():
                    fed[k] = gather(source, picked, self.definition.placeholders[k].dtype)
            done = self.run(result.state, fed, seed, first_step + i)
            if not done.finite:
                result.failed_at = i
                break
            result.outputs.append(done.outputs)
            result.state = done.state
        return result

    def table(self, bindings: Mapping[str, int], sources: Mapping[int, Rows], shares: int | None = None) -> Table:
        """The table for these sizes and data types (and so many shares), made when it first comes up."""
        key = tuple(bindings.items()), tuple(sources.items()), shares
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
                    lambda work: shares or shares_for(work, self.n_threads),
                    ZONE if self.debug else 0,
                )
                found.bindings = dict(bindings)
                self._tables[key] = found
            return found


class _Shape:
    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
