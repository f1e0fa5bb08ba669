"""A run in which every instruction is watched: does it read only what is alive, write all of its own and nothing else?

Memory that is not alive is full of a pattern, which as a float is not a number, and between any two buffers lies a zone
that belongs to nobody.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...graph.formula import describe
from ...graph.node import Array
from . import registers as r
from .memory import ARENA, Slot
from .running import Run
from .table import REGISTERS, Instruction, Loop, Share

__all__ = ["ZONE", "MemoryFault", "WatchedRun"]

ZONE = 128
"""Bytes of nobody's on each side of a buffer."""

POISON = np.uint32(0x7FF7A5A5)
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)


class MemoryFault(RuntimeError):
    """An instruction read or wrote what it should not have."""


class WatchedRun(Run):
    """A run that is stepped through by Python, every share in turn."""

    def _some(self, start: int, stop: int, batch: int, rows: int, per_epoch: int, other: Run | None) -> int:
        for run in (self, other):
            if isinstance(run, WatchedRun):
                run._prepare()
        for i in range(start, stop):
            epoch, k = divmod(i, per_epoch)
            run = other if isinstance(other, WatchedRun) and k == per_epoch - 1 else self
            run.registers[:, r.ITERATION], run.registers[:, r.ROW] = i, epoch * rows + k * batch
            if not run._block(run.table.instructions):
                return i
        return stop

    def _prepare(self) -> None:
        self._arena = self.arena[-self.arena.ctypes.data % 64 :][: self.table.arena]
        self._arena[: len(self._arena) // 4 * 4].view(np.uint32)[:] = POISON
        self._dying: dict[int, list[Slot]] = {}
        for buffer in self.table.buffers:
            whole = Slot(buffer, (buffer.size,), (1,), np.dtype("uint8"))
            self._dying.setdefault(buffer.last, []).append(whole)
        self.registers[:, r.FIRST] = np.arange(self.table.shares)
        self.registers[:, r.LAST] = np.arange(self.table.shares) + 1

    def _block(self, instructions: Sequence[Instruction]) -> bool:
        for instruction in instructions:
            if instruction.loop is not None:
                whole = self._loop(instruction.loop)
            else:
                for share, part in enumerate(instruction.shares):
                    if part is not None:
                        self._watch(instruction, share, part)
                whole = not self.flag
            if not whole:
                return False
            self._release(instruction.place)
        return True

    def _release(self, place: int) -> None:
        for slot in self._dying.get(place, ()):
            bytes_ = self.array(slot)
            bytes_[: len(bytes_) // 4 * 4].view(np.uint32)[:] = POISON

    def _loop(self, loop: Loop) -> bool:
        """What the loop's kernel does, with the body watched."""
        bases = self.bases
        outer = int(self.registers[0, r.SCAN])
        for base, slot in loop.firsts:
            bases[:, base] = self._place(slot)
        for i in range(loop.length):
            t = loop.length - 1 - i if loop.backwards else i
            self.registers[:, r.SCAN] = (outer * 0x9E3779B1 + t + 1) & 0xFFFFFFFF
            for base, slot, step in loop.moves:
                bases[:, base] = self._place(slot) + t * step
            for base, slot, step in loop.flips:
                bases[:, base] = self._place(slot) + (i & 1) * step
            if not self._block(loop.body):
                return False
            for base, place in [(base, self._place(slot)) for base, slot in loop.nexts]:
                bases[:, base] = place
        self.registers[:, r.SCAN] = outer
        self._release(max((k.place for k in _all(loop.body)), default=-2) + 1)
        return True

    def _place(self, slot: Slot) -> int:
        return int(self.bases[0, slot.buffer.base]) + slot.buffer.offset + slot.offset

    def _watch(self, instruction: Instruction, share: int, part: Share) -> None:
        for slot in part.reads:
            if slot.buffer.base == ARENA and _poisoned(self.array(slot)).any():
                raise self._fault(instruction, "reads what is not there: memory given up, or not written yet")
        watched = [self._arena, *(v.reshape(-1).view(np.uint8) for v in self.variables)]
        before = [memory.copy() for memory in watched]
        block = part.block()
        if instruction.calls_python:
            self.registers[0, r.ENTERED] = 1
        KERNEL(instruction.kernel.address)(self.bases[share].ctypes.data, block.ctypes.data)
        for memory, old in zip(watched, before, strict=True):
            allowed = np.zeros(len(memory), np.bool_)
            for slot in part.writes:
                _mark(allowed, self._place(slot) - memory.ctypes.data, slot)
            if not np.array_equal(memory[~allowed], old[~allowed]):
                at = int(np.flatnonzero((memory != old) & ~allowed)[0])
                raise self._fault(instruction, f"writes outside of its result, at byte {at}")
        for slot in part.writes[:1]:
            if not self.flag and slot.buffer.base == ARENA and _poisoned(self.array(slot)).any():
                raise self._fault(instruction, "leaves a part of its result unwritten")

    def _fault(self, instruction: Instruction, what: str) -> MemoryFault:
        node = instruction.node
        return MemoryFault(f"instruction {instruction.place} ({'–' if node is None else describe(node)}) {what}")


def _all(instructions: Sequence[Instruction]) -> Iterator[Instruction]:
    for instruction in instructions:
        yield instruction
        if instruction.loop is not None:
            yield from _all(instruction.loop.body)


def _poisoned(array: Array) -> Any:
    """Which elements are the pattern of memory that is not alive."""
    if array.dtype.kind == "b":
        return np.ascontiguousarray(array).view(np.uint8) > 1
    if array.dtype.itemsize < 4:
        return np.zeros(1, np.bool_)
    words = np.ascontiguousarray(array).view(np.uint32)
    return (words == POISON).reshape(-1, array.dtype.itemsize // 4).all(axis=1)


def _mark(allowed: Array, at: int, slot: Slot) -> None:
    """The bytes of a slot, where it begins at a place of some memory."""
    if not slot.size or not -(2**40) < at < len(allowed):
        return
    places = np.array(at)
    for n, stride in zip(slot.shape, slot.strides, strict=True):
        places = places[..., None] + np.arange(n) * stride
    bytes_ = (places[..., None] + np.arange(slot.dtype.itemsize)).ravel()
    allowed[bytes_[(bytes_ >= 0) & (bytes_ < len(allowed))]] = True


assert REGISTERS == r.REGISTERS_BASE
