"""An index that lies outside: the error that it becomes."""

from __future__ import annotations

from ...graph.node import Array
from .registers import REFUSED

__all__ = ["refusal"]


def refusal(words: Array) -> IndexError:
    """The error of a run that a kernel stopped: flag, index, extent, operation."""
    return IndexError(f"{REFUSED[words[3]]}: the index {words[1]} is outside 0 … {words[2] - 1}")
