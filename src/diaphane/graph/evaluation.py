"""Computing nodes: the order, the slots, and a walk over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, overload

import numpy as np

from .backend import NumpyBackend
from .errors import DTypeError, FeedError, ShapeError
from .formula import describe
from .leaves import Placeholder, Variable, initial_value
from .node import Array, DType, Node, ancestors
from .sizes import Extent, Size, bind, show

__all__ = ["Plan", "bind_sizes", "check_kind", "check_shape", "checked_feed", "evaluate"]


class Plan:
    """Nodes in the order in which they are computed.

    Each node has a slot; a slot is emptied after its last use. A plan holds no run's values, so that
    one serves several threads.

    Attributes
    ----------
    given : list of Node
        What must be supplied, in this order: variables, placeholders and whatever was named so.
    nodes : list of Node
        What is computed, in order.
    outputs : list of Node
    """

    def __init__(self, outputs: Sequence[Node], given: Iterable[Node] = ()) -> None:
        self.outputs = list(outputs)
        supplied = list(given)
        order = ancestors(self.outputs, stop=supplied)
        present = set(order)
        leaves = {n for n in order if not n.inputs and isinstance(n.op, Variable | Placeholder)}
        self.given = [n for n in supplied if n in present]
        self.given += [n for n in order if n in leaves and n not in set(self.given)]
        stop = set(self.given)
        self.nodes = [n for n in order if n not in stop]
        self._slots = {node: i for i, node in enumerate([*self.given, *self.nodes])}
        self._steps = self._plan_steps()

    def _plan_steps(self) -> list[tuple[Callable[..., Any], list[int], int, list[int]]]:
        users: dict[Node, list[Node]] = {}
        last_use: dict[Node, int] = {}
        for i, node in enumerate(self.nodes):
            for value in node.inputs:
                users.setdefault(value, []).append(node)
                last_use[value] = i
        kept = set(self.outputs)
        dead: dict[int, list[int]] = {}
        for node, i in last_use.items():
            if node not in kept:
                dead.setdefault(i, []).append(self._slots[node])
        return [
            (
                node.op.specialise(users.get(node, ())),
                [self._slots[value] for value in node.inputs],
                self._slots[node],
                dead.get(i, []),
            )
            for i, node in enumerate(self.nodes)
        ]

    def run(self, backend: Any, values: Sequence[Any]) -> list[Any]:
        """The outputs' values; ``values`` are those of ``given``, in its order."""
        slots: list[Any] = [*values, *[None] * len(self.nodes)]
        slot = 0
        try:
            for compute, inputs, slot, dead in self._steps:
                slots[slot] = compute(backend, *[slots[i] for i in inputs])
                for i in dead:
                    slots[i] = None
        except Exception as error:
            error.add_note(f"while computing {describe(self.nodes[slot - len(self.given)])}")
            raise
        return [slots[self._slots[node]] for node in self.outputs]

    def trace(self, backend: Any, values: Sequence[Any]) -> Iterator[tuple[Node, Any]]:
        """Each computed node with its value, as it is computed; nothing is forgotten."""
        slots: list[Any] = [*values, *[None] * len(self.nodes)]
        for node, (compute, inputs, slot, _) in zip(self.nodes, self._steps, strict=True):
            slots[slot] = compute(backend, *[slots[i] for i in inputs])
            yield node, slots[slot]


@overload
def evaluate(
    nodes: Node, feeds: Mapping[Node | str, Any] | None = ..., *, seed: int = ..., step: int = ...
) -> Array: ...
@overload
def evaluate(
    nodes: Sequence[Node], feeds: Mapping[Node | str, Any] | None = ..., *, seed: int = ..., step: int = ...
) -> list[Array]: ...
def evaluate(
    nodes: Node | Sequence[Node], feeds: Mapping[Node | str, Any] | None = None, *, seed: int = 0, step: int = 0
) -> Array | list[Array]:
    """The values of nodes, computed once, without a program.

    Parameters
    ----------
    nodes : Node or sequence of Node
    feeds : mapping of node (or its name) to array, optional
        Values for placeholders, and for variables in place of their initial ones; any other node can be
        fed too, and is then not computed.
    seed, step : int
        What random nodes draw from.

    Returns
    -------
    ndarray or list of ndarray

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.placeholder((), "float64", "x")
    >>> float(dia.evaluate(x * x, {x: 3.0}))
    9.0
    """
    outputs = [nodes] if isinstance(nodes, Node) else list(nodes)
    fed = named_feeds(feeds or {}, ancestors(outputs))
    plan = Plan(outputs, fed)
    given = {node: checked_feed(node, value) for node, value in fed.items()}
    given.update({node: initial_value(node) for node in plan.given if node not in given})
    values = [given[node] for node in plan.given]
    backend = NumpyBackend(bind_sizes(list(given), list(given.values())), seed, step)
    with np.errstate(all="ignore"):
        results = [np.asarray(value) for value in plan.run(backend, values)]
    return results[0] if isinstance(nodes, Node) else results


def named_feeds(feeds: Mapping[Node | str, Any], known: Iterable[Node]) -> dict[Node, Any]:
    """Feeds by node, names looked up among the nodes that are known."""
    if all(isinstance(key, Node) for key in feeds):
        return dict(feeds)  # type: ignore[arg-type]
    names: dict[str, list[Node]] = {}
    for node in known:
        if node.name and not node.inputs:
            names.setdefault(node.name, []).append(node)
    result: dict[Node, Any] = {}
    for key, value in feeds.items():
        if isinstance(key, Node):
            result[key] = value
        elif len(names.get(key, ())) == 1:
            result[names[key][0]] = value
        elif key in names:
            raise FeedError(f"{len(names[key])} leaves are called {key!r}: feed the node itself")
        else:
            raise FeedError(
                f"there is no variable or placeholder {key!r}; there are: {', '.join(sorted(names)) or 'none'}"
            )
    return result


def checked_feed(node: Node, value: Any) -> Array:
    """The value as an array that the node can stand for, cast where that keeps its kind."""
    if type(value) is np.ndarray and value.shape == node.shape and value.dtype == node.dtype:
        return value
    array = np.asarray(value)
    check_shape(node, array.shape)
    if array.dtype == node.dtype:
        return array
    check_kind(node, array.dtype)
    cast = array.astype(node.dtype)
    if array.dtype.kind in "iu" and node.dtype.kind in "iu" and not np.array_equal(cast, array):
        raise DTypeError(f"{node.label()} is of dtype {node.dtype}, which does not hold all of the numbers given")
    return cast


def check_shape(node: Node, shape: tuple[int, ...]) -> None:
    """Raise where an array of this shape cannot stand for the node."""
    if len(shape) != node.ndim or any(isinstance(e, int) and e != g for e, g in zip(node.shape, shape, strict=True)):
        raise ShapeError(f"{node.label()} has shape {show(node.shape)}, got an array of shape {shape}")


def check_kind(node: Node, dtype: DType) -> None:
    """Raise where numbers of this dtype are not cast to the node's: a float to an integer, say."""
    order = "buif"
    if dtype.kind not in order or order.index(dtype.kind) > order.index(node.dtype.kind):
        raise DTypeError(f"{node.label()} is of dtype {node.dtype}, got {dtype}, which does not fit; convert it first")


def bind_sizes(nodes: Sequence[Node], values: Sequence[Any]) -> dict[str, int]:
    """What the named sizes are, given arrays for the nodes that carry them; raises where two disagree."""
    bindings: dict[str, int] = {}
    carrier: dict[str, Node] = {}
    derived: list[tuple[Node, Extent, int]] = []
    for node, value in zip(nodes, values, strict=True):
        if node.shape == value.shape:
            continue
        for extent, got in zip(node.shape, value.shape, strict=True):
            if not isinstance(extent, Size):
                continue
            name = _name_of(extent)
            if name is None:
                derived.append((node, extent, got))
            elif bindings.setdefault(name, got) != got:
                raise ShapeError(
                    f"the named size {name} is {bindings[name]} in {carrier[name].label()} and {got} in {node.label()}"
                )
            else:
                carrier.setdefault(name, node)
    for node, extent, got in derived:
        if bind(extent, bindings) != got:
            raise ShapeError(f"{node.label()} has an axis of {extent} = {bind(extent, bindings)}, got {got}")
    return bindings


@lru_cache
def _name_of(size: Size) -> str | None:
    """The name of a size that is one named size; sizes are few, and each run asks again."""
    return str(size) if size.is_name else None
