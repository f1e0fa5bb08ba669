"""A digest of data, at the speed of memory: whether a run goes on with the rows that it began with."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np

from ..graph.node import Array

__all__ = ["describe_rows"]

BLOCK = (64, 512)
"""Words of 8 bytes that are mixed at once: 256 kB, which stay in the second cache."""
CHUNK = 4 << 20
"""Bytes of rows that are looked at together, so that a memory map is never whole in memory."""


def describe_rows(x: Any) -> dict[str, Any]:
    """Shape, dtype and a digest of all values of an array, memory map or CSR matrix.

    Each word w of 8 bytes is mixed, w ⊕ (w ≫ 32), and multiplied by an odd number of its place in a block; a block's
    512 columns are added up modulo 2⁶⁴ (the multilinear hash of Carter & Wegman 1979) and go to BLAKE2b. A change of
    one value always shows, of several all but certainly. It is no guard against who means to deceive.

    Examples
    --------
    >>> x = np.arange(6.0).reshape(3, 2)
    >>> found = describe_rows(x)
    >>> found["shape"], found["dtype"], found["digest"] == describe_rows(x[::-1])["digest"]
    ([3, 2], '<f8', False)
    """
    parts = [x.data, x.indices, x.indptr] if hasattr(x, "indptr") else [x]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        _update(digest, part)
    return {"shape": [int(n) for n in x.shape], "dtype": np.dtype(x.dtype).str, "digest": digest.hexdigest()}


def _update(digest: Any, rows: Any) -> None:
    width = np.dtype(rows.dtype).itemsize * int(np.prod(rows.shape[1:]))
    count = max(1, CHUNK // max(width, 1))
    for start in range(0, rows.shape[0] if width else 0, count):
        chunk = np.ascontiguousarray(rows[start : start + count])
        _update_words(digest, chunk.reshape(-1).view(np.uint8))


def _update_words(digest: Any, data: Array) -> None:
    size = 8 * BLOCK[0] * BLOCK[1]
    whole = len(data) // size * size
    blocks = list(data[:whole].view(np.uint64).reshape(-1, *BLOCK))
    if whole < len(data):
        last = np.zeros(size, np.uint8)
        last[: len(data) - whole] = data[whole:]
        blocks.append(last.view(np.uint64).reshape(BLOCK))
    mixed = np.empty(BLOCK, np.uint64)
    for block in blocks:
        np.right_shift(block, np.uint64(32), out=mixed)
        # A change of high bits alone, such as a sign, must reach bits that the sum does not lose.
        np.bitwise_xor(mixed, block, out=mixed)
        np.multiply(mixed, _multipliers(), out=mixed)
        digest.update(np.add.reduce(mixed, axis=0).data)


@cache
def _multipliers() -> Array:
    """Odd numbers, one for each place: splitmix64 of the place (Steele, Lea & Flood 2014)."""
    z = np.arange(1, BLOCK[0] * BLOCK[1] + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) | np.uint64(1)).reshape(BLOCK)
