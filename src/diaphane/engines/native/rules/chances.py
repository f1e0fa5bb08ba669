"""Random values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ....graph import Node
from ....graph.operations.random import Bernoulli, Normal, Permutation, Random, Uniform
from ..memory import Slot
from ..registry import lowers
from ..table import Share

if TYPE_CHECKING:
    from ..lowering import Lowering


@lowers(Bernoulli, placed=True)
def bernoulli(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Words of the counter, each below a limit or not."""
    op = node.op
    assert isinstance(op, Random)
    p = low.converted(inputs[0], node.inputs[0], np.dtype("float64"))
    out, rows = low.home(node), _rows(low.shape(node))

    def share(a: int, b: int) -> Share:
        flat = out.reshaped(rows)
        return Share([p], [flat.part(0, a, b)], [b - a, rows[1], op.stream, a])

    low.call(low.kernel("bernoulli", node.dtype), node, share, rows[0], 1.5 * out.size)


@lowers(Uniform, placed=True)
def uniform(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """U[0, 1)."""
    _transformed(low, node, "uniform", ())


@lowers(Normal, placed=True)
def normal(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """N(0, 1)."""
    _transformed(low, node, "normal", (2,))


@lowers(Permutation, placed=True)
def permutation(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    """Keys of 64 random bits, sorted."""
    out = low.home(node)
    words = _words(low, node, (*out.shape, 2))
    whole = Share([words], [out, low.fresh((2 * out.size,), np.dtype("int64"))], [out.size])
    low.call(low.kernel("permutation", node.dtype), node, lambda a, b: whole, work=50.0 * out.size)


def _transformed(low: Lowering, node: Node, name: str, units: tuple[int, ...]) -> None:
    """Each element from so many numbers of U[0, 1), each of these from one word (float32) or two."""
    out, each = low.home(node), node.dtype.itemsize // 4
    words = _words(low, node, (*out.shape, *units, *((2,) if each == 2 else ())))
    per_element = math.prod(units) * each
    flat, source = out.reshaped((out.size,)), words.reshaped((out.size, per_element))

    def share(a: int, b: int) -> Share:
        return Share([source.part(0, a, b)], [flat.part(0, a, b)], [b - a, each])

    low.call(low.kernel(name, node.dtype), node, share, out.size, (30.0 if units else 0.5) * out.size, 64)


def _words(low: Lowering, node: Node, shape: tuple[int, ...]) -> Slot:
    """Random words of a shape."""
    op = node.op
    assert isinstance(op, Random)
    words = low.fresh(shape, np.dtype("uint32"))
    rows = _rows(shape)
    flat = words.reshaped(rows)

    def share(a: int, b: int) -> Share:
        return Share([], [flat.part(0, a, b)], [b - a, rows[1], op.stream, a])

    low.call(low.kernel("words", node.dtype), node, share, rows[0], 2.5 * words.size)
    return words


def _rows(shape: tuple[int, ...]) -> tuple[int, int]:
    """The counter's rows and columns."""
    return (shape[0], math.prod(shape[1:])) if shape else (1, 1)
