"""The layers of a multi-layer perceptron."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from .. import graph
from ..graph import Node, ShapeError
from ..graph.sizes import extent_product
from .activations import ActivationLike, find_activation
from .initializers import InitializerLike
from .layer import Context, Layer, fixed_extent

__all__ = [
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "Maxout",
    "PRelu",
    "Reshape",
    "Sequential",
]


@dataclass(frozen=True)
class Dense(Layer):
    """φ(X·W + b): every unit sees every input.

    Parameters
    ----------
    units : int
        Columns of the output, (N, inputs) → (N, units); further leading axes are kept.
    activation : str or callable, optional
        φ, the identity by default.
    kernel_initializer, bias_initializer : str, number or initialiser
        First values of W, (inputs, units), and of b, (units,).
    use_bias : bool

    Examples
    --------
    >>> Dense(64, activation="relu").to_json()["units"]
    64
    """

    units: int
    activation: ActivationLike = None
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    use_bias: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.units, bool) or not isinstance(self.units, Integral) or self.units < 1:
            raise ValueError(f"a dense layer has at least 1 unit, got units={self.units!r}")
        object.__setattr__(self, "units", int(self.units))
        find_activation(self.activation)

    def forward(self, x: Node, context: Context) -> Node:
        inputs = fixed_extent(x, -1, self)
        a = x @ context.parameter("kernel", (inputs, self.units), self.kernel_initializer)
        if self.use_bias:
            a = a + context.parameter("bias", (self.units,), self.bias_initializer)
        return find_activation(self.activation)(a)


@dataclass(frozen=True)
class Activation(Layer):
    """φ on each element, by name or as a function of a node."""

    function: ActivationLike

    def __post_init__(self) -> None:
        find_activation(self.function)

    def forward(self, x: Node, context: Context) -> Node:
        return find_activation(self.function)(x)


@dataclass(frozen=True)
class PRelu(Layer):
    """a where a > 0, slope·a elsewhere, one learnt slope a unit (He et al. 2015)."""

    initial_slope: float = 0.25

    def forward(self, x: Node, context: Context) -> Node:
        return graph.prelu(x, context.parameter("slope", (fixed_extent(x, -1, self),), self.initial_slope))


@dataclass(frozen=True)
class Maxout(Layer):
    """The maximum of each group of ``pieces`` neighbouring units (Goodfellow et al. 2013)."""

    pieces: int = 2

    def forward(self, x: Node, context: Context) -> Node:
        return graph.maxout(x, self.pieces)


@dataclass(frozen=True)
class Dropout(Layer):
    """Each element is 0 with probability ``rate`` in training.

    ``rate`` is the probability of dropping (PyTorch, Keras); Srivastava et al. 2014 write p for that of
    *keeping*. Inverted, what is kept is scaled by 1/(1 − rate) in training and nothing is done at
    inference; otherwise nothing is scaled in training and everything by 1 − rate at inference, as in the
    paper. Either way the expected value is the same.

    Parameters
    ----------
    rate : float in [0, 1)
    inverted : bool
    """

    rate: float = 0.5
    inverted: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"a dropout rate is a probability of dropping in [0, 1), got {self.rate!r}")

    def forward(self, x: Node, context: Context) -> Node:
        stream = context.stream()
        kept = 1 - context.hyperparameter("rate", self.rate)
        factor = graph.astype(kept, x.dtype)
        if not context.training:
            return x if self.inverted else x * factor
        mask = graph.bernoulli(kept, x.shape, stream=stream)
        return graph.where(mask, x / factor if self.inverted else x, 0)


@dataclass(frozen=True)
class GaussianNoise(Layer):
    """x + s·z in training, z ~ N(0, 1) for each element; x at inference (Sietsma & Dow 1991; Bishop 1995).

    Parameters
    ----------
    std : float of at least 0
        s, the standard deviation, in the input's own units.

    Examples
    --------
    >>> GaussianNoise(0.1)
    GaussianNoise(std=0.1)
    """

    std: float = 0.1

    def __post_init__(self) -> None:
        if isinstance(self.std, bool) or not isinstance(self.std, Real):
            raise TypeError(f"GaussianNoise: std must be a number of at least 0, got {self.std!r}")
        if not 0 <= self.std < math.inf:
            raise ValueError(f"GaussianNoise: std must be finite and at least 0, got {self.std!r}")

    def forward(self, x: Node, context: Context) -> Node:
        stream, std = context.stream(), context.hyperparameter("std", self.std)
        if not context.training:
            return x
        return x + graph.astype(std, x.dtype) * graph.normal(x.shape, stream=stream, dtype=x.dtype)


@dataclass(frozen=True)
class BatchNorm(Layer):
    """γ·(x − μ)/√(σ² + ε) + β (Ioffe & Szegedy 2015).

    In training μ and σ² are the batch's, over all axes but the last; at inference they are running
    averages: running ← (1 − momentum)·running + momentum·batch, with the unbiased variance, as in PyTorch.

    Parameters
    ----------
    momentum : float in (0, 1]
    epsilon : float
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 < self.momentum <= 1:
            raise ValueError(f"BatchNorm: momentum must be in (0, 1], got {self.momentum!r}")
        if not self.epsilon > 0:
            raise ValueError(f"BatchNorm: epsilon must be greater than 0, got {self.epsilon!r}")

    def forward(self, x: Node, context: Context) -> Node:
        units = (fixed_extent(x, -1, self),)
        scale, shift = context.parameter("scale", units, 1.0), context.parameter("shift", units, 0.0)
        mean, variance = context.state("mean", units, 0.0), context.state("variance", units, 1.0)
        if context.training:
            axes = tuple(range(x.ndim - 1))
            batch_mean, batch_variance = graph.mean(x, axes), graph.var(x, axes)
            n = graph.extent_value(extent_product(x.shape[:-1]), x.dtype)
            unbiased = batch_variance * (n / graph.maximum(n - 1, 1))
            context.update(mean, (1 - self.momentum) * mean + self.momentum * batch_mean)
            context.update(variance, (1 - self.momentum) * variance + self.momentum * unbiased)
            mean, variance = batch_mean, batch_variance
        return (x - mean) / graph.sqrt(variance + self.epsilon) * scale + shift


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, a, b, …) → (N, a·b·…)."""

    def forward(self, x: Node, context: Context) -> Node:
        return graph.reshape(x, (x.shape[0], extent_product(x.shape[1:])))


@dataclass(frozen=True)
class Reshape(Layer):
    """``(N, …) → (N, *shape)``; one extent may be −1."""

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))

    def forward(self, x: Node, context: Context) -> Node:
        return graph.reshape(x, (x.shape[0], *self.shape))


@dataclass(frozen=True)
class Sequential(Layer):
    """One layer after another.

    Examples
    --------
    >>> Sequential([Dense(64, "relu"), Dense(10)]).layers[1].units
    10
    """

    layers: tuple[Layer, ...]

    def __init__(self, layers: Sequence[Layer], *more: Layer) -> None:
        if isinstance(layers, Layer) or more:
            raise TypeError("Sequential takes one list of layers: Sequential([Dense(8), Dense(1)])")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"Sequential takes layers, got {layer!r}; wrap a function as Activation(function)")
        object.__setattr__(self, "layers", tuple(layers))

    def forward(self, x: Node, context: Context) -> Node:
        for i, layer in enumerate(self.layers):
            try:
                x = layer(x, context)
            except ShapeError as error:
                raise ShapeError(f"layer {i}, {layer!r}: {error}") from None
        return x

    def __call__(self, x: Node, context: Context) -> Node:
        """The layers' parameters lie directly under the paths of this one's surroundings."""
        return self.forward(x, context)
