"""Files and functions, opened as a stream of rows."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from diaphane.data.chunks import Source, joined
from diaphane.data.columns import float_name
from diaphane.data.errors import DataError, MissingExtraError, listed
from diaphane.data.heads import read_head
from diaphane.data.made import MADE_TARGET, MADE_WEIGHTS, made_source
from diaphane.data.streams import Stream, check_rows, default_sizes

__all__ = ["open_stream"]

PARQUET, ARROW, TEXT = (".parquet", ".pq"), (".arrow", ".feather", ".ipc"), (".csv", ".tsv", ".tab", ".txt", ".data")


def open_stream(
    source: Any,
    *,
    target: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    weights: str | None = None,
    chunk_rows: int | None = None,
    window: int | None = None,
    text: Sequence[str] = (),
    header: bool = True,
    dtype: DTypeLike | None = None,
    new_categories: str = "unknown",
) -> Stream:
    r"""Open rows that are more than memory holds.

    Numbers go to the network as they lie in the file; :meth:`Stream.encoded` makes features of words, dates and gaps,
    and scales numbers, by one pass over the rows before. What is in memory is about three windows.

    Parameters
    ----------
    source : path, sequence of paths, function, or iterable of chunks
        Parquet, Arrow IPC or Feather files, CSV or TSV (``.gz`` too); or a function without parameters that gives
        chunks (X, y) or (X, y, sample_weight) to go through, arrays or frames.
    target : str or sequence of str, optional
        The column (y has shape (n,)) or columns (n, k) to be predicted; a list of one name gives (n, 1), as a network
        with one output wants it. The last column by default. For functions there is none.
    columns : sequence of str, optional
        Those to learn from; all but target and weights by default.
    weights : str, optional
        A column of the rows' weights.
    chunk_rows : int, optional
        Rows to be read at a time; as many as 4 MiB hold by default, 65 536 at most.
    window : int, optional
        Rows that are shuffled among each other, after the row groups of the files were; as many as 32 MiB hold by
        default. Where like rows lie together in a file, for a length that is more than a window, batches are of like
        rows: take a larger window, or a file that was shuffled once.
    text : sequence of str
        Columns of a CSV file that are words though their first rows hold numbers.
    header : bool
        Whether the first line of a CSV file has the names.
    dtype : float32 or float64, optional
        Of the features; float32 by default where that rounds none of the columns' types, else float64.
    new_categories : {"unknown", "error"}
        What a word is that the encoder never saw: unknown (0 in all features of its column; counted, with one
        warning) or an error.

    Returns
    -------
    Stream

    Raises
    ------
    DataError
        If a file or a column is not there, files have other columns than the first, or there are no rows.
    MissingExtraError
        For Parquet and Arrow files where neither pyarrow nor polars is installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "points.csv")
    ...     _ = path.write_text("x,y\n1,2\n3,4\n5,6\n")
    ...     stream = open_stream(path, target="y")
    ...     print(stream.names, next(stream.chunks()).x.ravel(), stream.labels())
    ('x',) [1. 3. 5.] (2.0, 4.0, 6.0)
    """
    if new_categories not in ("unknown", "error"):
        raise ValueError(f'new_categories must be "unknown" or "error", got {new_categories!r}')
    opened = _source(source, header, text)
    if not opened.pieces or opened.n_rows == 0:
        raise DataError(f"{opened.name} has no rows; expected at least one")
    wanted, weights = _target_names(opened, target, weights)
    names = _feature_names(opened, wanted, weights, columns)
    found = _dtype(opened, names, dtype)
    given = {"chunk_rows": chunk_rows, "window": window}
    checked = {name: 0 if rows is None else check_rows(name, rows) for name, rows in given.items()}
    sizes = default_sizes(len(names), found, checked["chunk_rows"], checked["window"])
    return Stream(opened, names, wanted, weights, found, new_categories=new_categories, **sizes)


def _source(source: Any, header: bool, text: Sequence[str]) -> Source:
    if isinstance(source, str | os.PathLike):
        return _file(Path(source), header, text)
    if isinstance(source, Sequence) and source and all(isinstance(s, str | os.PathLike) for s in source):
        return joined([_file(Path(path), header, text) for path in source])
    if callable(source) or isinstance(source, Iterable):
        return made_source(source)
    raise TypeError(f"source must be paths, a function, or chunks to go through, got {type(source).__name__}")


def _file(path: Path, header: bool, text: Sequence[str]) -> Source:
    kinds = [suffix.lower() for suffix in path.suffixes]
    kind = kinds[-2] if len(kinds) > 1 and kinds[-1] == ".gz" else kinds[-1] if kinds else ""
    if kind not in PARQUET + ARROW + TEXT:
        raise DataError(
            f"{path.name} ends in {repr(kind) if kind else 'nothing known'}; expected .parquet, .arrow, .feather, or "
            ".csv, .tsv, .txt (each also with .gz)"
        )
    if not path.is_file():
        raise DataError(f"there is no file {path}{' but a folder: list its files' * path.is_dir()}")
    arrow = _has("pyarrow")
    if kind in TEXT:
        head = read_head(path, header, text)
        if arrow and not head.decimal_comma:
            from diaphane.data.arrow_files import delimited_source

            return delimited_source(path, head)
        from diaphane.data.plain_files import text_source

        return text_source(path, head)
    if arrow:
        from diaphane.data import arrow_files

        return (arrow_files.parquet_source if kind in PARQUET else arrow_files.arrow_source)(path)
    if not _has("polars"):
        raise MissingExtraError(f"reading {path.name} in pieces", "arrow")
    from diaphane.data.plain_files import polars_source

    return polars_source(path, "Parquet" if kind in PARQUET else "Arrow")


def _has(library: str) -> bool:
    try:
        return importlib.util.find_spec(library) is not None
    except ValueError:
        # It was set to None to keep it from being imported.
        return False


def _target_names(
    source: Source, target: str | Sequence[str] | None, weights: str | None
) -> tuple[str | tuple[str, ...], str | None]:
    if MADE_TARGET in source.dtypes:
        if target is not None or weights is not None:
            raise ValueError("chunks of a function have their targets and weights beside X; target= is for files")
        return MADE_TARGET, MADE_WEIGHTS if MADE_WEIGHTS in source.dtypes else None
    if target is None:
        target = [name for name in source.names if name != weights][-1]
    wanted = target if isinstance(target, str) else tuple(target)
    names = (wanted,) if isinstance(wanted, str) else wanted
    if not names:
        raise ValueError("target is an empty list; expected at least one column")
    source.check([*names, *([weights] if weights is not None else [])])
    return wanted, weights


def _feature_names(
    source: Source, target: str | tuple[str, ...], weights: str | None, columns: Sequence[str] | None
) -> tuple[str, ...]:
    used = {*([target] if isinstance(target, str) else target), weights}
    if columns is None:
        names = tuple(name for name in source.names if name not in used)
    else:
        source.check(columns)
        names = tuple(columns)
        both = [name for name in names if name in used]
        if both:
            raise DataError(f"column {both[0]!r} is target or weight, and cannot be among the columns to learn from")
    if not names:
        raise DataError(f"{source.name} has no column to learn from beside {listed(sorted(map(str, used - {None})))}")
    return names


def _dtype(source: Source, names: Sequence[str], asked: DTypeLike | None) -> np.dtype[Any]:
    if asked is not None:
        return np.dtype(float_name(asked))
    numbers = [source.dtypes[name] for name in names if source.dtypes[name].kind != "O"]
    words = len(numbers) < len(names)
    return np.dtype("float32" if words or all(np.can_cast(n, np.float32) for n in numbers) else "float64")
