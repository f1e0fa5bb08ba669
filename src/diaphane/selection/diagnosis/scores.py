"""Errors row by row, as shares of what a constant leaves, and whether one model is better than another on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rows import Rows

__all__ = ["Scale", "Scored"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """What an error is, and how great that of a constant is: the most frequent class, or the mean.

    Skill is 1 − error/error of the constant: 0 for the constant, 1 for no error. Of numbers it is R².
    """

    classes: bool
    learnt: float
    judged: float

    @classmethod
    def of(cls, classes: bool, learnt: Rows, judged: Rows) -> Scale:
        """The constant is that of the rows learnt from, for both."""
        if classes:
            names, counts = np.unique(learnt.target, return_counts=True)
            constant: Any = names[counts.argmax()]
        else:
            constant = learnt.target.mean()
        means = [float(_errors(np.full(len(r), constant), r.target, classes).mean()) for r in (learnt, judged)]
        return cls(classes, means[0] or 1.0, means[1] or 1.0)

    def errors(self, predicted: Any, target: NDArray[Any]) -> Floats:
        """1 for a wrong class, or the square of the difference; infinity where there is no number."""
        return _errors(np.asarray(predicted).reshape(len(target)), target, self.classes)


def _errors(predicted: NDArray[Any], target: NDArray[Any], classes: bool) -> Floats:
    if classes:
        return (predicted != target).astype(np.float64)
    with np.errstate(all="ignore"):
        found = (predicted.astype(np.float64) - target) ** 2
    return np.where(np.isfinite(found), found, np.inf)


@dataclass(frozen=True, eq=False)
class Scored:
    """A model's errors on the rows it learnt from and on those it is judged by."""

    name: str
    scale: Scale
    learnt_errors: Floats
    judged_errors: Floats

    @classmethod
    def of(cls, name: str, scale: Scale, model: Any, learnt: Rows, judged: Rows, numbers: bool = False) -> Scored:
        """Of a fitted model; ``numbers`` for one that learnt from the numbers."""
        with np.errstate(all="ignore"):
            found = [scale.errors(model.predict(r.numbers if numbers else r.given), r.target) for r in (learnt, judged)]
        return cls(name, scale, *found)

    @property
    def learnt(self) -> float:
        """Skill on the rows learnt from."""
        return float(1 - self.learnt_errors.mean() / self.scale.learnt)

    @property
    def judged(self) -> float:
        """Skill on the rows it is judged by."""
        return float(1 - self.judged_errors.mean() / self.scale.judged)

    def gain_over(self, other: Scored) -> tuple[float, float]:
        """Skill above the other's on the rows judged by, and in how many standard errors of the paired difference."""
        if not np.isfinite(other.judged_errors).all():
            return (np.inf, np.inf) if np.isfinite(self.judged_errors).all() else (0.0, 0.0)
        paired = (other.judged_errors - self.judged_errors) / self.scale.judged
        if not np.isfinite(paired).all():
            return -np.inf, -np.inf
        error = paired.std(ddof=1) / np.sqrt(len(paired))
        mean = float(paired.mean())
        return mean, mean / error if error > 0 else np.inf * np.sign(mean) if mean else 0.0
