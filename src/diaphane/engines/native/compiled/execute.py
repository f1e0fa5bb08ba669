"""The loop over instructions, and where threads meet.

A piece of code is a row of words: how many instructions, then the addresses of their kernels, of their marks, the
place of the first among a profile's ticks, and for each share the addresses of their blocks (0 for an instruction in
which a share has no part).
"""

from __future__ import annotations

from typing import Any

from numba import carray, njit  # type: ignore[attr-defined]

from ..registers import (
    CALLS_PYTHON,
    CLOCK,
    CLOCK_KIND,
    CLOCK_WORDS,
    COUNT,
    ENTERED,
    EPOCH,
    FAILED,
    FIRST,
    FIXED_WORDS,
    FLAG_AT,
    IS_LOOP,
    LAST,
    MEETS,
    REGISTERS_BASE,
    SHARES,
    STRIDE,
    SYNC,
    SYNC_WORDS,
    TICKS,
    YIELD,
)
from .intrinsics import call, call_plain, ints, load_atomic, store_atomic

__all__ = ["execute"]

SPINS = 4000
"""Looks at another thread's counter before the processor is offered to someone else: some ten microseconds."""


@njit(error_model="numpy")
def meet(registers: Any) -> Any:
    """Wait until every thread has come here; False where the run is stopped."""
    epoch = registers[EPOCH] + 1
    registers[EPOCH] = epoch
    sync = registers[SYNC]
    for own in range(registers[FIRST], registers[LAST]):
        store_atomic(sync + 8 * SYNC_WORDS * own, epoch)
    for other in range(registers[SHARES]):
        spins = 0
        while load_atomic(sync + 8 * SYNC_WORDS * other) < epoch:
            if load_atomic(registers[FLAG_AT]) != 0:
                return False
            spins += 1
            if spins > SPINS and registers[YIELD] != 0:
                call_plain(registers[YIELD])
    return load_atomic(registers[FLAG_AT]) == 0


@njit(error_model="numpy")
def now(registers: Any) -> Any:
    """Nanoseconds of a clock."""
    call(registers[CLOCK], registers[CLOCK_KIND], registers[CLOCK_WORDS])
    clock = carray(ints(registers[CLOCK_WORDS]), 2)
    return clock[0] * 1000000000 + clock[1]


@njit(error_model="numpy")
def execute(code: Any, bases: Any) -> Any:
    """Run a piece of code once, this thread's shares of it; False where the run is stopped."""
    words = carray(ints(code), 64)
    registers = carray(ints(carray(ints(bases), 2)[REGISTERS_BASE]), COUNT)
    count, ticks = words[0], registers[TICKS]
    addresses, marks = carray(ints(words[1]), count), carray(ints(words[2]), count)
    first, last, stride = registers[FIRST], registers[LAST], registers[STRIDE]
    before = now(registers) if ticks != 0 else 0
    for k in range(count):
        mark = marks[k]
        if mark & IS_LOOP:
            call(addresses[k], bases, carray(ints(words[FIXED_WORDS + first]), count)[k])
        else:
            for share in range(first, last):
                block = carray(ints(words[FIXED_WORDS + share]), count)[k]
                if block != 0:
                    if mark & CALLS_PYTHON:
                        registers[ENTERED] = 1
                    call(addresses[k], bases + (share - first) * stride, block)
                    if mark & CALLS_PYTHON and registers[ENTERED] != 0:
                        # An interrupt came while Python was entered, before anything could be caught.
                        carray(ints(registers[FLAG_AT]), 1)[0] = FAILED
        if carray(ints(registers[FLAG_AT]), 1)[0] != 0:
            return False
        if ticks != 0:
            after = now(registers)
            carray(ints(ticks), 1 << 40)[2 * (words[3] + k)] += after - before
            before = after
        if mark & MEETS and last - first < registers[SHARES]:
            if not meet(registers):
                return False
            if ticks != 0:
                after = now(registers)
                carray(ints(ticks), 1 << 40)[2 * (words[3] + k) + 1] += after - before
                before = after
    return True
