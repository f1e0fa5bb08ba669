"""Files read in pieces where pyarrow is not installed: text by the standard library, Parquet and Arrow by polars."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.cells import as_numbers, as_strings
from diaphane.data.chunks import Columns, Piece, Source
from diaphane.data.errors import DataError
from diaphane.data.heads import Head, open_text
from diaphane.data.sources import plain_cell

__all__ = ["polars_source", "text_source"]

PIECE_ROWS = 1 << 17
"""Polars finds rows by their number, and reads what a row group has besides: few rows at a time cost most."""


def text_source(path: Path, head: Head) -> Source:
    """A text file with a delimiter, one piece."""

    def read(columns: Sequence[str], chunk_rows: int) -> Iterator[Columns]:
        names = list(head.dtypes)
        places = [names.index(name) for name in columns]
        seen: dict[str, dict[str, str | None]] = {name: {} for name in columns}
        try:
            with open_text(path, head.encoding) as file:
                rows = _records(file, head, path.name)
                while chunk := list(islice(rows, chunk_rows)):
                    by_column = list(zip(*chunk, strict=True))
                    cells = {name: by_column[place] for name, place in zip(columns, places, strict=True)}
                    yield {name: _column(name, cells[name], head, path.name, seen[name]) for name in columns}
        except OSError as error:
            raise DataError(
                f"{path} cannot be read on ({error.strerror or error}); "
                "it has to stay where it is until training is done"
            ) from error

    return Source(path.name, head.dtypes, (Piece(path.name, None, read),))


def polars_source(path: Path, kind: str) -> Source:
    """A Parquet or Arrow file, a piece so many rows."""
    import polars as pl

    def scan() -> Any:
        return pl.scan_parquet(path) if kind == "Parquet" else pl.scan_ipc(path)

    try:
        schema = scan().collect_schema()
        rows = int(scan().select(pl.len()).collect().item())
    except Exception as error:  # what a damaged file raises differs from version to version
        raise DataError(f"{path.name} is not a whole {kind} file; write it again, or give a CSV file") from error

    def piece(start: int) -> Piece:
        count = min(PIECE_ROWS, rows - start)

        def read(columns: Sequence[str], chunk_rows: int) -> Iterator[Columns]:
            try:
                frame = scan().select(columns).slice(start, count).collect()
            except (OSError, pl.exceptions.PolarsError) as error:
                raise DataError(
                    f"{path} cannot be read on ({error}); it has to stay where it is until training is done"
                ) from error
            whole = {name: _series(name, frame[name]) for name in columns}
            for at in range(0, count, chunk_rows):
                yield {name: values[at : at + chunk_rows] for name, values in whole.items()}

        return Piece(f"{path.name}, rows from {start + 1}", count, read)

    return Source(
        path.name,
        {name: _dtype(kind) for name, kind in schema.items()},
        tuple(map(piece, range(0, rows, PIECE_ROWS))),
    )


def _records(file: Any, head: Head, name: str) -> Iterator[list[str]]:
    width = len(head.dtypes)
    reader = csv.reader(file, delimiter=head.delimiter, skipinitialspace=head.delimiter != "\t", strict=True)
    try:
        for i, cells in enumerate(cells for cells in reader if cells):
            if i == 0 and head.header:
                continue
            if len(cells) != width:
                if len(cells) == 1 and not cells[0].strip():
                    continue
                raise DataError(
                    f"{name}, line {reader.line_num}: {len(cells)} cells where the first line has {width}; "
                    f"every line needs {width}"
                )
            yield cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{name}, line {reader.line_num} cannot be read: {error}; correct that line") from error


def _column(name: str, cells: Sequence[str], head: Head, file: str, seen: dict[str, str | None]) -> NDArray[Any]:
    if head.dtypes[name].kind != "O":
        numbers = as_numbers(cells, decimal_comma=head.delimiter != ",")
        if numbers is None:
            word = next(c for c in cells if as_numbers([c], decimal_comma=head.delimiter != ",") is None)
            raise DataError(
                f"column {name!r} of {file} holds {word!r} where its first rows hold numbers; "
                "where it holds words too, name it in text=[...]"
            )
        return numbers
    words = np.empty(len(cells), dtype=object)
    words[:] = as_strings(cells, seen)
    return words


def _series(name: str, series: Any) -> NDArray[Any]:
    if _dtype(series.dtype).kind != "O" and not (series.dtype.is_(_boolean()) and series.null_count()):
        return np.asarray(series.to_numpy())
    words = np.empty(len(series), dtype=object)
    words[:] = [plain_cell(name, cell) for cell in series.to_list()]
    return words


def _dtype(kind: Any) -> np.dtype[Any]:
    import polars as pl

    if kind == _boolean():
        return np.dtype(bool)
    if kind.is_decimal():
        return np.dtype(np.float64)
    return np.dtype(pl.Series([], dtype=kind).to_numpy().dtype) if kind.is_numeric() else np.dtype(object)


def _boolean() -> Any:
    import polars as pl

    return pl.Boolean
