"""Layers for the columns of a table: numbers as small vectors, features scaled, and dense layers of unit weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from .. import graph
from ..graph import Node, ShapeError
from ..graph.node import Array, DType
from ..graph.record import Record
from ..graph.sizes import show
from .activations import ActivationLike, find_activation
from .layer import Context, Layer, fixed_extent

__all__ = ["FeatureScale", "NormalInitializer", "PeriodicEmbedding", "TangentDense"]


@dataclass(frozen=True)
class NormalInitializer(Record):
    """Independent draws of N(0, s), s being the standard deviation, whatever the shape."""

    std: float = 1.0

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: DType) -> Array:
        return np.asarray(self.std * rng.standard_normal(shape), dtype)


@dataclass(frozen=True)
class TangentDense(Layer):
    """φ(X·W/√d_in + r·b), W ~ N(0, 1): the neural tangent parametrisation (Jacot, Gabriel & Hongler 2018).

    The first outputs are those of :class:`Dense` with N(0, 1/√d_in). A first step of Adam at the rate ε moves an
    output by ε·Σ|xᵢ|/√d_in, √d_in times less than with plain weights: layers of few and of many inputs do with one
    rate. RealMLP has it with ε = 0.04 (Holzmüller, Grinsztajn & Steinwart 2024).

    Parameters
    ----------
    units : int
        (N, d_in) → (N, units).
    activation : str or callable, optional
        φ, the identity by default.
    kernel_std : float
        Of the first values of W; 0 makes a last layer that begins at 0.
    bias_rate : float
        r, how much of the learning rate biases have.

    Examples
    --------
    >>> import diaphane as dia
    >>> network = dia.nn.Network(TangentDense(3, "relu"), (4,))
    >>> print(network.output)  # doctest: +ELLIPSIS
    relu(...)
    """

    units: int
    activation: ActivationLike = None
    kernel_std: float = 1.0
    bias_std: float = 0.0
    bias_rate: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", _count("TangentDense", "units", self.units))
        for name in ("kernel_std", "bias_std", "bias_rate"):
            _at_least_0("TangentDense", name, getattr(self, name))
        find_activation(self.activation)

    def forward(self, x: Node, context: Context) -> Node:
        inputs = fixed_extent(x, -1, self)
        kernel = context.parameter("kernel", (inputs, self.units), NormalInitializer(self.kernel_std))
        a = (x @ kernel) * (1 / math.sqrt(inputs))
        if self.bias_rate:
            std = self.bias_std / self.bias_rate
            a = a + self.bias_rate * context.parameter("bias", (self.units,), NormalInitializer(std))
        return find_activation(self.activation)(a)


@dataclass(frozen=True)
class FeatureScale(Layer):
    """x·(1 + r·s), one learnt s for each feature, 0 at first: columns that say nothing can be turned down.

    The scaling layer of RealMLP (Holzmüller, Grinsztajn & Steinwart 2024), which learns at ``rate`` times the rate.

    Examples
    --------
    >>> import diaphane as dia
    >>> network = dia.nn.Network(FeatureScale(), (2,))
    >>> network.predict(network.initial_state(), [[1.0, -2.0]])
    array([[ 1., -2.]], dtype=float32)
    """

    rate: float = 6.0

    def __post_init__(self) -> None:
        _at_least_0("FeatureScale", "rate", self.rate)

    def forward(self, x: Node, context: Context) -> Node:
        return x * (1 + self.rate * context.parameter("scale", (fixed_extent(x, -1, self),), 0.0))


@dataclass(frozen=True)
class PeriodicEmbedding(Layer):
    """The first columns, each as (x, V·cos(2π·(f·x) + b) + c): x itself and ``width − 1`` learnt numbers.

    f ~ N(0, σ) and b ~ U[±π] are learnt, ``frequencies`` of each a column, and so are V and c. With them a network
    learns functions of a number that are far from smooth, which are common in tables (Gorishniy, Rubachev & Babenko
    2022, §3.2; in this form, with biases and x itself beside, Holzmüller, Grinsztajn & Steinwart 2024, §3).

    Parameters
    ----------
    columns : int
        How many columns of the input are numbers; the others come after them and pass as they are.
    width : int
        Numbers a column, at least 2: (N, d) → (N, d + columns·(width − 1)).
    frequencies : int
    std : float
        σ, for columns of unit scale.
    rate : float
        The share of the learning rate that all of it has.

    Examples
    --------
    >>> import diaphane as dia
    >>> dia.nn.Network(PeriodicEmbedding(columns=2, width=4), (5,)).output_shape
    (11,)
    """

    columns: int
    width: int = 4
    frequencies: int = 16
    std: float = 0.1
    rate: float = 0.1

    def __post_init__(self) -> None:
        for name, low in (("columns", 1), ("width", 2), ("frequencies", 1)):
            object.__setattr__(self, name, _count("PeriodicEmbedding", name, getattr(self, name), low))
        for name in ("std", "rate"):
            _at_least_0("PeriodicEmbedding", name, getattr(self, name))
        if not self.rate:
            raise ValueError("PeriodicEmbedding: rate must be greater than 0, got 0")

    def forward(self, x: Node, context: Context) -> Node:
        inputs = fixed_extent(x, -1, self)
        if x.ndim != 2 or inputs < self.columns:
            raise ShapeError(f"{self!r} takes rows of at least {self.columns} columns, got {show(x.shape)}")
        rows, d, k, out = x.shape[0], self.columns, self.frequencies, self.width - 1

        def learnt(name: str, shape: tuple[int, ...], std: float) -> Node:
            return self.rate * context.parameter(name, shape, NormalInitializer(std / self.rate))

        numbers = x if inputs == d else x[:, :d]
        shift = self.rate * context.parameter("shift", (d, k), NormalInitializer(math.pi / math.sqrt(3) / self.rate))
        waves = graph.cos(graph.expand_dims(numbers, 2) * (2 * math.pi * learnt("frequency", (d, k), self.std)) + shift)
        mixed = graph.permute_dims(waves, (1, 0, 2)) @ learnt("kernel", (d, k, out), 1 / math.sqrt(k))
        mixed = graph.permute_dims(mixed, (1, 0, 2)) + learnt("bias", (d, out), 1 / math.sqrt(k))
        return graph.concat([x, graph.reshape(mixed, (rows, d * out))], axis=1)


def _count(layer: str, name: str, value: Any, low: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < low:
        raise ValueError(f"{layer}: {name} must be a whole number of at least {low}, got {value!r}")
    return int(value)


def _at_least_0(layer: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        raise ValueError(f"{layer}: {name} must be a finite number of at least 0, got {value!r}")
