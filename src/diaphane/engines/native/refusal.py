"""An index that lies outside: how a kernel says so, and the error that it becomes."""

from __future__ import annotations

from typing import Any

from numba import carray, njit  # type: ignore[attr-defined]

from ...graph.node import Array
from .intrinsics import ints
from .registers import BAD_INDEX

__all__ = ["ONE_HOT", "SCATTER_ADD", "TAKE", "refusal", "refuse"]

ONE_HOT, TAKE, SCATTER_ADD = range(3)
NAMES = ("one_hot", "take", "scatter_add")


@njit(error_model="numpy")
def refuse(flag: Any, index: Any, extent: Any, operation: Any) -> None:
    """Stop the run, and leave behind what was wrong."""
    words = carray(ints(flag), 4)
    words[1], words[2], words[3] = index, extent, operation
    words[0] = BAD_INDEX


def refusal(words: Array) -> IndexError:
    """The error of a run that a kernel stopped."""
    return IndexError(f"{NAMES[words[3]]}: the index {words[1]} is outside 0 … {words[2] - 1}")
