"""Sets that are there without a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diaphane.data import generators
from diaphane.data.errors import DataError, closest
from diaphane.data.randomness import RandomState
from diaphane.data.table import Table

__all__ = ["BUILT_IN", "is_built_in", "load"]


def load(name: str, *, random_state: RandomState = 0) -> Table:
    """Return a built-in set; its target is the last column.

    Parameters
    ----------
    name : str
        ``digits``, ``iris``, ``wine``, ``breast_cancer``, ``diabetes`` (real data, by way of
        scikit-learn), or ``xor``, ``moons``, ``circles``, ``spirals``, ``gaussians`` (drawn by
        `diaphane.data.generators`).
    random_state : None, int, RandomState or Generator
        Which points are drawn; without effect on real data.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If there is no such set.

    Examples
    --------
    >>> table = load("iris")
    >>> table.n_rows, table.names[-1], sorted(set(table["species"]))
    (150, 'species', ['setosa', 'versicolor', 'virginica'])
    >>> load("irs")
    Traceback (most recent call last):
        ...
    diaphane.data.errors.DataError: there is no built-in set 'irs'; there are digits, iris, wine, \
breast_cancer, diabetes, xor, moons, circles, spirals, gaussians. Did you mean 'iris'?
    """
    if name in _REAL:
        return _from_sklearn(name)
    if name in _DRAWN:
        X, y = _DRAWN[name](random_state=random_state)
        return Table.from_matrix(X, [f"x{i + 1}" for i in range(X.shape[1])]).with_column("class", y)
    raise DataError(
        f"there is no built-in set {name!r}; there are {', '.join(BUILT_IN)}.{closest(str(name), BUILT_IN)}"
    )


def is_built_in(name: str) -> bool:
    """Tell whether `load` knows this name.

    Examples
    --------
    >>> is_built_in("digits"), is_built_in("digits.csv")
    (True, False)
    """
    return name in BUILT_IN


# What the target of each is called.
_REAL = {
    "digits": "digit",
    "iris": "species",
    "wine": "cultivar",
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
}
_DRAWN: dict[str, Callable[..., generators.Points]] = {
    "xor": generators.xor,
    "moons": generators.moons,
    "circles": generators.circles,
    "spirals": generators.spirals,
    "gaussians": generators.gaussians,
}
BUILT_IN = (*_REAL, *_DRAWN)


def _from_sklearn(name: str) -> Table:
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name}")()
    labels = np.asarray(getattr(bunch, "target_names", ()))
    # Words for the classes where they are words; the digits' names are numbers anyway.
    target = labels[bunch.target].astype(object) if labels.dtype.kind == "U" else bunch.target
    names = [str(feature) for feature in bunch.feature_names]
    return Table.from_matrix(bunch.data, names).with_column(_REAL[name], target)
