"""Elementwise operations in one loop: which go together, and the loop's source.

Nodes of one shape between which no other kind of operation lies are one group: they are computed element by
element, and only what is used outside of the group is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...graph import Elementwise, Node
from ...graph.operations.casting import Astype, StopGradient
from ...graph.operations.exponential import Sigmoid
from .element import FARTHEST, POINTERS
from .memory import Slot

__all__ = ["Group", "elementwise_groups", "elements_work", "is_elementwise", "loop_source"]


@dataclass(eq=False)
class Group:
    """Nodes that one loop computes, in order."""

    nodes: list[Node]


def is_elementwise(node: Node) -> bool:
    """Whether a loop can compute it element by element."""
    return isinstance(node.op, Elementwise | Astype | StopGradient)


def elementwise_groups(nodes: Sequence[Node], shape_of: Callable[[Node], tuple[int, ...]]) -> list[Group | Node]:
    """Groups and single nodes in an order in which they can be computed.

    The depth of a node counts the crossings on the way to it between kinds or shapes. Two elementwise nodes of one
    shape and depth cannot depend on each other by way of anything else, so they go into one loop.
    """
    depth: dict[Node, int] = {}
    known = set(nodes)
    for node in nodes:
        fused = is_elementwise(node)
        depth[node] = max(
            (
                depth[v] + (not (fused and is_elementwise(v) and shape_of(v) == shape_of(node)))
                for v in node.inputs
                if v in known
            ),
            default=0,
        )
    _sink(nodes, depth, shape_of)
    groups: dict[tuple[int, tuple[int, ...]], Group] = {}
    units: list[tuple[int, int, Group | Node]] = []
    for i, node in enumerate(nodes):
        if not is_elementwise(node):
            units.append((depth[node], i, node))
            continue
        key = depth[node], shape_of(node)
        if key not in groups:
            groups[key] = Group([])
            units.append((depth[node], i, groups[key]))
        groups[key].nodes.append(node)
    return [unit for _, _, unit in sorted(units, key=lambda u: u[:2])]


def _sink(nodes: Sequence[Node], depth: dict[Node, int], shape_of: Callable[[Node], tuple[int, ...]]) -> None:
    """Move what only later loops of the same shape use into the first of these, so that it is never stored."""
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        for value in node.inputs:
            users.setdefault(value, []).append(node)
    for node in reversed(nodes):
        after = users.get(node, ())
        if after and all(is_elementwise(n) and shape_of(n) == shape_of(node) for n in (node, *after)):
            depth[node] = min(depth[n] for n in after)


def elements_work(nodes: Sequence[Node], arrays: Sequence[Slot]) -> float:
    """Nanoseconds that a loop over these nodes may take for one element, roughly: arithmetic, then memory."""
    slow = sum(isinstance(n.op, Elementwise) and bool(SLOW.search(n.op.expression)) for n in nodes)
    return 0.05 * len(nodes) + 1.0 * slow + sum(0.02 * a.dtype.itemsize for a in arrays if a.strides[-1])


SLOW = re.compile(r"[a-z]{3,}\(")
"""A call of a function, in a scalar expression."""

VECTORISED = ("exp", "tanh", "sin", "cos")
"""Functions for which there is one in ``mathematics`` for each float type."""

NEAR = re.compile(r"\b(sin|cos)\(a\)")
"""Of these, those that are right for arguments near 0 only: the whole of an operation's expression."""

TYPES = {name: name for name in POINTERS if name != "bool"}


class _Printer(ast.NodeTransformer):
    """An operation's scalar expression over other names, its numbers in one type."""

    def __init__(self, names: Mapping[str, str], dtype: str, library: bool = False) -> None:
        self.names, self.dtype, self.library = names, dtype, library

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in VECTORISED and self.dtype.startswith("float") and not self.library:
            return ast.Name(f"{node.id}_{self.dtype}", node.ctx)
        if node.id == "fabs":
            return ast.Name("abs", node.ctx)
        return ast.Name(self.names.get(node.id, node.id), node.ctx)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if self.dtype == "bool" or not isinstance(node.value, int | float):
            return node
        return ast.Call(ast.Name(TYPES[self.dtype], ast.Load()), [node], [])


def is_near(node: Node) -> bool:
    """Whether it is computed by a function that is right for arguments near 0 only."""
    return isinstance(node.op, Elementwise) and bool(NEAR.fullmatch(node.op.expression))


def scalar_source(node: Node, operands: Sequence[str], *, far: bool = False) -> str:
    """One node's value at one element, as an expression over variables; far from 0 by the math library."""
    op = node.op
    if isinstance(op, StopGradient):
        return operands[0]
    if isinstance(op, Astype):
        source, target = node.inputs[0].dtype.name, node.dtype.name
        if target == "bool":
            return f"{operands[0]} != 0"
        if source == "bool":
            return f"({TYPES[target]}(1) if {operands[0]} else {TYPES[target]}(0))"
        return f"{TYPES[target]}({operands[0]})"
    assert isinstance(op, Elementwise)
    if isinstance(op, Sigmoid):
        return f"sigmoid_{node.dtype.name}({operands[0]})"
    tree = ast.parse(op.expression, mode="eval")
    names = dict(zip("abc", operands, strict=False))
    return ast.unparse(_Printer(names, node.inputs[-1].dtype.name, far and is_near(node)).visit(tree).body)


HEADER = """from math import cos, erf, exp, expm1, isnan, log, log1p, sin, sqrt, tanh
from numpy import floor
from numba import carray, float32, float64, int8, int16, int32, int64, types, uint8, uint16, uint32, uint64
from diaphane.engines.native.compiled.intrinsics import f32, f64, i8, i16, i32, ints, u8, u16, u32, u64
from diaphane.engines.native.compiled.mathematics import exp_float32, exp_float64, sigmoid_float32, sigmoid_float64
from diaphane.engines.native.compiled.mathematics import cos_float32, cos_float64, sin_float32, sin_float64
from diaphane.engines.native.compiled.mathematics import tanh_float32, tanh_float64

SIGNATURE = types.void(types.int64, types.int64)
OPTIONS = {"error_model": "numpy", "fastmath": FASTMATH}


def kernel(bases, block):
    base = carray(ints(bases), 64)
    b = carray(ints(block), INTS)
"""


def loop_source(
    group: Sequence[Node],
    loads: Sequence[Node],
    stores: Sequence[Node],
    kinds: Sequence[str],
    outer: int,
    shared: Mapping[int, int],
) -> str:
    """The source of a module with the kernel of one group.

    Parameters
    ----------
    group : sequence of Node
        In order.
    loads, stores : sequence of Node
        What is read, and what is written.
    kinds : sequence of str
        For loads then stores, how it lies along the inner loop: ``"1"`` one after another, ``"0"`` one
        for all, ``"s"`` at a stride, ``"r"`` at a stride backwards.
    outer : int
        How many loops lie around the inner one.
    shared : mapping of int to int
        For stores that are written where a load is read, by their places among all arrays, that load. They go
        through one pointer: two would look like an overlap, which stops the vectoriser.

    Notes
    -----
    The block has a base and an offset for each array, then the extents, then for each array its strides in bytes.
    """
    inner = _Inner(group, loads, stores, kinds, outer, shared)
    arrays = inner.arrays
    own = [i for i in range(len(arrays)) if i not in shared]
    extents = 2 * len(arrays)
    strides = extents + outer + 1
    lines = [f"p{i} = base[b[{2 * i}]] + b[{2 * i + 1}]" for i in own]
    lines += [f"n{d} = b[{extents + d}]" for d in range(outer + 1)]
    lines += [f"s{i}_{d} = b[{strides + i * (outer + 1) + d}]" for i in own for d in range(outer + 1)]
    for d in range(outer):
        lines.append(f"{'    ' * d}for i{d} in range(n{d}):")
    around = "    " * outer
    for i in own:
        size = arrays[i].dtype.itemsize
        start = " + ".join([f"p{i}", *(f"i{d} * s{i}_{d}" for d in range(outer))])
        if kinds[i] == "r":
            # numba takes an index below 0 from the end, so the array begins where the last element lies.
            start += f" + (n{outer} - 1) * s{i}_{outer}"
        extent = {"1": f"n{outer}", "0": "1"}.get(kinds[i], f"n{outer} * abs(s{i}_{outer}) // {size} + 1")
        lines.append(f"{around}x{i} = carray({POINTERS[arrays[i].dtype.name]}({start}), {extent})")
    lines += [around + line for line in (*inner.read("0"), *inner.loops())]
    # With contract LLVM takes float64(float32(x)) for x, and the rounding that a cast is for would be lost.
    casts = any(isinstance(node.op, Astype) for node in group)
    header = HEADER.replace("INTS", str(strides + len(arrays) * (outer + 1)))
    header = header.replace("FASTMATH", "False" if casts else '{"contract"}')
    return header + "".join(f"    {line}\n" for line in lines)


@dataclass
class _Inner:
    """The innermost loop of a group; for its fields see :func:`loop_source`."""

    group: Sequence[Node]
    loads: Sequence[Node]
    stores: Sequence[Node]
    kinds: Sequence[str]
    outer: int
    shared: Mapping[int, int]

    def __post_init__(self) -> None:
        self.arrays = [*self.loads, *self.stores]
        self.variables = {node: f"v{i}" for i, node in enumerate(self.loads)}
        self.variables |= {node: f"t{k}" for k, node in enumerate(self.group)}

    def read(self, kinds: str) -> list[str]:
        """The loads of these kinds into variables."""
        arrays = list(enumerate(self.loads))
        test = {"b": " != 0"}
        return [f"v{i} = {self._element(i)}{test.get(a.dtype.kind, '')}" for i, a in arrays if self.kinds[i] in kinds]

    def loops(self) -> list[str]:
        """One loop; of functions that are right near 0 only, one that asks, and one for each answer."""
        if not any(is_near(node) for node in self.group):
            return self._loop(self._all(far=False))
        choice = ["if far:", *self._loop(self._all(far=True), "    ")]
        return ["far = False", *self._loop(self._asked()), *choice, "else:", *self._loop(self._all(far=False), "    ")]

    def _loop(self, inside: Sequence[str], indent: str = "") -> list[str]:
        return [f"{indent}for j in range(n{self.outer}):", *(f"{indent}    {line}" for line in inside)]

    def _all(self, far: bool) -> list[str]:
        """What is done for each element."""
        done = self.read("1sr")
        done += [self._computed(node, far) for node in self.group]
        for i, node in enumerate(self.stores, start=len(self.loads)):
            value = self.variables[node]
            as_byte = f"uint8(1) if {value} else uint8(0)"
            cast = as_byte if node.dtype.kind == "b" else f"{TYPES[node.dtype.name]}({value})"
            done.append(f"{self._element(i)} = {cast}")
        return done

    def _asked(self) -> list[str]:
        """Whether an argument is far from 0; nothing is stored, since it may lie where it is read."""
        done, last = self.read("1sr"), max(k for k, node in enumerate(self.group) if is_near(node))
        for node in self.group[: last + 1]:
            if is_near(node):
                [argument] = node.inputs
                done.append(f"far |= abs({self.variables[argument]}) > {FARTHEST[argument.dtype.name]}")
            done.append(self._computed(node, far=False))
        return done

    def _computed(self, node: Node, far: bool) -> str:
        operands = [self.variables[v] for v in node.inputs]
        return f"{self.variables[node]} = {scalar_source(node, operands, far=far)}"

    def _element(self, i: int) -> str:
        i = self.shared.get(i, i)
        size = self.arrays[i].dtype.itemsize
        places = {
            "1": "j",
            "0": "0",
            "s": f"j * s{i}_{self.outer} // {size}",
            "r": f"(n{self.outer} - 1 - j) * -s{i}_{self.outer} // {size}",
        }
        return f"x{i}[{places[self.kinds[i]]}]"
