"""What every contender is given: a net with its first weights, data, and the order of each epoch's rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["LEARNING_RATE", "Work"]

LEARNING_RATE = 0.001
"""Of Adam, with β₁ = 0.9, β₂ = 0.999, ε = 1e-8."""


@dataclass(frozen=True)
class Work:
    """Training a classifier of dense layers.

    Attributes
    ----------
    sizes : tuple of int
        Inputs, hidden units, classes.
    batch : int
        Rows of a step.
    steps : int
        Of an epoch.
    dtype : str
    activation : str
        Of hidden layers.
    dropout : (float, float)
        Probability of dropping an input, and a hidden unit.
    """

    sizes: tuple[int, ...]
    batch: int
    steps: int
    dtype: str = "float32"
    activation: str = "relu"
    dropout: tuple[float, float] = (0.0, 0.0)

    @property
    def rows(self) -> int:
        return self.batch * self.steps

    @property
    def has_dropout(self) -> bool:
        return any(self.dropout)

    @property
    def label(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        return f"{sizes}, {self.batch}" + (", dropout" if self.has_dropout else "")

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Normal features (rows, inputs), and classes that a net can learn but not be sure of."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.rows, self.sizes[0]), dtype=np.dtype(self.dtype))
        noise = rng.standard_normal((self.rows, self.sizes[-1]), dtype=np.float32)
        return x, (x[:, : self.sizes[-1]] + noise).argmax(axis=1)

    def first_weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Kernel and bias of each layer: those that scikit-learn draws for ``random_state=0``."""
        rng = np.random.RandomState(0)
        layers = []
        for inputs, units in pairwise(self.sizes):
            bound = np.sqrt((2 if self.activation == "sigmoid" else 6) / (inputs + units))
            kernel, bias = rng.uniform(-bound, bound, (inputs, units)), rng.uniform(-bound, bound, units)
            layers.append((kernel.astype(self.dtype), bias.astype(self.dtype)))
        return layers

    def order(self, epoch: int) -> np.ndarray:
        """The rows in the order of an epoch."""
        return np.random.default_rng(epoch).permutation(self.rows)
