"""Errors row by row, as shares of what a constant leaves, and whether one model is better than another on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rows import Rows

__all__ = ["Parts", "Scale", "Scored"]

Floats = NDArray[np.float64]
Parts = Sequence[tuple[Rows, Rows]]
"""Rows learnt from and rows judged by, once or fold by fold."""


LARGEST = 25.0
"""Times a constant's mean error, the most that a row counts in a comparison: of a training that went wild a few rows
are so far off that by their spread nothing would be clear."""


@dataclass(frozen=True)
class Scale:
    """What an error is, and how great that of a constant is: the most frequent class, or the mean.

    Skill is 1 − error/error of the constant: 0 for the constant, 1 for no error. Of numbers it is R². ``doubts`` is
    the constant's Brier score where the shares of the classes are its probabilities.
    """

    classes: bool
    learnt: float
    judged: float
    doubts: float = 1.0

    @classmethod
    def of(cls, classes: bool, parts: Parts) -> Scale:
        """The constant is that of the rows learnt from, for both."""
        learnt: list[Floats] = []
        judged: list[Floats] = []
        doubts: list[Floats] = []
        for rows, others in parts:
            if classes:
                names, counts = np.unique(rows.target, return_counts=True)
                constant: Any = names[counts.argmax()]
                shares = np.tile(counts / counts.sum(), (len(others), 1))
                doubts.append(_brier(shares, names, others.target))
            else:
                constant = rows.target.mean()
            for kept, r in ((learnt, rows), (judged, others)):
                kept.append(_errors(np.full(len(r), constant), r.target, classes))
        means = [float(np.concatenate(found).mean()) if found else 1.0 for found in (learnt, judged, doubts)]
        return cls(classes, *(mean or 1.0 for mean in means))

    def errors(self, predicted: Any, target: NDArray[Any]) -> Floats:
        """1 for a wrong class, or the square of the difference; infinity where there is no number."""
        return _errors(np.asarray(predicted).reshape(len(target)), target, self.classes)


def _errors(predicted: NDArray[Any], target: NDArray[Any], classes: bool) -> Floats:
    if classes:
        return (predicted != target).astype(np.float64)
    with np.errstate(all="ignore"):
        found = (predicted.astype(np.float64) - target) ** 2
    return np.where(np.isfinite(found), found, np.inf)


def _brier(chances: NDArray[Any], names: NDArray[Any], target: NDArray[Any]) -> Floats:
    """Σ (pₖ − 1[y = k])² a row (Brier 1950); a class without a probability has none."""
    hit = target[:, None] == names[None, :]
    found: Floats = ((chances - hit) ** 2).sum(axis=1) + ~hit.any(axis=1)
    return found


@dataclass(frozen=True, eq=False)
class Scored:
    """A model's errors on the rows it learnt from and on those it is judged by.

    ``doubts`` are the Brier scores of the latter, where it gives probabilities: they tell two classifiers apart by
    fewer rows than right and wrong answers do.
    """

    name: str
    scale: Scale
    learnt_errors: Floats
    judged_errors: Floats
    doubts: Floats | None = None

    @classmethod
    def of(cls, name: str, scale: Scale, model: Any, learnt: Rows, judged: Rows, seen: Any = None) -> Scored:
        """Of a fitted model; ``seen`` are the rows as it takes them, where it does not take them as given."""
        x, other = (learnt.given, judged.given) if seen is None else seen
        with np.errstate(all="ignore"):
            errors = [scale.errors(model.predict(rows), r.target) for rows, r in ((x, learnt), (other, judged))]
            doubts = None
            if scale.classes and hasattr(model, "predict_proba") and hasattr(model, "classes_"):
                chances = np.asarray(model.predict_proba(other), float)
                doubts = _brier(chances, np.asarray(model.classes_), judged.target)
        return cls(name, scale, errors[0], errors[1], doubts)

    @classmethod
    def pooled(cls, folds: Sequence[Scored]) -> Scored:
        """One model, scored fold by fold."""
        first = folds[0]
        doubts = [fold.doubts for fold in folds if fold.doubts is not None]
        return cls(
            first.name,
            first.scale,
            np.concatenate([fold.learnt_errors for fold in folds]),
            np.concatenate([fold.judged_errors for fold in folds]),
            np.concatenate(doubts) if len(doubts) == len(folds) else None,
        )

    @property
    def learnt(self) -> float:
        """Skill on the rows learnt from."""
        return float(1 - self.learnt_errors.mean() / self.scale.learnt)

    @property
    def judged(self) -> float:
        """Skill on the rows it is judged by."""
        return float(1 - self.judged_errors.mean() / self.scale.judged)

    @property
    def foretold(self) -> float:
        """The greater of the skills of answers and of probabilities: of a rare class only these may tell anything."""
        if self.doubts is None or not np.isfinite(self.doubts).all():
            return self.judged
        return max(self.judged, float(1 - self.doubts.mean() / self.scale.doubts))

    def gain_over(self, other: Scored) -> tuple[float, float]:
        """Skill above the other's on the rows judged by, and in how many standard errors of the paired difference."""
        if not np.isfinite(other.judged_errors).all():
            return (np.inf, np.inf) if np.isfinite(self.judged_errors).all() else (0.0, 0.0)
        if not np.isfinite(self.judged_errors).all():
            return -np.inf, -np.inf
        own, others = (np.minimum(e / self.scale.judged, LARGEST) for e in (self.judged_errors, other.judged_errors))
        return _mean_in_errors(others - own)

    def surer_than(self, other: Scored) -> tuple[float, float]:
        """The same of Brier scores; no gain where one of the two gives no probabilities."""
        if self.doubts is None or other.doubts is None or not np.isfinite(other.doubts - self.doubts).all():
            return 0.0, 0.0
        return _mean_in_errors((other.doubts - self.doubts) / self.scale.doubts)


def _mean_in_errors(paired: Floats) -> tuple[float, float]:
    error, mean = paired.std(ddof=1) / np.sqrt(len(paired)), float(paired.mean())
    return mean, mean / error if error > 0 else np.inf * np.sign(mean) if mean else 0.0
