"""Code run many times, without Python."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

from .cache import generated_kernel

__all__ = ["compiled_run", "loop_kernel"]

RUN_TYPE = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 9)

RUN = """from numba import carray, types
from diaphane.engines.native.compiled.execute import execute
from diaphane.engines.native.compiled.intrinsics import ints
from diaphane.engines.native.registers import FIRST, ITERATION, LAST, REGISTERS_BASE, ROW, STRIDE

SIGNATURE = types.int64(*[types.int64] * 9)
OPTIONS = {}


def kernel(code, bases, other_code, other_bases, start, stop, per_epoch, rows, batch):
    for i in range(start, stop):
        epoch, k = i // per_epoch, i % per_epoch
        now, here = code, bases
        if other_code != 0 and k == per_epoch - 1:
            now, here = other_code, other_bases
        own = carray(ints(carray(ints(here), 2)[REGISTERS_BASE]), 16)
        for share in range(own[LAST] - own[FIRST]):
            registers = carray(ints(carray(ints(here + share * own[STRIDE]), 2)[REGISTERS_BASE]), 16)
            registers[ITERATION], registers[ROW] = i, epoch * rows + k * batch
        if not execute(now, here):
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
    """The function (code, bases, other code, its bases, start, stop, per epoch, rows, batch) → where it stopped.

    It runs the code for each step from start to before stop; where there is another code, that for the last of the
    steps of an epoch. It stops where a flag is raised. The bases are those of this thread's first share; an epoch
    takes so many rows of the order, and a step so many of these. Python's lock is given up meanwhile.
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
