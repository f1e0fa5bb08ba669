"""A program as data: instructions over slots, and what they point to."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...graph import Node
from ...graph.node import Array, DType
from .memory import Slot

__all__ = ["CALLBACK", "CONSTANTS", "FIRST_FREE", "ORDER", "REGISTERS", "Address", "Instruction", "Rows", "Table"]

REGISTERS, CONSTANTS, ORDER, FIRST_FREE = 1, 2, 3, 4
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)


@dataclass
class Instruction:
    """One call of a kernel: its arrays (as base and offset), then its numbers.

    ``kernel`` has an ``address``; ``node`` is what it computes, for the profile.
    """

    kernel: Any
    slots: list[Slot]
    numbers: list[int] = field(default_factory=list)
    node: Node | None = None
    is_fallback: bool = False

    def block(self) -> Array:
        pairs = [word for s in self.slots for word in (s.buffer.base, s.buffer.offset + s.offset)]
        return np.array([*pairs, *self.numbers], np.int64)


@dataclass
class Table:
    """A program for one binding of its sizes.

    Attributes
    ----------
    instructions : list of Instruction
    arena : int
        Bytes that a run needs.
    constants : ndarray
        The bytes of base 2.
    variables, placeholders, outputs : list of Slot or None
        Where each lies, in its own base; None for a placeholder that is gathered from data.
    data : dict of int to int
        For a placeholder that is gathered, the base of its source.
    bases : int
        How many bases there are.
    keep_alive : list
        What instructions point to.
    naive : int
        The bytes that the buffers would take if none shared the arena.
    largest_product : int
        Multiply-adds of the largest matrix product.
    """

    instructions: list[Instruction]
    arena: int
    constants: Array
    variables: list[Slot]
    placeholders: list[Slot]
    outputs: list[Slot]
    data: dict[int, int]
    bases: int
    keep_alive: list[Any]
    naive: int
    largest_product: int

    def __post_init__(self) -> None:
        blocks = [i.block() for i in self.instructions]
        self.addresses = np.array([i.kernel.address for i in self.instructions], np.int64)
        self.keep_alive = [*self.keep_alive, *blocks]
        self.blocks = np.array([b.ctypes.data for b in blocks], np.int64)
        self.calls_python = np.array([i.is_fallback for i in self.instructions], np.bool_)


@dataclass(frozen=True)
class Rows:
    """How rows of data lie: their type, the bytes from one to the next, the elements from one column to the next."""

    dtype: DType
    step: int
    apart: int


class Address:
    """Something that is called by its address, like a compiled kernel."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.address = ctypes.cast(function, ctypes.c_void_p).value
