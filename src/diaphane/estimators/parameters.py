"""Checks of constructor parameters, at ``fit``, as scikit-learn does them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = ["check_choice", "check_flag", "check_integer", "check_number", "hidden_sizes"]


def check_number(
    name: str,
    value: Any,
    low: float = -np.inf,
    high: float = np.inf,
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """A finite number in an interval."""
    interval = f"{'(' if low_open else '['}{low:g}, {high:g}{')' if high_open or high == np.inf else ']'}"
    expected = "a finite number" if low == -np.inf and high == np.inf else f"a finite number in {interval}"
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be {expected}, got {value!r}")
    number = float(value)
    if number < low or number > high or (low_open and number == low) or (high_open and number == high):
        raise ValueError(f"{name} must be in {interval}, got {value!r}")
    return number


def check_integer(name: str, value: Any, low: int = 1) -> int:
    """A whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < low:
        raise ValueError(f"{name} must be a whole number of at least {low}, got {value!r}")
    return int(value)


def check_flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return value


def hidden_sizes(value: Any) -> list[int]:
    """The units of each hidden layer, from a number or a sequence; an empty one means a linear model.

    Examples
    --------
    >>> hidden_sizes(100), hidden_sizes((64, 32)), hidden_sizes(())
    ([100], [64, 32], [])
    """
    sizes = list(value) if np.iterable(value) and not isinstance(value, str) else [value]
    if any(isinstance(s, bool) or not isinstance(s, Integral) or s < 1 for s in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(s) for s in sizes]
