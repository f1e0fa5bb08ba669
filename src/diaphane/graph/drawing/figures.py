"""Numbers and arrays in a few characters."""

from __future__ import annotations

import numpy as np

from ..node import Array

__all__ = ["number", "summary"]

WRITTEN_OUT = 6
"""Arrays of at most so many numbers are written out."""
SMALL = 1e-3
LARGE = 1e6
"""Below the one and above the other a number is written with an exponent."""
ROUNDING = 1e-12
"""A mean so much smaller than what was averaged is 0 but for rounding."""


def number(value: float | int | bool, digits: int = 6) -> str:
    """A number in at most so many significant digits, with a real minus.

    Examples
    --------
    >>> number(-1234567.0), number(1 / 3, 3), number(1e-10), number(float("inf"))
    ('−1.23457e6', '0.333', '1e−10', '∞')
    """
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int) and abs(value) < 10**digits:
        return str(value).replace("-", "−")
    exact = float(value)
    text = f"{exact:.{digits - 1}e}" if 0 < abs(exact) < SMALL else f"{exact:.{digits}g}"
    if "e" in text and SMALL < abs(exact) < LARGE:
        text = f"{exact:.0f}"
    elif "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
    return text.replace("-", "−").replace("inf", "∞").replace("nan", "NaN")


def summary(array: Array, digits: int = 6) -> list[str]:
    """A value in lines: a number, a small array row by row, else mean ± standard deviation and the range.

    Parameters
    ----------
    array : ndarray
    digits : int
        Of a single number; elements of arrays have half as many.

    Examples
    --------
    >>> import numpy as np
    >>> summary(np.array([[1.0, 2.0], [3.0, 4.5]]))
    ['[1, 2]', '[3, 4.5]']
    >>> summary(np.arange(8.0))
    ['3.5 ± 2.29', '0 … 7']
    """
    if array.ndim == 0:
        return [number(array.item(), digits)]
    digits = (digits + 1) // 2
    if array.size == 0:
        return ["empty"]
    if array.size <= WRITTEN_OUT:
        rows = array.reshape(-1, array.shape[-1])
        return ["[" + ", ".join(number(v, digits) for v in row.tolist()) + "]" for row in rows]
    if array.dtype.kind == "b":
        return [f"{np.count_nonzero(array)} of {array.size} true"]
    values = array.astype(np.float64)
    finite = values[np.isfinite(values)]
    lines: list[str] = []
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        if low == high and finite.size == values.size:
            return [f"all {number(low, digits)}"]
        # Scaled, so that squares of the greatest floats do not overflow.
        scale = max(-low, high)
        mean = float((finite / scale).mean())
        mean = mean * scale if abs(mean) > ROUNDING else 0.0
        lines = [
            f"{number(mean, digits)} ± {number(float((finite / scale).std()) * scale, digits)}",
            f"{number(low + 0.0, digits)} … {number(high + 0.0, digits)}",
        ]
    counts = {"NaN": np.isnan(values).sum(), "∞": (values == np.inf).sum(), "−∞": (values == -np.inf).sum()}
    odd = [f"{count} × {what}" for what, count in counts.items() if count]
    return lines + ([", ".join(odd)] if odd else [])
