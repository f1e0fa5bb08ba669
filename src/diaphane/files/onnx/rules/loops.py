"""Scans: ONNX's Loop, with a graph of its own for the body."""

from __future__ import annotations

import numpy as np

from ....graph import Node
from ....graph.operations.scan import Final, Scan, Trace
from ..registry import exports
from ..writing import Writer, value_info

STEP, TRUTH = np.dtype("int64"), np.dtype("bool")


@exports(Scan)
def scan(write: Writer, node: Node, inputs: list[str]) -> str:
    """The carries go from step to step, each step takes a row of each sequence, and traces are stacked."""
    from onnx import helper

    op = node.op
    assert isinstance(op, Scan)
    parts = write.parts[node]
    traced = list(dict.fromkeys(p.op.node for p in parts if isinstance(p.op, Trace)))
    firsts, sequences = inputs[: len(op.carries)], inputs[len(op.carries) : len(op.carries) + len(op.items)]
    closed = inputs[len(firsts) + len(sequences) :]
    length, last = write.number(op.length), write.number(op.length - 1) if op.reverse else ""
    step, going = write.name("step"), write.name("going")
    carries = [write.name(c.label()) for c in op.carries]
    given = dict(zip([*op.carries, *op.outer], [*carries, *closed], strict=True))
    results = [*op.next_carries, *traced]
    with write.inside(given) as body:
        row = write.emit("Sub", last, step) if op.reverse else step
        write.values.update({i: write.emit("Gather", s, row, axis=0) for i, s in zip(op.items, sequences, strict=True)})
        computed = write.lower(results)
        again = write.emit("Identity", going)
        # A graph's outputs are values of its own, each under one name.
        outputs = [write.emit("Identity", value) for value in computed]
    entering = [value_info(n, c.dtype, c.shape) for n, c in zip(carries, op.carries, strict=True)]
    leaving = [value_info(n, r.dtype, r.shape) for n, r in zip(outputs, results, strict=True)]
    graph = helper.make_graph(
        body,
        write.name("body"),
        [value_info(step, STEP, ()), value_info(going, TRUTH, ()), *entering],
        [value_info(again, TRUTH, ()), *leaving],
    )
    found = [write.name("scan") for _ in results]
    write.emit_several("Loop", [length, "", *firsts], found, body=graph)
    stacks = dict(zip(traced, found[len(carries) :], strict=True))
    for part in parts:
        if isinstance(part.op, Trace):
            write.values[part] = _in_order(write, stacks[part.op.node], op.reverse)
        else:
            assert isinstance(part.op, Final)
            write.values[part] = found[part.op.position]
    return found[0] if found else ""


@exports(Final, Trace)
def part(write: Writer, node: Node, inputs: list[str]) -> str:
    """Settled with its scan."""
    raise AssertionError(f"{node.label()} is a part of a scan that was written without it")


def _in_order(write: Writer, stack: str, reverse: bool) -> str:
    """What a loop stacks in the order of its steps, in the order of the rows."""
    if not reverse:
        return stack
    ends = write.integers([np.iinfo("int64").min])
    return write.emit("Slice", stack, write.integers([-1]), ends, write.integers([0]), write.integers([-1]))
