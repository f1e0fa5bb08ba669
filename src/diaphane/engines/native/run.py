"""The loop that runs a table of instructions, without Python."""

from __future__ import annotations

from typing import Any

from .cache import generated

__all__ = ["compiled_loop"]

SOURCE = """from numba import carray, njit
from diaphane.engines.native.intrinsics import call, ints


@njit(nogil=True, cache=True)
def run(addresses, blocks, calls_python, bases, at, steps, batch):
    registers = carray(ints(bases[1]), 4)
    for i in range(steps):
        registers[0] = i
        registers[1] = i * batch
        for k in range(addresses.size):
            if calls_python[k]:
                registers[3] = 3
            call(addresses[k], at, blocks[k])
            if registers[3] != 0:
                return i
    return steps
"""


def compiled_loop() -> Any:
    """The function (addresses, blocks, calls_python, bases, at, steps, batch) → how many times it ran whole.

    It runs the table so many times, and stops where a flag is raised. The flag is up while Python is called, so that an
    interrupt there cannot go unseen. ``at`` is where the bases lie.
    """
    return generated(SOURCE, "run")
