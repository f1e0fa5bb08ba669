"""Rows that are more than memory holds, read a chunk at a time."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.categories import CategoryEncoder
from diaphane.data.chunks import Columns, Source, table_of
from diaphane.data.columns import ColumnEncoder
from diaphane.data.errors import DataError, listed
from diaphane.data.readahead import ReadAhead
from diaphane.data.statistics import ColumnStatistics
from diaphane.data.stream_target import StreamStatistics, TargetStatistics, is_missing_target
from diaphane.data.windows import Buffers, Chunk, Window, filled, sizes_of

__all__ = ["NewCategoryWarning", "Stream", "check_rows", "default_sizes"]

WINDOW_BYTES, CHUNK_BYTES = 1 << 25, 1 << 22
MOST_CHUNK_ROWS, MOST_WINDOW_ROWS = 1 << 16, 1 << 20
BLOCK_ROWS = 1 << 13
"""Rows of columns that are turned at a time, so that they stay in cache."""

MOST_LABELS, FEW_LABELS = 10_000, 16


class NewCategoryWarning(UserWarning):
    """A column has words that the encoder never saw; they count as unknown, 0 in all features of the column."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows of files, or of a function, that are read anew for each pass; opened by :func:`~diaphane.data.open_stream`.

    It never changes: methods that set something give another one.

    Attributes
    ----------
    names : tuple of str
        The columns that become features.
    target, weights : str, tuple of str, or None
        The columns of targets and weights.
    encoder : ColumnEncoder or None
        What makes features of the columns; None where they are numbers and stay as they are.
    dtype : dtype
        Of the features.
    chunk_rows, window : int
        Rows that are read at a time, and that are shuffled among each other.
    """

    source: Source
    names: tuple[str, ...]
    target: str | tuple[str, ...]
    weights: str | None
    dtype: np.dtype[Any]
    chunk_rows: int
    window: int
    encoder: ColumnEncoder | None = None
    new_categories: str = "unknown"
    leaves_out: bool = False
    counted: int | None = None
    change: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    unseen: Counter[str] = field(default_factory=Counter)

    @property
    def n_rows(self) -> int | None:
        """How many rows a pass gives, None where that is not known before the first."""
        if self.counted is not None or self.leaves_out:
            return self.counted
        return self.source.n_rows

    @property
    def n_features(self) -> int:
        return len(self.names) if self.encoder is None else len(self.encoder.feature_names_out)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return self.names if self.encoder is None else self.encoder.feature_names_out

    def chunks(self) -> Generator[Chunk]:
        """Rows in the order of the source, for a loop of one's own such as one of ``partial_fit``.

        Examples
        --------
        >>> from diaphane.data import open_stream
        >>> stream = open_stream(lambda: ((np.full((2, 3), k), np.zeros(2)) for k in range(2)))
        >>> [(chunk.x.shape, chunk.y.shape) for chunk in stream.chunks()]
        [((2, 3), (2,)), ((2, 3), (2,))]
        """
        with ReadAhead(self._chunks) as chunks:
            for chunk in chunks:
                self._warn_of_new_categories()
                yield chunk

    def first(self) -> Chunk:
        """The first rows, to see what they are like."""
        if self.source.first is not None:
            return self._chunk({n: v[: self.chunk_rows] for n, v in self.source.first.items()}, self.source.name, 0)
        chunks = self._chunks()
        try:
            return next(chunks)
        finally:
            chunks.close()

    def windows(
        self, seed: int | None = None, *, multiple: int = 1, skip: int = 0, reuse: bool = False
    ) -> Generator[Window]:
        """All rows once, a window at a time, read ahead on another thread, which ends with the iterator.

        Parameters
        ----------
        seed : int, optional
            Take the pieces of the source (row groups, batches, files) in a random order, and shuffle the rows of
            each window among each other; by default rows come as they lie. The same seed gives the same bits.
        multiple : int
            Of which the rows of each window are a multiple, the last aside.
        skip : int
            Rows of the same pass that were had before, up to the end of a window: to go on from there.
        reuse : bool
            Whether a window's memory may be overwritten as soon as the next one is asked for.

        Raises
        ------
        DataError
            If the source has no rows, or some that cannot be used.
        """
        buffers = Buffers()
        with ReadAhead(lambda: self._windows(seed, multiple, skip, buffers)) as windows:
            for window in windows:
                self._warn_of_new_categories()
                yield window
                if reuse:
                    buffers.give_back(window)
                # Not held while the next is waited for: it may be large.
                del window

    def statistics(self, task: str = "auto", *, bounded: bool = True) -> StreamStatistics:
        """What one pass tells: the columns' encoder, the target's kind, its labels or scale, and how many rows.

        Rows without a target are not counted in.

        Parameters
        ----------
        task : "auto", "classification" or "regression"
        bounded : bool
            As for :meth:`ColumnEncoder.fit`.

        Raises
        ------
        DataError
            As :meth:`ColumnEncoder.fit` and :func:`choose_target` do.
        """
        columns, target = ColumnStatistics(), TargetStatistics(self._target_name)
        with ReadAhead(lambda: self._columns((*self.names, *self._target_names))) as parts:
            for part in parts:
                y = self._target_of(part)
                known = ~is_missing_target(y)
                target.add(y[known], int((~known).sum()))
                rows = {name: part[name] if known.all() else part[name][known] for name in self.names}
                columns.add(rows)
        dtype = self.dtype if self.encoder is None else np.dtype(self.encoder.dtype)
        return target.found(task, columns, columns.encoder(dtype=dtype, bounded=bounded))

    def encoded(self, by: StreamStatistics | ColumnEncoder | None = None) -> Stream:
        r"""The stream whose features an encoder makes, of words, dates and gaps too; rows without target are left out.

        Parameters
        ----------
        by : StreamStatistics or ColumnEncoder, optional
            What was learnt, from these rows or others; by default one pass is made to learn it.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from diaphane.data import open_stream
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "fruit.csv")
        ...     _ = path.write_text("colour,weight,price\nred,120,1\ngreen,150,2\nred,?,3\n")
        ...     stream = open_stream(path, target="price").encoded()
        ...     print(stream.feature_names, next(stream.chunks()).x.shape)
        ('colour = green', 'colour = red', 'weight', 'weight is missing') (3, 4)
        """
        learnt = self.statistics() if by is None else by
        if isinstance(learnt, ColumnEncoder):
            return self._with(encoder=learnt, leaves_out=True, counted=None, dtype=np.dtype(learnt.dtype))
        if by is not None and not isinstance(by, StreamStatistics):
            raise TypeError(f"by must be what statistics() gave or a ColumnEncoder, got {type(by).__name__}")
        # What another stream's pass counted says nothing of this one's rows.
        counted = learnt.n_rows if by is None else None
        encoder = learnt.encoder
        return self._with(encoder=encoder, leaves_out=True, counted=counted, dtype=np.dtype(encoder.dtype))

    def with_target(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Stream:
        """The stream whose targets a function makes of each chunk's, as they lie in the source, on its thread."""
        return replace(self, change=change)

    def with_window(self, window: int) -> Stream:
        """The stream with so many rows shuffled among each other."""
        return replace(self, window=check_rows("window", window))

    def labels(self) -> tuple[Any, ...]:
        """The different values of the target in ascending order; one pass over the target alone.

        Raises
        ------
        DataError
            If there are more than 10 000, or some are missing.
        """
        found: set[Any] = set()
        with ReadAhead(lambda: self._columns(self._target_names)) as parts:
            for part in parts:
                y = self._target_of(part)
                missing = is_missing_target(y)
                if missing.any() and not self.leaves_out:
                    raise _no_target(self._target_name, "the source", int(np.flatnonzero(missing)[0]))
                y = y[~missing] if missing.any() else y
                found.update(_new_values(y, found))
                if len(found) > MOST_LABELS:
                    raise DataError(
                        f"the target {self._target_name!r} has more than {MOST_LABELS} different values; "
                        "classes are fewer: predict it as a number"
                    )
        if not found:
            raise DataError(f"{self.source.name} has no rows; expected at least one")
        return tuple(sorted(found))

    def count(self) -> int:
        """How many rows a pass gives; read once where that is not known."""
        if self.n_rows is not None:
            return self.n_rows
        names, total = self._target_names, 0
        with ReadAhead(lambda: self._columns(names)) as parts:
            for part in parts:
                y = self._target_of(part)
                total += int((~is_missing_target(y)).sum()) if self.leaves_out else len(y)
        return total

    @property
    def _target_names(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else self.target

    @property
    def _target_name(self) -> str:
        return ", ".join(self._target_names)

    def _with(self, **changes: Any) -> Stream:
        changed = replace(self, unseen=Counter(), **changes)
        return replace(changed, **default_sizes(changed.n_features, changed.dtype, self.chunk_rows, self.window))

    def _target_of(self, columns: Columns) -> NDArray[Any]:
        if isinstance(self.target, str):
            return columns[self.target]
        return np.column_stack([columns[name] for name in self.target])

    def _columns(self, names: Sequence[str]) -> Iterator[Columns]:
        for piece in self.source.pieces:
            yield from piece.read(names, self.chunk_rows)

    def _windows(self, seed: int | None, multiple: int, skip: int, buffers: Buffers) -> Iterator[Window]:
        sizes = sizes_of(self.window, multiple, self.n_rows, seed)
        index, left = 0, skip
        while left > 0:
            left -= next(sizes)
            index += 1
        if left < 0:
            raise ValueError(f"skip={skip} is not the end of a window; the nearest one before ends elsewhere")
        order = np.arange(len(self.source.pieces))
        if seed is not None:
            order = np.random.default_rng([seed, 2]).permutation(order)
        yield from filled(self._chunks(order, skip), sizes, seed, skip, index, buffers)

    def _chunks(self, order: Iterable[int] | None = None, skip: int = 0) -> Generator[Chunk]:
        wanted = (*self._needed, *self._target_names, *([self.weights] if self.weights else []))
        found = False
        for k in range(len(self.source.pieces)) if order is None else order:
            piece = self.source.pieces[k]
            if piece.rows is not None and not self.leaves_out and 0 < piece.rows <= skip:
                skip, found = skip - piece.rows, True
                continue
            row = 0
            for columns in piece.read(wanted, self.chunk_rows):
                chunk = self._chunk(columns, piece.label, row)
                row += len(next(iter(columns.values())))
                found = found or len(chunk) > 0
                dropped = min(skip, len(chunk))
                skip -= dropped
                if dropped < len(chunk):
                    yield chunk.rows(dropped) if dropped else chunk
        if not found:
            raise DataError(f"{self.source.name} has no rows{' with a target' * self.leaves_out}; expected some")

    @property
    def _needed(self) -> tuple[str, ...]:
        return self.names if self.encoder is None else self.encoder.names_in

    def _chunk(self, columns: Columns, label: str, row: int) -> Chunk:
        y = self._target_of(columns)
        missing = is_missing_target(y)
        if missing.any():
            if not self.leaves_out:
                raise _no_target(self._target_name, label, row + int(np.flatnonzero(missing)[0]))
            columns = {name: values[~missing] for name, values in columns.items()}
            y = y[~missing]
        x = self._straight(columns, label, row) if self.encoder is None else self._encoded(columns, label, row)
        weights = None if self.weights is None else _checked_weights(columns[self.weights], self.weights, label, row)
        return Chunk(x, y if self.change is None else np.asarray(self.change(y)), weights)

    def _straight(self, columns: Columns, label: str, row: int) -> NDArray[Any]:
        """Columns of numbers as a matrix, a block at a time, in no other type on the way."""
        arrays = [columns[name] for name in self.names]
        words = next((name for name, values in zip(self.names, arrays, strict=True) if values.dtype == object), None)
        if words is not None:
            raise DataError(
                f"column {words!r} holds words; encoded() makes features of them, or leave it out: columns=[...]"
            )
        n = len(arrays[0])
        x = np.empty((n, len(arrays)), self.dtype)
        for start in range(0, n, BLOCK_ROWS):
            block = x[start : start + BLOCK_ROWS]
            for k, values in enumerate(arrays):
                block[:, k] = values[start : start + BLOCK_ROWS]
            with np.errstate(over="ignore", invalid="ignore"):
                total = float(block.sum())
            if not np.isfinite(total):
                self._refuse_nonfinite(block, label, row + start)
        return x

    def _refuse_nonfinite(self, block: NDArray[Any], label: str, row: int) -> None:
        rows, columns = np.nonzero(~np.isfinite(block))
        if len(rows):
            value = block[rows[0], columns[0]]
            raise DataError(
                f"column {self.names[columns[0]]!r} is {value} in row {row + int(rows[0]) + 1} of {label}; "
                "expected finite numbers: encoded() fills gaps, infinite numbers have to be corrected"
            )

    def _encoded(self, columns: Columns, label: str, row: int) -> NDArray[Any]:
        assert self.encoder is not None
        table = table_of({name: columns[name] for name in self._needed})
        try:
            x = self.encoder.transform(table)
        except DataError as error:
            raise DataError(f"{label}, rows from {row + 1}: {error}") from error
        start = 0
        for encoder in self.encoder.encoders:
            width = len(encoder.feature_names)
            if isinstance(encoder, CategoryEncoder):
                self._count_unseen(encoder, table[encoder.name], x[:, start : start + width], label)
            start += width
        return x

    def _count_unseen(self, encoder: CategoryEncoder, cells: NDArray[Any], features: NDArray[Any], label: str) -> None:
        unknown = features.sum(axis=1) == 0
        if not unknown.any():
            return
        words = [cell for cell in cells[unknown].tolist() if cell is not None and cell == cell]
        if words and self.new_categories == "error":
            raise DataError(
                f"column {encoder.name!r} holds {words[0]!r} in {label}, which is none of its "
                f"{len(encoder.categories)} categories ({listed(encoder.categories, 5)}); "
                'new_categories="unknown" takes it as unknown'
            )
        if words:
            self.unseen[encoder.name] += len(words)

    def _warn_of_new_categories(self) -> None:
        # Once for a stream: the count goes on, and is there to be read.
        if self.unseen and "" not in self.unseen:
            name = next(iter(self.unseen))
            self.unseen[""] = 0
            warnings.warn(
                f"column {name!r} holds words that the encoder never saw; they are taken as unknown, "
                "and stream.unseen counts them",
                NewCategoryWarning,
                stacklevel=3,
            )


def _new_values(y: NDArray[Any], known: set[Any]) -> Iterable[Any]:
    """The different values, where some are none of a few known ones."""
    if y.dtype == object:
        return list(y.tolist())
    # As many comparisons cost far less than sorting.
    if 0 < len(known) <= FEW_LABELS and np.logical_or.reduce([y == value for value in known]).all():
        return ()
    return list(np.unique(y).tolist())


def default_sizes(width: int, dtype: np.dtype[Any], chunk_rows: int, window: int) -> dict[str, Any]:
    """Rows of a chunk and a window, 0 standing for as many as a few megabytes hold."""
    row = max(width, 1) * dtype.itemsize
    return {
        "chunk_rows": chunk_rows or min(max(CHUNK_BYTES // row, 256), MOST_CHUNK_ROWS),
        "window": window or min(max(WINDOW_BYTES // row, 1024), MOST_WINDOW_ROWS),
    }


def check_rows(name: str, value: Any) -> int:
    """A number of rows, at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _checked_weights(values: NDArray[Any], name: str, label: str, row: int) -> NDArray[Any]:
    weights = values if values.dtype.kind == "f" else values.astype(np.float64)
    bad = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
    if len(bad):
        raise DataError(
            f"the weight {name!r} is {weights[bad[0]]} in row {row + int(bad[0]) + 1} of {label}; "
            "expected a finite number of at least 0"
        )
    return weights


def _no_target(name: str, label: str, row: int) -> DataError:
    return DataError(
        f"the target {name!r} is missing in row {row + 1} of {label}; "
        "encoded() leaves out rows without one, or give it a value"
    )
