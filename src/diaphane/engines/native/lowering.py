"""From a definition, with its sizes bound, to a table of instructions over slots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...graph import Node, ancestors
from ...graph.backend import NumpyBackend
from ...graph.leaves import Placeholder, Variable
from ...graph.node import Array, DType
from ...graph.operations.scan import Part, Scan
from ...graph.sizes import Extent
from ..contract import Definition
from .cache import generated_kernel
from .commit import in_place_updates
from .element import POINTERS
from .fusion import Group, elements_work, elementwise_groups, loop_source
from .homes import plan_homes
from .kernels import kernel_source
from .memory import ARENA, Buffer, Slot, aligned, plan_arena
from .rules import LOWERINGS
from .sharing import cut, place_meetings
from .table import CALLBACK, CONSTANTS, FIRST_FREE, ORDER, Address, Instruction, Rows, Share, Table

__all__ = ["Lowering", "lower"]


def lower(
    definition: Definition,
    bindings: Mapping[str, int],
    sources: Mapping[int, Rows],
    context: Callable[[int], Any],
    shares_for: Callable[[float], int],
    zone: int = 0,
) -> Table:
    """The table of a definition.

    Parameters
    ----------
    definition : Definition
    bindings : mapping of str to int
        The named sizes' values.
    sources : mapping of int to Rows
        For placeholders that are gathered from data, by position, how the data lie.
    context : callable
        From the address of a run's bases to that run, for instructions that call Python.
    shares_for : callable
        From the nanoseconds that a step may take on one thread to how many shares it is cut into.
    zone : int
        Bytes left free around each buffer.
    """
    return Lowering(bindings, context, zone).table(definition, sources, shares_for)


@dataclass
class Block:
    """Nodes that are computed one after another, of the whole program or of a loop's body."""

    nodes: list[Node]
    wanted: set[Node]
    instructions: list[Instruction] = field(default_factory=list)
    slots: dict[Node, Slot] = field(default_factory=dict)
    homes: dict[Node, Slot] = field(default_factory=dict)
    parts: dict[Node, list[Node]] = field(default_factory=dict)
    own: set[Buffer] = field(default_factory=set)

    def __post_init__(self) -> None:
        for node in self.nodes:
            if isinstance(node.op, Part):
                self.parts.setdefault(node.inputs[0], []).append(node)


class Lowering:
    """Nodes to instructions: what the rules of the operations call.

    Attributes
    ----------
    backend : NumpyBackend
        With the sizes bound.
    block : Block
        What is being lowered now.
    """

    def __init__(self, bindings: Mapping[str, int], context: Callable[[int], Any], zone: int = 0) -> None:
        self.backend: Any = NumpyBackend(bindings)
        self.context, self.zone = context, zone
        self.block = Block([], set())
        self.constants: list[Array] = []
        self.constant_bytes = 0
        self.next_base = FIRST_FREE
        self.keep_alive: list[Any] = []
        self.largest_product = 0

    # What rules ask and say.

    def shape(self, node: Node) -> tuple[int, ...]:
        return self.backend.sizes(node.shape)

    def size(self, extent: Extent) -> int:
        return self.backend.size(extent)

    def slot(self, node: Node) -> Slot:
        return self.block.slots[node]

    def fresh(self, shape: Sequence[int], dtype: DType) -> Slot:
        """New memory in the arena."""
        slot = Slot.fresh(shape, dtype)
        self.block.own.add(slot.buffer)
        return slot

    def own_base(self, shape: Sequence[int], dtype: DType) -> Slot:
        """New memory of its own base."""
        return Slot.fresh(shape, dtype, self.new_base())

    def new_base(self) -> int:
        self.next_base += 1
        return self.next_base - 1

    def home(self, node: Node) -> Slot:
        """Where a node's value goes: a place that was planned for it, else memory of its own."""
        slot = self.block.homes.get(node) or self.fresh(self.shape(node), node.dtype)
        self.block.slots[node] = slot
        return slot

    def settle(self, node: Node, slot: Slot) -> None:
        """The node's value lies here."""
        self.block.slots[node] = slot

    def constant(self, array: Array) -> Slot:
        """An array that is the same in every run."""
        packed = np.ascontiguousarray(array)
        slot = Slot.fresh(packed.shape, packed.dtype, CONSTANTS)
        slot.buffer.offset = self.constant_bytes
        self.constants.append(packed)
        self.constant_bytes += aligned(packed.nbytes)
        return slot

    def kernel(self, name: str, dtype: DType, *others: DType) -> Any:
        return generated_kernel(kernel_source(name, dtype.name, *(o.name for o in others)))

    def emit(self, instruction: Instruction) -> None:
        self.block.instructions.append(instruction)

    def call(
        self,
        kernel: Any,
        node: Node,
        share: Callable[[int, int], Share],
        extent: int = 1,
        work: float = 0.0,
        grain: int = 1,
        meets: bool = False,
        operations: float = 0.0,
    ) -> None:
        """One call of a kernel; see :class:`Instruction`."""
        self.emit(Instruction(kernel, node, share, extent, grain, work, meets=meets, operations=operations))

    def contiguous(self, slot: Slot, node: Node) -> Slot:
        return slot if slot.is_contiguous else self.copied(slot, node)

    def copied(self, slot: Slot, node: Node) -> Slot:
        fresh = self.fresh(slot.shape, slot.dtype)
        self.copy(slot, fresh, node)
        return fresh

    def copy(self, source: Slot, target: Slot, node: Node) -> None:
        self.loop((), [node], [node], [source], [target], node)

    def converted(self, slot: Slot, node: Node, dtype: DType) -> Slot:
        """The value in another type, one element after another."""
        if slot.dtype == dtype:
            return self.contiguous(slot, node)
        from ...graph import astype

        fresh = self.fresh(slot.shape, dtype)
        cast = astype(node, dtype)
        self.loop([cast], [node], [cast], [slot], [fresh], node)
        return fresh

    def loop(
        self,
        nodes: Sequence[Node],
        loads: Sequence[Node],
        stores: Sequence[Node],
        sources: Sequence[Slot],
        targets: Sequence[Slot],
        node: Node,
    ) -> None:
        """One elementwise kernel, its axes merged where all arrays allow it."""
        shape = targets[0].shape
        if not math.prod(shape):
            return
        given = [*(s.broadcast(shape) for s in sources), *targets]
        extents, strides = _merged(shape, [s.strides for s in given])
        slots = [replace(s, shape=tuple(extents), strides=tuple(t)) for s, t in zip(given, strides, strict=True)]
        sizes = [s.dtype.itemsize for s in slots]
        kinds = [_kind(t[-1], size) for t, size in zip(strides, sizes, strict=True)]
        shared = {
            i: k
            for i, slot in enumerate(given[len(sources) :], start=len(sources))
            for k, other in enumerate(given[: len(sources)])
            if slot == other and kinds[i] == kinds[k]
        }
        source = loop_source(nodes, loads, stores, kinds, len(extents) - 1, shared)
        axis = 0 if extents[0] >= 8 else int(np.argmax(extents))
        steps = [s for t in strides for s in t]

        def share(a: int, b: int) -> Share:
            parts = [s.part(axis, a, b) for s in slots]
            inside = [*extents[:axis], b - a, *extents[axis + 1 :]]
            return Share(parts[: len(sources)], parts[len(sources) :], [*inside, *steps])

        grain = 64 if axis == len(extents) - 1 else 1
        elements = math.prod(extents)
        work = elements * elements_work(nodes, slots)
        kernel = generated_kernel(source)
        self.call(kernel, node, share, extents[axis], work, grain, operations=elements * len(nodes))

    # The whole.

    def table(self, definition: Definition, sources: Mapping[int, Rows], shares_for: Callable[[float], int]) -> Table:
        nodes = [n for n in ancestors(definition.wanted) if not isinstance(n.op, Variable | Placeholder)]
        self.block = Block(nodes, set(definition.wanted))
        variables = [self.own_base(self.shape(v), v.dtype) for v in definition.variables]
        self.block.slots.update(zip(definition.variables, variables, strict=True))
        placeholders, data = [], {}
        for i, node in enumerate(definition.placeholders):
            if i in sources:
                slot = self.fresh(self.shape(node), node.dtype)
                data[i] = self.gather(slot, sources[i], node)
            else:
                slot = self.own_base(self.shape(node), node.dtype)
            self.settle(node, slot)
            placeholders.append(slot)
        targets = self.lower_nodes(definition)
        outputs = [self.own_base(self.shape(n), n.dtype) for n in definition.outputs]
        for node, kept in zip(definition.outputs, outputs, strict=True):
            self.keep(node, kept)
        self.commit(definition, targets)
        instructions = self.block.instructions
        shares = shares_for(sum(i.total_work for i in instructions))
        cut(instructions, shares)
        buffers, count = lifetimes(instructions)
        arena = plan_arena(buffers, count, self.zone)
        if shares > 1:
            place_meetings(instructions)
        constants = np.zeros(max(self.constant_bytes, 1), np.uint8)
        at = 0
        for array in self.constants:
            constants[at : at + array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)
            at += aligned(array.nbytes)
        return Table(
            instructions,
            shares,
            arena,
            sum(aligned(b.size) for b in buffers),
            constants,
            variables,
            placeholders,
            outputs,
            data,
            self.next_base,
            self.keep_alive,
            self.largest_product,
            buffers,
        )

    def lower_nodes(self, definition: Definition | None = None) -> dict[Node, Node]:
        """Instructions for the block's nodes; which next values went straight into their variables."""
        block = self.block
        plan_homes(self)
        units = elementwise_groups(block.nodes, self.shape)
        targets, checked_at = in_place_updates(definition, units, block.nodes) if definition else ({}, -1)
        block.homes.update({value: self.slot(variable) for value, variable in targets.items()})
        for k, unit in enumerate(units):
            if isinstance(unit, Group):
                self.group(unit)
            else:
                self.single(unit)
            if k == checked_at and definition is not None and definition.loss is not None:
                self.check(definition.loss)
        if checked_at < 0 and definition is not None and definition.loss is not None:
            self.check(definition.loss)
        return targets

    def check(self, loss: Node) -> None:
        slot = self.slot(loss)
        self.call(self.kernel("check_finite", loss.dtype), loss, lambda a, b: Share([slot], []), meets=True)

    def group(self, group: Group) -> None:
        block, inside = self.block, set(group.nodes)
        loads = list(dict.fromkeys(v for n in group.nodes for v in n.inputs if v not in inside))
        used = {v for n in block.nodes if n not in inside for v in n.inputs}
        stores = [n for n in group.nodes if n in block.wanted or n in used]
        for node in stores:
            self.home(node)
        if not all(n.dtype.name in POINTERS for n in (*group.nodes, *loads)):
            for node in group.nodes:
                self.fallback(node)
            return
        sources, outputs = [self.slot(n) for n in loads], [self.slot(n) for n in stores]
        self.loop(group.nodes, loads, stores, sources, outputs, stores[0])

    def single(self, node: Node) -> None:
        rule = LOWERINGS.get(type(node.op))
        known = all(n.dtype.name in POINTERS for n in (node, *node.inputs) if n.dtype.kind != "V")
        if rule is None or not known:
            self.fallback(node)
        else:
            rule(self, node, [self.slot(v) for v in node.inputs if v in self.block.slots])

    # Data in, outputs and next values out.

    def gather(self, slot: Slot, source: Rows, node: Node) -> tuple[int, ...]:
        """Rows of a batch out of the data; the bases that the data take."""
        order = Slot(Buffer(0, ORDER), (), (), np.dtype("int64"))
        width = math.prod(slot.shape[1:])
        kinds = [source.dtype] if source.starts is None else [source.dtype, source.starts, source.columns]
        data = [Slot(Buffer(0, self.new_base()), (), (), d) for d in kinds if d is not None]
        name = "gather" if source.starts is None else "gather_sparse"

        def share(a: int, b: int) -> Share:
            numbers = [b - a, width, width * node.dtype.itemsize, source.step, source.apart, a]
            if source.starts is not None:
                numbers = [b - a, width, a]
            return Share([*data, order], [slot.part(0, a, b)], numbers)

        kernel = self.kernel(name, node.dtype, *(d.dtype for d in data))
        self.call(kernel, node, share, slot.shape[0], 0.4 * slot.size)
        return tuple(d.buffer.base for d in data)

    def keep(self, node: Node, kept: Slot) -> None:
        value = self.contiguous(self.slot(node), node)
        size = value.size * node.dtype.itemsize
        source, target = (replace(s, shape=(size,), strides=(1,), dtype=np.dtype("uint8")) for s in (value, kept))

        def share(a: int, b: int) -> Share:
            return Share([source.part(0, a, b)], [target.part(0, a, b)], [b - a, size])

        self.call(self.kernel("keep", np.dtype("uint8")), node, share, size, 0.05 * size, 64)

    def commit(self, definition: Definition, targets: Mapping[Node, Node]) -> None:
        """The next values that were not written in place: all read before any is written."""
        pending = []
        for variable, value in definition.updates:
            if targets.get(value) is variable:
                continue
            slot = self.slot(value)
            pending.append((slot if slot.buffer.base == ARENA else self.copied(slot, value), variable, value))
        for slot, variable, value in pending:
            self.copy(slot, self.slot(variable), value)

    # Loops, and what there is no kernel for.

    @contextmanager
    def inside(self, nodes: list[Node], wanted: set[Node]) -> Iterator[Block]:
        """Lower a loop's body: what lies outside can be read, what is made inside is seen there alone."""
        outer = self.block
        self.block = Block(nodes, wanted, slots=dict(outer.slots))
        try:
            yield self.block
        finally:
            self.block = outer

    def fallback(self, node: Node) -> None:
        """An instruction that calls Python: the operation's own ``compute`` under NumPy."""
        outputs = self.block.parts.get(node, []) if isinstance(node.op, Scan) else [node]
        inputs = [self.slot(v) for v in node.inputs]
        for output in outputs:
            self.settle(output, self.fresh(self.shape(output), output.dtype))
        targets = [self.slot(o) for o in outputs]
        compute = node.op.specialise(outputs if isinstance(node.op, Scan) else ())
        context = self.context

        def python(bases: int, block: int) -> None:
            running = context(bases)
            try:
                value = compute(running.backend(), *[running.array(s) for s in inputs])
                for output, target in zip(outputs, targets, strict=True):
                    found = output.op.compute(running.backend(), value) if output is not node else value
                    running.array(target)[...] = found
                running.succeed()
            except BaseException as error:
                running.fail(error)

        function = CALLBACK(python)
        self.keep_alive.append(function)
        whole = Share(inputs, targets)
        self.emit(Instruction(Address(function), node, lambda a, b: whole, work=20e3, calls_python=True))


def lifetimes(instructions: Sequence[Instruction]) -> tuple[list[Buffer], int]:
    """The arena's buffers with their first and last instruction, loops' bodies counted in line; and how many those are.

    What a body uses and did not make lasts to the end of its loop.
    """
    buffers: dict[Buffer, None] = {}

    def touch(found: Iterable[Buffer], at: int) -> None:
        for buffer in found:
            if buffer.base == ARENA:
                buffer.touch(at)
                buffers[buffer] = None

    def walk(block: Sequence[Instruction], at: int) -> int:
        for instruction in block:
            instruction.place = at
            if instruction.loop is None:
                touch((s.buffer for part in instruction.shares if part for s in part.slots), at)
                touch(instruction.outlives, at)
            else:
                touch(instruction.loop.outside, at)
                at = walk(instruction.loop.body, at + 1)
                touch(instruction.loop.outside, at)
            at += 1
        return at

    count = walk(instructions, 0)
    return list(buffers), count


def _kind(stride: int, size: int) -> str:
    if stride in (0, size):
        return "1" if stride else "0"
    return "s" if stride > 0 else "r"


def _merged(shape: tuple[int, ...], strides: Sequence[tuple[int, ...]]) -> tuple[list[int], list[list[int]]]:
    """Extents and strides with neighbouring axes made one where every array steps through them evenly."""
    extents: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for i, extent in enumerate(shape):
        if extent == 1:
            continue
        if extents and all(s[-1] == t[i] * extent for s, t in zip(steps, strides, strict=True)):
            extents[-1] *= extent
            for s, t in zip(steps, strides, strict=True):
                s[-1] = t[i]
        else:
            extents.append(extent)
            for s, t in zip(steps, strides, strict=True):
                s.append(t[i])
    if not extents:
        return [1], [[0] for _ in strides]
    return extents, steps
