"""A program as data: instructions over slots, and what they point to."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...graph import Node
from ...graph.node import Array, DType
from .memory import Buffer, Slot
from .registers import CALLS_PYTHON, FIXED_WORDS, IS_LOOP, MEETS
from .threads import Pace

__all__ = [
    "CALLBACK",
    "CONSTANTS",
    "FIRST_FREE",
    "ORDER",
    "REGISTERS",
    "Address",
    "Code",
    "Instruction",
    "Loop",
    "Rows",
    "Share",
    "Table",
]

REGISTERS, CONSTANTS, ORDER, FIRST_FREE = 1, 2, 3, 4
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)


@dataclass
class Share:
    """What one thread does of an instruction: the arrays it reads, those it writes, and its numbers."""

    reads: Sequence[Slot]
    writes: Sequence[Slot]
    numbers: Sequence[int] = ()

    @property
    def slots(self) -> list[Slot]:
        return [*self.reads, *self.writes]

    def block(self) -> Array:
        """Base and offset of each array, then the numbers: what a kernel is given."""
        pairs = [word for s in self.slots for word in (s.buffer.base, s.buffer.offset + s.offset)]
        return np.array([*pairs, *self.numbers], np.int64)


@dataclass
class Instruction:
    """One call of a kernel.

    Attributes
    ----------
    kernel
        Has an ``address``.
    node : Node or None
        What it computes.
    share : callable
        From two places a and b to what is to be done between them.
    extent : int
        How many places there are; 1 for what cannot be shared.
    grain : int
        Cuts are at multiples of it.
    work : float
        Nanoseconds it may take on one thread, roughly.
    calls_python : bool
    meets : bool
        Whether nothing after it may begin before every thread has seen its end.
    loop : Loop or None
        For a loop, its body.
    outlives : list of Buffer
        What it reads by way of another base, so that it must last until here.
    operations : float
        Additions, multiplications and the like, where they are counted.
    place : int
        Which it is when the bodies of loops are counted in line; a buffer lives from one place to another.
    shares : list of Share or None
        For each share what it does, once the instruction is cut.
    """

    kernel: Any
    node: Node | None
    share: Callable[[int, int], Share]
    extent: int = 1
    grain: int = 1
    work: float = 0.0
    calls_python: bool = False
    meets: bool = False
    loop: Loop | None = None
    outlives: list[Buffer] = field(default_factory=list)
    operations: float = 0.0
    place: int = 0
    shares: list[Share | None] = field(default_factory=list)

    @property
    def whole(self) -> Share:
        return self.share(0, self.extent)

    @property
    def bytes(self) -> int:
        """Memory that it reads and writes, each byte counted once for each array."""
        return sum(s.extent_in_bytes for s in self.whole.slots)

    @property
    def total_work(self) -> float:
        return self.work if self.loop is None else self.loop.length * sum(i.total_work for i in self.loop.body)


@dataclass
class Loop:
    """The body of a scan and the bases that are set before it, at each step and after."""

    body: list[Instruction]
    length: int
    backwards: bool
    firsts: list[tuple[int, Slot]] = field(default_factory=list)
    moves: list[tuple[int, Slot, int]] = field(default_factory=list)
    flips: list[tuple[int, Slot, int]] = field(default_factory=list)
    nexts: list[tuple[int, Slot]] = field(default_factory=list)
    outside: list[Buffer] = field(default_factory=list)
    """Buffers of the arena that must last until the last step."""

    def words(self) -> list[int]:
        """What the loop's kernel is given after the body's code."""
        words = [self.length, int(self.backwards)]
        words += [len(self.firsts), len(self.moves), len(self.flips), len(self.nexts)]
        for base, slot in self.firsts:
            words += [base, *_place(slot)]
        for base, slot, step in (*self.moves, *self.flips):
            words += [base, *_place(slot), step]
        for base, slot in self.nexts:
            words += [base, *_place(slot)]
        return words


def _place(slot: Slot) -> tuple[int, int]:
    return slot.buffer.base, slot.buffer.offset + slot.offset


class Code:
    """Instructions as the words that :func:`execute` reads.

    Attributes
    ----------
    address : int
    instructions : list of Instruction
    bodies : list of Code
        Those of its loops, in order.
    first_tick : int
        The place of the first instruction among a profile's ticks.
    listed : list of (Instruction, int)
        Every instruction with the depth of loops around it, in the order of a profile's ticks.
    """

    def __init__(self, instructions: Sequence[Instruction], shares: int, depth: int = 0, first_tick: int = 0) -> None:
        self.instructions, self.first_tick = list(instructions), first_tick
        self.listed = [(i, depth) for i in instructions]
        self.bodies: list[Code] = []
        tick = first_tick + len(instructions)
        blocks = np.zeros((shares, len(instructions)), np.int64)
        kept: list[Array] = []
        for k, instruction in enumerate(instructions):
            if instruction.loop is not None:
                body = Code(instruction.loop.body, shares, depth + 1, tick)
                self.bodies.append(body)
                self.listed += body.listed
                tick += len(body.listed)
                kept.append(np.array([body.address, *instruction.loop.words()], np.int64))
                blocks[:, k] = kept[-1].ctypes.data
                continue
            for share, own in enumerate(instruction.shares):
                if own is not None:
                    kept.append(own.block())
                    blocks[share, k] = kept[-1].ctypes.data
        self._addresses = np.array([i.kernel.address for i in instructions], np.int64)
        self._marks = np.array([_mark(i) for i in instructions], np.int64)
        self._blocks, self._kept = blocks, kept
        words = [len(instructions), self._addresses.ctypes.data, self._marks.ctypes.data, first_tick]
        assert len(words) == FIXED_WORDS
        self._words = np.array([*words, *(row.ctypes.data for row in blocks)], np.int64)
        self.address: int = int(self._words.ctypes.data)


def _mark(instruction: Instruction) -> int:
    marks = CALLS_PYTHON if instruction.calls_python else 0
    marks |= IS_LOOP if instruction.loop is not None else 0
    return marks | (MEETS if instruction.meets else 0)


@dataclass
class Table:
    """A program for one binding of its sizes.

    Attributes
    ----------
    instructions : list of Instruction
    shares : int
        Into how many parts large instructions are cut.
    arena : int
        Bytes that a run needs.
    naive : int
        The bytes that its buffers would take if none shared the arena.
    constants : ndarray
        The bytes of base 2.
    variables, placeholders, outputs : list of Slot
        Where each lies, in its own base.
    data : dict of int to tuple of int
        For a placeholder that is gathered, the bases of its source's arrays.
    bases : int
        How many bases there are.
    keep_alive : list
        What instructions point to.
    largest_product : int
        Multiply-adds of the largest matrix product.
    buffers : list of Buffer
        Those of the arena.
    bindings : dict of str to int
        What the named sizes are bound to.
    idle : list
        Memory of runs that are over, for the next ones.
    pace : Pace
        How several threads have done of late.
    """

    instructions: list[Instruction]
    shares: int
    arena: int
    naive: int
    constants: Array
    variables: list[Slot]
    placeholders: list[Slot]
    outputs: list[Slot]
    data: dict[int, tuple[int, ...]]
    bases: int
    keep_alive: list[Any]
    largest_product: int
    buffers: list[Buffer]
    bindings: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.code = Code(self.instructions, self.shares)
        self.work = sum(i.total_work for i in self.instructions)
        self.idle: list[Any] = []
        self.pace = Pace()
        given = [slot.buffer.base for slot in self.variables]
        for k, slot in enumerate(self.placeholders):
            given += self.data.get(k, (slot.buffer.base,))
        # In the order in which a run gives their addresses.
        self.given = np.array([ORDER, *given, *(slot.buffer.base for slot in self.outputs)])

    def flat(self) -> Iterator[Instruction]:
        """Every instruction, those of loops included."""
        return (instruction for instruction, _ in self.code.listed)


@dataclass(frozen=True)
class Rows:
    """How rows of data lie: their type, the bytes from one to the next, the elements from one column to the next.

    For a sparse matrix the types of its values, row starts and column indices are given.
    """

    dtype: DType
    step: int = 0
    apart: int = 1
    starts: DType | None = None
    columns: DType | None = None


class Address:
    """Something that is called by its address, like a compiled kernel."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.address = ctypes.cast(function, ctypes.c_void_p).value
