"""One source of random numbers from whatever the caller holds."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from diaphane.data.errors import DataError

__all__ = ["RandomState", "as_random_state"]

RandomState: TypeAlias = int | np.random.RandomState | np.random.Generator | None


def as_random_state(random_state: RandomState) -> np.random.RandomState:
    """Return a ``RandomState``, the one type that every scikit-learn function accepts.

    An integer gives the same stream every time, ``None`` a fresh one; a ``RandomState`` is passed through and
    a ``Generator`` seeds a new one (and so moves on).

    Examples
    --------
    >>> int(as_random_state(0).randint(100)), int(as_random_state(0).randint(100))
    (44, 44)
    """
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(int(random_state.integers(2**32)))
    if random_state is None:
        return np.random.RandomState()
    if _is_seed(random_state):
        return np.random.RandomState(int(random_state))
    raise DataError(
        f"random_state is {random_state!r}; expected None, an integer from 0 to 2**32 - 1, "
        "a numpy RandomState or a Generator"
    )


def _is_seed(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < 2**32
