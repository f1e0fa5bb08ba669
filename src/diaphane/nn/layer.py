"""What every layer is: frozen data with a pure forward, and the context that its parameters live in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Node, ShapeError, variable
from ..graph.node import DType
from ..graph.record import Record
from ..graph.sizes import show
from .initializers import InitializerLike, find_initializer

__all__ = ["Context", "Layer", "fixed_extent"]


class Context:
    """What a forward pass may ask for: parameters, kept values, random streams; training or inference.

    Parameters belong to one network: the first pass makes them, under the path of the layer, and every
    later pass finds them there.

    Attributes
    ----------
    training : bool
        Whether dropout drops and batch normalisation looks at the batch.
    dtype : numpy dtype
        Of the parameters.
    updates : dict of Node to Node
        Next values that layers want for kept values, such as running means.
    """

    def __init__(self, variables: dict[str, Node], dtype: DType, *, training: bool) -> None:
        self.variables, self.dtype, self.training = variables, dtype, training
        self.updates: dict[Node, Node] = {}
        self._path: list[str] = []
        self._counts: list[dict[str, int]] = [{}]
        self._streams = 0

    def parameter(self, name: str, shape: Sequence[int], initializer: InitializerLike) -> Node:
        """A value that is learnt."""
        return self._variable(name, shape, initializer, "parameter", self.dtype)

    def state(self, name: str, shape: Sequence[int], initializer: InitializerLike) -> Node:
        """A value that is kept from step to step by :meth:`update`."""
        return self._variable(name, shape, initializer, "state", self.dtype)

    def hyperparameter(self, name: str, value: float) -> Node:
        """A number that is set from outside, an input of the program rather than a constant of the graph."""
        return self._variable(name, (), value, "hyperparameter", np.dtype("float64"))

    def update(self, variable: Node, value: Node) -> None:
        """What a kept value is to be after this step."""
        self.updates[variable] = value

    def stream(self) -> int:
        """A random stream that no other layer of this pass has."""
        self._streams += 1
        return self._streams - 1

    @contextmanager
    def scope(self, layer: Layer) -> Iterator[None]:
        """Inside, names are under this layer's: its own name, or its kind with a number."""
        kind = layer.label()
        count = self._counts[-1][kind] = self._counts[-1].get(kind, 0) + 1
        self._path.append(f"{kind}_{count}")
        self._counts.append({})
        try:
            yield
        finally:
            self._path.pop()
            self._counts.pop()

    def _variable(self, name: str, shape: Sequence[int], initializer: InitializerLike, role: str, dtype: DType) -> Node:
        path = "/".join([*self._path, name])
        known = self.variables.get(path)
        if known is None:
            initial = find_initializer(initializer)
            known = variable(initial, path, shape=shape, dtype=dtype, role=role)
            self.variables[path] = known
        elif known.shape != tuple(shape):
            raise ShapeError(
                f"{path} has shape {show(known.shape)} in this network and cannot be {show(tuple(shape))} too"
            )
        return known


@dataclass(frozen=True)
class Layer(Record, abstract=True):
    """Frozen, comparable data with a pure forward from nodes to nodes.

    A layer of your own is a frozen dataclass with a ``forward``; its fields are what JSON can hold.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import diaphane as dia
    >>> @dataclass(frozen=True)
    ... class Scale(dia.nn.Layer):
    ...     initial: float = 1.0
    ...
    ...     def forward(self, x, context):
    ...         return x * context.parameter("factor", (), self.initial)
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(4), Scale(2.0)]), (3,))
    >>> [p.name for p in network.parameters]
    ['dense_1/kernel', 'dense_1/bias', 'scale_1/factor']
    """

    def forward(self, x: Node, context: Context) -> Node:
        """The layer's output, from its input of shape (N, …)."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, x: Node, context: Context) -> Node:
        """:meth:`forward`, with parameters under this layer's own path."""
        with context.scope(self):
            return self.forward(x, context)

    def label(self) -> str:
        """The layer's kind in paths: ``dense``, ``batch_norm``."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def fixed_extent(x: Node, axis: int, layer: Any) -> int:
    """An extent that a parameter's shape depends on, which must be a number."""
    extent = x.shape[axis] if x.ndim >= abs(axis) + (axis >= 0) else None
    if not isinstance(extent, int):
        raise ShapeError(f"{layer!r} needs a known extent on axis {axis} of its input, which has shape {show(x.shape)}")
    return extent
