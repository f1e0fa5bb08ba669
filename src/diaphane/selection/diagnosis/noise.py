"""Targets that look wrong: those that models which never saw them contradict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.pipeline import make_pipeline

from .baselines import ROBUST, robust_baselines, seen_by
from .folds import held_out, of_frequent_classes
from .rows import MOST_COLUMNS, Rows

__all__ = ["Noise", "find_noise"]

Floats = NDArray[np.float64]
COARSE = 0.5
"""Values a row, below which targets repeat."""


@dataclass(frozen=True)
class Noise:
    """Targets that models which never saw them contradict.

    Attributes
    ----------
    share : float
        Classes: wrong answers among the surer half. Numbers: targets that are out by more than five robust deviations.
    surest : float
        Classes: wrong answers among the surest quarter. Numbers: as ``share``.
    overall : float
        Classes: wrong answers among all rows. Numbers: as ``share``.
    skill : float
        Of all rows; of numbers without the targets that are out.
    count : int
        Rows looked at for ``share``.
    crowded : float
        Rows a column: where they are few, what is sure is so by chance.
    by : str
        The baseline that was asked.
    rows : int array
        The most suspect ones of X as it was given, worst first.
    """

    share: float
    surest: float
    overall: float
    skill: float
    count: int
    crowded: float
    by: str
    rows: NDArray[np.intp]


def find_noise(rows: Rows, classes: bool, seed: int) -> Noise | None:
    """What the best of the baselines, all cross-validated, contradicts most surely.

    Classes of a row or two are left out.
    """
    if classes:
        rows = rows.take(of_frequent_classes(rows.target))
        if len(np.unique(rows.target)) < 2:
            return None
    asked = robust_baselines(rows, classes, seed)
    if not classes and len(np.unique(rows.target)) < COARSE * len(rows):
        # A median hits coarse targets exactly, and whatever it does not hit would be far from it.
        del asked[ROBUST]
    look = _of_classes if classes else _of_numbers
    found = [look(rows, name, model, seed) for name, model in asked.items()]
    return min(found, key=lambda pair: pair[0])[1]


def _of_classes(rows: Rows, by: str, model: Any, seed: int) -> tuple[float, Noise]:
    """The share of wrong answers, and where they are."""
    names = np.unique(rows.target)
    chances = held_out(
        _nearest(model, by, rows, f_classif), seen_by(by, rows), rows.target, True, seed, "predict_proba"
    )
    wrong = names[chances.argmax(axis=1)] != rows.target
    order = np.argsort(-chances.max(axis=1), kind="stable")
    half, quarter = (order[: max(1, len(rows) // share)] for share in (2, 4))
    constant = 1 - np.unique(rows.target, return_counts=True)[1].max() / len(rows)
    shares = [float(wrong[which].mean()) for which in (half, quarter, order)]
    return shares[2], Noise(
        share=shares[0],
        surest=shares[1],
        overall=shares[2],
        skill=float(1 - shares[2] / constant),
        count=len(half),
        crowded=len(rows) / rows.codes.shape[1],
        by=by,
        rows=rows.places[half[wrong[half]]],
    )


def _of_numbers(rows: Rows, by: str, model: Any, seed: int) -> tuple[float, Noise]:
    """The median absolute residual, to which outliers are nothing, and what is out."""
    target = rows.target
    predicted = held_out(_nearest(model, by, rows, f_regression), seen_by(by, rows), target, False, seed)
    residuals = target - predicted
    centred, spread = _centred_and_spread(residuals, predicted)
    out = centred > WIDE * spread
    if target.min() > 0:
        # What grows by factors has a long tail of sound values, which its logarithm has not.
        least = target.min()
        logs = np.log(np.maximum(predicted, least))
        far, width = _centred_and_spread(np.log(target) - logs, logs)
        out &= far > WIDE * width
    rest, suspects = ~out, np.flatnonzero(out)
    share = float(out.mean())
    return float(np.median(np.abs(residuals))), Noise(
        share=share,
        surest=share,
        overall=share,
        skill=float(1 - np.mean(residuals[rest] ** 2) / target[rest].var()) if np.ptp(target[rest]) else 0.0,
        count=len(target),
        crowded=len(rows) / rows.codes.shape[1],
        by=by,
        rows=rows.places[suspects[np.argsort(-(centred / np.maximum(spread, TINY))[suspects])]],
    )


WIDE = 5.0
"""Robust standard deviations: of normal residuals one in two million is beyond."""
MAD = 1.4826
"""The standard deviation of a normal law by its median absolute deviation."""
TINY = 1e-300
NEIGHBOURHOODS = 3
"""Low, middle and high predictions: what is dear is foretold less exactly than what is cheap, and not wrong for it."""


def _nearest(model: Any, by: str, rows: Rows, score: Any) -> Any:
    """A model that sees, of very many columns, those that are nearest to the targets it learns from."""
    if seen_by(by, rows).shape[1] <= MOST_COLUMNS:
        return model
    return make_pipeline(SelectKBest(score, k=MOST_COLUMNS), model)


def _centred_and_spread(residuals: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    centred = np.abs(residuals - np.median(residuals))
    return centred, MAD * np.maximum(np.median(centred), _local_medians(centred, predicted))


def _local_medians(centred: Floats, predicted: Floats) -> Floats:
    found = np.empty(len(centred))
    for places in np.array_split(np.argsort(predicted, kind="stable"), NEIGHBOURHOODS):
        found[places] = np.median(centred[places])
    return found
