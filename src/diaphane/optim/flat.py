"""Many parameters as one vector, so that an optimizer moves them all in one pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Node, ShapeError, concat, reshape, variable
from ..graph.node import Array
from ..graph.sizes import known_shape

__all__ = ["FlatParameters", "flatten"]


@dataclass(frozen=True)
class FlatParameters:
    """One vector, and each parameter as a view of a stretch of it.

    Attributes
    ----------
    vector : Node
        A variable of shape (P,).
    views : dict of Node to Node
        For each parameter the node that is its part of the vector, in its shape.
    """

    vector: Node
    views: dict[Node, Node]

    def parts(self, vector: Node) -> dict[Node, Node]:
        """For each parameter the node that is its part of another vector of these, in its shape."""
        places = self.places()
        return {p: reshape(vector[a:b], p.shape) for p, (a, b) in places.items()}

    def places(self) -> dict[Node, tuple[int, int]]:
        """For each parameter where its stretch of the vector begins, and where it ends."""
        result, start = {}, 0
        for node in self.views:
            stop = start + math.prod(known_shape(node.shape, node.label()))
            result[node] = start, stop
            start = stop
        return result

    @property
    def kernels(self) -> Array:
        """Which places of the vector are of kernels, parameters of two axes and more: no biases, no scales."""
        return np.concatenate([np.full(b - a, p.ndim > 1) for p, (a, b) in self.places().items()])

    def gradient(self, gradients: Sequence[Node]) -> Node:
        """The parameters' gradients, in the views' order, as one vector."""
        return concat([reshape(g, (-1,)) for g in gradients])

    def pack(self, values: Mapping[Node, Array]) -> Array:
        """The parameters' values as one vector."""
        return np.concatenate([np.ravel(values[node]) for node in self.views]).astype(self.vector.dtype, copy=False)

    def unpack(self, vector: Array) -> dict[Node, Array]:
        """Each parameter's value out of the vector, as a copy."""
        places = self.places()
        return {p: np.array(vector[a:b]).reshape(known_shape(p.shape, p.label())) for p, (a, b) in places.items()}


def flatten(parameters: Sequence[Node], name: str = "parameters") -> FlatParameters:
    """One vector for parameters of one dtype.

    Examples
    --------
    >>> import diaphane as dia
    >>> w, b = dia.variable([[1.0, 2.0]], "w"), dia.variable([3.0], "b")
    >>> flat = dia.optim.flatten([w, b])
    >>> flat.vector.value
    array([1., 2., 3.])
    >>> flat.views[w].value
    array([[1., 2.]])
    """
    if not parameters:
        raise ShapeError("there is no parameter to learn: give the network a layer that has some, such as Dense")
    dtypes = {p.dtype for p in parameters}
    if len(dtypes) > 1:
        raise TypeError(f"the parameters of one group share a dtype, got {', '.join(sorted(map(str, dtypes)))}")
    sizes = [math.prod(known_shape(p.shape, p.label())) for p in parameters]
    vector = variable(_Concatenated(tuple(parameters)), name, shape=(sum(sizes),), dtype=dtypes.pop())
    views, start = {}, 0
    for parameter, size in zip(parameters, sizes, strict=True):
        view = reshape(vector[start : start + size], parameter.shape)
        # All of the vector is the vector itself, which under another name would be another variable.
        views[parameter] = view if view is vector else view.named(parameter.name or "parameter")
        start += size
    return FlatParameters(vector, views)


@dataclass(frozen=True)
class _Concatenated:
    """First values: those of the parameters, one after another."""

    parameters: tuple[Node, ...]

    def sample(self, rng: object, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
        from ..graph.leaves import initial_value

        return np.concatenate([np.ravel(initial_value(p, rng)) for p in self.parameters]).astype(dtype)
