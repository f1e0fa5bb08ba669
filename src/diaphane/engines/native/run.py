"""Code run many times, without Python."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

from .cache import generated_kernel

__all__ = ["compiled_run", "loop_kernel"]

RUN_TYPE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)

RUN = """from numba import carray, types
from diaphane.engines.native.compiled.execute import execute
from diaphane.engines.native.compiled.intrinsics import ints
from diaphane.engines.native.registers import FIRST, ITERATION, LAST, REGISTERS_BASE, ROW, STRIDE

SIGNATURE = types.int64(types.int64, types.int64, types.int64, types.int64, types.int64)
OPTIONS = {}


def kernel(code, bases, start, stop, batch):
    own = carray(ints(carray(ints(bases), 2)[REGISTERS_BASE]), 16)
    for i in range(start, stop):
        for share in range(own[LAST] - own[FIRST]):
            registers = carray(ints(carray(ints(bases + share * own[STRIDE]), 2)[REGISTERS_BASE]), 16)
            registers[ITERATION], registers[ROW] = i, i * batch
        if not execute(code, bases):
            return i
    return stop
"""

LOOP = """from numba import carray, types
from diaphane.engines.native.compiled.execute import execute
from diaphane.engines.native.compiled.intrinsics import ints
from diaphane.engines.native.registers import FIRST, LAST, REGISTERS_BASE, SCAN, STRIDE

SIGNATURE = types.void(types.int64, types.int64)
OPTIONS = {}


def kernel(bases, block):
    b = carray(ints(block), 1 << 20)
    code, length, backwards = b[0], b[1], b[2]
    firsts, moves, flips, nexts = b[3], b[4], b[5], b[6]
    own = carray(ints(carray(ints(bases), 2)[REGISTERS_BASE]), 16)
    shares, outer = own[LAST] - own[FIRST], own[SCAN]
    for share in range(shares):
        base = carray(ints(bases + share * own[STRIDE]), 1 << 20)
        for k in range(firsts):
            base[b[7 + 3 * k]] = base[b[8 + 3 * k]] + b[9 + 3 * k]
    for i in range(length):
        t = length - 1 - i if backwards else i
        for share in range(shares):
            base = carray(ints(bases + share * own[STRIDE]), 1 << 20)
            carray(ints(base[REGISTERS_BASE]), 16)[SCAN] = (outer * 0x9E3779B1 + t + 1) & 0xFFFFFFFF
            at = 7 + 3 * firsts
            for k in range(moves):
                base[b[at]] = base[b[at + 1]] + b[at + 2] + t * b[at + 3]
                at += 4
            for k in range(flips):
                base[b[at]] = base[b[at + 1]] + b[at + 2] + (i & 1) * b[at + 3]
                at += 4
        if not execute(code, bases):
            return
        for share in range(shares):
            base = carray(ints(bases + share * own[STRIDE]), 1 << 20)
            at = 7 + 3 * firsts + 4 * (moves + flips)
            for k in range(nexts):
                base[b[at]] = base[b[at + 1]] + b[at + 2]
                at += 3
    for share in range(shares):
        base = carray(ints(bases + share * own[STRIDE]), 1 << 20)
        carray(ints(base[REGISTERS_BASE]), 16)[SCAN] = outer
"""


@lru_cache(maxsize=1)
def compiled_run() -> Any:
    """The function (code, bases, start, stop, batch) → the step before which it stopped.

    It runs the code for each step from start to before stop, and stops where a flag is raised; ``bases`` is where this
    thread's first share has its bases. Python's lock is given up meanwhile.
    """
    return RUN_TYPE(generated_kernel(RUN).address)


def loop_kernel() -> Any:
    """The kernel of a loop.

    Its block has the body's code, the number of steps, whether they are taken from the last to the first, and how
    many there are of each of four kinds of bases that it sets: first carries (base, from base, offset); rows that
    move with the step (base, from base, offset, stride); buffers taken in turn (base, from base, offset, distance);
    next carries (base, from base, offset).
    """
    return generated_kernel(LOOP)
