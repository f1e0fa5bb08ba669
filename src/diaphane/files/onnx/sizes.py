"""Named sizes in an ONNX graph: read off the inputs' shapes when it runs, and reckoned with there."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from ...graph.sizes import Extent, Quotient, Shape, Size
from .registry import ExportError

if TYPE_CHECKING:
    from .writing import Writer

__all__ = ["Sizes", "declared"]


class Sizes:
    """Each extent as an int64 number of the outermost graph, written once.

    Parameters
    ----------
    write : Writer
    """

    def __init__(self, write: Writer) -> None:
        self._write = write
        self._carriers: dict[str, tuple[str, int]] = {}
        self._known: dict[Extent | str | Shape, str] = {}

    def carried_by(self, value: str, shape: Shape) -> None:
        """Where named sizes can be read off: the axes of a value."""
        for axis, extent in enumerate(shape):
            if isinstance(extent, Size) and extent.is_name:
                self._carriers.setdefault(str(extent), (value, axis))

    def number(self, extent: Extent) -> str:
        """An extent as one number."""
        return self._once(extent, lambda: self._number(extent))

    def vector(self, shape: Shape) -> str:
        """A shape as a row of numbers."""
        if all(isinstance(e, int) for e in shape):
            return self._write.integers([int(e) for e in shape])  # type: ignore[arg-type]
        return self._once(shape, lambda: self._vector(shape))

    def _once(self, key: Extent | str | Shape, make: Callable[[], str]) -> str:
        if key not in self._known:
            with self._write.outermost():
                self._known[key] = make()
        return self._known[key]

    def _vector(self, shape: Shape) -> str:
        parts = [self._write.emit("Reshape", self.number(e), self._write.integers([1])) for e in shape]
        return self._write.emit("Concat", *parts, axis=0)

    def _number(self, extent: Extent) -> str:
        if not isinstance(extent, Size):
            return self._write.constant(np.int64(extent))
        terms = [
            reduce(
                self._product, [self._atom(a) for a in monomial], self.number(coefficient) if coefficient != 1 else ""
            )
            or self.number(1)
            for monomial, coefficient in extent.terms.items()
        ]
        return reduce(lambda a, b: self._write.emit("Add", a, b), terms)

    def _product(self, a: str, b: str) -> str:
        return self._write.emit("Mul", a, b) if a else b

    def _atom(self, atom: str | Quotient) -> str:
        if isinstance(atom, Quotient):
            # ONNX divides towards zero; its remainder has the divisor's sign, so this rounds down.
            whole, divisor = self.number(atom.size), self.number(atom.divisor)
            rest = self._write.emit("Mod", whole, divisor)
            return self._write.emit("Div", self._write.emit("Sub", whole, rest), divisor)
        return self._once(atom, lambda: self._read(atom))

    def _read(self, name: str) -> str:
        if name not in self._carriers:
            raise ExportError(
                f"the size {name} is in no input's shape by itself, so that an ONNX runtime cannot know it; give the "
                f"network an input_shape that has {name} as an extent"
            )
        value, axis = self._carriers[name]
        return self._write.emit("Gather", self._write.emit("Shape", value), self._write.constant(np.int64(axis)))


def declared(shape: Shape) -> list[int | str | None]:
    """A shape as ONNX declares it: numbers, names, and None where it takes reckoning."""
    return [str(e) if isinstance(e, Size) and e.is_name else e if isinstance(e, int) else None for e in shape]
