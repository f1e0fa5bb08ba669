"""What variables hold: values that go into a program and come out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..graph import FeedError, Node
from ..graph.evaluation import checked_feed
from ..graph.leaves import initial_value
from ..graph.node import Array

__all__ = ["State", "initial_state"]


class State(Mapping[Node, Array]):
    """Variable → array; never changed in place, so that two fits on one graph never meet.

    Parameters
    ----------
    values : mapping of Node to ndarray

    Examples
    --------
    >>> import diaphane as dia
    >>> w = dia.variable([1.0, 2.0], "w")
    >>> state = dia.initial_state([w])
    >>> state[w], state.replace({w: [0, 0]})[w]
    (array([1., 2.]), array([0., 0.]))
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[Node, Array]) -> None:
        self._values = {node: np.asarray(value) for node, value in values.items()}

    def __getitem__(self, key: Node) -> Array:
        try:
            return self._values[key]
        except KeyError:
            known = ", ".join(v.label() for v in self._values) or "none"
            raise FeedError(f"this state holds no {getattr(key, 'name', key)!r}; it holds: {known}") from None

    def get(self, key: Node, default: Any = None) -> Any:
        """The value of a variable, or the default where there is none."""
        return self._values.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[Node]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def replace(self, changes: Mapping[Node, Any]) -> State:
        """The same state but for these values, which must fit their variables."""
        return State({**self._values, **{node: checked_feed(node, value) for node, value in changes.items()}})

    @property
    def is_finite(self) -> bool:
        """Whether no value is NaN or infinite."""
        return all(bool(np.isfinite(value).all()) for value in self._values.values())

    def __repr__(self) -> str:
        return f"State({', '.join(f'{v.label()} {a.shape}' for v, a in self._values.items())})"


def initial_state(variables: Iterable[Node], rng: Any = None) -> State:
    """Every variable at its first value.

    Parameters
    ----------
    variables : iterable of Node
    rng : numpy Generator or RandomState, optional
        What initialisers draw from, in the variables' order; a Generator seeded with 0 by default.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    return State({node: np.array(initial_value(node, rng)) for node in variables})
