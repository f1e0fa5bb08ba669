"""Planted faults: a watched run finds each, and names the node."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from engines.beside_reference import all_cut, assert_same_numbers

import diaphane as dia
from diaphane.engines import NativeEngine
from diaphane.engines.native.debug import ZONE, MemoryFault
from diaphane.engines.native.memory import ARENA, Buffer
from diaphane.engines.native.table import Instruction, Share
from diaphane.graph.formula import describe

pytest.importorskip("numba")

N = dia.Dim("N")
ROWS = np.random.default_rng(3).normal(size=(7, 9))


class Watched:
    """A program of several kinds of instructions, with its table open for a fault to be planted.

    Parts of longer vectors are read, so that a kernel that runs too far has numbers to write there.
    """

    def __init__(self, shares: int) -> None:
        self.x = dia.placeholder((N, 9), "float64", "x")
        w = dia.variable(np.linspace(-1.0, 1.0, 81).reshape(9, 9), "w")
        part = dia.tanh(w[0, :5]).named("part")
        filled = dia.pad(part, [(2, 1)], 0.5).named("filled")
        mask = dia.bernoulli(0.5, (5,), stream=0).named("mask")
        total = dia.sum(w[:4], 1).named("total")
        chances = dia.softmax(w[:3]).named("chances")
        turned = dia.sin(self.x[:, :5] + w[:5, :5].T[:1]).named("turned")
        folded = dia.stop_gradient(dia.cos(w[:5, :4] + w.T[:5, 4:8])).named("folded")
        last, rows = dia.scan(self.body(w), self.x[0], self.x)
        loss = dia.sum(turned) + dia.sum(folded) + dia.sum(last)
        loss = loss + dia.sum(rows[:, 1:] * dia.where(mask, part, 1.0))
        loss = loss + dia.sum(filled) + dia.sum(total) + dia.sum(dia.log(chances))
        [slope] = dia.gradient(loss, [w])
        self.outputs = [loss, dia.concat([turned, rows], 1).named("joined")]
        self.updates = {w: w - 0.1 * slope}
        with all_cut():
            self.program = dia.Program(self.outputs, self.updates, engine=NativeEngine(shares, debug=True))
            self.table = self.program._executable.table({"N": len(ROWS)}, {})

    def body(self, w: dia.Node) -> Callable[[dia.Node, dia.Node], tuple[dia.Node, dia.Node]]:
        def step(c: dia.Node, x: dia.Node) -> tuple[dia.Node, dia.Node]:
            inside = dia.exp(-dia.square(c[:5])).named("inside")
            deep, _ = dia.scan(lambda p, q: (dia.sin(dia.sum(dia.cos(q[:4]).named("deep")) + p), p), c, w)
            return dia.tanh(dia.pad(inside, [(0, 4)]) + deep) + x, dia.sin(x[:6]).named("row")

        return step

    def run(self) -> list[np.ndarray]:
        outputs, state = self.program.run(None, {self.x: ROWS})
        return [*outputs, *(state[v] for v in self.program.variables)]

    def instructions(self) -> Iterator[Instruction]:
        """Those that have a kernel of their own, in loops too."""
        return (i for i in sorted(self.table.flat(), key=lambda i: i.place) if i.loop is None)

    def instruction(self, name: str) -> Instruction:
        """The first that is for a node of this name and does its work in the arena."""
        for instruction in self.instructions():
            if instruction.node is not None and instruction.node.name == name:
                return instruction
        raise AssertionError(f"no instruction for {name}")

    def finds(self, instruction: Instruction, what: str) -> None:
        assert instruction.node is not None
        node = re.escape(describe(instruction.node))
        with pytest.raises(MemoryFault, match=f"instruction {instruction.place} \\({node}\\) {what}"):
            self.run()


@pytest.mark.parametrize("shares", [1, 2, 3])
def test_without_a_fault_a_watched_run_gives_the_reference_engines_numbers(shares):
    watched = Watched(shares)
    reference = dia.Program(watched.outputs, watched.updates, engine="reference")
    outputs, state = reference.run(None, {watched.x: ROWS})
    for got, want in zip(watched.run(), [*outputs, *(state[v] for v in reference.variables)], strict=True):
        assert_same_numbers(got, want, "watched")


# A kernel that writes past its result.


def extents(part: Share) -> int:
    """How many extents an elementwise kernel is given: a stride for each and each array follows."""
    return len(part.numbers) // (1 + len(part.slots))


def longer(part: Share, numbers: list[int]) -> None:
    numbers[extents(part) - 1] += 1


def more_rows(part: Share, numbers: list[int]) -> None:
    numbers[0] += 1


OVERRUNS = {
    "part": longer,
    "filled": more_rows,
    "mask": more_rows,
    "total": more_rows,
    "chances": more_rows,
    "turned": longer,
    "folded": longer,
    "inside": longer,
    "deep": longer,
    "row": longer,
}
"""For nodes, the last three in loops, what makes their kernel write one element or one row too many."""


@pytest.mark.parametrize("name", OVERRUNS)
@pytest.mark.parametrize(("shares", "share"), [(1, 0), (2, 0), (2, 1)])
def test_an_overrun_is_found_and_its_node_named(name, shares, share):
    watched = Watched(shares)
    instruction = watched.instruction(name)
    part = instruction.shares[share]
    assert part is not None
    numbers = list(part.numbers)
    OVERRUNS[name](part, numbers)
    part.numbers = numbers
    watched.finds(instruction, "writes outside of its result")


def test_what_lies_around_a_buffer_belongs_to_nobody():
    """Inside of loops too: between any two buffers that are alive at once are two zones."""
    buffers = Watched(1).table.buffers
    pairs = [
        (a, b) for a in buffers for b in buffers if a.offset < b.offset and a.first <= b.last and b.first <= a.last
    ]
    assert len(pairs) > 100
    assert all(a.offset + a.size + 2 * ZONE <= b.offset for a, b in pairs)


# A kernel that steps wrongly.


def elementwise_in_two_loops(watched: Watched) -> Iterator[Instruction]:
    """Elementwise instructions with an outer loop, whose strides the kernel reads."""
    for instruction in watched.instructions():
        part = instruction.whole
        strides = [s for slot in part.slots for s in slot.strides]
        count = extents(part)
        elementwise = strides and list(part.numbers[count:]) == strides
        if elementwise and count > 1 and all(s.buffer.base == ARENA for s in part.writes):
            yield instruction


def test_a_wrong_stride_is_found_and_its_node_named():
    places = [i.place for i in elementwise_in_two_loops(Watched(1))]
    names = set()
    for shares in (1, 2):
        for place in places:
            watched = Watched(shares)
            [instruction] = [i for i in elementwise_in_two_loops(watched) if i.place == place]
            part = instruction.shares[0]
            assert part is not None
            assert instruction.node is not None
            numbers, count = list(part.numbers), extents(part)
            numbers[count * len(part.slots)] *= 2
            part.numbers = numbers
            watched.finds(instruction, "writes outside of its result")
            names.add(instruction.node.name)
    assert {"turned", "folded"} <= names


# Memory that is given up too early.


def readers(watched: Watched, buffer: Buffer) -> list[Instruction]:
    """What reads a buffer's numbers after the first instruction that uses it; an output is kept byte by byte."""
    return [
        i
        for i in watched.instructions()
        if i.place > buffer.first and any(s.buffer is buffer and s.size and s.dtype != "uint8" for s in i.whole.reads)
    ]


def test_a_stale_read_is_found_and_its_node_named():
    """Each buffer in turn is given up as soon as it is written: who reads it first finds nothing there."""
    found = []
    for which in range(len(Watched(1).table.buffers)):
        watched = Watched(1)
        buffer = watched.table.buffers[which]
        late = readers(watched, buffer)
        moving = any(buffer in i.loop.outside for i in watched.table.flat() if i.loop is not None)
        if moving or not late:
            continue  # it is reached by a loop's bases
        buffer.last = buffer.first
        watched.finds(late[0], "reads what is not there")
        found.append(late[0])
    assert len(found) > 20


def test_a_carry_that_is_given_up_too_early_is_found():
    watched = Watched(1)
    loops = [i for i in watched.table.instructions if i.loop is not None]
    for scan in loops:
        assert scan.loop is not None
        carried = scan.loop.flips[0][1].buffer
        carried.last = scan.place
    with pytest.raises(MemoryFault, match=r"reads what is not there|unwritten"):
        watched.run()
