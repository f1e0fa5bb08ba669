"""Rosenblatt's rule, counted, and the two inequalities of the proof that its mistakes end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ProofTrace", "RosenblattRun", "run_rosenblatt"]

Floats = NDArray[np.float64]

FIRST_BLOCK = 32
LARGEST_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class RosenblattRun:
    """What the rule did.

    Attributes
    ----------
    examples : int64 array of shape (t,)
        The example of each mistake.
    squared_norms : float64 array of shape (t,)
        ‖w̃‖² after each.
    weights : float64 array of shape (d,)
        The last w̃.
    passes : int
        Over the examples, the last one, without mistakes, among them.
    converged : bool
        Whether it stopped because a whole pass was free of mistakes.
    """

    examples: NDArray[np.int64]
    squared_norms: Floats
    weights: Floats
    passes: int
    converged: bool


@dataclass(frozen=True, eq=False)
class ProofTrace:
    """Novikoff's two inequalities after each mistake t: t·γ ≤ w̃ₜᵀw̃* and ‖w̃ₜ‖² ≤ t·R².

    By Cauchy and Schwarz w̃ₜᵀw̃* ≤ ‖w̃ₜ‖, so t·γ ≤ √t·R, and t ≤ R²/γ².

    Attributes
    ----------
    example : int64 array of shape (t,)
        The example that was mistaken.
    growth, alignment : float64 arrays of shape (t,)
        t·γ and w̃ₜᵀw̃*, along the separator.
    squared_norm, ceiling : float64 arrays of shape (t,)
        ‖w̃ₜ‖² and t·R².
    """

    example: NDArray[np.int64]
    growth: Floats
    alignment: Floats
    squared_norm: Floats
    ceiling: Floats

    @property
    def holds(self) -> bool:
        """Whether both inequalities hold at every mistake, but for rounding."""
        slack = 1e-9
        lower = self.growth <= self.alignment + slack * np.abs(self.alignment)
        return bool(lower.all() and (self.squared_norm <= self.ceiling * (1 + slack)).all())


def run_rosenblatt(rows: Floats, max_mistakes: int) -> RosenblattRun:
    """w̃ ← w̃ + aᵢ at each aᵢᵀw̃ ≤ 0, from w̃ = 0, in the order given, until a pass has no mistake.

    Rosenblatt 1958; rows are aᵢ = yᵢ·x̃ᵢ. The sign of 0 counts as a mistake.

    Parameters
    ----------
    rows : array of shape (n, d)
    max_mistakes : int
        Where to stop at the latest.

    Examples
    --------
    >>> run = run_rosenblatt(np.array([[2.0, 1.0], [-1.0, 1.0]]), 100)
    >>> run.examples, run.weights, run.passes
    (array([0, 1]), array([1., 2.]), 2)
    """
    n_rows = len(rows)
    weights = np.zeros(rows.shape[1])
    examples: list[int] = []
    norms: list[float] = []
    position, correct, seen, block = 0, 0, 0, FIRST_BLOCK
    while correct < n_rows and len(examples) < max_mistakes:
        # Products are computed some rows ahead: after a mistake the rest of them is thrown away.
        products = rows[position : position + block] @ weights
        wrong = products <= 0
        ahead = int(wrong.argmax())
        if not wrong[ahead]:
            step, block = len(products), min(2 * block, LARGEST_BLOCK)
            correct += step
        else:
            step, block, correct = ahead + 1, FIRST_BLOCK, 0
            weights += rows[position + ahead]
            examples.append(position + ahead)
            norms.append(float(weights @ weights))
        position = (position + step) % n_rows
        seen += step
    return RosenblattRun(
        np.array(examples, dtype=np.int64), np.array(norms), weights, -(-seen // n_rows), correct >= n_rows
    )
