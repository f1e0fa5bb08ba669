"""Sizes that are known when a program runs: named sizes and integer arithmetic on them.

A shape is a tuple of extents; an extent is an ``int`` or a :class:`Size`, a polynomial with integer
coefficients over named sizes. ``Dim("N")`` is the size named N; two of the same name are the same size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, Union

from .errors import ShapeError

__all__ = [
    "Dim",
    "Extent",
    "Shape",
    "Size",
    "bind",
    "bind_shape",
    "exact_quotient",
    "extent_product",
    "known_shape",
    "show",
]

Atom: TypeAlias = Union[str, "Quotient"]
Monomial: TypeAlias = tuple[Atom, ...]


class Quotient:
    """⌊size / divisor⌋, where it cannot be worked out before the size is bound."""

    __slots__ = ("divisor", "size")

    def __init__(self, size: Size, divisor: int) -> None:
        self.size, self.divisor = size, divisor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotient) and (self.size, self.divisor) == (other.size, other.divisor)

    def __hash__(self) -> int:
        return hash((Quotient, self.size, self.divisor))

    def __str__(self) -> str:
        return f"⌊({self.size})/{self.divisor}⌋"


class Size:
    """A polynomial over named sizes, such as ``N``, ``2·N·T`` or ``T − 1``.

    Sums, differences, products and floor quotients with ints and other sizes are sizes again, or ints
    where nothing unknown is left.

    Examples
    --------
    >>> N, T = Dim("N"), Dim("T")
    >>> print(N * T * 2, T - 1, N - N)
    2·N·T T − 1 0
    >>> bind(N * (T - 1), {"N": 32, "T": 5})
    128
    """

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms = {m: c for m, c in sorted(terms.items(), key=_term_order) if c}
        self._hash = hash(tuple(self.terms.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Extent) -> Extent:
        terms = dict(self.terms)
        for monomial, coefficient in _terms(other).items():
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return _simplified(terms)

    __radd__ = __add__

    def __neg__(self) -> Extent:
        return self * -1

    def __sub__(self, other: Extent) -> Extent:
        return self + other * -1

    def __rsub__(self, other: Extent) -> Extent:
        return self * -1 + other

    def __mul__(self, other: Extent) -> Extent:
        terms: dict[Monomial, int] = {}
        for left, a in self.terms.items():
            for right, b in _terms(other).items():
                monomial = tuple(sorted(left + right, key=str))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return _simplified(terms)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Extent:
        # Whole multiples of the divisor come out, ⌊(N + 4)/2⌋ = ⌊N/2⌋ + 2, so that what is always equal is the same.
        whole = _simplified({m: c // divisor for m, c in self.terms.items()})
        rest = _simplified({m: c % divisor for m, c in self.terms.items()})
        return whole + (rest // divisor if isinstance(rest, int) else Size({(Quotient(rest, divisor),): 1}))

    @property
    def is_name(self) -> bool:
        """Whether this is one named size and nothing else, so that an array's shape can bind it."""
        return list(self.terms.values()) == [1] and all(len(m) == 1 and isinstance(m[0], str) for m in self.terms)

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms.items():
            factors = [str(abs(coefficient))] * (abs(coefficient) != 1 or not monomial) + [str(a) for a in monomial]
            sign = ("−" if coefficient < 0 else "") if not text else (" − " if coefficient < 0 else " + ")
            text += sign + "·".join(factors)
        return text

    def __repr__(self) -> str:
        return f"Size({self})"


Extent: TypeAlias = int | Size
Shape: TypeAlias = tuple[Extent, ...]


def Dim(name: str) -> Size:
    """The size called ``name``, bound to a number when a program runs.

    Parameters
    ----------
    name : str
        Any identifier, by custom ``"N"`` for examples and ``"T"`` for steps in time.

    Examples
    --------
    >>> Dim("N") == Dim("N"), Dim("N") == Dim("M")
    (True, False)
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a named size needs an identifier such as 'N', got {name!r}")
    return Size({(name,): 1})


def bind(extent: Extent, bindings: Mapping[str, int]) -> int:
    """The number that an extent is, given its names' values."""
    if not isinstance(extent, Size):
        return int(extent)
    return sum(c * math.prod(_bind_atom(a, bindings) for a in m) for m, c in extent.terms.items())


def bind_shape(shape: Shape, bindings: Mapping[str, int]) -> tuple[int, ...]:
    """Every extent of a shape, bound."""
    return tuple([bind(e, bindings) for e in shape])


def extent_product(extents: Iterable[Extent]) -> Extent:
    """The number of elements of a shape."""
    product: Extent = 1
    for extent in extents:
        product = product * extent
    return product


def exact_quotient(total: Extent, part: Extent) -> Extent | None:
    """``total / part`` where it is whole for every value of the named sizes, else None."""
    if total == part:
        return 1
    if part == 0:
        return None
    factors, coefficient = min(_terms(part).items(), key=_division_order)
    quotient: Extent = 0
    rest = total
    while rest != 0:
        monomial, c = min(_terms(rest).items(), key=_division_order)
        remaining = list(monomial)
        for factor in factors:
            if factor not in remaining:
                return None
            remaining.remove(factor)
        if c % coefficient:
            return None
        term = _simplified({tuple(remaining): c // coefficient})
        quotient, rest = quotient + term, rest - term * part
    return quotient


def known_shape(shape: Shape, what: str) -> tuple[int, ...]:
    """The shape where every extent is a number; raises where one is a named size."""
    if not all(isinstance(e, int) for e in shape):
        raise ShapeError(f"{what} needs a shape of whole numbers, got {show(shape)}")
    return tuple(e for e in shape if isinstance(e, int))


def show(shape: Sequence[Extent]) -> str:
    """A shape as a person writes it: ``(N, 64)``, ``(3,)``, ``()``."""
    return "(" + ", ".join(str(e) for e in shape) + ("," if len(shape) == 1 else "") + ")"


def _bind_atom(atom: Atom, bindings: Mapping[str, int]) -> int:
    if isinstance(atom, Quotient):
        return bind(atom.size, bindings) // atom.divisor
    try:
        return bindings[atom]
    except KeyError:
        raise ShapeError(
            f"the named size {atom} has no value: no array given carries it; feed a placeholder whose shape has {atom}"
        ) from None


def _terms(extent: Extent) -> dict[Monomial, int]:
    return extent.terms if isinstance(extent, Size) else {(): int(extent)}


def _term_order(term: tuple[Monomial, int]) -> tuple[int, str]:
    return -len(term[0]), "·".join(str(a) for a in term[0])


def _division_order(term: tuple[Monomial, int]) -> tuple[int, tuple[str, ...]]:
    """The leading term first: of the highest degree, and of those the first in the alphabet."""
    return -len(term[0]), tuple(str(a) for a in term[0])


def _simplified(terms: Mapping[Monomial, int]) -> Extent:
    kept = {m: c for m, c in terms.items() if c}
    return Size(kept) if any(kept) else kept.get((), 0)
