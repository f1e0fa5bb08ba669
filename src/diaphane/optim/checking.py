"""Numbers of penalties, constraints and the like, checked where the user gives them."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields, replace
from numbers import Integral, Real
from typing import Any

from ..graph import Node, variable

__all__ = ["as_whole_number", "check_number", "hyperparameter", "numbers_of", "with_default_numbers"]


def check_number(record: Any, name: str, fits: bool, wanted: str, advice: str = "") -> None:
    """Refuse a record's field that is no finite number, or does not fit; store it as a float.

    Parameters
    ----------
    record : frozen dataclass
    name : str
    fits : bool
        What holds of a number that is wanted; NaN and infinity never fit.
    wanted, advice : str
        Which numbers those are, and what to do instead.
    """
    value, where = getattr(record, name), f"{type(record).__name__}: {name}"
    if not is_number(value):
        raise TypeError(f"{where} must be a number {wanted}, got {value!r}")
    if not math.isfinite(value) or not fits:
        raise ValueError(f"{where} must be a number {wanted}, got {value!r}{'; ' if advice else ''}{advice}")
    object.__setattr__(record, name, float(value))


def is_number(value: Any) -> bool:
    """Whether it is a real number, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def as_whole_number(record: Any, name: str, low: int) -> None:
    """Refuse a record's field that is no whole number of at least so much; store it as an int."""
    value, where = getattr(record, name), f"{type(record).__name__}: {name}"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{where} must be a whole number of at least {low}, got {value!r}")
    if value < low:
        raise ValueError(f"{where} must be at least {low}, got {value!r}")
    object.__setattr__(record, name, int(value))


def hyperparameter(record: Any, name: str, label: str | None = None) -> Node:
    """A field as a number that the program takes as an input, such as ``"max_norm/limit"``."""
    assert name in {f.name for f in fields(record)}
    path = f"{label or _snake(type(record).__name__)}/{name}"
    return variable(float(getattr(record, name)), path, dtype="float64", role="hyperparameter")


def numbers_of(record: Any) -> dict[str, float]:
    """What a record's hyperparameters are set to, by their names in a program.

    Examples
    --------
    >>> import diaphane as dia
    >>> numbers_of(dia.optim.MaxNorm(3.0))
    {'max_norm/limit': 3.0}
    """
    label = _snake(type(record).__name__)
    found = {f"{label}/{f.name}": getattr(record, f.name) for f in fields(record)}
    return {path: float(value) for path, value in found.items() if is_number(value)}


def with_default_numbers(record: Any) -> Any:
    """The same formula with its class's own numbers, 1 where it has none: those of one plan are then equal."""
    own = {f.name: 1 if f.default is MISSING else f.default for f in fields(record)}
    return replace(record, **{name: value for name, value in own.items() if is_number(getattr(record, name))})


def _snake(name: str) -> str:
    """``MaxNorm`` as ``max_norm``, ``EMA`` as ``ema``."""
    parts = [f"_{c}" if c.isupper() and i and not name[i - 1].isupper() else c for i, c in enumerate(name)]
    return "".join(parts).lower()
