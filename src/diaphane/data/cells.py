"""What one cell of a text file says: a number, a word, or that nothing is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING", "as_numbers", "as_strings", "is_missing", "is_number", "looks_like_data"]

MISSING = frozenset({"", "?", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "null", "NULL", "None"})

_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


def is_missing(cell: str) -> bool:
    """Tell whether a cell, surrounding blanks aside, is one of the words for *missing*.

    Examples
    --------
    >>> is_missing(" ? "), is_missing("none")
    (True, False)
    """
    return cell.strip() in MISSING


def as_numbers(cells: Sequence[str], *, decimal_comma: bool = False) -> NDArray[np.float64] | None:
    """Return the cells as float64 with NaN for missing, or None when one of them is not a number.

    Parameters
    ----------
    cells : sequence of str
    decimal_comma : bool
        Also read ``3,5`` as 3.5 (only safe where the comma does not separate cells).

    Examples
    --------
    >>> as_numbers(["1", " 2.5", "?"])
    array([1. , 2.5, nan])
    >>> as_numbers(["1", "1_000"]) is None
    True
    """
    # Python reads 1_000 as a number; nobody's table means that.
    if any("_" in cell for cell in cells):
        return None
    try:
        return np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        pass
    try:
        return np.array([_number(cell, decimal_comma) for cell in cells], dtype=np.float64)
    except ValueError:
        return None


def _number(cell: str, decimal_comma: bool) -> float:
    stripped = cell.strip()
    if stripped in MISSING:
        return np.nan
    if decimal_comma and _COMMA_NUMBER.fullmatch(stripped):
        return float(stripped.replace(",", "."))
    return float(stripped)


def as_strings(cells: Sequence[str], seen: dict[str, str | None]) -> list[str | None]:
    """Return the cells without surrounding blanks, None for missing.

    `seen` remembers each distinct cell from call to call: a column of few words is stored as few strings.

    Examples
    --------
    >>> as_strings([" café ", "NA"], {})
    ['café', None]
    """
    for cell in set(cells).difference(seen):
        stripped = cell.strip()
        seen[cell] = None if stripped in MISSING else stripped
    return [seen[cell] for cell in cells]


def looks_like_data(cells: Sequence[str]) -> bool:
    """Tell whether a first line reads like values, not like the names of columns.

    A third of numbers and missing marks is enough: names are hardly ever numbers, and a table without a
    header usually has some.

    Examples
    --------
    >>> looks_like_data(["3", "?", "gas"]), looks_like_data(["age", "2019", "income", "city"])
    (True, False)
    """
    values = sum(as_numbers([cell]) is not None for cell in cells if cell.strip())
    return 3 * values >= len(cells) and values > 0


def is_number(cell: str) -> bool:
    """Whether a cell's text can be read as one.

    Examples
    --------
    >>> is_number("1e3"), is_number("n/k")
    (True, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True
