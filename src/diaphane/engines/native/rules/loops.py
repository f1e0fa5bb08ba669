"""Scans: a loop over code of its own, with bases that move from step to step.

A row of a sequence, or of what is stacked over the steps, is a base that moves. A carry is a base that is set to where
its next value was computed: to the row of its trace where it has one, else to one of two buffers, taken in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....graph import Node
from ....graph.operations.scan import Final, Part, Scan, Trace, stepful_nodes
from ..homes import can_be_placed
from ..memory import ARENA, Buffer, Slot, aligned
from ..registry import lowers
from ..run import loop_kernel
from ..table import Instruction, Loop, Share

if TYPE_CHECKING:
    from ..lowering import Lowering


@lowers(Part, Final, Trace)
def part(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Settled with its scan."""


@lowers(Scan)
def scan(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """The body as code of its own, and what the loop sets at each step."""
    op = node.op
    assert isinstance(op, Scan)
    parts, length = low.block.parts.get(node, []), low.size(op.length)
    carried, given = len(op.carries), len(op.carries) + len(op.items)
    firsts = [low.contiguous(s, n) for s, n in zip(inputs[:carried], node.inputs, strict=False)]
    traced = list(dict.fromkeys(p.op.node for p in parts if isinstance(p.op, Trace)))
    loop = Loop([], length, op.reverse)
    wanted = {*op.next_carries, *traced}
    leaves = {*op.carries, *op.items}
    inner = [n for n in stepful_nodes([*op.next_carries, *traced], leaves) if n not in leaves]
    stacks = {n: low.fresh((length, *low.shape(n)), n.dtype) for n in traced}
    buffers: list[Slot] = []
    with low.inside(inner, wanted) as body:
        body.slots.update(zip(op.outer, inputs[given:], strict=True))
        for item, slot in zip(op.items, inputs[carried:given], strict=True):
            body.slots[item] = _moving(low, loop, slot)
        carries = [low.own_base(low.shape(c), c.dtype) for c in op.carries]
        body.slots.update(zip(op.carries, carries, strict=True))
        rows = {n: _moving(low, loop, stack) for n, stack in stacks.items()}
        body.homes.update(rows)
        for value in op.next_carries:
            if value in inner and value not in body.homes and can_be_placed(value):
                body.homes[value], double = _in_turn(low, loop, low.shape(value), value)
                buffers.append(double)
        in_turn = dict(body.homes)
        low.lower_nodes()
        for n, row in rows.items():
            if body.slots[n] != row:
                low.copy(body.slots[n], row, n)
        for carry, first, value in zip(carries, firsts, op.next_carries, strict=True):
            base = carry.buffer.base
            loop.firsts.append((base, first))
            if body.slots[value] == carry:
                continue
            slot = body.slots[value]
            if slot != in_turn.get(value) or value in op.carries:
                # A view, or another carry: what it lies in will be written at the next step.
                slot, double = _in_turn(low, loop, slot.shape, value)
                low.copy(body.slots[value], slot, value)
                buffers.append(double)
            loop.nexts.append((base, slot))
    loop.body = body.instructions
    made = [b.buffer for b in (*stacks.values(), *buffers)]
    low.block.own.update(made)
    used = [b for i in loop.body for b in _buffers(i) if b.base == ARENA and b not in body.own]
    outside = [s.buffer for s in (*firsts, *inputs[carried:given])]
    loop.outside = list(dict.fromkeys([*used, *made, *outside]))
    low.emit(Instruction(loop_kernel(), node, lambda a, b: Share([], []), loop=loop))
    for p in parts:
        if isinstance(p.op, Trace):
            low.settle(p, stacks[p.op.node])
        else:
            assert isinstance(p.op, Final)
            _keep_final(low, p, carries[p.op.position], loop)


def _moving(low: Lowering, loop: Loop, stack: Slot) -> Slot:
    """One row of a stack, in a base that moves with the step."""
    base = low.new_base()
    loop.moves.append((base, stack, stack.strides[0]))
    return Slot(Buffer(0, base), stack.shape[1:], stack.strides[1:], stack.dtype)


def _in_turn(low: Lowering, loop: Loop, shape: tuple[int, ...], node: Node) -> tuple[Slot, Slot]:
    """One of two buffers, so that a next carry is not written where the last one is read; and both."""
    own = low.own_base(shape, node.dtype)
    size = aligned(own.size * node.dtype.itemsize)
    both = Slot(Buffer(2 * size), (2,), (size,), node.dtype)
    loop.flips.append((own.buffer.base, both, size))
    return own, both


def _keep_final(low: Lowering, node: Node, carry: Slot, loop: Loop) -> None:
    """The last carry, copied out of whichever buffer it is in."""
    fresh = low.fresh(carry.shape, carry.dtype)
    low.settle(node, fresh)
    if carry.size:
        low.copy(carry, fresh, node)
        low.block.instructions[-1].outlives = loop.outside


def _buffers(instruction: Instruction) -> list[Buffer]:
    if instruction.loop is not None:
        return instruction.loop.outside
    return [s.buffer for s in instruction.whole.slots] + instruction.outlives
