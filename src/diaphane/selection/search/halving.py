"""Successive halving: all candidates a little, the better ones more (Jamieson & Talwalkar 2016; Li et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import resample

from ...graph.node import Array

__all__ = ["Rung", "epochs_parameters", "rungs_for", "smallest_sample", "strongest", "subsampled"]


@dataclass(frozen=True)
class Rung:
    """So many candidates with so much of the resource, counted from the beginning."""

    candidates: int
    resource: int


def rungs_for(candidates: int, least: int, most: int, factor: float) -> list[Rung]:
    """The rungs of a search.

    With η the factor and s + 1 rungs, rung i has ⌈n/ηⁱ⌉ candidates and ⌊R/ηˢ⁻ⁱ⌋ of the resource, R being the most:
    as many rungs as leave fewer than η candidates at the last, or as give the first at least ``least``.

    Parameters
    ----------
    candidates : int
    least, most : int
        Of the resource, for the first rung and the last.
    factor : float
        η > 1.

    Raises
    ------
    ValueError
        If the least is more than the most.

    Examples
    --------
    >>> [(r.candidates, r.resource) for r in rungs_for(27, 1, 27, 3)]
    [(27, 1), (9, 3), (3, 9), (1, 27)]
    >>> [(r.candidates, r.resource) for r in rungs_for(100, 1, 10, 3)]
    [(100, 1), (34, 3), (12, 10)]
    """
    if least > most:
        raise ValueError(f"the first rung needs {least} and there are {most}")
    wanted = 1 + _floor_log(candidates, factor)
    possible = 1 + _floor_log(most / least, factor)
    last = min(wanted, possible) - 1
    rungs, left = [], candidates
    for i in range(last + 1):
        rungs.append(Rung(left, max(least, int(most / factor ** (last - i)))))
        left = math.ceil(left / factor)
    return rungs


def _floor_log(value: float, base: float) -> int:
    """⌊log value⌋, a power of the base being one for all that it is rounded."""
    return math.floor(math.log(value, base) + 1e-9)


def strongest(scores: Array, count: int) -> list[int]:
    """The places of the best scores, the best first; of equal ones the first, NaN last.

    Examples
    --------
    >>> strongest(np.array([0.5, np.nan, 0.9, 0.5]), 2)
    [2, 0]
    """
    return [int(k) for k in np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")[:count]]


def epochs_parameters(estimator: Any) -> tuple[str, str]:
    """The names of the parameters that limit the epochs and that take a bookmark.

    Raises
    ------
    TypeError
        If there are none, or more than one network's.
    """
    known = estimator.get_params(deep=True)
    found = [name for name in known if name.rpartition("__")[2] == "max_iter"]
    pairs = [(name, name.removesuffix("max_iter") + "checkpoint") for name in found]
    pairs = [pair for pair in pairs if pair[1] in known]
    if len(pairs) != 1:
        what = "no network that learns by epochs" if not pairs else f"several: {', '.join(p[0] for p in pairs)}"
        raise TypeError(
            f"halving by epochs goes on with one network, such as MLPClassifier, alone or in a pipeline; "
            f"{type(estimator).__name__} has {what}: take resource='n_samples'"
        )
    return pairs[0]


def smallest_sample(estimator: Any, y: Any, n_splits: int) -> int:
    """The rows of a first rung by default, scikit-learn's: two for each fold, times the classes."""
    classes = len(np.unique(np.asarray(y))) if is_classifier(estimator) else 1
    return 2 * n_splits * classes


def subsampled(splits: Sequence[tuple[Array, Array]], share: float, random_state: Any) -> list[tuple[Array, Array]]:
    """A share of each fold's rows, to train on and to score: those that scikit-learn takes."""
    return [
        tuple(resample(rows, replace=False, random_state=random_state, n_samples=int(share * len(rows))) for rows in s)
        for s in splits
    ]
