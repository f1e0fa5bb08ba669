"""The loop that runs a table of instructions, without Python."""

from __future__ import annotations

from typing import Any

from numba import carray, njit  # type: ignore[attr-defined]

from .intrinsics import call, ints

__all__ = ["run"]


@njit(nogil=True, cache=True)
def run(addresses: Any, blocks: Any, bases: Any, at: int, steps: int, batch: int) -> int:
    """Run the table so many times; stops where a flag is raised. ``at`` is where the bases lie.

    Returns
    -------
    int
        How many times it ran whole.
    """
    registers = carray(ints(bases[1]), 4)
    for i in range(steps):
        registers[0] = i
        registers[1] = i * batch
        for k in range(addresses.size):
            call(addresses[k], at, blocks[k])  # type: ignore[call-arg]
            if registers[3] != 0:
                return i
    return steps
