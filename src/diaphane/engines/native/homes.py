"""Places planned for values before they are computed, so that nothing is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...graph import Node
from ...graph.operations.shaping import Concat, Reshape
from .fusion import is_elementwise
from .registry import PLACED

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["can_be_placed", "plan_homes"]


def can_be_placed(node: Node) -> bool:
    """Whether its value is computed into whatever memory is given."""
    return is_elementwise(node) or type(node.op) in PLACED


def plan_homes(lowering: Lowering) -> None:
    """Let what is joined into one vector be computed where it will lie there."""
    block = lowering.block
    inside = set(block.nodes)
    for node in block.nodes:
        if not isinstance(node.op, Concat) or node.ndim != 1 or node in block.homes:
            continue
        out = lowering.fresh(lowering.shape(node), node.dtype)
        block.homes[node] = out
        start = 0
        for value in node.inputs:
            (length,) = lowering.shape(value)
            source = value
            while isinstance(source.op, Reshape):
                source = source.inputs[0]
            if can_be_placed(source) and source in inside and source not in block.homes:
                place = out.sliced([slice(start, start + length)], (length,))
                block.homes[source] = place.reshaped(lowering.shape(source))
            start += length
