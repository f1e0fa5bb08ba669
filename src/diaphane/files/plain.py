"""Plain data with what JSON lacks: NaN, infinities, tuples' numbers of NumPy, small arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["decode_plain", "encode_plain"]

FLOAT, ARRAY = "$float", "$array"


def encode_plain(value: Any, where: str = "value") -> Any:
    """A value as strict JSON can hold it; floats come back bit by bit (but for a NaN's payload).

    Raises
    ------
    TypeError
        If there is something that is no number, text, list, mapping or array of numbers.

    Examples
    --------
    >>> encode_plain({"best": float("-inf"), "key": np.arange(2, dtype="uint32")})
    {'best': {'$float': '-inf'}, 'key': {'$array': [0, 1], 'dtype': '<u4'}}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {FLOAT: repr(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {ARRAY: encode_plain(value.tolist(), where), "dtype": value.dtype.str}
    if isinstance(value, tuple | list):
        return [encode_plain(v, where) for v in value]
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {k: encode_plain(v, f"{where}[{k!r}]") for k, v in value.items()}
    raise TypeError(
        f"{where} holds {value!r:.80}, which cannot be written down: give numbers, texts, lists or mappings"
    )


def decode_plain(value: Any) -> Any:
    """What :func:`encode_plain` was given, tuples as lists.

    Examples
    --------
    >>> decode_plain(encode_plain({"best": float("-inf"), "key": np.arange(2, dtype="uint32")}))
    {'best': -inf, 'key': array([0, 1], dtype=uint32)}
    """
    if isinstance(value, list):
        return [decode_plain(v) for v in value]
    if not isinstance(value, dict):
        return value
    if FLOAT in value:
        return float(value[FLOAT])
    if ARRAY in value:
        element = np.dtype(value["dtype"])
        if element.kind not in "biuf":
            raise TypeError(f"an array of {element}, expected one of numbers")
        return np.array(decode_plain(value[ARRAY]), element)
    return {k: decode_plain(v) for k, v in value.items()}
