"""Instructions cut into shares, and where the threads that do them must meet.

Every element is computed by one thread in one order, so that a number of shares gives one result, whoever does them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from .table import Instruction, Share

__all__ = ["cut", "place_meetings"]

SHARED_FROM = 2500.0
"""Nanoseconds of work from which an instruction is cut: meeting costs a tenth of that where nobody competes."""

Touched: TypeAlias = list[tuple[int, int, int]]
"""Bytes from one place to before another, in a base."""


def cut(instructions: Sequence[Instruction], shares: int) -> None:
    """Give each instruction its shares: all of it to the first where it is too small."""
    for instruction in instructions:
        if instruction.loop is not None:
            cut(instruction.loop.body, shares)
            continue
        whole = shares == 1 or instruction.extent < 2 or instruction.work < SHARED_FROM
        places = [0, instruction.extent] if whole else _places(instruction.extent, shares, instruction.grain)
        parts: list[Share | None] = [instruction.share(a, b) if a < b else None for a, b in pairwise(places)]
        instruction.shares = [*parts, *[None] * (shares - len(parts))]


def _places(extent: int, shares: int, grain: int) -> list[int]:
    grain = grain if extent >= 2 * grain * shares else 1
    inner = [round(extent * k / shares / grain) * grain for k in range(1, shares)]
    return [0, *inner, extent]


def place_meetings(instructions: Sequence[Instruction]) -> None:
    """Mark after which instructions all threads wait, so that none reads or overwrites what another has yet to write.

    It looks at the very bytes that each share touches, so it comes after the arena is planned. Two shares of one
    instruction never touch the same bytes, one of them writing.
    """
    done: list[tuple[int, Touched, Touched]] = []
    for k, instruction in enumerate(instructions):
        if instruction.loop is not None:
            # Its own meetings are inside; what it sets must be seen before it and what it leaves after it.
            instruction.meets = True
            if k:
                instructions[k - 1].meets = True
            place_meetings(instruction.loop.body)
            done = []
            continue
        mine = list(_touched(instruction))
        if any(_conflict(a, b) for a in done for b in mine):
            instructions[k - 1].meets = True
            done = []
        done = [] if instruction.meets else done + mine
    if instructions:
        instructions[-1].meets = True


def _touched(instruction: Instruction) -> Iterator[tuple[int, Touched, Touched]]:
    for share, part in enumerate(instruction.shares):
        if part is not None:
            reads, writes = ([(s.buffer.base, *s.span()) for s in slots] for slots in (part.reads, part.writes))
            # A loop's last carry is read through a base of its own, wherever in these it lies.
            reads += [(b.base, b.offset, b.offset + b.size) for b in instruction.outlives]
            yield share, reads, writes


def _conflict(a: tuple[int, Touched, Touched], b: tuple[int, Touched, Touched]) -> bool:
    """Whether two shares, one after the other, must not be done at the same time."""
    if a[0] == b[0]:
        return False
    return _meet(a[2], [*b[1], *b[2]]) or _meet(a[1], b[2])


def _meet(left: Touched, right: Touched) -> bool:
    return any(p == q and a < d and c < b for p, a, b in left for q, c, d in right)
