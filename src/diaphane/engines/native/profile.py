"""Where the time of a step goes: its instructions, and what the machine could do at best."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...graph.formula import short_formula
from ...graph.node import Array, DType
from .table import Code, Instruction, Table
from .threads import available_cores, one_blas_thread

__all__ = ["Ceilings", "InstructionProfile", "Profile", "ceilings", "profile_of"]


@dataclass(frozen=True)
class InstructionProfile:
    """One instruction of a step.

    Attributes
    ----------
    operation : str
        What it computes.
    formula : str
        The node, abridged.
    depth : int
        How many loops it is in.
    milliseconds : float
        A step's, in it.
    waiting : float
        Milliseconds of a step that its thread waits for the others after it.
    gflops, gbytes : float
        Arithmetic (10⁹ operations) and memory (10⁹ bytes) a second; 0 where they are not counted.
    share : float
        Of the step's time.
    calls_python : bool
        Whether there is no kernel for it.
    """

    operation: str
    formula: str
    depth: int
    milliseconds: float
    waiting: float
    gflops: float
    gbytes: float
    share: float
    calls_python: bool


@dataclass(frozen=True)
class Ceilings:
    """What the machine does at best, measured: a 1024³ matrix product, and a copy of memory that no cache holds."""

    gflops: float
    gbytes: float
    cores: int


@dataclass(frozen=True)
class Profile:
    """A step's instructions in order, with the time that each takes.

    Attributes
    ----------
    instructions : list of InstructionProfile
    milliseconds : float
        Of a step that is not looked into: the clock itself takes some time.
    threads : int
        Into how many shares the step is cut.
    arena, naive : int
        Bytes of memory for what is computed on the way, and what it would be if no two values shared any.
    ceilings : Ceilings
    """

    instructions: list[InstructionProfile]
    milliseconds: float
    threads: int
    arena: int
    naive: int
    ceilings: Ceilings

    @property
    def fallbacks(self) -> list[InstructionProfile]:
        """What has no kernel and calls Python."""
        return [i for i in self.instructions if i.calls_python]

    def __str__(self) -> str:
        heads = ("", "operation", "ms", "wait", "GFLOP/s", "GB/s", "share", "of")
        rows = [heads, *self._rows()]
        widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
        left = (1, 7)
        lines = [
            "  ".join(c.ljust(w) if k in left else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]
        lines.insert(1, "─" * max(len(line) for line in lines))
        best = self.ceilings
        calls = len(self.fallbacks)
        lines += [
            "",
            f"a step: {self.milliseconds:.4g} ms on {self.threads} thread{'s' * (self.threads > 1)}; "
            f"{len(self.instructions)} instructions, {calls} of which call{'s' * (calls == 1)} Python",
            f"memory on the way: {_bytes(self.arena)}, {_bytes(self.naive)} if no two values shared any",
            f"the machine at best, {best.cores} core{'s' * (best.cores > 1)}: {best.gflops:.0f} GFLOP/s (a matrix "
            f"product of 1024³), {best.gbytes:.1f} GB/s (a copy of memory)",
        ]
        return "\n".join(line.rstrip() for line in lines)

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for k, i in enumerate(self.instructions, start=1):
            name = "  " * i.depth + i.operation + (" (Python)" if i.calls_python else "")
            yield (
                str(k),
                name,
                f"{i.milliseconds:.4f}",
                f"{i.waiting:.4f}" if i.waiting else "–",
                f"{i.gflops:.1f}" if i.gflops else "–",
                f"{i.gbytes:.1f}" if i.gbytes else "–",
                f"{100 * i.share:.1f} %",
                i.formula,
            )


def profile_of(table: Table, ticks: Array, steps: int, seconds: float) -> Profile:
    """A profile out of what a run has measured.

    Parameters
    ----------
    table : Table
    ticks : ndarray of int, shape (instructions, 2)
        Nanoseconds in each and of waiting after it, added up over the steps.
    steps : int
    seconds : float
        A step's time when nothing is measured inside.
    """
    within = max(float(sum(ticks[k].sum() for k in range(len(table.instructions)))), 1.0)
    each = ticks / steps
    listed = [
        _of(i, depth, float(each[k, 0]), float(each[k, 1]), within / steps, runs)
        for k, i, depth, runs in _in_order(table.code)
    ]
    dtype = next((v.dtype for v in table.variables if v.dtype.kind == "f"), np.dtype("float32"))
    return Profile(listed, 1e3 * seconds, table.shares, table.arena, table.naive, ceilings(dtype, table.shares))


def _in_order(code: Code, depth: int = 0, runs: int = 1) -> Iterator[tuple[int, Instruction, int, int]]:
    """Each instruction with its place among the ticks, a loop's body after the loop; how often a step runs it."""
    bodies = iter(code.bodies)
    for k, instruction in enumerate(code.instructions):
        yield code.first_tick + k, instruction, depth, runs
        if instruction.loop is not None:
            yield from _in_order(next(bodies), depth + 1, runs * instruction.loop.length)


def _of(
    instruction: Instruction, depth: int, inside: float, waiting: float, whole: float, runs: int
) -> InstructionProfile:
    node, seconds = instruction.node, max(inside, 1.0)
    return InstructionProfile(
        "–" if node is None else node.op.label(),
        "" if node is None else short_formula(node).strip("'"),
        depth,
        inside / 1e6,
        waiting / 1e6,
        instruction.operations * runs / seconds,
        0.0 if instruction.loop is not None else instruction.bytes * runs / seconds,
        (inside + waiting) / whole,
        instruction.calls_python,
    )


@lru_cache(maxsize=8)
def ceilings(dtype: DType, threads: int) -> Ceilings:
    """Measure the machine: some tenths of a second, the first time."""
    from scipy.linalg import blas

    n, size, threads = 1024, 1 << 26, min(threads, available_cores())
    product = blas.dgemm if dtype.itemsize == 8 else blas.sgemm
    a, b, c = (np.asfortranarray(np.ones((n, n), dtype)) for _ in range(3))
    source, target = np.ones(size, np.uint8), np.empty(size, np.uint8)
    parts = [slice(k * size // threads, (k + 1) * size // threads) for k in range(threads)]

    def copy(part: slice) -> None:
        np.copyto(target[part], source[part])

    with one_blas_thread(n**3) if threads == 1 else nullcontext():
        arithmetic = _best(lambda: product(1.0, a, b, 0.0, c, overwrite_c=1))
    with ThreadPoolExecutor(threads) as pool:
        memory = _best(lambda: list(pool.map(copy, parts)))
    return Ceilings(2.0 * n**3 / arithmetic / 1e9, 2.0 * size / memory / 1e9, threads)


def _best(work: Callable[[], Any]) -> float:
    """The fastest of several runs: what is possible."""
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _bytes(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024  # type: ignore[assignment]
    return f"{count:.4g} GiB"
