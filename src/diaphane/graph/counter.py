"""Random bits as a pure function of where they are used: Philox, the same on every engine.

Salmon, Moraes, Dror & Shaw 2011, *Parallel random numbers: as easy as 1, 2, 3*: Philox4x32-10. The key is
(seed, stream), the counter (row, block of four columns, step, scan index); each gives the words of four
neighbouring columns of a row. So a mask does not depend on how rows are shared among threads.
"""

from __future__ import annotations

import numpy as np

from .node import Array

__all__ = ["bits", "philox"]

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: tuple[Array, Array, Array, Array], key: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """Philox4x32-10 of four counter words (uint64 arrays holding 32-bit values) and two key words.

    Examples
    --------
    >>> import numpy as np
    >>> zero = np.zeros(1, np.uint64)
    >>> [hex(int(word[0])) for word in philox((zero, zero, zero, zero), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    a, b, c, d = counter
    first, second = key
    for _ in range(ROUNDS):
        left, right = a * MULTIPLIERS[0], c * MULTIPLIERS[1]
        a, b, c, d = (
            (right >> _HALF) ^ b ^ np.uint64(first),
            right & _LOW,
            (left >> _HALF) ^ d ^ np.uint64(second),
            left & _LOW,
        )
        first, second = (first + KEY_STEPS[0]) & 0xFFFFFFFF, (second + KEY_STEPS[1]) & 0xFFFFFFFF
    return a, b, c, d


def bits(seed: int, stream: int, step: int, scan_index: int, rows: int, columns: int, first_row: int = 0) -> Array:
    """Uniform 32-bit words for a block of rows.

    Parameters
    ----------
    seed, stream, step, scan_index : int
        Taken modulo 2³².
    rows, columns : int
    first_row : int
        The global index of the first row.

    Returns
    -------
    ndarray of uint32, shape (rows, columns)
    """
    blocks = -(-columns // 4)
    row = np.arange(first_row, first_row + rows, dtype=np.uint64)[:, None] & _LOW
    block = np.arange(blocks, dtype=np.uint64)[None, :]
    ones = np.ones((rows, blocks), np.uint64)
    counter = (row * ones, block * ones, ones * np.uint64(step & 0xFFFFFFFF), ones * np.uint64(scan_index & 0xFFFFFFFF))
    words = philox(counter, (seed & 0xFFFFFFFF, stream & 0xFFFFFFFF))
    return np.stack(words, axis=-1).reshape(rows, blocks * 4)[:, :columns].astype(np.uint32)
