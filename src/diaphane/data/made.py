"""Rows that a function makes, chunk after chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.chunks import Columns, Piece, Source
from diaphane.data.errors import DataError, listed

__all__ = ["MADE_TARGET", "MADE_WEIGHTS", "made_source"]

MADE_TARGET, MADE_WEIGHTS = "(target)", "(weights)"
"""What targets and weights are called, which have no names of their own."""

EXPECTED = "expected (X, y) or (X, y, sample_weight) with as many rows each"


def made_source(make: Callable[[], Iterable[Any]] | Iterable[Any]) -> Source:
    """What a function (or something that can be gone through again and again) gives, one piece.

    The first chunk says what columns there are: the names of a frame, or ``x0``, ``x1``, ….
    """
    again = _Again(make)
    first = again.first
    dtypes = {name: values.dtype for name, values in first.items()}

    def read(columns: Sequence[str], chunk_rows: int) -> Iterator[Columns]:
        for k, given in enumerate(again.chunks()):
            chunk = _columns(given, k)
            _check(chunk, dtypes, k)
            rows = len(chunk[MADE_TARGET])
            for start in range(0, rows, chunk_rows):
                yield {name: chunk[name][start : start + chunk_rows] for name in columns}

    return Source("the source", dtypes, (Piece("the source", None, read),), first)


class _Again:
    """Chunks from the front, as often as is asked for; the very first is looked at before."""

    def __init__(self, make: Any) -> None:
        self.make, self.once = make, None
        if callable(make):
            chunks = iter(self._called())
        else:
            chunks = iter(make)
            self.once = chunks if chunks is make else None
        try:
            given = next(chunks)
        except StopIteration:
            raise DataError("the source has no chunk; expected at least one with rows") from None
        self.first = _columns(given, 0)
        self.left: Iterator[Any] | None = chain([given], chunks) if self.once is not None else None
        if self.once is None and hasattr(chunks, "close"):
            chunks.close()

    def chunks(self) -> Iterator[Any]:
        if self.once is not None:
            if self.left is None:
                raise DataError(
                    "the source is a generator, which can be read only once, and it is needed again: give the "
                    "function that makes it, open_stream(make) instead of open_stream(make())"
                )
            found, self.left = self.left, None
            return found
        return iter(self._called() if callable(self.make) else self.make)

    def _called(self) -> Iterable[Any]:
        found = self.make()
        if not isinstance(found, Iterable):
            raise TypeError(f"the source's function must give chunks to go through, got {type(found).__name__}")
        return found


def _columns(given: Any, k: int) -> Columns:
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise DataError(f"chunk {k + 1} of the source is {type(given).__name__}; {EXPECTED}")
    x, y, weights = (*given, None)[:3]
    found = _features(x, k)
    found[MADE_TARGET] = np.asarray(y)
    if weights is not None:
        found[MADE_WEIGHTS] = np.asarray(weights)
    rows = {name: len(values) for name, values in found.items()}
    if len(set(rows.values())) > 1:
        raise DataError(f"chunk {k + 1} of the source has {rows[next(iter(rows))]} rows of X and others; {EXPECTED}")
    return found


def _features(x: Any, k: int) -> Columns:
    if hasattr(x, "columns") and not isinstance(x.columns, dict):
        return {str(name): _series(x[name]) for name in x.columns}
    matrix: NDArray[Any] = x.toarray() if hasattr(x, "toarray") else np.asarray(x)
    if matrix.ndim != 2 or matrix.shape[1] == 0 or matrix.dtype.kind not in "biuf":
        raise DataError(
            f"X of chunk {k + 1} has shape {matrix.shape} and dtype {matrix.dtype}; expected numbers, a row an example"
        )
    return {f"x{i}": matrix[:, i] for i in range(matrix.shape[1])}


def _series(column: Any) -> NDArray[Any]:
    values = np.asarray(column)
    if values.dtype.kind in "biuf":
        return values
    words = np.empty(len(values), dtype=object)
    words[:] = [None if cell is None or cell != cell else str(cell) for cell in values.tolist()]
    return words


def _check(chunk: Columns, dtypes: Any, k: int) -> None:
    lacking = [name for name in dtypes if name not in chunk]
    added = [name for name in chunk if name not in dtypes]
    if lacking or added:
        which = [f"lacks {listed(lacking, 5)}"] * bool(lacking) + [f"has {listed(added, 5)} besides"] * bool(added)
        raise DataError(f"chunk {k + 1} has other columns than the first: it {' and '.join(which)}")
    for name, dtype in dtypes.items():
        if name not in (MADE_TARGET,) and (chunk[name].dtype.kind == "O") != (dtype.kind == "O"):
            raise DataError(
                f"column {name!r} of chunk {k + 1} has dtype {chunk[name].dtype}, that of the first chunk {dtype}; "
                "expected numbers or words in all"
            )
