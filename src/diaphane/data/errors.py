"""What a person reads when the data cannot be used."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["DataError", "MissingExtraError", "closest", "listed"]


class DataError(ValueError):
    """Data that cannot be used: what was given, what was expected, what to do.

    The message is one or two lines, meant to be shown as it stands.

    Examples
    --------
    >>> raise DataError("the file is empty; expected a header and rows")
    Traceback (most recent call last):
        ...
    diaphane.data.errors.DataError: the file is empty; expected a header and rows
    """


class MissingExtraError(DataError):
    """Something that only an optional library can do, and the command that installs it.

    Examples
    --------
    >>> raise MissingExtraError("reading Parquet")
    Traceback (most recent call last):
        ...
    diaphane.data.errors.MissingExtraError: reading Parquet needs an extra: pip install "diaphane[table]"
    """

    def __init__(self, purpose: str, extra: str = "table") -> None:
        super().__init__(f'{purpose} needs an extra: pip install "diaphane[{extra}]"')


def closest(given: str, known: Iterable[str]) -> str:
    """Return a hint such as ``" Did you mean 'iris'?"``, or nothing when no name is near.

    Examples
    --------
    >>> closest("irs", ["iris", "wine"])
    " Did you mean 'iris'?"
    """
    by_folded_name = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given.casefold(), by_folded_name, n=1)
    return f" Did you mean {by_folded_name[near[0]]!r}?" if near else ""


def listed(names: Sequence[str], limit: int = 30) -> str:
    """Return the names with commas, the tail cut off where there are too many to read.

    Examples
    --------
    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
