"""Philox4x32-10 as a kernel computes it: see ``graph/counter.py``, whose words it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["philox", "unit_float32", "unit_float64"]

LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
LEFT, RIGHT = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
KEY, OTHER_KEY = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@njit(error_model="numpy")
def philox(row: Any, block: Any, step: Any, scan: Any, seed: Any, stream: Any) -> Any:
    """The four words of four neighbouring columns of a row."""
    c0, c1, c2, c3 = np.uint64(row) & LOW, np.uint64(block) & LOW, np.uint64(step) & LOW, np.uint64(scan) & LOW
    k0, k1 = np.uint64(seed) & LOW, np.uint64(stream) & LOW
    for _ in range(10):
        left, right = c0 * LEFT, c2 * RIGHT
        c0, c1, c2, c3 = (right >> HALF) ^ c1 ^ k0, right & LOW, (left >> HALF) ^ c3 ^ k1, left & LOW
        k0, k1 = (k0 + KEY) & LOW, (k1 + OTHER_KEY) & LOW
    return c0, c1, c2, c3


@njit(error_model="numpy")
def unit_float32(words: Any, i: Any) -> Any:
    """U[0, 1) from one word."""
    return np.float32(words[i] >> np.uint32(8)) * np.float32(2.0**-24)


@njit(error_model="numpy")
def unit_float64(words: Any, i: Any) -> Any:
    """U[0, 1) from two words."""
    high, low = np.float64(words[i] >> np.uint32(5)), np.float64(words[i + 1] >> np.uint32(6))
    return (high * 67108864.0 + low) / 9007199254740992.0
