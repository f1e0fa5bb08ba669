"""A table that memory does not hold: read in chunks, a share of its rows held out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data import DataError, Stream, StreamStatistics, Table, Target, encode_labels, is_built_in, open_stream
from ..data.chunks import Columns as RawColumns
from ..data.chunks import Piece, Source, table_of
from ..data.table import is_numeric
from .columns import Columns, features, targets
from .errors import UserError
from .options import Options
from .options.checks import AUTO
from .parts import FRACTIONS, WITHOUT_TEST, Part, Parts, TestFile, to_test_on

__all__ = ["divide_stream", "is_streamed"]

SHARE_OF_MEMORY = 0.2
"""Of the free memory; a table of text and numbers takes a few times its file's size."""
MOST_HELD_OUT = 50_000
"""Rows to stop by and rows to test on: as many give accuracies to a quarter of a percent."""


def is_streamed(options: Options) -> bool:
    """Whether a source is read in chunks: where it was asked for, and where memory might not hold it."""
    assert options.source is not None
    path = Path(options.source)
    if is_built_in(options.source) or not path.is_file():
        return False
    # What cannot be done in chunks is tried in memory, unless chunks were asked for.
    can_be = options.model in (AUTO, "mlp") and options.class_weight is None
    return options.stream or (can_be and path.stat().st_size > SHARE_OF_MEMORY * _free_memory())


def divide_stream(options: Options, test: TestFile | None) -> tuple[Parts, Columns]:
    """The rows to learn from as a stream, those to stop by and to test on in memory.

    Each row's part is drawn by itself, 70 % to learn from, 15 % and 15 % (or 85 % and 15 % with a file to test on), the
    last two no more than :data:`MOST_HELD_OUT` rows each.
    """
    if options.class_weight is not None:
        raise UserError("--class-weight needs the table in memory; leave it out, or --stream")
    assert options.source is not None
    whole = open_stream(options.source, target=_named(options), header=not options.no_header)
    assert isinstance(whole.target, str)
    n = whole.count()
    shares = [min(share, MOST_HELD_OUT / n) for share in (FRACTIONS if test is None else WITHOUT_TEST)[1:]]
    bounds = {"validation": (0.0, shares[0]), "test": (shares[0], sum(shares)), "train": (sum(shares), 1.0)}
    sources = {name: _sifted(whole.source, options.seed, *ends) for name, ends in bounds.items()}
    learnt = replace(whole, source=sources["train"])
    found = learnt.statistics(options.task)
    target = Target(whole.target, found.task, np.zeros(0), found.labels, np.zeros(0, np.int64), found.n_missing)
    names = (*whole.names, whole.target)
    of = {name: _part(sources[name], names, target, name) for name in ("train", "validation", "test")[: 3 - bool(test)]}
    notes = [f"read in chunks: {n} rows, {len(of['validation'])} of them to stop by; train's score is of some rows"]
    if test is not None:
        of["test"], more = to_test_on(test, target, names)
        notes += more
    counts = {name: len(part) for name, part in of.items()} | {"train": found.n_rows}
    parts = Parts(target, {name: of[name] for name in ("train", "validation", "test")}, tuple(notes), counts)
    return parts, _columns(parts, learnt, found, test)


def _columns(parts: Parts, learnt: Stream, found: StreamStatistics, test: TestFile | None) -> Columns:
    encoder = found.encoder
    stream = replace(learnt.encoded(found).with_target(found.encode_target), counted=found.n_rows)
    x = features(parts, encoder, test)
    y = {name: targets(part.y, found.scaler) for name, part in parts.of.items()}
    return Columns(encoder, found.scaler, x, y, found.n_rows, stream=stream)


def _named(options: Options) -> str | None:
    """The target's name; an index is one of the file's columns."""
    if options.target is None:
        return None
    names = open_stream(options.source, header=not options.no_header).source.names
    if options.target in names:
        return options.target
    try:
        return names[int(options.target)]
    except (ValueError, IndexError):
        return options.target


def _part(source: Source, names: Sequence[str], target: Target, part: str) -> Part:
    """The first rows with a target that is known, as many as may be held out."""
    table = _gathered(source, names)
    column = table[target.name]
    if target.labels:
        y = encode_labels(column, target.labels)
        # A class of which no row is learnt from can be tested on; nothing can be stopped by it.
        known = y >= (-1 if part == "test" else 0)
    else:
        if not is_numeric(column):
            raise UserError(f"the target {target.name!r} holds text; regression expects numbers only")
        y, known = column, ~np.isnan(column)
    rows = np.flatnonzero(known)
    if not len(rows):
        raise DataError(f"no row is left for {part}: the table is too small to be read in chunks; leave --stream out")
    return Part(table.drop([target.name]).take(rows), y[rows])


def _gathered(source: Source, names: Sequence[str]) -> Table:
    chunks: list[RawColumns] = []
    held = 0
    for piece in source.pieces:
        for columns in piece.read(names, MOST_HELD_OUT):
            chunks.append(columns)
            held += len(columns[names[0]])
            if held >= MOST_HELD_OUT:
                break
        if held >= MOST_HELD_OUT:
            break
    if not chunks:
        return Table({name: np.zeros(0) for name in names})
    return table_of({name: np.concatenate([c[name] for c in chunks])[:MOST_HELD_OUT] for name in names})


def _sifted(source: Source, seed: int, low: float, high: float) -> Source:
    """Of a source the rows whose own number in [0, 1), drawn by the seed, lies between two."""
    pieces = tuple(_sifted_piece(piece, (seed, k), low, high) for k, piece in enumerate(source.pieces))
    return replace(source, pieces=pieces, first=None)


def _sifted_piece(piece: Piece, key: tuple[int, int], low: float, high: float) -> Piece:
    def read(names: Sequence[str], rows: int) -> Iterator[RawColumns]:
        # Drawn one after another: however the rows are cut into chunks, each gets the same number.
        rng = np.random.default_rng(key)
        for columns in piece.read(names, rows):
            drawn = rng.random(len(next(iter(columns.values()))))
            kept = (drawn >= low) & (drawn < high)
            if kept.any():
                yield {name: values[kept] for name, values in columns.items()}

    return Piece(piece.label, None, read)


def _free_memory() -> float:
    """Bytes; without end where the system does not say."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
