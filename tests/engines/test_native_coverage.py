"""Every operation on the native engine, forward and backward, however its operands lie and whatever their size.

A cell is an operation, a direction and a condition. The cases below fill all cells, which is a test by itself; those
that cannot be are listed with the reason. Each case runs in one thread, in two shares with every instruction cut, and
watched; its numbers are the reference engine's, in float32 by the rule for rounding errors.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from engines.beside_reference import (
    EPSILON,
    WAYS,
    all_cut,
    assert_same_numbers,
    assert_within_rule,
    compute,
    instructions,
)
from graph.operation_table import TABLE, Given, N, Row, apart, coin, house_operations, positive, whole

import diaphane as dia
from diaphane.engines.native import lowering, rules
from diaphane.engines.native.machine_code import Kernel
from diaphane.graph.operations.indexing import Slice
from diaphane.graph.operations.shaping import BroadcastTo, PermuteDims

pytest.importorskip("numba")

ODD = (3, 5, 7, 13, 17, 33, 65)
"""Sizes that leave a tail beside vectors, shares of whole grains, and rows that are short."""
SOME_ODD = (7, 33)

BOOKKEEPING = {"Variable", "Placeholder", "Constant", "Bound", "Final", "Trace"}
"""Leaves, and what only names a part of something else's value."""
OPERATIONS = {name: op for name, op in house_operations() if name not in BOOKKEEPING}


# Rows in which other axes are long than in the operations' table.


def own(name: str, build: Any, *given: Given, **rest: Any) -> Row:
    return Row(name, build, lambda *arrays: None, None, given, **rest)


WIDE = Given((2, N))
OWN = [
    own("a cast", lambda a: dia.astype(a, "float32"), Given(), derivative="rounded"),
    own("a wide sum", lambda a: dia.sum(a, 1), WIDE),
    own("a wide sum over the first axis", lambda a: dia.sum(a, 0), Given((4, N))),
    own("a wide product", lambda a: dia.prod(a, 1), Given((2, N), positive)),
    own("a wide maximum", lambda a: dia.max(a, 1), Given((2, N), apart())),
    own("a wide minimum", lambda a: dia.min(a, 1), Given((2, N), apart())),
    own("a wide argmax", lambda a: dia.argmax(a, 1) + dia.argmax(a, 0)[:1], Given((2, N), apart())),
    own("a wide logsumexp", lambda a: dia.logsumexp(a, 1), WIDE),
    own("a wide softmax", lambda a: dia.softmax(a, 1), WIDE),
    own("a wide log_softmax", lambda a: dia.log_softmax(a, 1), WIDE),
    own("an inner matmul", dia.matmul, WIDE, Given((N, 5))),
    own("a wide matmul", dia.matmul, Given((2, 3)), Given((3, N))),
    own("a wide concat", lambda a, b: dia.concat([a, b, a], 1), WIDE, Given((2, 3))),
    own("a concat of vectors", lambda a, b: dia.concat([a * b, dia.reshape(b, (-1,)), a], 0), Given((N,)), Given((N,))),
    own("wide rows taken", lambda a, i: dia.take(a, i), Given((3, N)), Given((4,), whole(3), "int32")),
    own("columns taken", lambda a, i: dia.take(a, i, 1), Given((N, 4)), Given((5,), whole(4), "uint8")),
    own("wide rows added", lambda a, i: dia.scatter_add(a, i, 5), Given((3, N)), Given((3,), whole(5), "int64")),
    own("numbers added", lambda a, i: dia.scatter_add(a, i, 5), Given((N,)), Given((N,), whole(5), "int64")),
    own("windows of many channels", lambda a: dia.windows(a, [3], [2]), Given((2, 7, N))),
    own("a long pad", lambda a: dia.pad(a, [(1, 2), (2, 1)], 1.0), WIDE),
    own("wide bernoulli", lambda a, p: dia.bernoulli(p, (3, a.shape[0]), stream=2), Given((N,)), Given((), positive)),
    own("wide uniform", lambda a: dia.uniform((3, a.shape[0], 2), stream=2, dtype=a.dtype), Given((N,))),
    own("wide normal", lambda a: a * dia.normal((3, a.shape[0]), stream=2, dtype=a.dtype), Given((N,))),
    own("a normal number", lambda a: a * dia.normal((), stream=2, dtype=a.dtype), Given((N,))),
    own("a permutation of rows", lambda a: dia.take(a, dia.permutation(a.shape[0], stream=4)), Given()),
    own("bytes in range", lambda i: dia.one_hot(i, 4, "float32"), Given((N,), whole(4), "uint8")),
    own("indices in range", lambda i: dia.one_hot(i, 4), Given((N, 2), whole(4), "int64")),
    own(
        "a wide scan",
        lambda w, c, x: dia.concat(list(dia.scan(lambda s, v: (dia.sin(s * w + v), s * 0.5), c, x)[1:]), 0),
        Given((N,)),
        Given((N,)),
        Given((4, N)),
    ),
    own("a delay", lambda c, x: dia.concat(list(dia.scan(lambda s, v: (v, s), c, x)[1:]), 0), Given((3,)), Given()),
    own(
        "a scan of sums",
        lambda c, x: dia.concat(list(dia.scan(lambda s, v: (s + v, s), c, x)[1:]), 0),
        Given((3,)),
        Given(),
    ),
    own(
        "fold from windows",
        lambda a: dia.apply(dia.OPERATIONS["Fold"]((2,), (1,), (2, 4, a.shape[-1])), a),
        Given((2, 3, 2, N)),
    ),
]


# Conditions, and what they do to an input.


CONDITIONS = ("broadcast", "transposed", "strided", "backwards")
SIZES = ("size 0", "size 1", "odd tails")


def laid(condition: str, given: Given, name: str, dtype: str) -> tuple[dia.Node, dia.Node]:
    """A placeholder, and a view of it that is what the row is given."""
    shape = given.named()
    element = given.dtype or dtype
    if condition == "broadcast" and shape:
        at = _axis(shape)
        base = dia.placeholder((*shape[:at], 1, *shape[at + 1 :]), element, name)
        return base, dia.broadcast_to(base, shape)
    if condition == "transposed" and len(shape) > 1:
        axes = tuple(reversed(range(len(shape))))
        base = dia.placeholder(shape[::-1], element, name)
        return base, dia.permute_dims(base, axes)
    if condition == "strided" and shape:
        base = dia.placeholder((*shape[:-1], shape[-1] * 2), element, name)
        return base, base[..., ::2]
    if condition == "backwards" and shape:
        base = dia.placeholder(shape, element, name)
        return base, base[(slice(None, None, -1),) * len(shape)]
    base = dia.placeholder(shape, element, name)
    return base, base


def lay(condition: str, given: Given, array: np.ndarray) -> np.ndarray:
    """What is fed, so that the view is the array; what the view does not show would be seen."""
    if condition == "broadcast" and array.ndim:
        return np.ascontiguousarray(np.take(array, [0] if array.size else [], _axis(given.shape)))
    if condition == "transposed" and array.ndim > 1:
        return np.ascontiguousarray(array.T)
    if condition == "strided" and array.ndim:
        hidden = {"f": np.nan, "b": True}.get(array.dtype.kind, 99)
        base = np.full((*array.shape[:-1], 2 * array.shape[-1]), hidden, array.dtype)
        base[..., ::2] = array
        return base
    if condition == "backwards" and array.ndim:
        return np.ascontiguousarray(array[(slice(None, None, -1),) * array.ndim])
    return array


def _axis(shape: tuple[Any, ...]) -> int:
    """The axis along which an input is broadcast: that of a named size where there is one, else the longest."""
    named = [i for i, e in enumerate(shape) if not isinstance(e, int)]
    return named[0] if named else int(np.argmax(shape))


@dataclass(frozen=True)
class Case:
    """A row under a condition, in a dtype, at some sizes."""

    row: Row
    condition: str
    dtype: str
    sizes: tuple[int, ...]

    def __str__(self) -> str:
        return "-".join(filter(None, (self.row.name, self.condition, self.dtype)))

    def graph(self, dtype: str | None = None) -> Graph:
        return Graph(self.row, self.condition, dtype or self.dtype)

    def arrays(self, n: int) -> list[np.ndarray]:
        rng = np.random.default_rng([n, zlib.crc32(self.row.name.encode())])
        drawn = [g.draw(rng, n, self.dtype) for g in self.row.given]
        return [lay(self.condition, g, a) for g, a in zip(self.row.given, drawn, strict=True)]


class Graph:
    """A case's nodes: placeholders, the row's value, and the gradients for the floats among its inputs."""

    def __init__(self, row: Row, condition: str, dtype: str) -> None:
        pairs = [laid(condition, g, f"x{i}", dtype) for i, g in enumerate(row.given)]
        self.bases = [base for base, _ in pairs]
        self.extent = dia.placeholder((dia.Dim(N),), "uint8", "extent")
        self.value = row.build(*[view for _, view in pairs])
        self.floats = [x for x in row.floats(self.bases) if x.dtype.kind == "f"]
        self.has_gradient = self.value.dtype.kind == "f" and row.derivative != "refused" and bool(self.floats)

    @cached_property
    def outputs(self) -> dict[str, dia.Node]:
        """By what they are called; every base is in the graph, also where only its shape is asked for."""
        named = {"value": self.value, "extent": self.extent}
        if self.has_gradient:
            slopes = dia.gradient(dia.sum(dia.sin(self.value)), self.floats)
            named |= {f"gradient for {x.name}": g for x, g in zip(self.floats, slopes, strict=True)}
        return named | {x.name or "": x for x in self.bases}

    def feeds(self, arrays: list[np.ndarray], n: int) -> dict[dia.Node, np.ndarray]:
        given = dict(zip(self.bases, arrays, strict=True))
        return {x: a.astype(x.dtype) for x, a in given.items()} | {self.extent: np.zeros(n, "uint8")}

    def compute(self, engine: Any, arrays: list[np.ndarray], n: int) -> dict[str, np.ndarray]:
        found = compute(list(self.outputs.values()), self.feeds(arrays, n), engine, seed=3, step=2)
        return dict(zip(self.outputs, found, strict=True))

    def operations(self) -> Iterator[tuple[str, dia.Node]]:
        for node in dia.ancestors([self.value]):
            if type(node.op).__name__ in OPERATIONS:
                yield type(node.op).__name__, node

    def passed(self) -> set[dia.Node]:
        """Nodes through which a gradient comes to the floats."""
        reached: set[dia.Node] = set(self.floats)
        order = dia.ancestors([self.value])
        for node in order:
            if any(v in reached for v in node.inputs) and node.op.passes_gradient(node):
                reached.add(node)
        wanted = {self.value} & reached if self.has_gradient else set()
        for node in reversed(order):
            if node in wanted:
                wanted |= {v for v in node.inputs if v in reached}
        return wanted


def is_laid(condition: str, value: dia.Node) -> bool:
    """Whether a value is a view as the condition says."""
    op = value.op
    if condition == "broadcast":
        return isinstance(op, BroadcastTo)
    if condition == "transposed":
        return isinstance(op, PermuteDims) and op.axes != tuple(sorted(op.axes))
    steps = {step for _, _, step in op.spans} if isinstance(op, Slice) else set()
    return bool(steps & ({2} if condition == "strided" else {-1}))


def cells(case: Case) -> Iterator[tuple[str, str, str]]:
    """The operation, direction and condition of everything that a case runs."""
    graph = case.graph()
    passed = graph.passed()
    conditions = [name for name, sizes in zip(SIZES, ({0}, {1}, set(ODD)), strict=True) if sizes & set(case.sizes)]
    for name, node in graph.operations():
        met = list(conditions)
        if case.condition and any(is_laid(case.condition, v) for v in node.inputs):
            met.append(case.condition)
        for condition in met:
            yield name, "forward", condition
            if node in passed:
                yield name, "backward", condition


# The cases.

REFUSED = {
    ("index along a named size", 0): dia.ShapeError,
    ("a wide argmax", 0): ValueError,
}
"""Sizes at which a row has no value, and what both engines say."""


def representatives() -> list[Row]:
    """For each operation the first row that names it."""
    found: dict[str, Row] = {}
    for row in TABLE:
        for name in row.operations.split():
            found.setdefault(name, row)
    return list({row.name: row for name, row in found.items() if name in OPERATIONS}.values())


def cases() -> list[Case]:
    """Every row as it is, and for each operation one row in every condition."""
    chosen = [*representatives(), *OWN]
    names = {row.name for row in chosen}
    found = []
    for dtype in ("float64", "float32"):
        for row in (*TABLE, *OWN):
            odd = ODD if row.name in names else SOME_ODD
            sizes = tuple(n for n in (0, 1, *odd) if (row.name, n) not in REFUSED)
            found.append(Case(row, "", dtype, sizes if any(N in g.shape for g in row.given) else sizes[-1:]))
        for condition in CONDITIONS:
            found += [Case(row, condition, dtype, SOME_ODD) for row in chosen if any(g.shape for g in row.given)]
    return found


CASES = cases()


def tolerance(case: Case, values: dict[str, np.ndarray], name: str) -> float:
    """That of the coarsest type on the way; a gradient has cos(value) in it, which is as exact as the value."""
    rounded = values[name].dtype == np.float32 or case.row.derivative == "rounded"
    size = np.abs(values["value"], where=np.isfinite(values["value"]), out=np.zeros(values["value"].shape))
    steep = max(1.0, float(size.max(initial=0.0))) if name.startswith("gradient") else 1.0
    return (4 * EPSILON["float32"] if rounded else 1e-12) * steep


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_gives_the_reference_engines_numbers(case):
    graph = case.graph()
    exact = case.graph("float64") if case.dtype == "float32" else None
    for n in case.sizes:
        arrays = case.arrays(n)
        want = graph.compute("reference", arrays, n)
        truth = exact.compute("reference", arrays, n) if exact else want
        for way, engine in WAYS.items():
            with all_cut():
                got = graph.compute(engine, arrays, n)
            for name, value in got.items():
                what = f"{name}, N = {n}, {way}"
                if case.dtype == "float32":
                    assert_within_rule(value, want[name], truth[name], what)
                else:
                    assert_same_numbers(value, want[name], what, tolerance(case, want, name))


@pytest.mark.parametrize(("name", "n"), REFUSED)
def test_a_size_without_a_value_is_refused_as_the_reference_engine_refuses_it(name, n):
    [case] = [c for c in CASES if (c.row.name, c.condition, c.dtype) == (name, "", "float64")]
    for engine in ("reference", *WAYS.values()):
        with pytest.raises(REFUSED[name, n]):
            case.graph().compute(engine, case.arrays(n), n)


# Whole numbers and booleans.

INTEGERS = ("int64", "int32", "uint8", "bool")
NOT_OF = {
    **{("scan", dtype): dia.ShapeError for dtype in INTEGERS},
    **{("a wide scan", dtype): dia.ShapeError for dtype in INTEGERS},
    ("a scan of sums", "bool"): dia.ShapeError,
    ("power -2", "uint8"): OverflowError,
    **{
        (name, dtype): dia.DTypeError
        for name in ("wide uniform", "wide normal", "a normal number")
        for dtype in INTEGERS
    },
}
"""Rows that make another type out of a carry, or draw what is no float, and how the graph refuses it."""


def counted(row: Row, dtype: str) -> Row:
    """The row over small whole numbers in place of floats."""
    sample = coin if dtype == "bool" else whole(4)
    return replace(row, given=tuple(replace(g, sample=sample) if g.dtype is None else g for g in row.given))


def counting() -> list[Case]:
    return [
        Case(counted(row, dtype), "", dtype, (0, 1, 17))
        for dtype in INTEGERS
        for row in (*representatives(), *OWN)
        if (row.name, dtype) not in NOT_OF
    ]


@pytest.mark.parametrize("case", counting(), ids=str)
def test_whole_numbers_and_booleans_are_the_reference_engines(case):
    graph = case.graph()
    for n in case.sizes:
        if (case.row.name, n) in REFUSED:
            continue
        arrays = case.arrays(n)
        want = graph.compute("reference", arrays, n)
        for way, engine in WAYS.items():
            with all_cut():
                got = graph.compute(engine, arrays, n)
            for name, value in got.items():
                assert_same_numbers(value, want[name], f"{name}, N = {n}, {way}", tolerance(case, want, name))


@pytest.mark.parametrize(("name", "dtype"), NOT_OF)
def test_what_a_row_cannot_be_made_of_is_refused_by_the_graph(name, dtype):
    [row] = [row for row in (*TABLE, *OWN) if row.name == name]
    with pytest.raises(NOT_OF[name, dtype]):
        Graph(row, "", dtype)


# Nothing calls Python.


@pytest.mark.parametrize("dtype", ["float32", "float64", *INTEGERS])
def test_no_operation_calls_python(dtype, monkeypatch):
    """Lowered only: what the kernels compute is tested above, for one row of each operation."""
    nothing = Kernel(0, None)
    for module in (lowering, rules.shaping, rules.loops):
        name = "loop_kernel" if module is rules.loops else "generated_kernel"
        monkeypatch.setattr(module, name, lambda *source: nothing)
    for row in (*TABLE, *OWN):
        if (row.name, dtype) in NOT_OF:
            continue
        graph = Graph(row, "", dtype)
        program = dia.Program(list(graph.outputs.values()), engine=WAYS["one thread"])
        found = instructions(program, {N: 5})
        assert not [i.node for i in found if i.calls_python], f"{row.name} of {dtype}"


# What must be filled.

WITHOUT_BACKWARD = {
    **dict.fromkeys(("Less", "LessEqual", "Equal", "NotEqual", "IsFinite"), "its value is a truth"),
    **dict.fromkeys(("LogicalAnd", "LogicalOr", "LogicalNot"), "its value is a truth"),
    **dict.fromkeys(("ArgMax", "InRange", "Arange", "ExtentValue", "Permutation"), "its value is a whole number"),
    **dict.fromkeys(("Uniform", "Normal", "Bernoulli"), "it has no input that moves"),
}
NO_OPERAND = "it has no operand"
ONE_NUMBER = "its operand is one number"
MERGED = "the graph makes one permutation of two"
IMPOSSIBLE = {
    (name, condition): reason
    for names, reason in (
        (("Arange", "ExtentValue", "Uniform", "Normal", "Permutation"), NO_OPERAND),
        (("Bernoulli",), ONE_NUMBER),
    )
    for name in names
    for condition in CONDITIONS
} | {("PermuteDims", "transposed"): MERGED, ("ClipColumns", "transposed"): "its operand has one axis"}


def test_every_cell_of_operation_direction_and_condition_is_filled():
    filled = {cell for case in CASES for cell in cells(case)}
    wanted = {
        (name, direction, condition)
        for name in OPERATIONS
        for direction in ("forward", "backward")
        for condition in (*CONDITIONS, *SIZES)
        if not (direction == "backward" and name in WITHOUT_BACKWARD) and (name, condition) not in IMPOSSIBLE
    }
    assert not wanted - filled, "cells without a case"
    assert not filled - wanted, "cells that are said to be impossible"


def test_every_operation_has_a_case_for_each_kind_of_number():
    for dtype in INTEGERS:
        have = {name for case in counting() if case.dtype == dtype for name, _ in case.graph().operations()}
        assert have == set(OPERATIONS), dtype
