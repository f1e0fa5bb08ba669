"""A data frame or an array, as it is, to the table that columns are learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _num_samples, validate_data

from ...data.cells import as_numbers, as_strings
from ...data.errors import listed
from ...data.sources import plain_cell
from ...data.table import Column, Table
from ...graph.node import Array

__all__ = ["is_frame", "rows_of", "table_of"]


def is_frame(x: Any) -> bool:
    """Whether it has named columns, as frames of pandas and polars do."""
    return hasattr(x, "columns") and hasattr(x, "dtypes" if hasattr(x, "iloc") else "get_columns")


def rows_of(x: Any, rows: Array) -> Any:
    """Some rows of a frame, table, array or lists; what has them all as it is."""
    if len(rows) == _num_samples(x):
        return x
    if isinstance(x, Table):
        return x.take(rows)
    return _safe_indexing(x, rows)


def table_of(estimator: Any, x: Any, *, reset: bool) -> Table:
    """The table of a frame, of an array or of lists, its columns checked against those of ``fit``.

    Raises
    ------
    ValueError
        For what scikit-learn refuses: other columns than in ``fit``, two of one name, one axis, no rows,
        complex or sparse data.
    DataError
        For cells that are neither numbers, words, dates nor missing.
    """
    if isinstance(x, Table):
        return _checked_table(estimator, x, reset)
    if is_frame(x):
        validate_data(estimator, x, reset=reset, skip_check_array=True)
        if not x.shape[0] or not x.shape[1]:
            raise ValueError(
                f"Found array with {x.shape[0]} sample(s) and {x.shape[1]} feature(s) (shape={x.shape}) while a "
                "minimum of 1 is required."
            )
        return _of_columns(_names(estimator, [str(name) for name in x.columns], reset), _frame_columns(x))
    array = np.asarray(x) if not hasattr(x, "dtype") and not hasattr(x, "tocsr") else x
    if getattr(array, "dtype", None) is not None and array.dtype.kind in "OUS" and not hasattr(array, "tocsr"):
        array = check_array(array, dtype=None, ensure_all_finite=False)
        validate_data(estimator, array, reset=reset, skip_check_array=True)
        columns: list[Any] = [list(array[:, i]) for i in range(array.shape[1])]
    else:
        array = validate_data(estimator, array, reset=reset, dtype="numeric", ensure_all_finite=False)
        if array.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: {array.dtype}")
        columns = [np.asarray(array[:, i], np.float64) for i in range(array.shape[1])]
    return _of_columns(_names(estimator, [f"x{i}" for i in range(array.shape[1])], reset), columns)


def _checked_table(estimator: Any, table: Table, reset: bool) -> Table:
    """A table as it is; a frame of it would need pandas, and read its words once more."""
    if not table.n_rows or not table.names:
        raise ValueError(
            f"Found a table with {table.n_rows} sample(s) and {len(table.names)} feature(s) while a minimum of 1 is "
            "required."
        )
    names = _names(estimator, table.names, reset)
    if reset:
        estimator.n_features_in_, estimator.feature_names_in_ = len(names), np.array(names, object)
    unseen = [name for name in table.names if name not in set(names)]
    absent = [name for name in names if name not in table.columns]
    if unseen or absent:
        said = [f"{what}: {listed(names)}" for what, names in (("unseen", unseen), ("missing", absent)) if names]
        raise ValueError(f"The feature names should match those that were passed during fit; {'; '.join(said)}")
    return table


def _names(estimator: Any, own: Sequence[str], reset: bool) -> Sequence[str]:
    """What columns are called: as in ``fit``, whatever they are of now."""
    if reset:
        estimator._column_names = tuple(own)
    return tuple(estimator._column_names)


def _of_columns(names: Sequence[str], columns: Sequence[Any]) -> Table:
    return Table({name: _column(name, cells) for name, cells in zip(names, columns, strict=True)})


def _frame_columns(x: Any) -> list[Any]:
    if not hasattr(x, "iloc"):
        return [_polars_cells(series) for series in x.get_columns()]
    return [_pandas_cells(x.iloc[:, i]) for i in range(x.shape[1])]


def _pandas_cells(series: Any) -> Any:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
        return series.to_numpy(dtype=np.float64)
    if getattr(series.dtype, "kind", "O") in "biuf":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    return series.astype(object).where(series.notna(), None).tolist()


def _polars_cells(series: Any) -> Any:
    if series.dtype.is_numeric() or str(series.dtype) == "Boolean":
        return np.array([np.nan if cell is None else float(cell) for cell in series.to_list()], np.float64)
    return series.to_list()


def _column(name: str, cells: Any) -> Column:
    """Numbers as they are; anything else as if the same cells came from a text file."""
    if isinstance(cells, np.ndarray):
        return cells
    plain = [plain_cell(name, None if cell is not None and _is_nan(cell) else cell) for cell in cells]
    if all(cell is None or isinstance(cell, float) for cell in plain):
        return np.array([np.nan if cell is None else cell for cell in plain], np.float64)
    words = ["" if cell is None else cell if isinstance(cell, str) else f"{cell:g}" for cell in plain]
    numbers = as_numbers(words)
    if numbers is not None:
        return numbers
    strings = np.empty(len(words), object)
    strings[:] = as_strings(words, {})
    return strings


def _is_nan(cell: Any) -> bool:
    # NaN, NaT: what differs from itself. pandas.NA answers with itself and says so by its type only.
    return type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and cell != cell)
