"""What operations compute with: an array namespace, the sizes bound in this run, and the few things it lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from .counter import bits
from .node import Array
from .sizes import Extent, Shape, bind, bind_shape

__all__ = ["Backend", "NumpyBackend"]

Step = Callable[[int, Any], tuple[Any, Sequence[Any]]]


class Backend(Protocol):
    """One run's means: ``xp`` is NumPy or a namespace like it."""

    xp: Any

    def size(self, extent: Extent) -> int:
        """What an extent is bound to."""

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """What each extent is bound to."""

    def expit(self, a: Any) -> Any:
        """1/(1 + e⁻ᵃ)."""

    def erf(self, a: Any) -> Any:
        """The error function."""

    def take(self, a: Any, indices: Any, axis: int) -> Any:
        """Parts along an axis; refuses an index outside."""

    def check_indices(self, indices: Any, extent: int, label: str) -> Any:
        """Indices as they are; refuses one outside 0 … extent − 1."""

    def scatter_add(self, values: Any, indices: Any, axis: int, extent: int) -> Any:
        """Zeros with parts added at indices along an axis."""

    def place(self, shape: tuple[int, ...], fill: float, slices: tuple[slice, ...], values: Any) -> Any:
        """An array full of one number with values written into a slice."""

    def windows(self, a: Any, sizes: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        """Every window over the axes after the first."""

    def fold(self, a: Any, sizes: tuple[int, ...], strides: tuple[int, ...], shape: tuple[int, ...]) -> Any:
        """Windows added up where they lay."""

    def random_bits(self, stream: int, shape: tuple[int, ...]) -> Any:
        """Uniform uint32 words: a pure function of seed, stream, step, scan index and element."""

    def loop(self, step: Step, carry: Any, length: int, reverse: bool, items: Sequence[tuple[Any, ...]]) -> Any:
        """A scan: ``carry, values = step(t, carry)`` for each t.

        ``items`` gives the shape and dtype of each of the values. Returns the last carry and the stacked values.
        """


class NumpyBackend:
    """NumPy, one operation after another."""

    xp = np

    def __init__(self, bindings: Mapping[str, int] | None = None, seed: int = 0, step: int = 0) -> None:
        self.bindings = dict(bindings or {})
        self.seed, self.step, self.scan_index = seed, step, 0
        self._sizes: dict[Shape, tuple[int, ...]] = {}

    def size(self, extent: Extent) -> int:
        return extent if isinstance(extent, int) else bind(extent, self.bindings)

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        found = self._sizes.get(shape)
        if found is None:
            found = self._sizes[shape] = bind_shape(shape, self.bindings)
        return found

    def expit(self, a: Any) -> Any:
        from scipy.special import expit

        return expit(a)

    def erf(self, a: Any) -> Any:
        from scipy.special import erf

        return erf(a)

    def check_indices(self, indices: Array, extent: int, label: str) -> Array:
        found = np.asarray(indices)
        if found.size and not (found.min() >= 0 and found.max() < extent):
            wrong = found[(found < 0) | (found >= extent)].ravel()[0]
            raise IndexError(f"{label}: the index {wrong} is outside 0 … {extent - 1}")
        return indices

    def take(self, a: Array, indices: Array, axis: int) -> Array:
        self.check_indices(indices, a.shape[axis], "take")
        return np.take(a, indices, axis)

    def scatter_add(self, values: Array, indices: Array, axis: int, extent: int) -> Array:
        self.check_indices(indices, extent, "scatter_add")
        out = np.zeros((*values.shape[:axis], extent, *values.shape[axis + np.ndim(indices) :]), values.dtype)
        np.add.at(out, (*[slice(None)] * axis, indices), values)  # type: ignore[arg-type]
        return out

    def place(self, shape: tuple[int, ...], fill: float, slices: tuple[slice, ...], values: Array) -> Array:
        out = np.full(shape, fill, values.dtype)
        out[slices] = values
        return out

    def windows(self, a: Array, sizes: tuple[int, ...], strides: tuple[int, ...]) -> Array:
        k = len(sizes)
        view = np.lib.stride_tricks.sliding_window_view(a, sizes, axis=tuple(range(1, k + 1)))
        view = view[(slice(None), *(slice(None, None, s) for s in strides))]
        rest = range(k + 1, a.ndim)
        return view.transpose((*range(k + 1), *range(a.ndim, a.ndim + k), *rest))

    def fold(self, a: Array, sizes: tuple[int, ...], strides: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        out = np.zeros(shape, a.dtype)
        k = len(sizes)
        counts = a.shape[1 : k + 1]
        for offset in np.ndindex(*sizes):
            spans = [slice(o, o + n * s, s) for o, n, s in zip(offset, counts, strides, strict=True)]
            out[(slice(None), *spans)] += a[(slice(None),) * (k + 1) + offset]
        return out

    def random_bits(self, stream: int, shape: tuple[int, ...]) -> Array:
        columns = math.prod(shape[1:])
        words = bits(self.seed, stream, self.step, self.scan_index, shape[0] if shape else 1, columns)
        return words.reshape(shape)

    def loop(self, step: Step, carry: Any, length: int, reverse: bool, items: Sequence[tuple[Any, ...]]) -> Any:
        outer = self.scan_index
        stacks = [np.empty((length, *shape), dtype) for shape, dtype in items]
        try:
            for t in reversed(range(length)) if reverse else range(length):
                self.scan_index = nested_scan_index(outer, t)
                carry, values = step(t, carry)
                for stack, value in zip(stacks, values, strict=True):
                    stack[t] = value
        finally:
            self.scan_index = outer
        return carry, stacks


def nested_scan_index(outer: int, t: int) -> int:
    """The scan word of the random counter: 0 outside of scans, and other inside for each step of each."""
    return (outer * 0x9E3779B1 + t + 1) & 0xFFFFFFFF
