"""What is done to whole columns of parameters."""

from __future__ import annotations

from ....graph import Node
from ....graph.operations.columns import ClipColumns
from ..registry import exports
from ..writing import Writer


@exports(ClipColumns)
def clip_columns(write: Writer, node: Node, inputs: list[str]) -> str:
    """In smaller operations."""
    assert isinstance(node.op, ClipColumns)
    return write.composed(node.op.composed(*node.inputs))
