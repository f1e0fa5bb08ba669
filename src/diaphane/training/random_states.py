"""The state of a generator of random numbers, of any kind: read, and set again."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["draw_seed", "kind_of_random", "random_generator", "random_state_of", "set_random_state"]


def random_state_of(rng: Any) -> dict[str, Any]:
    """All that the next draws depend on.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = random_state_of(rng)
    >>> first = rng.normal()
    >>> set_random_state(rng, before)
    >>> rng.normal() == first
    True
    """
    if isinstance(rng, np.random.Generator):
        return dict(rng.bit_generator.state)
    if hasattr(rng, "get_state"):
        return dict(rng.get_state(legacy=False))
    raise TypeError(
        f"random_state is a {type(rng).__name__}, whose state cannot be kept in a checkpoint; "
        "give a whole number, or a Generator or RandomState of NumPy's"
    )


def set_random_state(rng: Any, state: dict[str, Any]) -> None:
    """Have it draw what came after :func:`random_state_of`."""
    if isinstance(rng, np.random.Generator):
        rng.bit_generator.state = state
    else:
        rng.set_state(state)


def kind_of_random(random_state: Any) -> Any:
    """What must be the same for a run to go on: the seed itself, or which kind of generator was given.

    Examples
    --------
    >>> kind_of_random(5), kind_of_random(np.random.default_rng(5))
    (5, 'Generator of PCG64')
    """
    if random_state is None or (isinstance(random_state, int | np.integer) and not isinstance(random_state, bool)):
        return None if random_state is None else int(random_state)
    if isinstance(random_state, np.random.Generator):
        return f"Generator of {type(random_state.bit_generator).__name__}"
    if hasattr(random_state, "get_state"):
        return f"RandomState of {random_state.get_state(legacy=False)['bit_generator']}"
    return f"seeds {random_state!r:.200}"


def random_generator(random_state: Any) -> Any:
    """A generator as it is; a new one of a seed."""
    if hasattr(random_state, "permutation"):
        return random_state
    return np.random.default_rng(random_state)


def draw_seed(rng: Any) -> int:
    """A seed for what draws its own numbers."""
    draw = rng.integers if hasattr(rng, "integers") else rng.randint
    return int(draw(0, 2**31 - 1))
