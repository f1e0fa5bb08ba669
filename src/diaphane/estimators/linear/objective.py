"""What a linear model minimises over all rows: its value, gradient and Hessian."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...engines import Engine, Program
from ...graph import Dim, Node, astype, gradient, placeholder, stack
from ...graph import sum as sum_of
from ...graph.node import Array
from ...nn.losses import Loss, LossLike, find_loss
from .blocks import Blocks

__all__ = ["Objective"]

MOST_SHARED = 16
"""Plans kept for other objectives."""

SCALED_ROWS = 1024
"""Rows that are scaled at a time for the second derivatives."""


class Objective:
    """F(θ) = Σᵢ sᵢ·loss(xᵢᵀW + b, yᵢ) / Σᵢ sᵢ + ½·l2·‖W‖², over all rows, a block at a time.

    A block's scores A = XW + b go into the graph of the loss, out of which come its derivatives G = ∂l/∂A and ∂²l/∂A∂A;
    the chain rule's last step is XᵀG. The products with X are BLAS's (SciPy's for compressed rows), on rows where they
    lie: in memory, on disk, in their own dtype, never copied whole. Blocks are added up in float64, in their order, so
    that the number of threads changes no bit.

    Parameters
    ----------
    loss : str or callable
        From scores (N, outputs) and targets to one number an example, as in :mod:`diaphane.nn.losses`.
    x : array, memory map or CSR matrix, shape (n, inputs)
    target : ndarray, shape (n,) or (n, …)
    weights : ndarray, shape (n,), optional
        sᵢ ≥ 0, not all 0; 1 by default.
    outputs : int
        Columns of W.
    l2 : float
    fit_intercept : bool
        Without one b is not there.
    dtype : str
        Of the computation.
    engine : str or Engine
        Which one runs the graph of the loss.

    Attributes
    ----------
    size : int
        Of the flat vector θ = (W.ravel(), b).
    total_weight : float
        Σᵢ sᵢ.
    loss, x, target, weights, inputs, outputs, l2, fit_intercept, dtype, engine
        As given.

    Raises
    ------
    ValueError
        If no row has a weight above 0.

    Examples
    --------
    >>> import numpy as np
    >>> objective = Objective("half_squared_error", np.array([[1.0], [3.0]]), np.array([2.0, 0.0]))
    >>> objective(np.zeros(2))
    (1.0, array([-1., -1.]))
    >>> objective.hessian(np.zeros(2))
    array([[5., 2.],
           [2., 1.]])
    """

    def __init__(
        self,
        loss: LossLike,
        x: Any,
        target: Array,
        weights: Array | None = None,
        *,
        outputs: int = 1,
        l2: float = 0.0,
        fit_intercept: bool = True,
        dtype: Any = "float64",
        engine: str | Engine = "native",
    ) -> None:
        rows, self.inputs = (int(extent) for extent in x.shape)
        self.outputs, self.l2, self.fit_intercept = outputs, float(l2), fit_intercept
        self.dtype = np.dtype(dtype)
        self.size = (self.inputs + fit_intercept) * outputs
        self.total_weight = float(rows) if weights is None else float(np.sum(weights, dtype=np.float64))
        if not self.total_weight > 0:
            raise ValueError("no row counts: all of sample_weight is 0 (or negative), or there are no rows")
        self.loss, self.engine = find_loss(loss), engine
        self.x, self.target, self.weights = x, target, weights
        integer = target.dtype.kind in "iu" and target.ndim == 1 and outputs > 1
        plan = _Plan(
            self.loss,
            outputs,
            tuple(target.shape[1:]),
            target.dtype.name if integer else self.dtype.name,
            weights is not None,
            self.dtype.name,
            engine,
        )
        self._programs = _programs_of(plan)
        self._beside = {self._programs.target: np.ascontiguousarray(target, self._programs.target.dtype)}
        if weights is not None:
            self._beside[self._programs.weights] = np.ascontiguousarray(weights, self.dtype)
        self._blocks = Blocks(x, self.dtype)
        self._last: tuple[float, Array, float, Array] | None = None

    @property
    def rows(self) -> int:
        """n."""
        return int(self.x.shape[0])

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """F and ∂F/∂θ, in float64."""
        # A driver begins where its caller has looked already.
        if self._last is not None and self._last[0] == self.l2 and np.array_equal(self._last[1], vector):
            return self._last[2], self._last[3].copy()
        coef, intercept = self._parameters(vector)
        program = self._programs.by_score

        def look(rows: slice) -> tuple[float, Array, Array]:
            x = self._blocks[rows]
            found, _ = program.run(feeds=self._feeds(program, rows, x @ coef + intercept))
            return float(found["loss"]), np.asarray(x.T @ found["slope"]), found["slope"].sum(axis=0)

        value, slope = 0.0, np.zeros(self.size)
        split = self.inputs * self.outputs
        for loss, by_coef, by_intercept in self._blocks.each(look):
            value += loss
            slope[:split] += by_coef.ravel()
            if self.fit_intercept:
                slope[split:] += by_intercept
        value, slope = value / self.total_weight, slope / self.total_weight
        weights = np.asarray(vector[:split], np.float64)
        value += 0.5 * self.l2 * float(weights @ weights)
        slope[:split] += self.l2 * weights
        self._last = self.l2, np.array(vector, np.float64), value, slope.copy()
        return value, slope

    def value(self, vector: Array) -> float:
        """F alone."""
        return self(vector)[0]

    def hessian(self, vector: Array) -> Array:
        """∂²F/∂θ∂θᵀ, (size, size) in float64: X̃ᵀ·diag(∂²l/∂aₖ∂aₘ)·X̃ for each two outputs, X̃ being X and ones."""
        coef, intercept = self._parameters(vector)
        program, wide = self._programs.curvature, self.inputs + self.fit_intercept
        pairs = [(k, m) for k in range(self.outputs) for m in range(k, self.outputs)]

        def look(rows: slice) -> Array:
            x = self._blocks[rows]
            found, _ = program.run(feeds=self._feeds(program, rows, x @ coef + intercept))
            return np.stack([self._curved(x, found["curvature"][:, k, m]) for k, m in pairs])

        summed = np.zeros((len(pairs), wide, wide))
        for blocks in self._blocks.each(look):
            summed += blocks
        # θ lies as (rows of (W, b), outputs).
        found = np.empty((wide, self.outputs, wide, self.outputs))
        for (k, m), block in zip(pairs, summed, strict=True):
            found[:, k, :, m] = found[:, m, :, k] = block / self.total_weight
        square, penalised = found.reshape(self.size, self.size), np.arange(self.inputs * self.outputs)
        square[penalised, penalised] += self.l2
        return square

    def scores(self, vector: Array) -> Array:
        """X·W + b of every row, (n, outputs) in the dtype of the computation."""
        coef, intercept = self._parameters(vector)
        return np.concatenate(list(self._blocks.each(lambda rows: self._blocks[rows] @ coef + intercept)))

    def sampled(self, stride: int) -> Objective | None:
        """The same over one row of so many; None where none of these has a weight."""
        weights = None if self.weights is None else self.weights[::stride]
        if weights is not None and not weights.any():
            return None
        return Objective(
            self.loss,
            self.x[::stride],
            self.target[::stride],
            weights,
            outputs=self.outputs,
            l2=self.l2,
            fit_intercept=self.fit_intercept,
            dtype=self.dtype,
            engine=self.engine,
        )

    def unpack(self, vector: Array) -> tuple[Array, Array]:
        """W (inputs, outputs) and b (outputs,) out of θ; zeros for b where there is none."""
        split = self.inputs * self.outputs
        coef = np.asarray(vector[:split]).reshape(self.inputs, self.outputs)
        return coef, np.asarray(vector[split:]) if self.fit_intercept else np.zeros(self.outputs, coef.dtype)

    def pack(self, coef: Array, intercept: Array) -> Array:
        """θ of W and b, in float64."""
        parts = [np.ravel(coef), *([np.ravel(intercept)] if self.fit_intercept else [])]
        return np.concatenate(parts).astype(np.float64)

    def _parameters(self, vector: Array) -> tuple[Array, Array]:
        coef, intercept = self.unpack(np.asarray(vector, np.float64))
        return coef.astype(self.dtype), intercept.astype(self.dtype)

    def _feeds(self, program: Program, rows: slice, scores: Array) -> dict[Node | str, Any]:
        """What a program is given of a block; second derivatives may not look at the target."""
        feeds = {self._programs.scores: scores, **{node: array[rows] for node, array in self._beside.items()}}
        return {node: feeds[node] for node in program.placeholders}

    def _curved(self, x: Any, curvature: Array) -> Array:
        """X̃ᵀ·diag(c)·X̃ of a block."""
        if hasattr(x, "tocsr"):
            own = (x.multiply(curvature[:, None]).T @ x).toarray()
        else:
            own = np.zeros((self.inputs, self.inputs))
            # One small array for what is scaled: a new one of a block's size is slower to get than to fill.
            scaled = np.empty((min(len(x), SCALED_ROWS), self.inputs), self.dtype)
            for start in range(0, len(x), SCALED_ROWS):
                piece = x[start : start + SCALED_ROWS]
                np.multiply(piece, curvature[start : start + SCALED_ROWS, None], out=scaled[: len(piece)])
                own += scaled[: len(piece)].T @ piece
        if not self.fit_intercept:
            return np.asarray(own)
        border = np.asarray(x.T @ curvature)
        return np.block([[own, border[:, None]], [border[None, :], curvature.sum(keepdims=True)[None]]])


@dataclass(frozen=True)
class _Plan:
    """All that the programs of an objective are made from."""

    loss: Loss
    outputs: int
    target_shape: tuple[int, ...]
    target_dtype: str
    weighted: bool
    dtype: str
    engine: str | Engine

    @property
    def is_shared(self) -> bool:
        """Whether it means the same tomorrow; a user's function may not."""
        own = str(getattr(self.loss, "__module__", "")).split(".")[0] == __name__.split(".")[0]
        return own and isinstance(self.engine, Hashable)


def _programs_of(plan: _Plan) -> _Programs:
    """The programs of a plan, another objective's where there is one: they hold no values."""
    return _shared(plan) if plan.is_shared else _Programs(plan)


@lru_cache(MOST_SHARED)
def _shared(plan: _Plan) -> _Programs:
    return _Programs(plan)


class _Programs:
    """The graph of a loss over a block's scores.

    Attributes
    ----------
    scores, target, weights : Node
        Placeholders.
    by_score : Program
        ``loss``, Σᵢ sᵢ·lossᵢ, and ``slope``, its derivatives by the scores (N, outputs).
    curvature : Program
        ``curvature``, each row's second derivatives by its scores, (N, outputs, outputs).
    """

    def __init__(self, plan: _Plan) -> None:
        n = Dim("N")
        self.scores = placeholder((n, plan.outputs), plan.dtype, "scores")
        self.target = placeholder((n, *plan.target_shape), plan.target_dtype, "target")
        self.weights = placeholder((n,), plan.dtype, "weights")
        losses = plan.loss(self.scores, self.target)
        losses = losses * self.weights if plan.weighted else losses
        [slope] = gradient(sum_of(losses), [self.scores])
        # A row's loss depends on its own scores alone, so a column's sum has each row's derivatives.
        rows = [gradient(sum_of(slope[:, k]), [self.scores])[0] for k in range(plan.outputs)]
        # A line search compares sums that differ by less than a float32 can tell.
        total = sum_of(astype(losses, "float64"))
        self.by_score = Program({"loss": total, "slope": slope}, engine=plan.engine)
        # The scores are asked for too: a square's second derivative needs none, and then nothing would tell N.
        self.curvature = Program({"curvature": stack(rows, axis=1), "scores": self.scores}, engine=plan.engine)
