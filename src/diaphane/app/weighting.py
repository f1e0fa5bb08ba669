"""How much a row of each class counts: ``--class-weight``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..data import Target
from ..data.errors import closest, listed
from ..graph.node import Array
from .errors import UserError

__all__ = ["class_weights"]


def class_weights(asked: str | Mapping[str, float] | None, target: Target, learnt: Array) -> Array | None:
    """One weight for each label, or None where all rows count alike.

    ``"balanced"`` is w_k = n / (K·n_k) over the rows to learn from, as in scikit-learn: every class counts as much as
    any other. A class that is not named weighs 1.

    Parameters
    ----------
    asked : "balanced", mapping of label to weight, or None
    target : Target
    learnt : array, shape (n,)
        Places among the target's labels, of the rows to learn from.

    Raises
    ------
    UserError
        If the target is a number, a label is none of its classes, or no row would count.
    """
    if asked is None:
        return None
    if not target.labels:
        raise UserError(f"--class-weight is for classes, and the target {target.name!r} is a number; leave it out")
    counts = np.bincount(learnt, minlength=len(target.labels))
    if isinstance(asked, str):
        present = counts > 0
        # A class of which no row is learnt from has validation rows at most.
        return np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 1.0)
    labels = [str(label) for label in target.labels]
    strange = [label for label in asked if label not in labels]
    if strange:
        raise UserError(
            f"--class-weight: there is no class {strange[0]!r}; the classes are {listed(labels, 10)}."
            f"{closest(strange[0], labels)}"
        )
    weights = np.array([asked.get(label, 1.0) for label in labels])
    if not weights[counts > 0].any():
        raise UserError("--class-weight: all rows to learn from have weight 0; give one class at least a greater one")
    return weights
