"""First values of parameters.

d_in and d_out are the fan-in and fan-out: for a kernel of shape (inputs, units) its two extents, for a
convolution's (h, w, channels, kernels) each times h·w.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..graph.leaves import Initializer
from ..graph.node import Array, DType
from ..graph.record import Record

__all__ = [
    "INITIALIZERS",
    "ConstantInitializer",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "InitializerLike",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "Uniform",
    "Zeros",
    "fans",
    "find_initializer",
]


@dataclass(frozen=True)
class Zeros(Record):
    """All 0: for biases; a kernel of zeros never breaks the symmetry between units."""

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: DType) -> Array:
        return np.zeros(shape, dtype)


@dataclass(frozen=True)
class ConstantInitializer(Record):
    """All one number."""

    value: float = 0.0

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: DType) -> Array:
        return np.full(shape, self.value, dtype)


@dataclass(frozen=True)
class _Scaled(Record, abstract=True):
    """Independent draws whose spread depends on the fans."""

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: DType) -> Array:
        return np.asarray(self.draw(rng, shape), dtype)

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        raise NotImplementedError


@dataclass(frozen=True)
class LecunNormal(_Scaled):
    """N(0, 1/√d_in), 1/√d_in being the standard deviation (LeCun, Bottou, Orr & Müller 1998, section 4.6)."""

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _normal(rng, shape, 1 / fans(shape)[0])


@dataclass(frozen=True)
class LecunUniform(_Scaled):
    """U[±√(3/d_in)], whose standard deviation is 1/√d_in (LeCun et al. 1998)."""

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _uniform(rng, shape, 3 / fans(shape)[0])


@dataclass(frozen=True)
class Uniform(_Scaled):
    """U[±bound]."""

    bound: float = 0.05

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _uniform(rng, shape, self.bound**2)


@dataclass(frozen=True)
class GlorotUniform(_Scaled):
    """U[±√(6/(d_in + d_out))] (Glorot & Bengio 2010, equation 16).

    ``gain`` multiplies the variance: scikit-learn uses 1/3 of it for logistic units.
    """

    gain: float = 1.0

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _uniform(rng, shape, self.gain * 6 / sum(fans(shape)))


@dataclass(frozen=True)
class GlorotNormal(_Scaled):
    """N(0, σ), σ² = 2/(d_in + d_out) (Glorot & Bengio 2010, equation 12)."""

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _normal(rng, shape, 2 / sum(fans(shape)))


@dataclass(frozen=True)
class HeNormal(_Scaled):
    """N(0, σ), σ² = 2/d_in: keeps the variance through rectifiers (He et al. 2015, equation 10)."""

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _normal(rng, shape, 2 / fans(shape)[0])


@dataclass(frozen=True)
class HeUniform(_Scaled):
    """U[±√(6/d_in)] (He et al. 2015)."""

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        return _uniform(rng, shape, 6 / fans(shape)[0])


@dataclass(frozen=True)
class Orthogonal(_Scaled):
    """gain·Q with orthonormal rows or columns, uniform over all such (Saxe, McClelland & Ganguli 2014)."""

    gain: float = 1.0

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Array:
        rows, columns = math.prod(shape[:-1]), shape[-1] if shape else 1
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        # QR alone leaves the signs of Q to the algorithm; this makes the distribution uniform (Mezzadri 2007).
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return np.asarray(self.gain * (q if rows >= columns else q.T).reshape(shape))


INITIALIZERS: dict[str, Initializer] = {
    "zeros": Zeros(),
    "ones": ConstantInitializer(1.0),
    "lecun_normal": LecunNormal(),
    "lecun_uniform": LecunUniform(),
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_normal": HeNormal(),
    "he_uniform": HeUniform(),
    "orthogonal": Orthogonal(),
}
"""Initialisers by name; ``lecun_normal`` is the course's N(0, 1/√d)."""

InitializerLike: TypeAlias = str | float | Initializer


def find_initializer(value: InitializerLike) -> Initializer:
    """The initialiser of a name, that all of one number, or the initialiser itself.

    Examples
    --------
    >>> find_initializer("he_normal")
    HeNormal()
    >>> find_initializer(0.5)
    ConstantInitializer(value=0.5)
    """
    if isinstance(value, Initializer):
        return value
    if isinstance(value, int | float):
        return ConstantInitializer(float(value))
    if value not in INITIALIZERS:
        raise ValueError(f"there is no initialiser {value!r}; there are: {', '.join(INITIALIZERS)}, or a number")
    return INITIALIZERS[value]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(d_in, d_out) of a kernel's shape, each at least 1.

    Examples
    --------
    >>> fans((784, 100)), fans((3, 3, 16, 32))
    ((784, 100), (144, 288))
    """
    if len(shape) < 2:
        size = max(math.prod(shape), 1)
        return size, size
    field = math.prod(shape[:-2])
    return max(field * shape[-2], 1), max(field * shape[-1], 1)


def _normal(rng: Any, shape: tuple[int, ...], variance: float) -> Array:
    return np.asarray(rng.standard_normal(shape) * math.sqrt(variance))


def _uniform(rng: Any, shape: tuple[int, ...], square_of_bound: float) -> Array:
    bound = math.sqrt(square_of_bound)
    return np.asarray(rng.uniform(-bound, bound, shape))
