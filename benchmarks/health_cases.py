"""Runs to judge a diagnosis by: nets built to fail in one way each, and healthy ones.

What a net fails of is fixed by how it is built, from the theory of signals in deep nets, never by what it then does:

- *vanishing*: the product of its layers' gains (c of kernels N(0, c·√(k/d)), ¼ a sigmoid layer) is below 1/1000;
- *exploding*: the same product is above 1000, with activations that do not bound it;
- *saturated*: preactivations of sigmoids or tanhs spread over 30 times the width of their slope, in one layer at least;
- *dead*: nine tenths or all of the rectifiers of a layer are below 0 for every row there is;
- *healthy*: an initialiser made for its activation, a usual optimizer with a usual rate, scaled data; and it learnt:
  its loss fell to less than three quarters of its first one, or of a constant's (others are not counted, and their
  number is printed).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import datasets

from diaphane.graph.record import Record
from diaphane.nn import Activation, BatchNorm, Dense, Dropout, Network, Sequential
from diaphane.optim import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from diaphane.training import Callback, DivergenceError, Trainer

__all__ = ["KINDS", "Case", "draw"]


@dataclass(frozen=True)
class ScaledNormal(Record):
    """N(0, √(square/d_in)), d_in being the fan-in."""

    square: float

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return (rng.standard_normal(shape) * np.sqrt(self.square / shape[0])).astype(dtype)


@dataclass(frozen=True)
class BelowZero(Record):
    """−|N(0, 1/√d_in)|: over inputs that are not negative every unit is below 0."""

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return (-np.abs(rng.standard_normal(shape)) / np.sqrt(shape[0]) - 0.01).astype(dtype)


@dataclass(frozen=True)
class MostlyLow(Record):
    """A share of the biases at −value, the others at 0."""

    value: float
    share: float

    def sample(self, rng: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        low = np.arange(shape[0]) < np.ceil(self.share * shape[0])
        return np.where(low, -self.value, 0).astype(dtype)


@dataclass(frozen=True)
class Data:
    """Rows with features of mean 0 and variance 1, or in [0, 1], and a target that suits the loss."""

    name: str
    x: np.ndarray
    y: np.ndarray
    loss: str
    outputs: int


@dataclass(frozen=True)
class Case:
    """One run: what it is built for, and all that it takes."""

    kind: str
    words: str
    network: Network
    data: Data
    optimizer: Optimizer
    epochs: int
    batch: int
    seed: int

    def run(self, callback: Callback) -> list[float]:
        """Train with a callback that watches; the losses of its epochs."""
        trainer = Trainer(
            self.network,
            self.data.loss,
            self.optimizer,
            batch_size=self.batch,
            epochs=self.epochs,
            callbacks=[callback],
            random_state=self.seed,
        )
        try:
            return trainer.fit(self.data.x, self.data.y).history["loss"]
        except DivergenceError as error:
            return [*error.result.history["loss"], float("nan")]


def draw(kind: str, seed: int) -> Case:
    """The case of a kind that a seed gives."""
    rng = np.random.default_rng([list(KINDS).index(kind), seed])
    return KINDS[kind](rng, seed)


def _scaled(x: np.ndarray, how: str) -> np.ndarray:
    if how == "unit":
        low = x.min(0)
        return ((x - low) / np.maximum(x.max(0) - low, 1e-9)).astype(np.float32)
    return ((x - x.mean(0)) / np.maximum(x.std(0), 1e-9)).astype(np.float32)


def _data(rng: np.random.Generator, how: str | None = None) -> Data:
    name = str(
        rng.choice(["digits", "iris", "wine", "breast_cancer", "diabetes", "moons", "circles", "blobs", "waves"])
    )
    how = how or str(rng.choice(["standard", "unit"]))
    seed, n = int(rng.integers(2**31)), int(rng.integers(150, 700))
    if name in ("digits", "iris", "wine", "breast_cancer", "diabetes"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        keep = np.random.default_rng(seed).permutation(len(x))[:900]
        x, y = x[keep], y[keep]
    elif name == "moons":
        x, y = datasets.make_moons(n, noise=0.15, random_state=seed)
    elif name == "circles":
        x, y = datasets.make_circles(n, noise=0.08, factor=0.4, random_state=seed)
    elif name == "blobs":
        d = int(rng.integers(3, 50))
        x, y = datasets.make_classification(
            n, d, n_informative=max(3, d // 2), n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=seed
        )
    else:
        x = np.random.default_rng(seed).uniform(-2, 2, (n, int(rng.integers(1, 6))))
        y = np.sin(2 * x[:, 0]) + 0.3 * x.sum(1)
    x = _scaled(x, how)
    if name in ("diabetes", "waves"):
        y = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
        return Data(f"{name}, {how}", x, y, "half_squared_error", 1)
    classes = int(y.max()) + 1
    if classes == 2 and rng.random() < 0.5:
        return Data(f"{name}, {how}", x, y.astype(np.float32)[:, None], "binary_cross_entropy", 1)
    return Data(f"{name}, {how}", x, y.astype(np.int64), "categorical_cross_entropy", classes)


def _optimizer(rng: np.random.Generator) -> Optimizer:
    choices: Sequence[Callable[[], Optimizer]] = (
        lambda: Adam(float(rng.choice([0.001, 0.002, 0.005]))),
        lambda: AdamW(0.002),
        lambda: SGD(float(rng.choice([0.01, 0.03, 0.1]))),
        lambda: Momentum(float(rng.choice([0.005, 0.01, 0.02]))),
        lambda: Nesterov(float(rng.choice([0.005, 0.01]))),
        lambda: RMSProp(0.001),
    )
    return choices[int(rng.integers(len(choices)))]()


def _case(
    kind: str,
    words: str,
    layers: list[Any],
    data: Data,
    rng: np.random.Generator,
    seed: int,
    *,
    optimizer: Optimizer | None = None,
    epochs: int | None = None,
) -> Case:
    network = Network(Sequential([*layers, Dense(data.outputs, kernel_initializer="glorot_uniform")]), data.x.shape[1:])
    optimizer = optimizer or _optimizer(rng)
    epochs = epochs or int(rng.integers(3, 15))
    words = (
        f"{words}; {data.name} {data.x.shape}, {type(optimizer).__name__}({optimizer.learning_rate:g}), {epochs} epochs"
    )
    return Case(kind, words, network, data, optimizer, epochs, int(rng.choice([16, 32, 64, 128])), seed)


def _widths(rng: np.random.Generator, depth: int, low: int = 12, high: int = 160) -> list[int]:
    """Mostly one width for all, sometimes another for each."""
    if rng.random() < 0.7:
        return [int(rng.integers(low, high))] * depth
    return [int(w) for w in rng.integers(low, high, depth)]


def _vanishing(rng: np.random.Generator, seed: int) -> Case:
    data, how = _data(rng), str(rng.choice(["sigmoid", "sigmoid", "tanh", "relu", "gelu", "fixed"]))
    depth = int(rng.integers(6, 13))
    widths = _widths(rng, depth)
    if how == "sigmoid":
        scheme: Any = str(rng.choice(["glorot_uniform", "lecun_normal", "glorot_normal"]))
        words, phi = f"sigmoid × {depth}, {scheme}", "sigmoid"
    elif how == "fixed":
        # A fixed spread of 0.01 is a gain of 0.01·√width, at most 0.13 here.
        words, phi, scheme = f"tanh × {depth}, N(0, 0.01)", "tanh", None
    else:
        # The last layer passes on what comes, so that depth − 1 gains multiply up to less than 1/1000.
        gain = 1000 ** (-1 / (depth - 1)) * float(rng.uniform(0.3, 0.9))
        phi, square = how, gain**2 * (1 if how == "tanh" else 2)
        words, scheme = f"{phi} × {depth}, gain {gain:.2f}", ScaledNormal(square)
    layers = [Dense(w, phi, scheme or ScaledNormal(1e-4 * before)) for before, w in _pairs(data, widths)]
    return _case("vanishing", f"{words}, widths {widths[0]}…", layers, data, rng, seed)


def _exploding(rng: np.random.Generator, seed: int) -> Case:
    data, phi = _data(rng), str(rng.choice(["relu", "leaky_relu", "gelu", "identity", "silu"]))
    depth = int(rng.integers(4, 12))
    gain = 1000 ** (1 / (depth - 1)) * float(rng.uniform(1.1, 2.5))
    scheme = ScaledNormal(gain**2 * (1 if phi == "identity" else 2))
    layers = [Dense(w, phi, scheme) for w in _widths(rng, depth)]
    return _case("exploding", f"{phi} × {depth}, gain {gain:.2f}", layers, data, rng, seed)


def _saturated(rng: np.random.Generator, seed: int) -> Case:
    data, phi = _data(rng, "standard"), str(rng.choice(["tanh", "sigmoid"]))
    depth, how = int(rng.integers(1, 4)), str(rng.choice(["kernel", "inputs", "bias"]))
    widths, width_of_slope = _widths(rng, depth), 1.0 if phi == "tanh" else 2.0
    spread = width_of_slope * float(rng.uniform(30, 150))
    first: dict[str, Any] = {"kernel_initializer": "lecun_normal"}
    if how == "kernel":
        first = {"kernel_initializer": ScaledNormal(spread**2)}
    elif how == "bias":
        first["bias_initializer"] = float(rng.choice([-1, 1])) * spread
    else:
        data = Data(f"{data.name} × {spread:.0f}", data.x * np.float32(spread), data.y, data.loss, data.outputs)
    hit = 0 if how == "inputs" else int(rng.integers(depth))
    layers = [
        Dense(w, phi, **(first if i == hit else {"kernel_initializer": "lecun_normal"})) for i, w in enumerate(widths)
    ]
    if how == "kernel" and hit:
        # Small activations before it would not spread so far.
        layers = [Dense(w, phi, ScaledNormal(spread**2)) for w in widths]
    return _case(
        "saturated", f"{phi} × {depth}, {how} of layer {hit + 1}, spread {spread:.0f}", layers, data, rng, seed
    )


def _dead(rng: np.random.Generator, seed: int) -> Case:
    how = str(rng.choice(["bias", "most", "kernel"]))
    data = _data(rng, "unit" if how == "kernel" else None)
    depth = int(rng.integers(1, 6))
    hit, share = int(rng.integers(depth)), 1.0 if how == "bias" else float(rng.uniform(0.9, 0.97))
    settings: dict[str, Any] = {"kernel_initializer": BelowZero()}
    if how != "kernel":
        # Rows of d features of variance 1 give preactivations of a few units; hundreds are beyond all of them.
        settings = {
            "kernel_initializer": "he_normal",
            "bias_initializer": MostlyLow(float(rng.uniform(100, 300)), share),
        }
    else:
        hit = 0
    layers = [
        Dense(w, "relu", **(settings if i == hit else {"kernel_initializer": "he_normal"}))
        for i, w in enumerate(_widths(rng, depth, low=30))
    ]
    return _case("dead", f"relu × {depth}, {how} of layer {hit + 1}, {share:.2f}", layers, data, rng, seed)


SANE = {
    "relu": ("he_normal", "he_uniform", "glorot_uniform"),
    "leaky_relu": ("he_normal", "he_uniform"),
    "tanh": ("glorot_uniform", "lecun_normal", "glorot_normal", "orthogonal"),
    "gelu": ("he_normal", "glorot_uniform"),
    "silu": ("he_normal", "glorot_uniform"),
    "elu": ("he_normal", "lecun_normal"),
    "selu": ("lecun_normal",),
    "sigmoid": ("glorot_uniform", "lecun_normal"),
}
DEEPEST = {"sigmoid": 2, "glorot_uniform": 5}
"""A sigmoid layer divides by 4, and so does a pair of layers of gelu or relu whose initialiser was made for tanh."""


def _healthy(rng: np.random.Generator, seed: int) -> Case:
    data, phi = _data(rng), str(rng.choice(list(SANE)))
    scheme = str(rng.choice(SANE[phi]))
    most = min(8, DEEPEST.get(phi, 8), DEEPEST.get(scheme, 8) if phi != "tanh" else 8)
    depth = int(rng.integers(1, most + 1))
    normed, rate = bool(rng.random() < 0.25), float(rng.choice([0, 0, 0, 0.1, 0.3]))
    layers: list[Any] = []
    for width in _widths(rng, depth, low=16):
        layers += [Dense(width, None, scheme), *([BatchNorm()] if normed else []), Activation(phi)]
        layers += [Dropout(rate)] if rate else []
    epochs = int(rng.choice([5, 10, 20, 60, 200]))
    words = f"{phi} × {depth}, {scheme}{', norm' if normed else ''}{f', dropout {rate:g}' if rate else ''}"
    return _case("healthy", words, layers, data, rng, seed, epochs=epochs)


def _pairs(data: Data, widths: list[int]) -> list[tuple[int, int]]:
    return list(zip([data.x.shape[1], *widths[:-1]], widths, strict=True))


KINDS: dict[str, Callable[[np.random.Generator, int], Case]] = {
    "vanishing": _vanishing,
    "exploding": _exploding,
    "saturated": _saturated,
    "dead": _dead,
    "healthy": _healthy,
}
