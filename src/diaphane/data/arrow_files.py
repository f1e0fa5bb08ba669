"""Parquet, Arrow and delimited files, read in pieces by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.cells import MISSING
from diaphane.data.chunks import Columns, Piece, Source
from diaphane.data.errors import DataError
from diaphane.data.heads import Head
from diaphane.data.sources import plain_cell

__all__ = ["arrow_source", "delimited_source", "parquet_source"]

BUFFER = 1 << 20
"""Bytes of a column that are read at a time: a row group is never in memory whole."""


def parquet_source(path: Path) -> Source:
    """A Parquet file, a piece a row group."""
    import pyarrow.parquet as pq

    with _readable(path, "Parquet"), pq.ParquetFile(path) as file:
        metadata, schema = file.metadata, file.schema_arrow

    def piece(group: int) -> Piece:
        def read(columns: Sequence[str], chunk_rows: int) -> Iterator[Columns]:
            with (
                _readable(path, "Parquet"),
                pq.ParquetFile(path, metadata=metadata, pre_buffer=False, buffer_size=BUFFER) as file,
            ):
                for batch in file.iter_batches(chunk_rows, row_groups=[group], columns=list(columns)):
                    yield columns_of(batch, columns)

        return Piece(f"{path.name}, row group {group}", metadata.row_group(group).num_rows, read)

    return Source(path.name, _dtypes(schema), tuple(map(piece, range(metadata.num_row_groups))))


def arrow_source(path: Path) -> Source:
    """An Arrow IPC or Feather file, a piece a record batch."""
    import pyarrow as pa

    with _readable(path, "Arrow"), pa.memory_map(str(path)) as memory, pa.ipc.open_file(memory) as file:
        schema, rows = file.schema, [file.get_batch(i).num_rows for i in range(file.num_record_batches)]

    def piece(index: int) -> Piece:
        def read(columns: Sequence[str], chunk_rows: int) -> Iterator[Columns]:
            with _readable(path, "Arrow"), pa.memory_map(str(path)) as memory, pa.ipc.open_file(memory) as file:
                batch = file.get_batch(index)
                for start in range(0, batch.num_rows, chunk_rows):
                    yield columns_of(batch.slice(start, chunk_rows), columns)

        return Piece(f"{path.name}, batch {index}", rows[index], read)

    return Source(path.name, _dtypes(schema), tuple(map(piece, range(len(rows)))))


def delimited_source(path: Path, head: Head) -> Source:
    """A text file with a delimiter: one piece, since only reading shows where a row begins."""
    import pyarrow as pa
    import pyarrow.csv as csv

    types = {name: pa.string() if dtype.kind == "O" else pa.float64() for name, dtype in head.dtypes.items()}

    def read(columns: Sequence[str], chunk_rows: int) -> Iterator[Columns]:
        reading = csv.ReadOptions(
            column_names=list(head.dtypes), skip_rows=int(head.header), encoding=head.encoding, use_threads=True
        )
        parsing = csv.ParseOptions(delimiter=head.delimiter, newlines_in_values=True)
        converting = csv.ConvertOptions(
            null_values=sorted(MISSING),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            column_types=types,
            include_columns=list(columns),
        )
        with (
            _readable(path, "delimited text"),
            pa.input_stream(str(path), compression="gzip" if path.suffix.lower() == ".gz" else None) as file,
            csv.open_csv(file, reading, parsing, converting) as batches,
        ):
            for batch in batches:
                for start in range(0, batch.num_rows, chunk_rows):
                    yield columns_of(batch.slice(start, chunk_rows), columns)

    return Source(path.name, head.dtypes, (Piece(path.name, None, read),))


def columns_of(batch: Any, names: Sequence[str]) -> Columns:
    """A record batch as arrays; numbers of 32 and 64 bits without gaps are not copied."""
    return {name: _values(name, batch.column(name)) for name in names}


def _values(name: str, column: Any) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    types = pa.types
    if types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if types.is_boolean(kind) and column.null_count:
        return _words(name, column)
    if types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind):
        found = column.cast(pa.float64()) if column.null_count and not types.is_floating(kind) else column
        return np.asarray(found.to_numpy(zero_copy_only=False))
    if types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    return _words(name, column)


def _words(name: str, column: Any) -> NDArray[Any]:
    """Cells as objects; each different one is made once."""
    coded = column.dictionary_encode()
    distinct = [plain_cell(name, cell) for cell in coded.dictionary.to_pylist()]
    known = np.array([*(cell.strip() if isinstance(cell, str) else cell for cell in distinct), None], dtype=object)
    places = coded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    return np.asarray(known[places])


def _dtypes(schema: Any) -> dict[str, np.dtype[Any]]:
    return {field.name: _dtype(field.type) for field in schema}


def _dtype(kind: Any) -> np.dtype[Any]:
    import pyarrow as pa

    types = pa.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind):
        found: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
        return found
    return np.dtype("float64" if types.is_decimal(kind) or types.is_null(kind) else object)


class _readable:
    """What goes wrong in reading a file, as an error that says what to do."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind = path, kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import pyarrow as pa

        if isinstance(error, pa.ArrowInvalid | pa.ArrowNotImplementedError):
            raise DataError(
                f"{self.path.name} cannot be read as {self.kind} ({error}); {_remedy(str(error), self.kind)}"
            ) from error
        if isinstance(error, OSError):
            raise DataError(
                f"{self.path} cannot be read on ({error.strerror or error}); "
                "it has to stay where it is until training is done"
            ) from error


def _remedy(message: str, kind: str) -> str:
    if "conversion error" in message:
        return "the first rows of that column hold numbers: where it holds words too, name it in text=[...]"
    if kind == "delimited text":
        return "correct that line"
    return "write it again, or give a CSV file"
