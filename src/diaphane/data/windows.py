"""Rows of a stream a window at a time, each shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Buffers", "Chunk", "Window", "filled", "sizes_of"]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a stream.

    Attributes
    ----------
    x : array of shape (n, n_features)
    y : array of shape (n,) or (n, n_targets)
    weights : array of shape (n,), or None
    """

    x: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[Any] | None

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, start: int, stop: int | None = None) -> Chunk:
        """Those from one to before another."""
        return Chunk(self.x[start:stop], self.y[start:stop], None if self.weights is None else self.weights[start:stop])


@dataclass(frozen=True)
class Window(Chunk):
    """Many rows, and the order to take them in.

    Attributes
    ----------
    order : int64 array of shape (n,)
    first : int
        How many rows of the pass came before.
    """

    order: NDArray[np.int64]
    first: int

    def __len__(self) -> int:
        return len(self.y)


def sizes_of(window: int, multiple: int, rows: int | None, seed: int | None) -> Iterator[int]:
    """How many rows each window of a pass has at most, a multiple of something.

    Where it is shuffled and the rows don't fit into one, the first is cut anywhere from a half on, so that other rows
    meet in each pass.

    Examples
    --------
    >>> sizes = sizes_of(100, 32, None, None)
    >>> next(sizes), next(sizes)
    (96, 96)
    """
    whole = max(window // multiple, 1)
    fits = rows is not None and rows <= whole * multiple
    if seed is not None and not fits:
        yield int(np.random.default_rng([seed, 0]).integers(max(whole // 2, 1), whole + 1)) * multiple
    while True:
        yield whole * multiple


class Buffers:
    """Memory of windows that were done with, to be filled again: new pages cost about as much as filling them."""

    def __init__(self) -> None:
        self._free: SimpleQueue[Chunk] = SimpleQueue()

    def of(self, chunk: Chunk, size: int) -> Chunk:
        """Room for so many rows like those of a chunk."""
        try:
            found = self._free.get_nowait()
        except Empty:
            return _empty_like(chunk, size)
        return found.rows(0, size) if _holds(found, chunk, size) else _empty_like(chunk, size)

    def give_back(self, window: Window) -> None:
        """Let the next but one overwrite it."""
        whole = [a if a is None or a.base is None else a.base for a in (window.x, window.y, window.weights)]
        x, y, weights = whole
        if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
            self._free.put(Chunk(x, y, weights))


def filled(
    chunks: Iterator[Chunk],
    sizes: Iterator[int],
    seed: int | None,
    first: int = 0,
    index: int = 0,
    buffers: Buffers | None = None,
) -> Iterator[Window]:
    """Windows of those sizes out of chunks of any; only the last may be smaller."""
    buffers = Buffers() if buffers is None else buffers
    size, at, buffer = next(sizes), 0, None
    for chunk in chunks:
        taken = 0
        while taken < len(chunk):
            if buffer is None:
                buffer, at = buffers.of(chunk, size), 0
            count = min(size - at, len(chunk) - taken)
            _put(buffer, at, chunk.rows(taken, taken + count))
            at, taken = at + count, taken + count
            if at == size:
                yield _window(buffer, at, seed, first, index)
                first, index, size, buffer = first + at, index + 1, next(sizes), None
    if buffer is not None:
        yield _window(buffer, at, seed, first, index)


def _empty_like(chunk: Chunk, size: int) -> Chunk:
    def empty(like: NDArray[Any]) -> NDArray[Any]:
        return np.empty((size, *like.shape[1:]), like.dtype)

    return Chunk(empty(chunk.x), empty(chunk.y), None if chunk.weights is None else empty(chunk.weights))


def _holds(buffer: Chunk, chunk: Chunk, size: int) -> bool:
    if len(buffer) < size or (buffer.weights is None) != (chunk.weights is None):
        return False
    pairs = [(buffer.x, chunk.x), (buffer.y, chunk.y)]
    if buffer.weights is not None and chunk.weights is not None:
        pairs.append((buffer.weights, chunk.weights))
    return all(a.dtype == b.dtype and a.shape[1:] == b.shape[1:] for a, b in pairs)


def _put(buffer: Chunk, at: int, rows: Chunk) -> None:
    buffer.x[at : at + len(rows)] = rows.x
    buffer.y[at : at + len(rows)] = rows.y
    if buffer.weights is not None:
        buffer.weights[at : at + len(rows)] = rows.weights


def _window(buffer: Chunk, rows: int, seed: int | None, first: int, index: int) -> Window:
    given = buffer if rows == len(buffer) else buffer.rows(0, rows)
    order = np.arange(rows) if seed is None else np.random.default_rng([seed, 1, index]).permutation(rows)
    return Window(given.x, given.y, given.weights, order, first)
