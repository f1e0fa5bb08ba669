"""A graph as plain data and back: operations by name, their fields, and constants as arrays.

Nothing but the operations that are known by name is ever made from a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ..graph import OPERATIONS, Dim, Node, Size, ancestors, apply
from ..graph.leaves import Constant, Variable, check_dtype
from ..graph.node import Array
from ..graph.operations.scan import Scan, Trace
from ..graph.sizes import Quotient
from .checkpoint import FileError
from .soundness import check_extent, check_operands, check_size, require

__all__ = ["READING_ERRORS", "read_graph", "write_graph"]

READING_ERRORS = (LookupError, ArithmeticError, TypeError, ValueError, AssertionError, AttributeError, RuntimeError)
"""What wrong data raise in the code that makes something of them."""


def write_graph(outputs: Sequence[Node]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The graph of some nodes, as what JSON can hold, and the arrays of its constants and initial values."""
    writer = _Writer()
    positions = [writer.add(node) for node in outputs]
    return {"nodes": writer.nodes, "outputs": positions}, writer.arrays


def read_graph(data: Mapping[str, Any], arrays: Mapping[str, Array]) -> list[Node]:
    """The nodes that :func:`write_graph` wrote; variables are new ones."""
    nodes: list[Node] = []
    try:
        for entry in data["nodes"]:
            nodes.append(_read_node(entry, nodes, arrays))
        return [_at(nodes, i) for i in data["outputs"]]
    except FileError:
        raise
    except READING_ERRORS as error:
        where = f"node {len(nodes)}, " if isinstance(data, Mapping) else ""
        raise FileError(
            f"the graph in this file cannot be read: {where}{type(error).__name__}: {str(error)[:500]}"
        ) from None


class _Writer:
    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.arrays: dict[str, Array] = {}
        self._position: dict[Node, int] = {}

    def add(self, node: Node) -> int:
        for each in ancestors([node]):
            if each not in self._position:
                self._write(each)
        return self._position[node]

    def _write(self, node: Node) -> None:
        op = node.op
        name = type(op).__name__
        if OPERATIONS.get(name) is not type(op):
            raise FileError(f"the operation {name} is not known by its name and cannot be saved")
        inner = [*op.next_carries, *op.carries, *op.items] if isinstance(op, Scan) else []
        for other in [*inner, *([op.node] if isinstance(op, Trace) else [])]:
            self.add(other)
        entry: dict[str, Any] = {"op": name, "inputs": [self._position[v] for v in node.inputs], "name": node.name}
        entry["fields"] = {f.name: self._value(getattr(op, f.name)) for f in fields(op)}
        self._position[node] = len(self.nodes)
        self.nodes.append(entry)

    def _value(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return {"float": value.hex()}
        if isinstance(value, Size):
            return {"size": [[[self._atom(a) for a in m], c] for m, c in value.terms.items()]}
        if isinstance(value, tuple | list):
            return [self._value(v) for v in value]
        if isinstance(value, Node):
            return {"node": self.add(value)}
        if isinstance(value, np.dtype):
            return {"dtype": value.name}
        if isinstance(value, np.ndarray):
            key = f"graph/{len(self.arrays)}"
            self.arrays[key] = value
            return {"array": key}
        if hasattr(value, "sample"):
            return {"zeros": True}
        raise FileError(f"a graph with {value!r} in it cannot be saved")

    def _atom(self, atom: Any) -> Any:
        return atom if isinstance(atom, str) else {"quotient": [self._value(atom.size), atom.divisor]}


def _read_node(entry: Mapping[str, Any], nodes: Sequence[Node], arrays: Mapping[str, Array]) -> Node:
    kind = OPERATIONS.get(entry["op"])
    if kind is None:
        raise FileError(
            f"this file uses the operation {entry['op']!r}, which is not known; import the module that has it"
        )
    known = {f.name for f in fields(kind)}
    values = {k: _read_value(v, nodes, arrays) for k, v in entry["fields"].items() if k in known}
    name = entry["name"]
    require(name is None or isinstance(name, str), f"a name is text, not {name!r:.40}")
    if kind is Constant:
        require(isinstance(values["array"], np.ndarray), "a constant is an array")
        values["array"].setflags(write=False)
    if issubclass(kind, Variable) and values.get("initial") is None:
        for extent in values["extents"]:
            check_extent(extent)
        # Of no size, whatever the file says: a variable's value comes from elsewhere.
        values["initial"] = np.broadcast_to(np.zeros((), values["element"]), values["extents"])
    op, inputs = kind(**values), [_at(nodes, i) for i in entry["inputs"]]
    check_operands(op, inputs)
    return apply(op, *inputs, name=name)


def _at(nodes: Sequence[Node], i: Any) -> Node:
    require(type(i) is int and 0 <= i < len(nodes), f"there is no node {i!r:.40} before it")
    found: Node = nodes[i]
    return found


def _read_value(value: Any, nodes: Sequence[Node], arrays: Mapping[str, Array]) -> Any:
    if isinstance(value, list):
        return tuple(_read_value(v, nodes, arrays) for v in value)
    if not isinstance(value, dict):
        return value
    [(tag, content)] = value.items()
    if tag == "float":
        return float.fromhex(content)
    if tag == "size":
        return _read_size(content)
    if tag == "node":
        return _at(nodes, content)
    if tag == "dtype":
        require(isinstance(content, str), "a dtype is named")
        return check_dtype(content)
    if tag == "array":
        return np.array(arrays[content])
    if tag == "zeros":
        return None
    raise ValueError(f"an unknown kind of value, {tag!r}")


def _read_size(terms: Any) -> Any:
    check_size(terms)
    total: Any = 0
    for monomial, coefficient in terms:
        product: Any = coefficient
        for atom in monomial:
            product = product * (Dim(atom) if isinstance(atom, str) else _read_quotient(atom))
        total = total + product
    return total


def _read_quotient(atom: Mapping[str, Any]) -> Size:
    size, divisor = atom["quotient"]
    require(type(divisor) is int and divisor > 0, "a size is divided by a whole number")
    return Size({(Quotient(_read_size(size["size"]), divisor),): 1})
