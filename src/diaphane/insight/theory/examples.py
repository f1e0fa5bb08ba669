"""Labelled examples as the theorems take them: signs −1 and +1, and the augmented space x̃ = (x, 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["AugmentedExamples", "as_rows", "as_the_model_knows_them", "augment", "two_classes"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AugmentedExamples:
    """yᵢ·x̃ᵢ, divided by a power of two: a hyperplane separates the classes where all are on one side of it.

    Attributes
    ----------
    rows : float64 array of shape (n, d + 1)
        yᵢ·x̃ᵢ / scale, of length at most 1.
    scale : float
        A power of two, so that dividing by it rounds nothing and rows of 10³⁰⁰ have products that are finite.
    radius : float
        R = maxᵢ ‖x̃ᵢ‖, not divided.
    classes : array of shape (2,)
        What −1 and +1 stand for.
    exact : bool
        Whether dividing rounded nothing: subnormal features may have been.
    """

    rows: Floats
    scale: float
    radius: float
    classes: NDArray[Any]
    exact: bool


def augment(X: ArrayLike, y: ArrayLike, *, unit_norm: bool = False) -> AugmentedExamples:
    """The examples in the augmented space, the sign of each multiplied in.

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n,)
        Any two values; the greater is +1.
    unit_norm : bool
        Divide each x̃ᵢ by its length. It is x̃, not x, that is normalised: opposite classes on one ray from the
        origin would fall together otherwise.

    Returns
    -------
    AugmentedExamples

    Raises
    ------
    ValueError
        As `as_rows` and `two_classes`.

    Examples
    --------
    >>> augment([[3.0], [1.0]], ["yes", "no"]).rows * 4
    array([[ 3.,  1.],
           [-1., -1.]])
    """
    features = as_rows(X)
    signs, classes = two_classes(y, len(features))
    rows = np.column_stack([features, np.ones(len(features))])
    if unit_norm:
        # In two steps: squares of 10³⁰⁰ overflow.
        rows /= np.abs(rows).max(axis=1, keepdims=True)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    largest = float(np.abs(rows).max())
    radius = largest * float(np.linalg.norm(rows / largest, axis=1).max())
    if not np.isfinite(radius):
        raise ValueError(f"the longest row of X has a length beyond {np.finfo(np.float64).max:.0e}; scale the features")
    scale = float(np.ldexp(1.0, int(np.frexp(radius)[1]))) if radius < 2.0**1023 else 2.0**1023
    divided = rows / scale
    exact = bool(np.array_equal(divided * scale, rows))
    return AugmentedExamples(divided * signs[:, np.newaxis], scale, radius, classes, exact)


def as_rows(X: ArrayLike, n_features: int | None = None) -> Floats:
    """The examples as a float64 matrix, one a row.

    Raises
    ------
    ValueError
        For anything but a matrix of finite numbers with at least one row, or another number of columns than asked.
    TypeError
        For a sparse matrix.

    Examples
    --------
    >>> as_rows([1, 2, 3])
    Traceback (most recent call last):
        ...
    ValueError: X has shape (3,); expected a matrix, one example a row: X.reshape(-1, 1) for one feature
    """
    if hasattr(X, "toarray"):
        raise TypeError(f"X is a sparse {type(X).__name__}; expected a dense matrix: give X.toarray()")
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2:
        advice = ": X.reshape(-1, 1) for one feature" if rows.ndim == 1 else ""
        raise ValueError(f"X has shape {rows.shape}; expected a matrix, one example a row{advice}")
    if 0 in rows.shape:
        raise ValueError(f"X has shape {rows.shape}; expected at least one row and one column")
    if n_features is not None and rows.shape[1] != n_features:
        raise ValueError(f"X has {rows.shape[1]} columns; expected {n_features}")
    if not np.isfinite(rows).all():
        row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise ValueError(f"X holds NaN or infinity in row {row}; expected finite numbers: drop or impute such rows")
    return rows


def as_the_model_knows_them(model: Any, X: Any, rows: Floats) -> Any:
    """What to ask a model with: X where it is a frame, and rows with names where the model was fitted on names.

    scikit-learn warns where names are missing that were there at the fit, and where there are some that were not.

    Parameters
    ----------
    model : estimator
    X : array or frame
        What was given, of which ``rows`` are the numbers; or the rows themselves.
    rows : array of shape (n, d)
    """
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return rows
    if hasattr(X, "columns"):
        return X
    if len(names) != rows.shape[1]:
        return rows
    try:
        import pandas as pd
    except ImportError:
        return rows
    return pd.DataFrame(rows, columns=names)


def two_classes(y: ArrayLike, n_rows: int) -> tuple[Floats, NDArray[Any]]:
    """The labels as −1 and +1, and the two values they stand for.

    Raises
    ------
    ValueError
        Unless there is one label a row, of exactly two values.

    Examples
    --------
    >>> signs, classes = two_classes(["b", "a", "b"], 3)
    >>> signs.tolist(), classes.tolist()
    ([1.0, -1.0, 1.0], ['a', 'b'])
    """
    labels = np.asarray(y)
    if labels.shape != (n_rows,):
        raise ValueError(f"y has shape {labels.shape}; expected ({n_rows},), one label a row of X")
    classes, place = np.unique(labels, return_inverse=True)
    if len(classes) != 2:
        found = ", ".join(repr(value) for value in classes[:5].tolist()) + (", …" if len(classes) > 5 else "")
        advice = "examples of another class" if len(classes) == 1 else "two classes: compare one with the rest"
        count = "1 value" if len(classes) == 1 else f"{len(classes)} values"
        raise ValueError(f"y has {count} ({found}); expected {advice}")
    return np.where(place == 1, 1.0, -1.0), classes
