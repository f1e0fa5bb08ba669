"""The words of a run's register file, which every kernel and the loop around them read."""

from __future__ import annotations

__all__ = [
    "BAD_INDEX",
    "CALLS_PYTHON",
    "CLOCK",
    "CLOCK_KIND",
    "CLOCK_WORDS",
    "COUNT",
    "ENTERED",
    "EPOCH",
    "FAILED",
    "FIRST",
    "FIXED_WORDS",
    "FLAG_AT",
    "IS_LOOP",
    "ITERATION",
    "LAST",
    "MEETS",
    "NOT_FINITE",
    "ONE_HOT",
    "REFUSED",
    "REGISTERS_BASE",
    "ROW",
    "SCAN",
    "SCATTER_ADD",
    "SEED",
    "SHARES",
    "STEP",
    "STRIDE",
    "SYNC",
    "SYNC_WORDS",
    "TAKE",
    "TICKS",
    "YIELD",
]

ITERATION, ROW, FLAG_AT, SEED, STEP, SCAN = range(6)
"""Which step of this run it is, the batch's first place in the order, the address of the flag that stops every thread;
what random kernels draw from: the seed, the step before the run's first, and the step of the loops they are in."""

SHARES, FIRST, LAST, STRIDE, SYNC, EPOCH, YIELD = range(6, 13)
"""How many shares there are, which of them this thread does (to before the last), the bytes from one share's
bases to the next's, where threads meet, how often they have met, and the function that lets another process run."""

ENTERED, TICKS, CLOCK, CLOCK_KIND, CLOCK_WORDS = range(13, 18)
"""Whether Python has been entered and not come back, where a profile's nanoseconds are added up (0: nowhere), and the
clock that it reads: a function, what it is told, and where it writes seconds and nanoseconds."""

COUNT = 18

NOT_FINITE, BAD_INDEX, FAILED = 1, 2, 3
"""Values of the flag: the loss is not finite, an index lies outside, Python raised an error."""

REFUSED = ("one_hot", "take", "scatter_add")
ONE_HOT, TAKE, SCATTER_ADD = range(3)
"""Who refuses an index."""

REGISTERS_BASE = 1
"""The base of the registers themselves."""

CALLS_PYTHON, IS_LOOP, MEETS = 1, 2, 4
"""Marks of an instruction: Python is entered, it runs code of its own for all shares of a thread, all threads wait for
each other after it."""

FIXED_WORDS = 4
"""Words of a piece of code before the shares' blocks."""

SYNC_WORDS = 8
"""Words between two threads' counters: a cache line."""
