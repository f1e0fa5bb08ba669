"""Which data a kernel reads where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.node import DType
from .element import POINTERS
from .table import Rows

__all__ = ["arrays_of", "layout", "readable"]


def readable(source: Any, dtype: DType) -> Any:
    """The data as they can be gathered from into this type, nothing copied; None where Python has to look at them."""
    if isinstance(source, np.ndarray):
        return source if _is_readable(source) else None
    if getattr(source, "format", None) != "csr":
        return None
    even = all(_is_readable(a) and a.flags.c_contiguous for a in arrays_of(source))
    # Numbers of one place add up in the data's own type, which rounds or overflows in a way of its own.
    return source if even and (source.dtype == dtype or source.has_canonical_format) else None


def arrays_of(source: Any) -> list[Any]:
    """The arrays that the data consist of: one, or a sparse matrix's values, row starts and columns."""
    return [source] if isinstance(source, np.ndarray) else [source.data, source.indptr, source.indices]


def layout(source: Any) -> Rows:
    """How rows lie."""
    values, *others = arrays_of(source)
    if others:
        return Rows(values.dtype, starts=others[0].dtype, columns=others[1].dtype)
    size = source.dtype.itemsize
    several = source.ndim == 2 and source.shape[1] > 1
    return Rows(source.dtype, source.strides[0], source.strides[1] // size if several else 1)


def _is_readable(source: Any) -> bool:
    if source.dtype.name not in POINTERS or not source.dtype.isnative:
        return False
    even = source.ndim <= 2 or (source.size > 0 and source[0].flags.c_contiguous)
    # The stride of an axis of one is never taken, and may be anything.
    steps = [s for s, n in zip(source.strides, source.shape, strict=True) if n > 1]
    return even and all(s > 0 and s % source.dtype.itemsize == 0 for s in steps)
