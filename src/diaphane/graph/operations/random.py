"""Random values: pure functions of the run's seed, a stream, the step and the element's place.

Two nodes of the same stream, shape and kind are the same node and hold the same draws: give each use a
stream of its own. What seed and step are is said when the program runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..node import DType, Node, NodeLike, apply
from ..operation import Operation, float_operands
from ..sizes import Extent, Shape, show
from .arithmetic import add, is_number, multiply

__all__ = ["bernoulli", "normal", "permutation", "uniform"]


_STEPS: ContextVar[tuple[Node, ...]] = ContextVar("steps of the loops being drawn", default=())


@contextmanager
def drawn_at(step: Node) -> Iterator[None]:
    """Inside, random nodes depend on a loop's step, and on those of the loops around it."""
    token = _STEPS.set((*_STEPS.get(), step))
    try:
        yield
    finally:
        _STEPS.reset(token)


@dataclass(frozen=True)
class Random(Operation, abstract=True):
    """A draw for each element of a shape; the last inputs are the steps of the loops that it is drawn in."""

    target: Shape
    stream: int
    element: str

    def shape(self, *inputs: Node) -> Shape:
        return self.target

    def dtype(self, *inputs: Node) -> DType:
        return np.dtype(self.element)

    def gradient(self, node: Node, upstream: Node) -> Sequence[Node | None]:
        return (None,) * len(node.inputs)

    def formula(self, *inputs: str) -> str:
        return f"{self.label()}({', '.join([*inputs, show(self.target), f'stream={self.stream}'])})"


@dataclass(frozen=True)
class Uniform(Random):
    """U[0, 1): the upper 24 (float32) or 53 (float64) of the random bits, as a fraction."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return _unit(backend, self.stream, backend.sizes(self.target), self.element)


@dataclass(frozen=True)
class Normal(Random):
    """N(0, 1) by Box & Muller 1958: √(−2 log u) · cos 2πv."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        xp, shape = backend.xp, backend.sizes(self.target)
        pair = _unit(backend, self.stream, (*shape, 2), self.element)
        u, v = pair[..., 0], pair[..., 1]
        return xp.sqrt(-2 * xp.log1p(-u)) * xp.cos(xp.asarray(2 * math.pi, dtype=self.element) * v)


@dataclass(frozen=True)
class Bernoulli(Random):
    """True with probability p: the random word is below ⌊p·2³²⌋."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        words = backend.random_bits(self.stream, backend.sizes(self.target))
        threshold = backend.xp.floor(backend.xp.asarray(arrays[0], dtype="float64") * 2.0**32)
        return words.astype("float64") < threshold


@dataclass(frozen=True)
class Permutation(Random):
    """The numbers 0 … n − 1 in random order: those of n 64-bit random keys, sorted."""

    def compute(self, backend: Any, *arrays: Any) -> Any:
        [n] = backend.sizes(self.target)
        words = backend.random_bits(self.stream, (n, 2)).astype("uint64")
        return backend.xp.argsort((words[:, 0] << 32) | words[:, 1], stable=True).astype("int64")


def uniform(
    shape: Sequence[Extent], *, stream: int, low: float = 0.0, high: float = 1.0, dtype: Any = "float32"
) -> Node:
    """U[low, high) for each element.

    Parameters
    ----------
    shape : sequence of int or Size
    stream : int
        Which of the run's independent streams; equal streams and shapes are equal draws.
    low, high : float
    dtype : float32 or float64

    Examples
    --------
    >>> uniform((2, 3), stream=0)
    <uniform (2, 3) float32>
    """
    unit = apply(Uniform(tuple(shape), stream, _float(dtype)), *_STEPS.get())
    return unit if (low, high) == (0.0, 1.0) else low + (high - low) * unit


def normal(
    shape: Sequence[Extent], *, stream: int, mean: NodeLike = 0.0, std: NodeLike = 1.0, dtype: Any = "float32"
) -> Node:
    """N(mean, std²) for each element; ``std`` is the standard deviation.

    Parameters
    ----------
    shape : sequence of int or Size
    stream : int
        Which of the run's independent streams; equal streams and shapes are equal draws.
    mean, std : float or node
        Differentiable when they are nodes (reparametrised).
    dtype : float32 or float64
    """
    unit = apply(Normal(tuple(shape), stream, _float(dtype)), *_STEPS.get())
    scaled = unit if is_number(std, 1) else multiply(std, unit)
    return scaled if is_number(mean, 0) else add(mean, scaled)


def bernoulli(p: NodeLike, shape: Sequence[Extent], *, stream: int) -> Node:
    """True with probability p, for each element.

    Parameters
    ----------
    p : float or scalar node
        It may be a hyperparameter. No gradient passes through the draw.
    shape : sequence of int or Size
    stream : int
        Which of the run's independent streams; equal streams and shapes are equal draws.
    """
    [probability] = float_operands(p)
    if probability.shape != ():
        raise ShapeError(f"bernoulli: p is one number, got shape {show(probability.shape)}")
    return apply(Bernoulli(tuple(shape), stream, "bool"), probability, *_STEPS.get())


def permutation(n: Extent, *, stream: int) -> Node:
    """The numbers 0 … n − 1 in a random order.

    Examples
    --------
    >>> sorted(permutation(4, stream=0).value.tolist())
    [0, 1, 2, 3]
    """
    return apply(Permutation((n,), stream, "int64"), *_STEPS.get())


def _unit(backend: Any, stream: int, shape: tuple[int, ...], element: str) -> Any:
    xp = backend.xp
    if element == "float32":
        return (backend.random_bits(stream, shape) >> 8).astype("float32") * xp.asarray(2.0**-24, dtype="float32")
    words = backend.random_bits(stream, (*shape, 2)).astype("float64")
    high, low = xp.floor(words[..., 0] / 32), xp.floor(words[..., 1] / 64)
    return (high * 67108864.0 + low) / 9007199254740992.0


def _float(dtype: Any) -> str:
    name = str(np.dtype(dtype).name)
    if name not in ("float32", "float64"):
        raise DTypeError(f"random values are drawn as float32 or float64, not {name}; cast them with astype")
    return name
