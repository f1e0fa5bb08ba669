"""What a diagnosis looks at, so that it leaves the test rows alone where it can."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..estimators.tabular import TabularClassifier, TabularRegressor
from .part import Absent, Part

__all__ = ["Examined", "examined_of", "is_of_fit"]

FEWEST_HELD_OUT = 40
"""Rows of a member that tell more than chance does."""
FEW = 20
"""Rows that a network is asked for once more."""


@dataclass(frozen=True, eq=False)
class Examined:
    """An estimator, rows that it learnt from, and rows that it did not.

    Attributes
    ----------
    estimator
    learnt, apart : Part
    words : str
        Which rows those apart are.
    what : str
        Which estimator it is.
    """

    estimator: Any
    learnt: Part
    apart: Part
    words: str
    what: str = "this model"


def examined_of(estimator: Any, learnt: Part, validation: Part | None, test: Part | None) -> Examined:
    """The estimator by validation rows; else one of its networks by the rows that it held out; else by test rows.

    Raises
    ------
    Absent
        If there are no rows but those that were learnt from.
    """
    if validation is not None and validation.name == "validation":
        return Examined(estimator, learnt, validation, "validation rows")
    member = _member(estimator, learnt)
    if member is not None:
        return member
    if test is not None:
        return Examined(estimator, learnt, test, "test rows")
    raise Absent("a diagnosis needs rows that were not learnt from: give validation=(X, y)")


def is_of_fit(estimator: TabularClassifier | TabularRegressor, learnt: Part) -> bool:
    """Whether these are the rows of ``fit``: the first network says of some that it held out what it said then."""
    known = np.asarray(estimator.known_rows_)
    if not np.isin(known, learnt.rows).all():
        return False
    alone = _first(estimator)
    rows, then = (found[:FEW] for found in alone.held_out_predictions())
    if not len(rows):
        return False
    asked = learnt.at(np.searchsorted(learnt.rows, rows)).X
    now = alone.predict_proba(asked) if isinstance(alone, TabularClassifier) else alone.predict(asked)
    return bool(np.allclose(now, then, rtol=1e-3, atol=1e-3 * np.abs(then).max()))


def _first(estimator: Any) -> Any:
    alone = copy.copy(estimator)
    alone.members_ = estimator.members_[:1]
    return alone


def _member(estimator: Any, learnt: Part) -> Examined | None:
    """The first network of several alone: which rows it has not learnt from is known."""
    if not isinstance(estimator, TabularClassifier | TabularRegressor):
        return None
    held = np.asarray(estimator.members_[0].held_out)
    if len(held) < FEWEST_HELD_OUT or not is_of_fit(estimator, learnt):
        return None
    known = np.asarray(estimator.known_rows_)
    kept = np.delete(known, held)
    parts = [learnt.at(np.searchsorted(learnt.rows, rows)) for rows in (kept, known[held])]
    several = len(estimator.members_) > 1
    words = f"rows that {'the first of the networks' if several else 'the network'} held out to stop by"
    return Examined(_first(estimator), parts[0], parts[1], words, "one of its networks" if several else "this model")
