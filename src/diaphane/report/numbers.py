"""How numbers are written for a reader."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["count", "number", "percent", "plural", "seconds"]

THIN = "\u202f"
"""A narrow space that no line ends at."""


def number(value: Any, digits: int = 4) -> str:
    """With so many digits, thousands apart; a dash where there is none.

    Examples
    --------
    >>> number(0.123456), number(1234567.0), number(2), number(float("nan")), number(1e-9)
    ('0.1235', '1\u202f234\u202f567', '2', '–', '1e-09')
    >>> number(9999.6), number(-0.0)
    ('10\u202f000', '0')
    """
    x = float(value)
    if math.isnan(x):
        return "–"
    if not math.isfinite(x):
        return "∞" if x > 0 else "−∞"
    if 1e4 <= abs(float(f"{x:.{digits}g}")) < 1e15:
        return f"{x:,.0f}".replace(",", THIN).replace("-", "−")
    written = f"{x:.{digits}g}" if x else "0"
    return f"−{written[1:]}" if written.startswith("-") else written


def count(value: int) -> str:
    """A whole number, thousands apart.

    Examples
    --------
    >>> count(32561), count(7)
    ('32\u202f561', '7')
    """
    return f"{int(value):,}".replace(",", THIN)


def plural(n: int, one: str, many: str | None = None) -> str:
    """How many of what.

    Examples
    --------
    >>> plural(1, "row"), plural(2, "class", "classes")
    ('1 row', '2 classes')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def percent(share: Any) -> str:
    """A share, with a digit after the point where it says something.

    Examples
    --------
    >>> percent(0.5), percent(0.987654), percent(0.0004), percent(0), percent(float("nan"))
    ('50\u202f%', '98.8\u202f%', '0.04\u202f%', '0\u202f%', '–')

    What is not all is not said to be.

    >>> percent(0.9996), percent(-0.0004)
    ('99.9\u202f%', '−0.04\u202f%')
    """
    x = 100 * float(share)
    if not math.isfinite(x):
        return "–"
    digits = 0 if x == round(x) else 1
    if 99.9 < x < 100:
        x = 99.9
    if 0 < abs(x) < 0.1:
        return f"{x:.1g}{THIN}%".replace("-", "−")
    return f"{x:.{digits}f}{THIN}%".replace("-", "−")


def seconds(value: Any) -> str:
    """A time.

    Examples
    --------
    >>> seconds(0.0312), seconds(3.21), seconds(200)
    ('0.03 s', '3.2 s', '3 min 20 s')
    """
    x = float(value)
    if x >= 100:
        return f"{int(x) // 60} min {int(x) % 60} s"
    return f"{x:.2f} s" if x < 1 else f"{x:.1f} s"
