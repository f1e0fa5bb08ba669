"""A space of candidates: lists, ranges and distributions by parameter; its grid, and draws from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from ...data.errors import closest, listed

__all__ = ["Space", "check_space", "draw", "grid_of", "is_list", "label", "size_of"]

Space = list[dict[str, Any]]
"""A union of spaces, each with the values of every parameter: a list, or a distribution with ``rvs``."""

LONGEST_LABEL = 160


def check_space(space: Any, estimator: Any) -> Space:
    """A space in its plain form.

    Parameters
    ----------
    space : mapping, or sequence of mappings
        From a parameter's name to its values: a list, tuple, array or range, or a frozen distribution of SciPy's.
    estimator : estimator
        Whose parameters they are.

    Raises
    ------
    TypeError
        If it, or a parameter's values, are of another kind.
    ValueError
        If there is nothing in it, or a name that the estimator lacks; the nearest one is named.

    Examples
    --------
    >>> from diaphane.estimators import MLPClassifier
    >>> check_space({"alpha": (0.1, 0.2), "max_iter": range(1, 4)}, MLPClassifier())
    [{'alpha': [0.1, 0.2], 'max_iter': [1, 2, 3]}]
    >>> check_space({"alhpa": [0.1]}, MLPClassifier())
    Traceback (most recent call last):
    ...
    ValueError: MLPClassifier has no parameter 'alhpa'. Did you mean 'alpha'?
    """
    if not isinstance(space, Mapping | Sequence) or isinstance(space, str):
        raise TypeError(f"space must map names of parameters to their values, or be a list of such, got {space!r:.80}")
    parts = [space] if isinstance(space, Mapping) else list(space)
    for part in parts:
        if not isinstance(part, Mapping):
            raise TypeError(f"each part of the space must map names of parameters to values, got {part!r:.80}")
    if not parts or not all(parts):
        raise ValueError('the space is empty: give parameters with their values, such as {"alpha": [1e-4, 1e-2]}')
    known = estimator.get_params(deep=True)
    found = [{name: _values(name, values) for name, values in part.items()} for part in parts]
    for part in found:
        for name in part:
            _check_name(name, known, part, estimator)
    return found


def _check_name(name: Any, known: Mapping[str, Any], part: Mapping[str, Any], estimator: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the space's keys are names of parameters, got {name!r:.80}")
    owners = [name[:i] for i in range(len(name)) if name.startswith("__", i)]
    # What an estimator that is itself searched for has, shows only when it is there.
    if name in known or any(owner in part for owner in owners):
        return
    near = closest(name, known)
    choices = "" if near else f"; it has {listed(sorted(known))}"
    raise ValueError(f"{type(estimator).__name__} has no parameter {name!r}{near and '.'}{near}{choices}")


def _values(name: Any, values: Any) -> Any:
    if hasattr(values, "rvs"):
        return values
    if isinstance(values, np.ndarray) and values.ndim > 1:
        raise ValueError(f"the values of {name} must be in one row, got an array of shape {values.shape}")
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray | range):
        raise TypeError(
            f"the values of {name} must be a list, a range or a distribution such as scipy.stats.loguniform(1e-5, 1), "
            f"got {values!r:.80}"
        )
    if len(values) == 0:
        raise ValueError(f"the space is empty: {name} has no values")
    return list(values)


def is_list(space: Space) -> bool:
    """Whether all values are listed, so that there is a grid."""
    return all(isinstance(values, list) for part in space for values in part.values())


def size_of(space: Space) -> int:
    """How many candidates the grid has."""
    return sum(int(np.prod([len(values) for values in part.values()])) for part in space)


def grid_of(space: Space) -> list[dict[str, Any]]:
    """Every combination, as scikit-learn orders them.

    Raises
    ------
    ValueError
        If there is a distribution in it.
    """
    for part in space:
        for name, values in part.items():
            if not isinstance(values, list):
                raise ValueError(
                    f"strategy='grid' takes lists, and {name} has a distribution: give a list, or strategy='random'"
                )
    return list(ParameterGrid(space))


def draw(space: Space, count: int, random_state: Any) -> list[dict[str, Any]]:
    """So many candidates at random, those that scikit-learn's ``RandomizedSearchCV`` draws; of lists none twice."""
    if is_list(space):
        count = min(count, size_of(space))
    return list(ParameterSampler(space, count, random_state=random_state))


def label(params: Mapping[str, Any]) -> str:
    """A candidate in a few words.

    Examples
    --------
    >>> label({"alpha": np.float64(0.1), "solver": "adam"})
    "alpha=0.1, solver='adam'"
    """
    plain = {name: v.item() if isinstance(v, np.generic) else v for name, v in params.items()}
    text = ", ".join(f"{name}={' '.join(repr(value).split())}" for name, value in plain.items())
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
