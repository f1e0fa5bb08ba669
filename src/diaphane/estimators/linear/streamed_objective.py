"""What a linear model minimises over the rows of a stream: a pass for each point it is looked at."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np

from ...data.streams import Stream
from ...engines import Engine
from ...graph.node import Array
from ...nn.losses import LossLike
from .objective import Objective
from .streamed import places

__all__ = ["StreamObjective"]


class StreamObjective(Objective):
    """F(θ) = Σᵢ sᵢ·loss(xᵢᵀW + b, yᵢ) / Σᵢ sᵢ + ½·(l2/Σᵢ sᵢ)·‖W‖², its gradient and its Hessian, in one pass.

    The parts of each window are :class:`Objective`'s, added up in float64.

    Parameters
    ----------
    loss : str or callable
    stream : Stream
    classes : ndarray
        The target's; rows have their places.
    l2 : float
        Not yet divided by the sum of weights, which the first pass tells.
    outputs, fit_intercept, dtype, engine
        As for :class:`Objective`.

    Attributes
    ----------
    rows : int
        How many the stream has, after the first pass.
    """

    def __init__(
        self,
        loss: LossLike,
        stream: Stream,
        classes: Array,
        *,
        outputs: int = 1,
        l2: float = 0.0,
        fit_intercept: bool = True,
        dtype: Any = "float64",
        engine: str | Engine = "native",
    ) -> None:
        # Not the base's, which wants all rows: windows have objectives of their own.
        self.stream, self.classes, self.strength = stream, classes, l2
        self.inputs, self.outputs, self.fit_intercept = stream.n_features, outputs, fit_intercept
        self.dtype, self.size = np.dtype(dtype), (stream.n_features + fit_intercept) * outputs
        self.total_weight, self.l2, self._rows = 1.0, 0.0, 0
        self._given: Any = loss, engine
        self._seen: tuple[Array, float, Array, Array] | None = None

    @property
    def rows(self) -> int:
        return self._rows

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """F and ∂F/∂θ, in float64."""
        _, value, slope, _ = self._pass(vector)
        return value, slope.copy()

    def hessian(self, vector: Array) -> Array:
        """∂²F/∂θ∂θᵀ, of the same pass."""
        return self._pass(vector)[3].copy()

    def _pass(self, vector: Array) -> tuple[Array, float, Array, Array]:
        if self._seen is not None and np.array_equal(self._seen[0], vector):
            return self._seen
        vector = np.array(vector, np.float64)
        loss, engine = self._given
        value, slope, square = 0.0, np.zeros(self.size), np.zeros((self.size, self.size))
        total, rows = 0.0, 0
        with closing(self.stream.windows(reuse=True)) as windows:
            for window in windows:
                rows += len(window)
                if window.weights is not None and not window.weights.any():
                    continue
                part = Objective(
                    loss,
                    window.x,
                    places(window.y, self.classes),
                    window.weights,
                    outputs=self.outputs,
                    fit_intercept=self.fit_intercept,
                    dtype=self.dtype,
                    engine=engine,
                )
                own, its_slope = part(vector)
                value, slope = value + part.total_weight * own, slope + part.total_weight * its_slope
                square += part.total_weight * part.hessian(vector)
                total += part.total_weight
        if not total > 0:
            raise ValueError("no row counts: all weights are 0")
        self.total_weight, self.l2, self._rows = total, self.strength / total, rows
        penalised = slice(0, self.inputs * self.outputs)
        value, slope, square = value / total, slope / total, square / total
        value += 0.5 * self.l2 * float(vector[penalised] @ vector[penalised])
        slope[penalised] += self.l2 * vector[penalised]
        np.einsum("ii->i", square)[penalised] += self.l2
        self._seen = vector, value, slope, square
        return self._seen
