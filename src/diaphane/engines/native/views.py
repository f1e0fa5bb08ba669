"""Values that lie in the bytes of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...graph import Node
from ...graph.operations.indexing import Slice
from ...graph.operations.shaping import BroadcastTo, PermuteDims, Reshape
from ...graph.operations.windows import Windows

__all__ = ["is_view", "readers_of", "root_of", "uses"]


def is_view(node: Node) -> bool:
    """Whether a value may lie in the bytes of another."""
    return isinstance(node.op, Reshape | PermuteDims | BroadcastTo | Slice | Windows)


def root_of(node: Node) -> Node:
    """What a view, or a view of a view, is one of."""
    while is_view(node):
        node = node.inputs[0]
    return node


def readers_of(nodes: Sequence[Node]) -> dict[Node, list[Node]]:
    """For each node, those that have it as an input."""
    readers: dict[Node, list[Node]] = {}
    for node in nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    return readers


def uses(value: Node, readers: Mapping[Node, list[Node]]) -> list[Node]:
    """What reads a value, also through views of it."""
    found: list[Node] = []
    todo = list(readers.get(value, ()))
    while todo:
        node = todo.pop()
        found.append(node)
        if is_view(node):
            todo.extend(readers.get(node, ()))
    return found
