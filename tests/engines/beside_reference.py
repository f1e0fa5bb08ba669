"""The native engine beside the reference engine: the ways in which it is run, and what counts as the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import diaphane as dia
from diaphane.engines import Definition, NativeEngine
from diaphane.engines.native import sharing
from diaphane.engines.native.debug import WatchedRun
from diaphane.engines.native.engine import NativeExecutable
from diaphane.engines.native.memory import Slot
from diaphane.engines.native.table import Instruction, Share, Table
from diaphane.graph.formula import describe

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
RULE = 4.0
"""How many times the reference engine's own error in float32 the native engine's may be."""
FLOOR = 4.0
"""Units in the last place, of the norm, that are always allowed in float32."""


class RaceError(AssertionError):
    """Two threads may touch the same bytes at once, one of them writing."""


class UnorderedRun(WatchedRun):
    """A watched run that also knows which bytes each share has touched since all threads last met."""

    def _prepare(self) -> None:
        super()._prepare()
        self._meetings = {i.place for i in self.table.flat() if i.meets}
        self._touched: dict[int, tuple[set[int], set[int]]] = {}

    def _release(self, place: int) -> None:
        super()._release(place)
        if place in self._meetings:
            self._touched = {}

    def _watch(self, instruction: Instruction, share: int, part: Share) -> None:
        reads, writes = ({b for s in slots for b in self._bytes(s)} for slots in (part.reads, part.writes))
        for other, (read, written) in self._touched.items():
            if other != share and (writes & (read | written) or reads & written):
                raise RaceError(f"shares {other} and {share} meet in {describe(instruction.node)}")
        own = self._touched.setdefault(share, (set(), set()))
        own[0].update(reads)
        own[1].update(writes)
        super()._watch(instruction, share, part)

    def _bytes(self, slot: Slot) -> list[int]:
        """The addresses that it lies at: places of the arena and of variables, whatever base they are reached by."""
        places = np.array(self._place(slot))
        for n, stride in zip(slot.shape, slot.strides, strict=True):
            places = places[..., None] + np.arange(n) * stride
        return (places[..., None] + np.arange(slot.dtype.itemsize)).ravel().tolist()


@dataclass(frozen=True)
class UnorderedEngine(NativeEngine):
    """The native engine, watched, and refusing what only luck keeps in order."""

    n_threads: int | None = 2
    debug: bool = True

    def prepare(self, definition: Definition) -> NativeExecutable:
        executable = super().prepare(definition)
        executable._run = UnorderedRun
        return executable


WAYS = {
    "one thread": NativeEngine(n_threads=1),
    "two shares": NativeEngine(n_threads=2),
    "watched": UnorderedEngine(),
}
"""Ways to run a program natively; with :func:`all_cut`, the last two cut every instruction that can be cut."""


@contextmanager
def all_cut() -> Iterator[None]:
    """Inside, an instruction is cut into shares however small it is."""
    before = sharing.SHARED_FROM
    sharing.SHARED_FROM = 0.0
    try:
        yield
    finally:
        sharing.SHARED_FROM = before


def one_table(program: dia.Program) -> Table:
    """The table of a program that has run with one binding of its sizes."""
    [table] = program._executable._tables.values()
    return table


def instructions(program: dia.Program, bindings: Mapping[str, int] | None = None) -> list[Instruction]:
    """Every instruction of a program for these sizes."""
    return list(program._executable.table(dict(bindings or {}), {}).flat())


def norm(a: np.ndarray) -> float:
    """The Euclidean norm of what is finite."""
    wide = np.asarray(a, np.float64)
    return float(np.linalg.norm(np.where(np.isfinite(wide), wide, 0.0)))


def distance(got: np.ndarray, want: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return norm(np.where(np.isfinite(want), got.astype(np.float64) - want, 0.0))


def shown(a: np.ndarray) -> str:
    return np.array2string(a, threshold=40, edgeitems=3)


def assert_same_kind(got: np.ndarray, want: np.ndarray, what: str) -> None:
    """Equal type, shape, NaN and infinities."""
    assert (got.dtype, got.shape) == (want.dtype, want.shape), what
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    special = ~np.isfinite(want)
    np.testing.assert_array_equal(got[special], want[special], err_msg=what)
    assert np.isfinite(got[~special]).all(), f"{what}: {shown(got)} instead of {shown(want)}"


def assert_same_numbers(got: Any, want: Any, what: str, tolerance: float = 1e-12, slack: float = 0.0) -> None:
    """float64: equal but for rounding, normwise; everything else to the bit."""
    got, want = np.asarray(got), np.asarray(want)
    assert_same_kind(got, want, what)
    if want.dtype.kind == "f":
        far, allowed = distance(got, want.astype(np.float64)), tolerance * max(norm(want), 1.0) + slack
        assert far <= allowed, (
            f"{what}: {far:.3g} apart, {allowed:.3g} allowed\n{shown(got)}\ninstead of\n{shown(want)}"
        )


def assert_within_rule(got: Any, reference: Any, truth: Any, what: str, slack: float = 0.0) -> None:
    """float32: no further from the float64 oracle than a few times what the reference engine is."""
    got, reference, truth = np.asarray(got), np.asarray(reference), np.asarray(truth)
    assert_same_kind(got, reference, what)
    if reference.dtype != np.float32:
        if reference.dtype == np.float64:
            assert_same_numbers(got, reference, what, tolerance=EPSILON["float32"])
        return
    with np.errstate(over="ignore"):
        truth = np.where(np.isfinite(reference), truth.astype(np.float64), reference)
    own, far = distance(reference, truth), distance(got, truth)
    allowed = max(RULE * own, FLOOR * EPSILON["float32"] * max(norm(truth), 1.0)) + slack
    assert far <= allowed, (
        f"{what}: {far:.3g} from float64, the reference engine {own:.3g}\n{shown(got)}\ninstead of\n{shown(truth)}"
    )


def compute(outputs: Sequence[dia.Node], feeds: Mapping[dia.Node, Any], engine: Any, **how: int) -> list[np.ndarray]:
    """The outputs' values on an engine."""
    program = dia.Program(outputs, engine=engine)
    found, _ = program.run(program.initial_state(), feeds, **how)
    return found
