"""The words of a run's register file, which every kernel and the loop around them read."""

from __future__ import annotations

__all__ = [
    "BAD_INDEX",
    "CLOCK",
    "CLOCK_KIND",
    "CLOCK_WORDS",
    "COUNT",
    "ENTERED",
    "EPOCH",
    "FAILED",
    "FIRST",
    "FLAG_AT",
    "ITERATION",
    "LAST",
    "NOT_FINITE",
    "ROW",
    "SCAN",
    "SEED",
    "SHARES",
    "STEP",
    "STRIDE",
    "SYNC",
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
