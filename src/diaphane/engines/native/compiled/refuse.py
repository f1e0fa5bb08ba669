"""An index that lies outside: how a kernel says so."""

from __future__ import annotations

from typing import Any

from numba import carray, njit  # type: ignore[attr-defined]

from ..registers import BAD_INDEX
from .intrinsics import ints

__all__ = ["refuse"]


@njit(error_model="numpy")
def refuse(flag: Any, index: Any, extent: Any, operation: Any) -> None:
    """Stop the run, and leave behind what was wrong."""
    words = carray(ints(flag), 4)
    words[1], words[2], words[3] = index, extent, operation
    words[0] = BAD_INDEX
