"""Matrix products, by BLAS."""

from __future__ import annotations

import ctypes
import math
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ....graph import Node
from ....graph.node import DType
from ....graph.operations.linear import Matmul
from ..memory import Slot
from ..registry import lowers
from ..table import Share

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["fill", "word"]

NANOSECONDS = {4: 0.018, 8: 0.036}
"""A multiply-add's, by the element's size."""


@lowers(Matmul, placed=True)
def matmul(low: Lowering, node: Node, inputs: list[Slot]) -> None:
    out = low.home(node)
    if not out.size:
        return
    (*lead, m, n), k = out.shape, inputs[0].shape[-1]
    if not k:
        fill(low, node, out, 0.0)
        return
    x, y = (_operand(low, s, v, tuple(lead)) for s, v in zip(inputs, node.inputs, strict=True))
    z = out.reshaped((math.prod(lead), m, n))
    batch = math.prod(lead)
    low.largest_product = max(low.largest_product, m * n * k)
    # Cut where the other operand, which every share reads whole, is the smaller one.
    axis = 0 if batch > 1 else 1 if m >= n else 2

    def share(a: int, b: int) -> Share:
        if axis == 0:
            return _call([x.part(0, a, b), y.part(0, a, b)], z.part(0, a, b))
        if axis == 1:
            return _call([x.part(1, a, b), y], z.part(1, a, b))
        return _call([x, y.part(2, a, b)], z.part(2, a, b))

    work = 300.0 + NANOSECONDS[node.dtype.itemsize] * m * n * k * batch
    kernel, grain = low.kernel("matmul", node.dtype), 1 if axis == 0 else 16
    low.call(kernel, node, share, (batch, m, n)[axis], work, grain, operations=2.0 * m * n * k * batch)


def _call(reads: list[Slot], z: Slot) -> Share:
    """BLAS counts columns first, so it is asked for the transpose: Cᵀ = Bᵀ·Aᵀ."""
    x, y = reads
    (trans_x, lead_x), (trans_y, lead_y) = _layout(x), _layout(y)
    size = z.dtype.itemsize
    lead_z = z.strides[1] // size if z.shape[1] > 1 else z.shape[2]
    batch, m, n = z.shape
    steps = [s.strides[0] if batch > 1 else 0 for s in (x, y, z)]
    ones, zeros = word(1.0, z.dtype), word(0.0, z.dtype)
    words = [ord(trans_y), ord(trans_x), n, m, x.shape[2], ones, lead_y, lead_x, zeros, max(lead_z, n)]
    return Share(reads, [z], [_blas(size), batch, *steps, *words])


def _operand(low: Lowering, slot: Slot, node: Node, lead: tuple[int, ...]) -> Slot:
    """Matrices one after another at a stride, as BLAS can read them: copied where they lie otherwise."""
    if not _is_readable(slot):
        slot = low.copied(slot, node)
    matrix = slot.shape[-2:]
    slot = slot.broadcast((*lead, *matrix))
    steps = [(n, s) for n, s in zip(lead, slot.strides, strict=False) if n > 1]
    if any(s != t * n for (_, s), (n, t) in pairwise(steps)):
        slot = low.copied(slot, node)
        steps = [(n, s) for n, s in zip(lead, slot.strides, strict=False) if n > 1]
    step = steps[-1][1] if steps else 0
    return replace(slot, shape=(math.prod(lead), *matrix), strides=(step, *slot.strides[-2:]))


def _is_readable(slot: Slot) -> bool:
    try:
        _layout(slot)
    except ValueError:
        return False
    return True


def _layout(slot: Slot) -> tuple[str, int]:
    """Whether BLAS reads the matrix as it lies (N) or transposed (T), and the elements from one line to the next."""
    size = slot.dtype.itemsize
    for trans, fast, slow in (("N", -1, -2), ("T", -2, -1)):
        lines, length = slot.shape[slow], slot.shape[fast]
        even = slot.strides[fast] == size or length == 1
        step = slot.strides[slow] if lines > 1 else length * size
        if even and step >= length * size and step % size == 0:
            return trans, step // size
    raise ValueError("neither axis is contiguous")


def fill(low: Lowering, node: Node, out: Slot, value: float) -> None:
    """The same number everywhere."""
    flat = out.reshaped((out.size,))

    def share(a: int, b: int) -> Share:
        return Share([], [flat.part(0, a, b)], [b - a, word(value, out.dtype)])

    low.call(low.kernel("fill", out.dtype), node, share, out.size, 0.05 * out.size, 64)


@lru_cache
def _blas(itemsize: int) -> int:
    """The address of BLAS's product."""
    from scipy.linalg import cython_blas

    capsule = cython_blas.__pyx_capi__["dgemm" if itemsize == 8 else "sgemm"]
    name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer(capsule, name(capsule)))


def word(value: float, dtype: DType) -> int:
    """A number's bytes as those of an integer."""
    bytes_ = np.zeros(8, np.uint8)
    bytes_[: dtype.itemsize] = np.frombuffer(np.array(value, dtype).tobytes(), np.uint8)
    return int(bytes_.view(np.int64)[0])
