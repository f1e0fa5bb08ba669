"""An ONNX graph as it is written: nodes in order, initializers, names, and which value a node of ours has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, count
from typing import Any

import numpy as np

from ...graph import Node, ancestors
from ...graph.node import Array, DType
from ...graph.operations.scan import Part
from ...graph.sizes import Extent, Shape
from .registry import rule_of
from .sizes import Sizes, declared

__all__ = ["Writer", "element_type"]

SMALL = 64
"""Elements of a constant that is written once, however often it is used."""


class Writer:
    """What rules write with.

    Attributes
    ----------
    values : dict of Node to str
        What is written already, in the graph that is being written (a loop's body is one of its own).
    parts : dict of Node to list of Node
        Of each scan, what is picked out of it.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._outermost = self.nodes
        self.initializers: list[Any] = []
        self.values: dict[Node, str] = {}
        self.parts: dict[Node, list[Node]] = {}
        self.sizes = Sizes(self)
        self._names: set[str] = set()
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def name(self, wish: str) -> str:
        """A name that nothing else has, this one if it is free."""
        free = chain([wish], (f"{wish}_{i}" for i in count(1)))
        chosen = next(n for n in free if n and n not in self._names)
        self._names.add(chosen)
        return chosen

    def emit(self, operation: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Write one ONNX operation.

        Parameters
        ----------
        operation : str
            Such as ``"MatMul"``.
        *inputs : str
            Names of values; ``""`` where an optional one is not given.
        name : str, optional
            Of the value, if it is to have one of its own.
        **attributes
            Of the operation.

        Returns
        -------
        str
            The name of its value.
        """
        return self.emit_several(operation, inputs, [name or self.name(_snake(operation))], **attributes)[0]

    def emit_several(
        self, operation: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> Sequence[str]:
        """Write an operation of several values."""
        from onnx import helper

        self.nodes.append(helper.make_node(operation, list(inputs), list(outputs), **attributes))
        return outputs

    def constant(self, value: Any, name: str | None = None) -> str:
        """An array or a number, as an initializer."""
        array = np.asarray(value)
        key = (array.dtype.str, array.shape, array.tobytes() if array.size <= SMALL else b"")
        if name is None and array.size <= SMALL and key in self._constants:
            return self._constants[key]
        found = self.initializer(array, self.name(name or "constant"))
        if name is None and array.size <= SMALL:
            self._constants[key] = found
        return found

    def initializer(self, array: Array, name: str) -> str:
        """An array under a name that :meth:`name` gave."""
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def integers(self, values: Sequence[int]) -> str:
        """Whole numbers in a row, such as axes."""
        return self.constant(np.array(values, "int64"))

    def number(self, extent: Extent) -> str:
        """A size as an int64 number."""
        return self.sizes.number(extent)

    def shape(self, shape: Shape) -> str:
        """A shape as int64 numbers in a row."""
        return self.sizes.vector(shape)

    def cast(self, value: str, source: DType, target: Any) -> str:
        """The same values in another type."""
        wanted = np.dtype(target)
        return value if source == wanted else self.emit("Cast", value, to=element_type(wanted))

    def lower(self, outputs: Sequence[Node]) -> list[str]:
        """Write all that these nodes are computed from, and return what their values are called."""
        order = ancestors(outputs, stop=self.values)
        for node in order:
            if isinstance(node.op, Part):
                picked = self.parts.setdefault(node.inputs[0], [])
                if node not in picked:
                    picked.append(node)
        for node in order:
            if node not in self.values:
                value = rule_of(node)(self, node, [self.values[v] for v in node.inputs])
                self.values.setdefault(node, value)
        return [self.values[node] for node in outputs]

    def composed(self, node: Node) -> str:
        """What is the same in terms of other operations of ours."""
        return self.lower([node])[0]

    @contextmanager
    def inside(self, values: Mapping[Node, str]) -> Iterator[list[Any]]:
        """Write the body of a loop, in which only these nodes have values yet."""
        kept = self.nodes, self.values
        self.nodes, self.values = [], dict(values)
        try:
            yield self.nodes
        finally:
            self.nodes, self.values = kept

    @contextmanager
    def outermost(self) -> Iterator[None]:
        """Write before any loop: there every size is known, and every body sees it."""
        kept = self.nodes
        self.nodes = self._outermost
        try:
            yield
        finally:
            self.nodes = kept


def element_type(dtype: DType) -> int:
    """ONNX's number for an element type."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(dtype))


def value_info(name: str, dtype: DType, shape: Shape) -> Any:
    """A value's declaration."""
    from onnx import helper

    return helper.make_tensor_value_info(name, element_type(dtype), declared(shape))


def _snake(operation: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()
