"""From a definition, with its sizes bound, to a table of instructions over slots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...graph import Node, ancestors
from ...graph.backend import NumpyBackend
from ...graph.leaves import Constant, Placeholder, Variable
from ...graph.node import Array, DType
from ...graph.operations.indexing import Arange, InRange, Place, Slice, bound_slices
from ...graph.operations.linear import Matmul
from ...graph.operations.random import Bernoulli
from ...graph.operations.reduction import ExtentValue, LogSoftmax, Softmax, Sum
from ...graph.operations.scan import Part, Scan
from ...graph.operations.shaping import BroadcastTo, Concat, PermuteDims, Reshape
from ..contract import Definition
from .cache import generated_kernel
from .fusion import Group, elementwise_groups, is_elementwise, loop_source
from .kernels import kernel_source
from .memory import ARENA, Buffer, Slot, aligned, plan_arena
from .table import CALLBACK, CONSTANTS, FIRST_FREE, ORDER, Address, Instruction, Rows, Table

__all__ = ["lower"]


def lower(
    definition: Definition,
    bindings: Mapping[str, int],
    sources: Mapping[int, Rows],
    context: Callable[[int], Any],
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
    """
    return _Lowering(definition, bindings, sources, context).table()


class _Lowering:
    def __init__(self, definition: Definition, bindings: Mapping[str, int], sources: Any, context: Any) -> None:
        self.definition, self.context, self.sources = definition, context, sources
        self.backend = NumpyBackend(bindings)
        self.slots: dict[Node, Slot] = {}
        self.instructions: list[Instruction] = []
        self.constants: list[Array] = []
        self.constant_bytes = 0
        self.next_base = FIRST_FREE
        self.keep_alive: list[Any] = []
        self.largest_product = 0
        self.homes: dict[Node, Slot] = {}
        self.nodes = [n for n in ancestors(definition.wanted) if not isinstance(n.op, Variable | Placeholder)]
        self.parts: dict[Node, list[Node]] = {}
        for node in self.nodes:
            if isinstance(node.op, Part):
                self.parts.setdefault(node.inputs[0], []).append(node)

    def shape(self, node: Node) -> tuple[int, ...]:
        return self.backend.sizes(node.shape)

    def own_base(self, shape: tuple[int, ...], dtype: DType) -> Slot:
        self.next_base += 1
        return Slot.fresh(shape, dtype, self.next_base - 1)

    def emit(self, kernel: Any, slots: Sequence[Slot], numbers: Sequence[int] = (), node: Node | None = None) -> None:
        self.instructions.append(Instruction(kernel, list(slots), [int(n) for n in numbers], node))

    def kernel(self, name: str, dtype: DType, source: DType | None = None) -> Any:
        return generated_kernel(kernel_source(name, dtype.name, (source or dtype).name))

    # ------------------------------------------------------------------ the whole

    def table(self) -> Table:
        definition = self.definition
        variables = [self.own_base(self.shape(v), v.dtype) for v in definition.variables]
        self.slots.update(zip(definition.variables, variables, strict=True))
        placeholders, data = [], {}
        for i, node in enumerate(definition.placeholders):
            if i in self.sources:
                data[i] = self.next_base
                self.next_base += 1
                slot = Slot.fresh(self.shape(node), node.dtype)
                self.gather(slot, data[i], self.sources[i], node)
            else:
                slot = self.own_base(self.shape(node), node.dtype)
            self.slots[node] = slot
            placeholders.append(slot)
        self.plan_homes()
        units = self.units()
        targets = self.in_place(units)
        for k, unit in enumerate(units):
            if isinstance(unit, Group):
                self.group(unit, {n: v for n, (at, v) in targets.items() if at == k})
            else:
                self.single(unit)
            if definition.loss is not None and self.checked_at == k:
                self.check(definition.loss)
        outputs = [self.own_base(self.shape(n), n.dtype) for n in definition.outputs]
        for node, kept in zip(definition.outputs, outputs, strict=True):
            value = self.contiguous(self.slots[node], node)
            self.emit(self.kernel("keep", node.dtype), [value, kept], [value.size * node.dtype.itemsize], node)
        self.commit(targets)
        buffers = self.lifetimes()
        arena = plan_arena(buffers, len(self.instructions))
        constants = np.zeros(max(self.constant_bytes, 1), np.uint8)
        at = 0
        for array in self.constants:
            constants[at : at + array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)
            at += aligned(array.nbytes)
        naive = sum(aligned(b.size) for b in buffers)
        return Table(
            self.instructions,
            arena,
            constants,
            variables,
            placeholders,
            outputs,
            data,
            self.next_base,
            self.keep_alive,
            naive,
            self.largest_product,
        )

    def units(self) -> list[Group | Node]:
        return elementwise_groups(self.nodes, self.shape)

    def in_place(self, units: Sequence[Group | Node]) -> dict[Node, tuple[int, Node]]:
        """Next values that their loop may write straight into the variable: (its unit, the variable), by node.

        Nothing reads the variable afterwards, the loop itself only at the same element, and the loss has been checked.
        """
        position = {n: k for k, unit in enumerate(units) for n in (unit.nodes if isinstance(unit, Group) else [unit])}
        loss = self.definition.loss
        self.checked_at = position.get(loss, -1) if loss is not None else -1
        found: dict[Node, tuple[int, Node]] = {}
        readers: dict[Node, list[Node]] = {}
        for node in self.nodes:
            for value in node.inputs:
                readers.setdefault(value, []).append(node)
        kept = set(self.definition.outputs)
        # What is given out, or becomes another variable's value, is read when all loops are done.
        busy = {root_of(n) for n in (*self.definition.outputs, *(v for _, v in self.definition.updates))}
        nexts = [value for _, value in self.definition.updates]
        for variable, value in self.definition.updates:
            at = position.get(value, -1)
            if (
                at <= self.checked_at
                or not is_elementwise(value)
                or variable in kept
                or nexts.count(value) > 1
                or variable in nexts
            ):
                continue
            if variable in busy:
                continue
            # Its own loop may read the variable, but only as it lies: a view is read at other elements.
            views = [u for u in self.uses(variable, readers) if u not in readers.get(variable, ()) or is_view(u)]
            through_views = {u for v in views for u in readers.get(v, ())}
            direct = [u for u in readers.get(variable, ()) if not is_view(u)]
            if all(position[u] <= at for u in direct) and all(position[u] < at for u in through_views):
                found[value] = (at, variable)
        return found

    def uses(self, value: Node, readers: Mapping[Node, list[Node]]) -> list[Node]:
        """What reads a value, also through views of it."""
        found: list[Node] = []
        todo = list(readers.get(value, ()))
        while todo:
            node = todo.pop()
            found.append(node)
            if is_view(node):
                todo.extend(readers.get(node, ()))
        return found

    def commit(self, targets: Mapping[Node, tuple[int, Node]]) -> None:
        """The next values that were not written in place: all read before any is written."""
        pending = []
        for variable, value in self.definition.updates:
            if value in targets and targets[value][1] is variable:
                continue
            slot = self.slots[value]
            if slot.buffer.base != ARENA:
                slot = self.copied(slot, value)
            pending.append((slot, self.slots[variable], value))
        for slot, target, value in pending:
            self.copy(slot, target, value)

    def lifetimes(self) -> list[Buffer]:
        buffers: dict[Buffer, None] = {}
        for i, instruction in enumerate(self.instructions):
            for slot in instruction.slots:
                slot.buffer.touch(i)
                buffers[slot.buffer] = None
        return [b for b in buffers if b.base == ARENA]

    # ------------------------------------------------------------------ instructions

    def gather(self, slot: Slot, base: int, source: Rows, node: Node) -> None:
        width = math.prod(slot.shape[1:])
        data = Slot(Buffer(0, base), (), (), source.dtype)
        order = Slot(Buffer(0, ORDER), (), (), np.dtype("int64"))
        numbers = [slot.shape[0], width, width * node.dtype.itemsize, source.step, source.apart]
        self.emit(self.kernel("gather", node.dtype, source.dtype), [data, order, slot], numbers, node)

    def check(self, loss: Node) -> None:
        self.emit(self.kernel("check_finite", loss.dtype), [self.slots[loss]], (), loss)

    def constant(self, array: Array) -> Slot:
        packed = np.ascontiguousarray(array)
        slot = Slot.fresh(packed.shape, packed.dtype, CONSTANTS)
        slot.buffer.offset = self.constant_bytes
        self.constants.append(packed)
        self.constant_bytes += aligned(packed.nbytes)
        return slot

    def home(self, node: Node) -> Slot:
        """Where a node's value goes: its place in a concatenation that was planned for it, else memory of its own."""
        slot = self.homes.get(node) or Slot.fresh(self.shape(node), node.dtype)
        self.slots[node] = slot
        return slot

    def plan_homes(self) -> None:
        """Let what is joined into one vector be computed where it will lie there, so that nothing is copied."""
        for node in self.nodes:
            if not isinstance(node.op, Concat) or node.ndim != 1 or node in self.homes:
                continue
            out = Slot.fresh(self.shape(node), node.dtype)
            self.homes[node] = out
            start = 0
            for value in node.inputs:
                (length,) = self.shape(value)
                source = value
                while isinstance(source.op, Reshape):
                    source = source.inputs[0]
                computed = isinstance(source.op, Matmul | Sum | Place) or is_elementwise(source)
                if computed and source not in self.homes:
                    place = out.sliced([slice(start, start + length)], (length,))
                    self.homes[source] = place.reshaped(self.shape(source))
                start += length

    def copied(self, slot: Slot, node: Node) -> Slot:
        fresh = Slot.fresh(slot.shape, slot.dtype)
        self.copy(slot, fresh, node)
        return fresh

    def contiguous(self, slot: Slot, node: Node) -> Slot:
        return slot if slot.is_contiguous else self.copied(slot, node)

    def copy(self, source: Slot, target: Slot, node: Node) -> None:
        self.loop((), [node], [node], [source], [target], node)

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
        slots = [*(s.broadcast(shape) for s in sources), *targets]
        if not math.prod(shape):
            return
        extents, strides = _merged(shape, [s.strides for s in slots])
        sizes = [s.dtype.itemsize for s in slots]
        kinds = ["0" if t[-1] == 0 else "1" if t[-1] == size else "s" for t, size in zip(strides, sizes, strict=True)]
        outer = len(extents) - 1
        shared = {
            i: k
            for i, slot in enumerate(slots[len(sources) :], start=len(sources))
            for k, other in enumerate(slots[: len(sources)])
            if slot == other and kinds[i] == kinds[k]
        }
        source = loop_source(nodes, loads, stores, kinds, outer, shared)
        self.emit(generated_kernel(source), slots, [*extents, *(s for t in strides for s in t)], node)

    def group(self, group: Group, targets: Mapping[Node, Node]) -> None:
        inside = set(group.nodes)
        loads = list(dict.fromkeys(v for n in group.nodes for v in n.inputs if v not in inside))
        wanted = set(self.definition.wanted)
        used = {v for n in self.nodes if n not in inside for v in n.inputs}
        stores = [n for n in group.nodes if n in wanted or n in used]
        for node in stores:
            self.slots[node] = self.slots[targets[node]] if node in targets else self.home(node)
        sources, outputs = [self.slots[n] for n in loads], [self.slots[n] for n in stores]
        self.loop(group.nodes, loads, stores, sources, outputs, stores[0])

    def single(self, node: Node) -> None:
        op = node.op
        inputs = [self.slots[v] for v in node.inputs if v in self.slots]
        shape = () if isinstance(op, Scan) else self.shape(node)
        if isinstance(op, Constant | ExtentValue | Arange):
            self.slots[node] = self.constant(np.asarray(op.compute(self.backend)))
        elif isinstance(op, Reshape):
            self.slots[node] = self.contiguous(inputs[0], node.inputs[0]).reshaped(shape)
        elif isinstance(op, PermuteDims):
            self.slots[node] = inputs[0].permuted(op.axes)
        elif isinstance(op, BroadcastTo):
            self.slots[node] = inputs[0].broadcast(shape)
        elif isinstance(op, Slice) and all(step > 0 for _, _, step in op.spans):
            slices = bound_slices(op.spans, inputs[0].shape, self.backend)
            self.slots[node] = inputs[0].sliced(slices, shape)
        elif isinstance(op, Part):
            return
        elif not self.compiled(node, inputs, shape):
            self.fallback(node)

    def compiled(self, node: Node, inputs: Sequence[Slot], shape: tuple[int, ...]) -> bool:
        """Emit native instructions for a node; False where there are none for it."""
        op = node.op
        if isinstance(op, Matmul):
            return self.matmul(node, inputs, shape)
        if isinstance(op, Sum) and node.dtype.kind == "f":
            return self.sum(node, inputs[0], op.axes, shape)
        if isinstance(op, LogSoftmax | Softmax) and op.axis == len(shape) - 1 and shape[-1]:
            name = "log_softmax" if isinstance(op, LogSoftmax) else "softmax"
            x = self.contiguous(inputs[0], node.inputs[0])
            out = self.home(node)
            self.emit(self.kernel(name, node.dtype), [x, out], [math.prod(shape[:-1]), shape[-1]], node)
            return True
        if isinstance(op, Bernoulli):
            rows = shape[0] if shape else 1
            out = self.home(node)
            numbers = [rows, math.prod(shape) // max(rows, 1), op.stream]
            self.emit(self.kernel("bernoulli", node.dtype), [inputs[0], out], numbers, node)
            return True
        if isinstance(op, Concat):
            out = self.home(node)
            start = 0
            for value, slot in zip(node.inputs, inputs, strict=True):
                stop = start + slot.shape[op.axis]
                part = [slice(None)] * len(shape)
                part[op.axis] = slice(start, stop)
                place = out.sliced(part, slot.shape)
                if slot != place:
                    self.copy(slot, place, value)
                start = stop
            return True
        if isinstance(op, Place) and all(step > 0 for _, _, step in op.spans):
            out = self.home(node)
            self.emit(self.kernel("fill", node.dtype), [out], [out.size, _word(op.fill, node.dtype)], node)
            slices = bound_slices(op.spans, shape, self.backend)
            self.copy(inputs[0], out.sliced(slices, inputs[0].shape), node.inputs[0])
            return True
        if isinstance(op, InRange):
            x = self.contiguous(inputs[0], node.inputs[0])
            out = self.home(node)
            self.emit(self.kernel("check_range", node.dtype), [x, out], [x.size, self.backend.size(op.extent)], node)
            return True
        return False

    def sum(self, node: Node, x: Slot, axes: tuple[int, ...], shape: tuple[int, ...]) -> bool:
        kept = [i for i in range(len(x.shape)) if i not in axes]
        n, width = math.prod(x.shape[i] for i in kept), math.prod(x.shape[i] for i in axes)
        out = self.home(node)
        if list(axes) == list(range(len(axes))) and kept:
            x = self.contiguous(x, node.inputs[0])
            self.emit(self.kernel("sum_first", node.dtype), [x, out], [width, n], node)
            return True
        x = self.contiguous(x.permuted([*kept, *axes]), node.inputs[0])
        self.emit(self.kernel("sum_last", node.dtype), [x, out], [n, width], node)
        return True

    def matmul(self, node: Node, inputs: Sequence[Slot], shape: tuple[int, ...]) -> bool:
        m, n, k = shape[-2], shape[-1], inputs[0].shape[-1]
        if not (m and n and k) or len(shape) > 3:
            return False
        (x, trans_x, lead_x), (y, trans_y, lead_y) = (
            self.blas_operand(s, v) for s, v in zip(inputs, node.inputs, strict=True)
        )
        out = self.home(node)
        batch = shape[0] if len(shape) == 3 else 1
        steps = [s.broadcast((*shape[:-2], *s.shape[-2:])).strides[0] if batch > 1 else 0 for s in (x, y, out)]
        # BLAS counts columns first, so it is asked for the transpose: Cᵀ = Bᵀ·Aᵀ.
        self.largest_product = max(self.largest_product, m * n * k)
        words = [ord(trans_y), ord(trans_x), n, m, k, _word(1.0, node.dtype), lead_y, lead_x, _word(0.0, node.dtype), n]
        self.emit(self.kernel("matmul", node.dtype), [x, y, out], [_blas(node.dtype), batch, *steps, *words], node)
        return True

    def blas_operand(self, slot: Slot, node: Node) -> tuple[Slot, str, int]:
        size = slot.dtype.itemsize
        for trans, fast, slow in (("N", -1, -2), ("T", -2, -1)):
            rows, columns = slot.shape[slow], slot.shape[fast]
            unit = slot.strides[fast] == size or columns == 1
            lead = slot.strides[slow] if rows > 1 else columns * size
            if unit and lead >= columns * size and lead % size == 0:
                return slot, trans, lead // size
        slot = self.copied(slot, node)
        return slot, "N", slot.shape[-1]

    def fallback(self, node: Node) -> None:
        """An instruction that calls Python: the operation's own ``compute`` under NumPy."""
        outputs = self.parts.get(node, []) if isinstance(node.op, Scan) else [node]
        inputs = [self.slots[v] for v in node.inputs]
        for output in outputs:
            self.slots[output] = Slot.fresh(self.shape(output), output.dtype)
        targets = [self.slots[o] for o in outputs]
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
        self.instructions.append(Instruction(Address(function), [*inputs, *targets], [], node, is_fallback=True))


def is_view(node: Node) -> bool:
    """Whether a value may lie in the bytes of another."""
    return isinstance(node.op, Reshape | PermuteDims | BroadcastTo | Slice)


def root_of(node: Node) -> Node:
    """What a view, or a view of a view, is one of."""
    while is_view(node):
        node = node.inputs[0]
    return node


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


def _blas(dtype: DType) -> int:
    import scipy.linalg.cython_blas  # noqa: F401  loads the library whose address is asked for
    from numba.extending import get_cython_function_address

    return int(get_cython_function_address("scipy.linalg.cython_blas", "dgemm" if dtype.itemsize == 8 else "sgemm"))


def _word(value: float, dtype: DType) -> int:
    word = np.zeros(8, np.uint8)
    word[: dtype.itemsize] = np.frombuffer(np.array(value, dtype).tobytes(), np.uint8)
    return int(word.view(np.int64)[0])
