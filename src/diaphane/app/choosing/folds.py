"""The folds of a cross-validation over the rows of a table."""

from __future__ import annotations

import numpy as np

from ...data import Target
from ...graph.node import Array
from ..errors import UserError
from ..parts import Part

__all__ = ["folds_of", "refuse_small_classes"]


def folds_of(target: Target, rows: Part, folds: int, seed: int) -> list[tuple[Array, Array]]:
    """Of each fold the rows to learn from and those to judge by; each has its share of each class."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if target.labels else KFold
    return list(kind(folds, shuffle=True, random_state=seed).split(np.zeros(len(rows)), rows.y))


def refuse_small_classes(target: Target, y: Array, folds: int) -> None:
    """Raise where a fold would lack rows, or a class.

    Raises
    ------
    UserError
    """
    if len(y) < folds:
        raise UserError(f"--folds {folds} needs as many rows, and there are {len(y)}; take fewer folds")
    if not target.labels:
        return
    counts = np.bincount(y, minlength=len(target.labels))
    least = int(counts.argmin())
    if counts[least] < folds:
        fewer = f"take --folds {counts[least]} at most, " if counts[least] > 1 else ""
        raise UserError(
            f"the class {target.labels[least]!r} has {counts[least]} of the {len(y)} rows, fewer than the {folds} "
            f"folds, so that some would lack it: {fewer}give it more rows, or leave them out"
        )
