"""What learns inside pipelines, searches and wrappers, and the rows as it is given them."""

from __future__ import annotations

from typing import Any

from .part import Absent

__all__ = ["network_step", "rows_inside"]

WRAPPED = ("best_estimator_", "estimator_", "regressor_")
"""Where a search, a calibration or a threshold, and a transformed target have what they fitted."""


def network_step(estimator: Any) -> Any:
    """The estimator itself, or the innermost that it hands its rows to.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> network_step(make_pipeline(StandardScaler(), Ridge()))
    Ridge()
    """
    return _path(estimator)[-1]


def rows_inside(estimator: Any, X: Any) -> Any:
    """Rows as the innermost estimator sees them.

    Raises
    ------
    Absent
        If it learnt other targets than those given.
    """
    for outer in _path(estimator)[:-1]:
        if hasattr(outer, "regressor_"):
            raise Absent(f"{type(outer).__name__} transforms the target: gradients are of other numbers")
        if getattr(outer, "steps", None) and len(outer.steps) > 1:
            X = outer[:-1].transform(X)
    return X


def _path(estimator: Any) -> list[Any]:
    """From the outermost to the innermost."""
    path = [estimator]
    while (inner := _inner(path[-1])) is not None:
        path.append(inner)
    return path


def _inner(seen: Any) -> Any:
    if steps := getattr(seen, "steps", None):
        return steps[-1][1]
    if hasattr(seen, "estimators_"):
        # A forest's estimator_ is what its trees are copies of.
        return None
    return next((getattr(seen, name) for name in WRAPPED if hasattr(seen, name)), None)
