"""What variables hold: values that go into a program and come out of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import FeedError, Node
from ..graph.evaluation import checked_feed
from ..graph.leaves import initial_value
from ..graph.node import Array

__all__ = ["State", "all_finite", "as_state", "initial_state"]


ONE_THREAD = 8192
"""Elements that BLAS adds up on one thread. Of more, its threads would wait for each other on a busy machine."""


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

    def after(self, variables: Sequence[Node], values: Sequence[Array]) -> State:
        """The same state but for what a program computed of it, which needs no check."""
        state = State.__new__(State)
        state._values = {**self._values, **dict(zip(variables, values, strict=True))}
        return state

    def values_of(self, variables: Sequence[Node]) -> list[Array]:
        """The values of these variables, each checked to fit."""
        return [checked_feed(node, self[node]) for node in variables]

    @property
    def is_finite(self) -> bool:
        """Whether no value is NaN or infinite."""
        return all_finite(*self._values.values())

    def __repr__(self) -> str:
        return f"State({', '.join(f'{v.label()} {a.shape}' for v, a in self._values.items())})"


@np.errstate(all="ignore")
def all_finite(*arrays: Array) -> bool:
    """Whether no element is NaN or infinite.

    Where one is, the sum of squares is not finite: of few elements that is known in a third of the time that a look
    at each takes. Only where it overflows are they looked at all the same.

    Examples
    --------
    >>> all_finite(np.array([1e200, 0.0])), all_finite(np.array(1.0), np.array([[1.0], [np.inf]]))
    (True, False)
    """
    for array in arrays:
        if array.dtype.kind == "f":
            if array.size <= ONE_THREAD:
                flat = array.ravel(order="K")
                if math.isfinite(flat.dot(flat)):
                    continue
            if not np.isfinite(array).all():
                return False
    return True


def as_state(values: Mapping[Node, Array]) -> State:
    """A state as it is, any other mapping as one."""
    return values if isinstance(values, State) else State(values)


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
