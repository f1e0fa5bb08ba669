"""Which next values may be written straight into their variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from ...graph import Node
from ...graph.operations.columns import ClipColumns
from ..contract import Definition
from .fusion import Group, is_elementwise
from .views import is_view, readers_of, root_of, uses

__all__ = ["in_place_updates"]


def in_place_updates(
    definition: Definition, units: Sequence[Group | Node], nodes: Sequence[Node]
) -> tuple[dict[Node, Node], int]:
    """Next values that their loop may write into the variable, and after which unit the loss is known (−1: before all).

    Nothing reads the variable afterwards, the loop itself only at the same element, and the loss has been checked.
    Columns that are clipped where they lie come after the loop that writes them, if nothing else reads what it wrote.
    """
    position = {n: k for k, unit in enumerate(units) for n in (unit.nodes if isinstance(unit, Group) else [unit])}
    loss = definition.loss
    checked_at = position.get(loss, -1) if loss is not None else -1
    readers = readers_of(nodes)
    nexts = [value for _, value in definition.updates]
    # What is given out, or becomes another variable's value, is read when all loops are done.
    busy = {root_of(n) for n in (*definition.outputs, *nexts)}
    found: dict[Node, Node] = {}
    for variable, value in definition.updates:
        written = _before_clipping(value, readers, busy)
        at = position.get(written, -1)
        if at <= checked_at or not is_elementwise(written) or nexts.count(value) > 1 or variable in busy:
            continue
        # Its own loop may read the variable, but only as it lies: a view is read at other elements.
        direct = readers.get(variable, [])
        views = [u for u in uses(variable, readers) if is_view(u)]
        through_views = {u for v in views for u in readers.get(v, ())}
        if all(position[u] <= at for u in direct if not is_view(u)) and all(position[u] < at for u in through_views):
            found[value] = found[written] = variable
    return found, checked_at


def _before_clipping(value: Node, readers: Mapping[Node, Sequence[Node]], busy: Set[Node]) -> Node:
    """What is written first where columns are clipped in place; else the value itself."""
    if not isinstance(value.op, ClipColumns):
        return value
    vector = value.inputs[0]
    return vector if readers[vector] == [value] and vector not in busy else value
