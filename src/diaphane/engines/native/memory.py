"""Where values lie: slots in bases, and an arena planned by when each buffer is last used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...graph.node import DType

__all__ = ["ALIGNMENT", "ARENA", "Buffer", "Slot", "aligned", "plan_arena"]

ALIGNMENT = 64
ARENA = 0
"""The base that all planned buffers share; others are arrays of the caller's."""


@dataclass(eq=False)
class Buffer:
    """Some bytes: of the arena, at an offset that is planned last, or a whole base of its own."""

    size: int
    base: int = ARENA
    offset: int = 0
    first: int = -1
    last: int = -1

    def touch(self, instruction: int) -> None:
        """Used by this instruction."""
        self.first = instruction if self.first < 0 else min(self.first, instruction)
        self.last = max(self.last, instruction)


@dataclass(frozen=True)
class Slot:
    """An array in a buffer: shape and strides in bytes, from an offset."""

    buffer: Buffer
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: DType
    offset: int = 0

    @staticmethod
    def fresh(shape: Sequence[int], dtype: DType, base: int = ARENA) -> Slot:
        """A new contiguous array."""
        extents = tuple(shape)
        return Slot(Buffer(math.prod(extents) * dtype.itemsize, base), extents, row_major(extents, dtype), dtype)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def extent_in_bytes(self) -> int:
        """Its elements' bytes, those seen several times counted once."""
        return math.prod(n for n, s in zip(self.shape, self.strides, strict=True) if s) * self.dtype.itemsize

    @property
    def is_contiguous(self) -> bool:
        expected = row_major(self.shape, self.dtype)
        return self.size <= 1 or all(
            s == e for s, e, n in zip(self.strides, expected, self.shape, strict=True) if n != 1
        )

    def reshaped(self, shape: tuple[int, ...]) -> Slot:
        """The same bytes under another shape; only where they lie one after another."""
        return replace(self, shape=shape, strides=row_major(shape, self.dtype))

    def permuted(self, axes: Sequence[int]) -> Slot:
        """The axes in another order."""
        return replace(self, shape=tuple(self.shape[i] for i in axes), strides=tuple(self.strides[i] for i in axes))

    def broadcast(self, shape: tuple[int, ...]) -> Slot:
        """Repeated by strides of 0."""
        new = len(shape) - len(self.shape)
        strides = [0] * new
        strides += [0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True)]
        return replace(self, shape=shape, strides=tuple(strides))

    def part(self, axis: int, start: int, stop: int) -> Slot:
        """What lies between two places along an axis."""
        shape = (*self.shape[:axis], stop - start, *self.shape[axis + 1 :])
        return replace(self, shape=shape, offset=self.offset + start * self.strides[axis])

    def span(self) -> tuple[int, int]:
        """The bytes of its base that it may touch, from the first to before the last."""
        if not self.size:
            return 0, 0
        reach = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        start = self.buffer.offset + self.offset
        return start + sum(r for r in reach if r < 0), start + sum(r for r in reach if r > 0) + self.dtype.itemsize

    def sliced(self, slices: Sequence[slice], shape: tuple[int, ...]) -> Slot:
        """Every step-th element along each axis."""
        starts = [(s.start or 0) for s in slices]
        offset = self.offset + sum(a * b for a, b in zip(starts, self.strides, strict=True))
        strides = tuple((s.step or 1) * b for s, b in zip(slices, self.strides, strict=True))
        return replace(self, shape=shape, strides=strides, offset=offset)


@dataclass
class Arena:
    """Free stretches of a block of bytes that grows as needed."""

    size: int = 0
    free: list[tuple[int, int]] = field(default_factory=list)

    def take(self, size: int) -> int:
        for i, (start, length) in enumerate(self.free):
            if length >= size:
                self.free[i : i + 1] = [(start + size, length - size)] if length > size else []
                return start
        start = self.size
        if self.free and self.free[-1][0] + self.free[-1][1] == self.size:
            start, _ = self.free.pop()
        self.size = start + size
        return start

    def give(self, start: int, size: int) -> None:
        self.free.append((start, size))
        self.free.sort()
        merged: list[tuple[int, int]] = []
        for begin, length in self.free:
            if merged and merged[-1][0] + merged[-1][1] == begin:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((begin, length))
        self.free = merged


def plan_arena(buffers: Sequence[Buffer], instructions: int, zone: int = 0) -> int:
    """Give each arena buffer an offset, so that two share bytes only where one is dead before the other is born.

    Around each buffer so many bytes are left free.

    Returns
    -------
    int
        The bytes that the arena needs.
    """
    born: dict[int, list[Buffer]] = {}
    dying: dict[int, list[Buffer]] = {}
    for buffer in buffers:
        if buffer.base == ARENA and buffer.first >= 0:
            born.setdefault(buffer.first, []).append(buffer)
            dying.setdefault(buffer.last, []).append(buffer)
    arena = Arena()
    for i in range(instructions):
        for buffer in born.get(i, ()):
            buffer.offset = arena.take(aligned(buffer.size) + 2 * zone) + zone
        for buffer in dying.get(i, ()):
            arena.give(buffer.offset - zone, aligned(buffer.size) + 2 * zone)
    return arena.size


def row_major(shape: Sequence[int], dtype: DType) -> tuple[int, ...]:
    """Strides in bytes of a contiguous array."""
    strides, step = [], dtype.itemsize
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def aligned(size: int) -> int:
    """So many bytes, rounded up to the alignment; at least one of it."""
    return max(-(-size // ALIGNMENT) * ALIGNMENT, ALIGNMENT)
